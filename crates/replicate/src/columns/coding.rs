//! One parcel being written or read: what both sides remember of it, and its cells (ADR 0013).

use std::{collections::HashMap, sync::Arc};

use ondol_kernel::{Hlc, bytes::BadBytes};
use ondol_record::{Address, entry::derive_id};

use super::{
    cells::{Decimal, Time, TimeForm},
    coder::Side,
    model::{Kind, Model, mix, number_of},
    priors::{Priors, Shapes, Strings},
    shape::{self, Cell, Shape},
    spell::Letters,
};

/// So many letters are coded one by one in a parcel; with more, its texts stand apart.
pub const LETTERS_MAX: usize = 8 << 10;

/// A column remembers so many texts.
const STRINGS_MAX: usize = 1_023;

/// A parcel brings so many shapes at the most.
const SHAPES_MAX: u32 = 2_048;

const DAY_S: i64 = 86_400;

/// Where the letters of texts are.
#[derive(Debug)]
pub enum Texts {
    /// Among the decisions; so many more.
    Within(usize),
    /// In bytes of their own.
    Apart {
        /// All of them.
        bytes: Vec<u8>,
        /// How far they were read.
        at: usize,
    },
}

/// Where a cell stands.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The number of the shape.
    pub shape: u32,
    /// The number of the hole in it.
    pub hole: u32,
    /// The column of the hole.
    pub column: u32,
}

impl Place {
    fn contexts(self, what: u32, more: u32) -> [u32; 3] {
        let exact = mix(&[what, self.shape, self.hole, 7]);
        [mix(&[what, self.column]), exact, mix(&[exact, more])]
    }

    /// A place that belongs to no shape.
    pub const fn of(number: u32) -> Self {
        Self { shape: u32::MAX, hole: number, column: number }
    }
}

/// What is remembered of the entry at hand.
#[derive(Debug, Default)]
pub struct Scope {
    /// Its address and stamp, from which its ids are derived.
    pub written: Option<(Address, Hlc)>,
    /// The ids that it derives, where they are known before.
    pub derived: HashMap<[u8; 16], u32>,
    /// Whom its chart is about.
    pub subject: Option<[u8; 16]>,
    /// Who wrote it.
    pub author: Option<[u8; 16]>,
    /// The ids in the entry before it in the chart.
    pub before: Arc<Vec<Option<[u8; 16]>>>,
    /// Its time of care, seconds.
    pub care: Option<i64>,
    /// Address and stamp of the entry before.
    pub before_at: Option<(Address, Hlc)>,
    /// The latest time in it so far.
    pub latest: Option<i64>,
    /// The last shapes.
    pub shapes: [u32; 3],
    /// See [`Coding::cells`].
    pub last_number: u32,
    /// See [`Coding::cells`].
    pub last_text: u32,
    /// See [`Coding::cells`].
    pub last_id: u32,
}

/// A parcel being written or read.
pub struct Coding<S> {
    /// The side.
    pub model: Model<S>,
    /// Where texts are.
    pub texts: Texts,
    /// Whether more letters were written than fit.
    pub overflows: bool,
    letters: Option<Letters>,
    priors: Arc<Priors>,
    shapes: Shapes,
    strings: HashMap<u32, Strings>,
    ids: Vec<[u8; 16]>,
    id_places: HashMap<[u8; 16], u64>,
    last_ids: HashMap<u32, [u8; 16]>,
    /// The latest time of the last entry that had one, seconds.
    pub time: i64,
    offset: Option<i16>,
    /// The entry at hand.
    pub scope: Scope,
}

const DERIVED: u32 = 1;

impl<S: Side> Coding<S> {
    /// Begins.
    pub fn new(side: S, priors: Arc<Priors>, texts: Texts) -> Self {
        Self {
            model: Model::new(side, priors.learnt.clone()),
            texts,
            overflows: false,
            letters: None,
            priors,
            shapes: Shapes::default(),
            strings: HashMap::new(),
            ids: vec![],
            id_places: HashMap::new(),
            last_ids: HashMap::new(),
            time: 0,
            offset: None,
            scope: Scope::default(),
        }
    }

    /// Remembers an id.
    pub fn remember_id(&mut self, id: [u8; 16]) {
        if !self.id_places.contains_key(&id) {
            self.id_places.insert(id, self.ids.len() as u64);
            self.ids.push(id);
        }
    }

    /// Bytes of a text, as they are.
    pub fn letters(&mut self, column: u32, text: &[u8]) -> Result<Vec<u8>, BadBytes> {
        let contexts = [11, mix(&[12, column]), 13];
        match &mut self.texts {
            Texts::Within(left) => {
                let has_zero = self.model.flag(Kind::Letter, &contexts, text.contains(&0))?;
                if has_zero {
                    // What has zeros goes to where texts stand apart.
                    self.overflows = true;
                    return Err(BadBytes);
                }
                let fits = if S::WRITES { text.len() <= *left } else { true };
                if !fits {
                    self.overflows = true;
                    return Err(BadBytes);
                }
                let letters = self.letters.get_or_insert_with(Letters::known);
                let read = letters.text(&mut self.model.side, column, text, *left)?;
                *left -= read.len();
                Ok(read)
            }
            Texts::Apart { bytes, at } => {
                let length = self.model.number(Kind::Letter, &contexts, text.len() as u64)?;
                if S::WRITES {
                    bytes.extend_from_slice(text);
                    return Ok(text.to_vec());
                }
                let length = usize::try_from(length).map_err(|_| BadBytes)?;
                let rest = bytes.get(*at..).ok_or(BadBytes)?;
                let read = rest.get(..length).ok_or(BadBytes)?.to_vec();
                *at += length;
                self.model.charge(length)?;
                Ok(read)
            }
        }
    }

    /// A text of a column that may have come before.
    pub fn text(&mut self, place: Place, text: &[u8]) -> Result<Vec<u8>, BadBytes> {
        let known = |strings: &HashMap<u32, Strings>, base: u32| {
            strings.get(&place.column).and_then(|s| s.number(text)).map(|number| number + base)
        };
        let shipped = self.priors.strings.get(&place.column).map_or(0, Strings::count);
        let number = if S::WRITES {
            known(&self.priors.strings, 0).or_else(|| known(&self.strings, shipped)).unwrap_or(0)
        } else {
            0
        };
        let contexts = place.contexts(21, self.scope.last_text);
        let number = self.model.symbol(Kind::Text, &contexts, 10, number)?;
        self.scope.last_text = number;
        if number == 0 {
            let read = self.letters(place.column, text)?;
            self.remember_text(place.column, &read);
            return Ok(read);
        }
        let found = if number <= shipped {
            self.priors.strings.get(&place.column).and_then(|s| s.text(number))
        } else {
            self.strings.get(&place.column).and_then(|s| s.text(number - shipped))
        };
        let found = found.ok_or(BadBytes)?.to_vec();
        self.model.charge(found.len())?;
        Ok(found)
    }

    /// The id that the entry at hand derives for a place.
    pub fn derive(&self, ordinal: u32) -> Result<[u8; 16], BadBytes> {
        let (address, hlc) = self.scope.written.ok_or(BadBytes)?;
        derive_id(&address, hlc, ordinal).as_uuid().ok_or(BadBytes)
    }

    /// An id: one that everybody can tell, one that came before, or a new one.
    pub fn id(&mut self, place: Place, id: [u8; 16]) -> Result<[u8; 16], BadBytes> {
        let class = if S::WRITES { self.class_of(place, &id) } else { 0 };
        let contexts = place.contexts(31, self.scope.last_id);
        let class = self.model.symbol(Kind::Id, &contexts, 3, class)?;
        self.scope.last_id = class;
        let contexts = place.contexts(32, class);
        let id = match class {
            0 => self.scope.subject.ok_or(BadBytes)?,
            DERIVED => {
                let ordinal = self.scope.derived.get(&id).copied().unwrap_or(0);
                let ordinal = self.model.number(Kind::Id, &contexts, ordinal.into())?;
                self.derive(u32::try_from(ordinal).map_err(|_| BadBytes)?)?
            }
            2 => self.scope.author.ok_or(BadBytes)?,
            3 => *self.last_ids.get(&place.column).ok_or(BadBytes)?,
            4 => {
                let told = self.id_places.get(&id).copied().unwrap_or(0);
                let at = self.model.number(Kind::Id, &contexts, told)?;
                *usize::try_from(at).ok().and_then(|at| self.ids.get(at)).ok_or(BadBytes)?
            }
            5 => {
                let told = self.scope.before.iter().position(|one| *one == Some(id)).unwrap_or(0);
                let at = self.model.number(Kind::Id, &contexts, told as u64)?;
                let at = usize::try_from(at).map_err(|_| BadBytes)?;
                self.scope.before.get(at).copied().flatten().ok_or(BadBytes)?
            }
            6 => {
                let id = self.model.raw(&id)?;
                self.remember_id(id);
                id
            }
            _ => return Err(BadBytes),
        };
        self.last_ids.insert(place.column, id);
        Ok(id)
    }

    fn class_of(&self, place: Place, id: &[u8; 16]) -> u32 {
        match () {
            () if self.scope.subject == Some(*id) => 0,
            () if self.scope.derived.contains_key(id) => DERIVED,
            () if self.scope.author == Some(*id) => 2,
            () if self.last_ids.get(&place.column) == Some(id) => 3,
            () if self.id_places.contains_key(id) => 4,
            () if self.scope.before.contains(&Some(*id)) => 5,
            () => 6,
        }
    }

    fn time_form(&mut self, place: Place, form: TimeForm) -> Result<TimeForm, BadBytes> {
        let symbol = u32::from(form.date)
            | u32::from(form.thousandths) << 1
            | u32::from(form.offset.is_some()) << 2;
        let symbol = self.model.symbol(Kind::Time, &place.contexts(41, 0), 3, symbol)?;
        let offset = if symbol & 4 == 0 {
            None
        } else {
            let contexts = place.contexts(42, 0);
            let same = form.offset == self.offset;
            if self.offset.is_some() && self.model.flag(Kind::Time, &contexts, same)? {
                self.offset
            } else {
                let offset = form.offset.unwrap_or(0).into();
                let offset = self.model.signed(Kind::Time, &place.contexts(43, 0), offset)?;
                self.offset = Some(i16::try_from(offset).map_err(|_| BadBytes)?);
                self.offset
            }
        };
        Ok(TimeForm { date: symbol & 1 != 0, thousandths: symbol & 2 != 0, offset })
    }

    /// A time: how far from one that was before.
    fn time(&mut self, place: Place, time: Time) -> Result<Time, BadBytes> {
        let form = self.time_form(place, time.form)?;
        let written = self.scope.written.map_or(0, |(_, hlc)| hlc.millis().0.div_euclid(1_000));
        let written = self.scope.care.unwrap_or(written);
        let near = self.scope.latest.unwrap_or(self.time);
        let base = if self.scope.latest.is_none() && !form.date {
            let nearer = time.at.abs_diff(written) < time.at.abs_diff(near);
            let contexts = [44, mix(&[44, place.shape]), mix(&[45, place.column])];
            if self.model.flag(Kind::Time, &contexts, nearer)? { written } else { near }
        } else {
            near
        };
        let base = if form.date {
            (base + i64::from(self.offset.unwrap_or(0)) * 60).div_euclid(DAY_S)
        } else {
            base
        };
        let contexts = place.contexts(46, self.scope.shapes[0]);
        let away = self.model.signed(Kind::Time, &contexts, time.at.wrapping_sub(base))?;
        let at = base.wrapping_add(away);
        let thousandths = if form.thousandths {
            let contexts = place.contexts(47, 0);
            self.model.symbol(Kind::Time, &contexts, 10, time.thousandths.into())?
        } else {
            0
        };
        if !form.date {
            // Far enough from the ends that no sum overflows.
            let at = at.clamp(-(1 << 50), 1 << 50);
            self.scope.latest = Some(self.scope.latest.map_or(at, |latest| latest.max(at)));
        }
        Ok(Time { form, at, thousandths: u16::try_from(thousandths).unwrap_or(0) })
    }

    fn decimal(&mut self, place: Place, number: Decimal) -> Result<Decimal, BadBytes> {
        let form = u32::from(number.places) << 1 | u32::from(number.minus);
        let form = self.model.symbol(Kind::Number, &place.contexts(51, 0), 5, form)?;
        let contexts = place.contexts(mix(&[52, form]), self.scope.last_number);
        let digits = self.model.number(Kind::Number, &contexts, number.digits)?;
        self.scope.last_number = number_of(&digits.to_le_bytes());
        Ok(Decimal { minus: form & 1 == 1, digits, places: u8::try_from(form >> 1).unwrap_or(0) })
    }

    fn cell(&mut self, mark: u8, place: Place, cell: Option<&Cell>) -> Result<Cell, BadBytes> {
        Ok(match (mark, cell) {
            (shape::ID, Some(Cell::Id(id))) => Cell::Id(self.id(place, *id)?),
            (shape::ID, None) => Cell::Id(self.id(place, [0; 16])?),
            (shape::TIME, Some(Cell::Time(time))) => Cell::Time(self.time(place, *time)?),
            (shape::TIME, None) => {
                let form = TimeForm { date: false, thousandths: false, offset: None };
                Cell::Time(self.time(place, Time { form, at: 0, thousandths: 0 })?)
            }
            (shape::NUMBER, Some(Cell::Number(number))) => {
                Cell::Number(self.decimal(place, *number)?)
            }
            (shape::NUMBER, None) => {
                Cell::Number(self.decimal(place, Decimal { minus: false, digits: 0, places: 0 })?)
            }
            (shape::TEXT, Some(Cell::Text(text))) => Cell::Text(self.text(place, text)?),
            (shape::TEXT, None) => Cell::Text(self.text(place, b"")?),
            _ => return Err(BadBytes),
        })
    }

    /// The cells of a shape; `told` by the writer.
    pub fn cells(
        &mut self,
        number: u32,
        shape: &Shape,
        told: &[Cell],
    ) -> Result<Vec<Cell>, BadBytes> {
        (self.scope.last_number, self.scope.last_text, self.scope.last_id) = (0, 0, 0);
        let mut cells = Vec::with_capacity(shape.holes.len().min(512));
        for (at, hole) in shape.holes.iter().enumerate() {
            let at_hole = u32::try_from(at).map_err(|_| BadBytes)?;
            let place = Place { shape: number, hole: at_hole, column: hole.column };
            cells.push(self.cell(hole.mark, place, told.get(at))?);
        }
        Ok(cells)
    }

    /// The number of a shape, if it was shipped or came before.
    pub fn shape_number(&self, resource_type: &str, text: &[u8]) -> Option<u32> {
        let shipped = self.priors.shapes.number(resource_type, text);
        let came =
            || self.shapes.number(resource_type, text).map(|n| n + self.priors.shapes.count());
        shipped.or_else(came)
    }

    /// Remembers what a resource that the receiver holds consists of.
    pub fn learn(&mut self, resource_type: &str, text: Vec<u8>, cells: &[Cell]) {
        let shape = Shape::of(resource_type, text);
        for (hole, cell) in shape.holes.iter().zip(cells) {
            match cell {
                Cell::Id(id) => self.remember_id(*id),
                Cell::Text(text) => self.remember_text(hole.column, text),
                Cell::Time(_) | Cell::Number(_) => {}
            }
        }
        if self.has_room() && self.shape_number(resource_type, &shape.text).is_none() {
            self.shapes.add(Arc::new(shape));
        }
    }

    /// Remembers a text of a column.
    fn remember_text(&mut self, column: u32, text: &[u8]) {
        let shipped = self.priors.strings.get(&column);
        if shipped.is_some_and(|shipped| shipped.number(text).is_some()) {
            return;
        }
        let shipped = shipped.map_or(0, |shipped| shipped.count() as usize);
        self.strings.entry(column).or_default().add(text, STRINGS_MAX.saturating_sub(shipped));
    }

    /// The shape of a number.
    pub fn shape(&self, number: u32) -> Option<Arc<Shape>> {
        match number.checked_sub(self.priors.shapes.count()) {
            None => self.priors.shapes.shape(number),
            Some(number) => self.shapes.shape(number),
        }
        .cloned()
    }

    /// Whether one more shape may come.
    pub fn has_room(&self) -> bool {
        self.shapes.count() < SHAPES_MAX
    }

    /// A new shape: how it differs from one that is known. It gets the next number.
    pub fn new_shape(
        &mut self,
        resource_type: &str,
        text: &[u8],
    ) -> Result<(u32, Arc<Shape>), BadBytes> {
        if !self.has_room() {
            return Err(BadBytes);
        }
        let like = if S::WRITES { self.like(resource_type, text) } else { Like::default() };
        let contexts = |what: u32| [what, mix(&[what, 1]), mix(&[what, self.scope.shapes[0]])];
        let [base, front, back] = [contexts(61), contexts(62), contexts(63)];
        let base = self.model.number(
            Kind::Shape,
            &base,
            like.base.map_or(0, |base| u64::from(base) + 1),
        )?;
        let base = match base.checked_sub(1) {
            None => None,
            Some(number) => {
                let number = u32::try_from(number).map_err(|_| BadBytes)?;
                Some(self.shape(number).ok_or(BadBytes)?)
            }
        };
        let whole = base.as_ref().map_or(&[][..], |base| &base.text);
        let front = self.model.number(Kind::Shape, &front, like.front as u64)?;
        let back = self.model.number(Kind::Shape, &back, like.back as u64)?;
        let size = |n: u64| usize::try_from(n).ok().filter(|&n| n <= whole.len()).ok_or(BadBytes);
        let (front, back) = (size(front)?, size(back)?);
        let told = if S::WRITES { &text[front..text.len() - back] } else { &[] };
        let middle = self.letters(64, told)?;
        let resource_type = match &base {
            Some(base) => base.resource_type.clone(),
            None => {
                let name = self.text(Place::of(65), resource_type.as_bytes())?;
                String::from_utf8(name).map_err(|_| BadBytes)?.into()
            }
        };
        self.model.charge(front + back)?;
        let text = [&whole[..front], &middle, &whole[whole.len() - back..]].concat();
        let shape = Arc::new(Shape::of(&resource_type, text));
        Ok((self.priors.shapes.count() + self.shapes.add(shape.clone()), shape))
    }

    /// Which shape of the same type is most like a text.
    fn like(&self, resource_type: &str, text: &[u8]) -> Like {
        let mut best = Like::default();
        let all = self.priors.shapes.count() + self.shapes.count();
        for number in (0..all).rev() {
            let Some(shape) = self.shape(number).filter(|s| *s.resource_type == *resource_type)
            else {
                continue;
            };
            let same = |(a, b): &(&u8, &u8)| a == b;
            let front = text.iter().zip(&shape.text).take_while(same).count();
            let most = text.len().min(shape.text.len()) - front;
            let ends = text.iter().rev().zip(shape.text.iter().rev());
            let back = ends.take(most).take_while(same).count();
            if best.base.is_none() || front + back > best.front + best.back {
                best = Like { base: Some(number), front, back };
            }
        }
        best
    }
}

/// How much of a known shape is in a new one.
#[derive(Default)]
struct Like {
    base: Option<u32>,
    front: usize,
    back: usize,
}
