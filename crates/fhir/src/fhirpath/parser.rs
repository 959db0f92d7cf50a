//! From words to a tree, by precedence climbing.

use std::sync::OnceLock;

use super::{
    CompileError, DEPTH_MAX, LENGTH_MAX,
    ast::{Call, Expr, Op, TypeSpec},
    functions::Function,
    lexer::{Lexer, Token},
    quantity::{Quantity, is_calendar_word},
    values::Item,
};

/// A tree and how deep it is.
type Deep = (Expr, usize);

pub(super) fn parse(text: &str) -> Result<Expr, CompileError> {
    if text.len() > LENGTH_MAX {
        return Err(CompileError::TooLong);
    }
    let mut lexer = Lexer::new(text);
    let (token, offset) = lexer.token()?;
    let mut parser = Parser { lexer, token, offset, depth: 0 };
    let (expr, _) = parser.expression(0)?;
    match parser.token {
        Token::End => Ok(expr),
        _ => parser.wrong("the end"),
    }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    token: Token,
    offset: usize,
    depth: usize,
}

/// How tightly an operator binds; `is` and `as` stand between `+` and `|`.
const TYPE_LEVEL: u8 = 7;
const UNARY_LEVEL: u8 = 10;

const fn level(op: Op) -> u8 {
    match op {
        Op::Implies => 0,
        Op::Or | Op::Xor => 1,
        Op::And => 2,
        Op::In | Op::Contains => 3,
        Op::Equal | Op::NotEqual | Op::Equivalent | Op::NotEquivalent => 4,
        Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => 5,
        Op::Union => 6,
        Op::Add | Op::Subtract | Op::Concatenate => 8,
        Op::Multiply | Op::Divide | Op::Div | Op::Mod => 9,
    }
}

const OPS: [Op; 22] = [
    Op::Multiply,
    Op::Divide,
    Op::Div,
    Op::Mod,
    Op::Add,
    Op::Subtract,
    Op::Concatenate,
    Op::Union,
    Op::Less,
    Op::LessOrEqual,
    Op::Greater,
    Op::GreaterOrEqual,
    Op::Equal,
    Op::NotEqual,
    Op::Equivalent,
    Op::NotEquivalent,
    Op::In,
    Op::Contains,
    Op::And,
    Op::Or,
    Op::Xor,
    Op::Implies,
];

impl Parser<'_> {
    const fn wrong<T>(&self, expected: &'static str) -> Result<T, CompileError> {
        Err(CompileError::Syntax { offset: self.offset, expected })
    }

    fn advance(&mut self) -> Result<Token, CompileError> {
        let (token, offset) = self.lexer.token()?;
        self.offset = offset;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.token, Token::Sign(found) if found == sign)
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), CompileError> {
        if !self.is_sign(sign) {
            return self.wrong(sign);
        }
        self.advance().map(|_| ())
    }

    fn operator(&self) -> Option<Op> {
        let text = match &self.token {
            Token::Sign(sign) => sign,
            Token::Word(word) => &**word,
            _ => return None,
        };
        OPS.into_iter().find(|op| op.text() == text)
    }

    fn expression(&mut self, least: u8) -> Result<Deep, CompileError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(CompileError::TooDeep);
        }
        let mut left = self.unary()?;
        loop {
            if let Some(op) = self.operator() {
                let level = level(op);
                if level < least {
                    break;
                }
                self.advance()?;
                let right = self.expression(level + 1)?;
                left = node(left, right, |pair| Expr::Binary(op, pair))?;
                continue;
            }
            let is = match &self.token {
                Token::Word(word) if TYPE_LEVEL >= least => match &**word {
                    "is" => true,
                    "as" => false,
                    _ => break,
                },
                _ => break,
            };
            self.advance()?;
            let of = self.type_spec()?;
            left = wrap(left, |inner| if is { Expr::Is(inner, of) } else { Expr::As(inner, of) })?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn unary(&mut self) -> Result<Deep, CompileError> {
        if self.is_sign("-") {
            self.advance()?;
            let inner = self.expression(UNARY_LEVEL)?;
            return wrap(inner, Expr::Negate);
        }
        if self.is_sign("+") {
            self.advance()?;
            let inner = self.expression(UNARY_LEVEL)?;
            return wrap(inner, Expr::Plus);
        }
        self.path()
    }

    /// A term and the invocations and indexes after it.
    fn path(&mut self) -> Result<Deep, CompileError> {
        let mut left = self.term()?;
        loop {
            if self.is_sign(".") {
                self.advance()?;
                let right = self.invocation(false)?;
                left = node(left, right, Expr::Path)?;
            } else if self.is_sign("[") {
                self.advance()?;
                let index = self.expression(0)?;
                self.expect("]")?;
                left = node(left, index, Expr::Indexer)?;
            } else {
                return Ok(left);
            }
        }
    }

    fn term(&mut self) -> Result<Deep, CompileError> {
        match &self.token {
            Token::Sign("(") => {
                self.advance()?;
                let inner = self.expression(0)?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Sign("{") => {
                self.advance()?;
                self.expect("}")?;
                Ok((Expr::Empty, 1))
            }
            Token::String(_) | Token::Number(_) | Token::Moment(_) => self.literal(),
            Token::Percent(_) => match self.advance()? {
                Token::Percent(name) => Ok((Expr::Variable(name), 1)),
                _ => self.wrong("a variable"),
            },
            Token::Word(word) if matches!(&**word, "true" | "false") => {
                let is = &**word == "true";
                self.advance()?;
                Ok((Expr::Literal(Item::Boolean(is)), 1))
            }
            _ => self.invocation(true),
        }
    }

    fn literal(&mut self) -> Result<Deep, CompileError> {
        let offset = self.offset;
        let item = match self.advance()? {
            Token::String(text) => Item::String(String::from(text).into()),
            Token::Moment(moment) => Item::Moment(moment),
            Token::Number(digits) => self.number(&digits, offset)?,
            _ => return self.wrong("a literal"),
        };
        Ok((Expr::Literal(item), 1))
    }

    /// A number, with the unit that may stand after it.
    fn number(&mut self, digits: &str, offset: usize) -> Result<Item<'static>, CompileError> {
        let wrong = CompileError::Syntax { offset, expected: "a number within its range" };
        let decimal = || super::convert::decimal(digits).ok_or_else(|| wrong.clone());
        match &self.token {
            Token::String(unit) => {
                let quantity = Quantity::with_unit(decimal()?, unit);
                self.advance()?;
                Ok(Item::Quantity(Box::new(quantity)))
            }
            Token::Word(word) if is_calendar_word(word) => {
                let quantity = Quantity::with_word(decimal()?, word);
                self.advance()?;
                Ok(Item::Quantity(Box::new(quantity)))
            }
            _ if digits.contains('.') => Ok(Item::Decimal(decimal()?)),
            _ => digits.parse().map(Item::Integer).map_err(|_| wrong),
        }
    }

    fn invocation(&mut self, is_leading: bool) -> Result<Deep, CompileError> {
        let offset = self.offset;
        let name = match self.advance()? {
            Token::Dollar(name) => {
                let expr = match &*name {
                    "this" => Expr::This,
                    "index" => Expr::Index,
                    "total" => Expr::Total,
                    _ => {
                        return Err(CompileError::Syntax { offset, expected: "$this" });
                    }
                };
                return Ok((expr, 1));
            }
            Token::Word(name) => {
                if self.is_sign("(") {
                    return self.call(&name);
                }
                name
            }
            Token::Quoted(name) => name,
            _ => return Err(CompileError::Syntax { offset, expected: "an expression" }),
        };
        Ok((Expr::Name { name, is_leading }, 1))
    }

    fn call(&mut self, name: &str) -> Result<Deep, CompileError> {
        let wrong = CompileError::Function { offset: self.offset };
        let function = Function::from_name(name).ok_or_else(|| wrong.clone())?;
        self.advance()?;
        let mut call = Call { function, arguments: Vec::new(), of: None, pattern: OnceLock::new() };
        let mut depth = 0;
        if matches!(function, Function::Is | Function::As | Function::OfType) {
            call.of = Some(self.type_spec()?);
        } else if !self.is_sign(")") {
            loop {
                let (argument, its_depth) = self.expression(0)?;
                call.arguments.push(argument);
                depth = depth.max(its_depth);
                if !self.is_sign(",") {
                    break;
                }
                self.advance()?;
            }
        }
        self.expect(")")?;
        let (least, most) = function.arguments();
        if !(least..=most).contains(&(call.arguments.len() + usize::from(call.of.is_some()))) {
            return Err(wrong);
        }
        Ok((Expr::Call(Box::new(call)), checked(depth + 1)?))
    }

    fn type_spec(&mut self) -> Result<TypeSpec, CompileError> {
        let first = self.type_name()?;
        if !self.is_sign(".") {
            return Ok(TypeSpec { namespace: None, name: first });
        }
        // `x as Patient.name` never means a type `Patient.name`: only namespaces are left of a dot.
        if !matches!(&*first, "FHIR" | "System") {
            return Ok(TypeSpec { namespace: None, name: first });
        }
        self.advance()?;
        Ok(TypeSpec { namespace: Some(first), name: self.type_name()? })
    }

    fn type_name(&mut self) -> Result<Box<str>, CompileError> {
        match self.token {
            Token::Word(_) | Token::Quoted(_) => {}
            _ => return self.wrong("a type"),
        }
        match self.advance()? {
            Token::Word(name) | Token::Quoted(name) => Ok(name),
            _ => self.wrong("a type"),
        }
    }
}

const fn checked(depth: usize) -> Result<usize, CompileError> {
    if depth > DEPTH_MAX { Err(CompileError::TooDeep) } else { Ok(depth) }
}

fn node(
    (left, a): Deep,
    (right, b): Deep,
    make: impl FnOnce(Box<(Expr, Expr)>) -> Expr,
) -> Result<Deep, CompileError> {
    let depth = checked(a.max(b) + 1)?;
    Ok((make(Box::new((left, right))), depth))
}

fn wrap((inner, depth): Deep, make: impl FnOnce(Box<Expr>) -> Expr) -> Result<Deep, CompileError> {
    Ok((make(Box::new(inner)), checked(depth + 1)?))
}
