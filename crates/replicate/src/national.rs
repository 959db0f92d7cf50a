//! What nodes say to each other about the nation's index of persons (ADR 0027).
//!
//! It goes from node to node: what is asked goes up to the node that has none above it, what is
//! answered comes down. The links are sealed; who hands it on could read it, and has the charts of
//! those below it anyway. So little of it is on the line: the asker's name is left out on the first
//! link, and the answered one's on the last.

use ondol_kernel::{
    NodeId,
    bytes::{BadBytes, Reader, put_number},
};

/// What stands for a chart in the index: bytes of a keyed hash of its id.
pub type Token = [u8; 8];

/// By which a person is looked for: bytes of a keyed hash.
pub type Digest = [u8; 6];

/// So many people are told of in one message.
pub const PERSONS_MAX: usize = 64;

/// So many digests has a person.
pub const DIGESTS_MAX: usize = 8;

/// So many others are named in an answer.
pub const OTHERS_MAX: usize = 5;

/// A person whom a facility registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The chart.
    pub token: Token,
    /// The stamp of writing of what was told: a later one replaces an earlier one.
    pub stamp: u64,
    /// By which the person is found; none takes the person out of the index.
    pub digests: Vec<Digest>,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// To a question: these, or nobody.
    Asked,
    /// Too much was asked; the answer comes when it may.
    Later,
    /// News about a person who was told of before.
    News,
}

/// A message about the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Index {
    /// Give me the key.
    KeyWanted,
    /// The key of digests and tokens. It is sealed for the receiver, so that it rests in no queue.
    Key {
        /// Which key it is. A later one replaces an earlier one, and voids what was told under it.
        epoch: u64,
        /// The epoch (8, big-endian) and the key, sealed (ADR 0010).
        sealed: Vec<u8>,
    },
    /// These people were registered; if `asks`, somebody waits for what is known of them.
    Tell {
        /// Who tells; the sender if it is left out.
        from: Option<NodeId>,
        /// The key's epoch.
        epoch: u64,
        /// Whether an answer is wanted in any case.
        asks: bool,
        /// Who.
        persons: Vec<Person>,
    },
    /// Perhaps others are the same person.
    Found {
        /// Who told of the person; the receiver if it is left out.
        to: Option<NodeId>,
        /// The key's epoch.
        epoch: u64,
        /// What kind of answer it is.
        answer: Answer,
        /// The person who was told of.
        token: Token,
        /// Those who perhaps are the same.
        others: Vec<Token>,
    },
    /// Lead a chart here that was found.
    Want {
        /// Who asks; the sender if it is left out.
        from: Option<NodeId>,
        /// The key's epoch.
        epoch: u64,
        /// The asker's chart.
        token: Token,
        /// The chart that was found.
        other: Token,
    },
    /// A chart goes towards a node.
    Lead {
        /// To whom in the end.
        to: NodeId,
        /// The key's epoch.
        epoch: u64,
        /// The chart.
        token: Token,
    },
}

const KEY_WANTED: u8 = 0;
const KEY: u8 = 1;
const TELL: u8 = 2;
const FOUND: u8 = 3;
const WANT: u8 = 4;
const LEAD: u8 = 5;

/// In the first byte beside what it is: a node is named.
const NODE: u8 = 8;
/// An answer is wanted.
const ASKS: u8 = 16;
/// Where the kind of an answer stands.
const ANSWER_SHIFT: u32 = 4;

impl Index {
    pub(crate) fn put(&self, to: &mut Vec<u8>) {
        match self {
            Self::KeyWanted => to.push(KEY_WANTED),
            Self::Key { epoch, sealed } => {
                to.push(KEY);
                put_number(to, *epoch);
                to.extend_from_slice(sealed);
            }
            Self::Tell { from, epoch, asks, persons } => {
                put_head(to, TELL | if *asks { ASKS } else { 0 }, from.as_ref(), *epoch);
                for person in persons {
                    to.extend_from_slice(&person.token);
                    put_number(to, person.stamp);
                    put_number(to, person.digests.len() as u64);
                    to.extend(person.digests.iter().flatten());
                }
            }
            Self::Found { to: node, epoch, answer, token, others } => {
                let answer = match answer {
                    Answer::Asked => 0,
                    Answer::Later => 1,
                    Answer::News => 2,
                };
                put_head(to, FOUND | answer << ANSWER_SHIFT, node.as_ref(), *epoch);
                to.extend_from_slice(token);
                to.extend(others.iter().flatten());
            }
            Self::Want { from, epoch, token, other } => {
                put_head(to, WANT, from.as_ref(), *epoch);
                to.extend_from_slice(token);
                to.extend_from_slice(other);
            }
            Self::Lead { to: node, epoch, token } => {
                put_head(to, LEAD, Some(node), *epoch);
                to.extend_from_slice(token);
            }
        }
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, BadBytes> {
        let first = from.byte()?;
        let (kind, flags) = (first & (NODE - 1), first & !(NODE - 1));
        let node = match (kind, flags & NODE) {
            (_, 0) => None,
            (KEY_WANTED | KEY, _) => return Err(BadBytes),
            _ => Some(NodeId(from.array()?)),
        };
        let flags = flags & !NODE;
        match (kind, flags) {
            (KEY_WANTED, 0) => Ok(Self::KeyWanted),
            (KEY, 0) => {
                let epoch = from.number()?;
                let sealed = from.rest().to_vec();
                from.take(sealed.len())?;
                Ok(Self::Key { epoch, sealed })
            }
            (TELL, 0 | ASKS) => {
                let epoch = from.number()?;
                let persons = read_persons(from)?;
                Ok(Self::Tell { from: node, epoch, asks: flags == ASKS, persons })
            }
            (FOUND, _) => {
                let answer = match flags >> ANSWER_SHIFT {
                    0 => Answer::Asked,
                    1 => Answer::Later,
                    2 => Answer::News,
                    _ => return Err(BadBytes),
                };
                let (epoch, token) = (from.number()?, from.array()?);
                let mut others = vec![];
                while !from.is_empty() {
                    others.push(from.array()?);
                }
                let fits = others.len() <= OTHERS_MAX;
                let found = Self::Found { to: node, epoch, answer, token, others };
                if fits { Ok(found) } else { Err(BadBytes) }
            }
            (WANT, 0) => {
                let (epoch, token, other) = (from.number()?, from.array()?, from.array()?);
                Ok(Self::Want { from: node, epoch, token, other })
            }
            (LEAD, 0) => {
                let (epoch, token) = (from.number()?, from.array()?);
                Ok(Self::Lead { to: node.ok_or(BadBytes)?, epoch, token })
            }
            _ => Err(BadBytes),
        }
    }
}

fn put_head(to: &mut Vec<u8>, kind: u8, node: Option<&NodeId>, epoch: u64) {
    match node {
        None => to.push(kind),
        Some(node) => {
            to.push(kind | NODE);
            to.extend_from_slice(&node.0);
        }
    }
    put_number(to, epoch);
}

fn read_persons(from: &mut Reader<'_>) -> Result<Vec<Person>, BadBytes> {
    let mut persons = vec![];
    while !from.is_empty() {
        if persons.len() == PERSONS_MAX {
            return Err(BadBytes);
        }
        let (token, stamp) = (from.array()?, from.number()?);
        let count = from.size(DIGESTS_MAX)?;
        let digests = (0..count).map(|_| from.array()).collect::<Result<_, _>>()?;
        persons.push(Person { token, stamp, digests });
    }
    Ok(persons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use ondol_kernel::bytes::to_hex;
    use proptest::prelude::*;

    fn some() -> Vec<Index> {
        let node = NodeId([2; 16]);
        let person = |digests| Person { token: [1; 8], stamp: 300, digests };
        let mut all = vec![Index::KeyWanted, Index::Key { epoch: 256, sealed: vec![9; 32] }];
        for who in [None, Some(node)] {
            for asks in [false, true] {
                let persons = vec![person(vec![[3; 6], [4; 6]]), person(vec![])];
                all.push(Index::Tell { from: who, epoch: 256, asks, persons });
            }
            for answer in [Answer::Asked, Answer::Later, Answer::News] {
                let others = vec![[5; 8]];
                all.push(Index::Found { to: who, epoch: 256, answer, token: [1; 8], others });
            }
            all.push(Index::Want { from: who, epoch: 256, token: [1; 8], other: [5; 8] });
        }
        all.push(Index::Lead { to: node, epoch: 256, token: [5; 8] });
        all
    }

    #[test]
    fn messages_round_trip() {
        for index in some() {
            let message = Message::Index(index);
            assert_eq!(Message::decode(&message.encode()), Ok(message));
        }
    }

    #[test]
    fn their_bytes_never_change() {
        let hex = |index: Index| to_hex(&Message::Index(index).encode());
        let persons = vec![Person { token: [1; 8], stamp: 300, digests: vec![[3; 6]] }];
        assert_eq!(
            hex(Index::Tell { from: None, epoch: 256, asks: true, persons }),
            "08128002".to_owned() + &"01".repeat(8) + "ac02" + "01" + &"03".repeat(6)
        );
        let found = |to, answer| Index::Found {
            to,
            epoch: 256,
            answer,
            token: [1; 8],
            others: vec![[5; 8]],
        };
        let both = "01".repeat(8) + &"05".repeat(8);
        assert_eq!(hex(found(None, Answer::Later)), "08138002".to_owned() + &both);
        assert_eq!(
            hex(found(Some(NodeId([2; 16])), Answer::Asked)),
            "080b".to_owned() + &"02".repeat(16) + "8002" + &both
        );
        let key = Index::Key { epoch: 1, sealed: vec![9; 32] };
        assert_eq!(hex(key), "080101".to_owned() + &"09".repeat(32));
        assert_eq!(hex(Index::KeyWanted), "0800");
    }

    #[test]
    fn what_is_too_much_or_not_known_is_refused() {
        let person = Person { token: [1; 8], stamp: 1, digests: vec![] };
        let persons = vec![person; PERSONS_MAX + 1];
        let many = Index::Tell { from: None, epoch: 1, asks: false, persons };
        let found = Index::Found {
            to: None,
            epoch: 1,
            answer: Answer::Asked,
            token: [1; 8],
            others: vec![[5; 8]; OTHERS_MAX + 1],
        };
        for index in [many, found] {
            assert!(Message::decode(&Message::Index(index).encode()).is_err());
        }
        for first in [6, 7, 8, 9, 0x20, 0x33, 0x43] {
            assert!(Message::decode(&[8, first, 1, 1, 1]).is_err(), "{first}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_what_is_read_is_written_so(mut bytes: Vec<u8>) {
            bytes.insert(0, 8);
            if let Ok(message) = Message::decode(&bytes) {
                prop_assert_eq!(message.encode(), bytes);
            }
        }
    }
}
