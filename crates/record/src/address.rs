//! What an entry is called: (origin, incarnation, class, number).

use std::fmt;

use ondol_kernel::{
    Class, NodeId,
    bytes::{BadBytes, Reader, put_number},
};

/// A numbered log of one node: its entries of one class since its data directory was made or
/// last restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream {
    /// The node that wrote.
    pub origin: NodeId,
    /// Rises when the node was restored from a backup or cloned, so that no address is ever
    /// used twice.
    pub incarnation: u32,
    /// The urgency.
    pub class: Class,
}

/// The name of an entry. It is given once and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The log in which it stands.
    pub stream: Stream,
    /// Its place there, from 1, without gaps.
    pub number: u64,
}

impl Stream {
    /// Appends 16 bytes of origin, the incarnation and the class (ADR 0002).
    pub fn put(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.origin.0);
        put_number(to, u64::from(self.incarnation));
        to.push(self.class.code());
    }

    /// Reads what [`Stream::put`] wrote.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, BadBytes> {
        let origin = NodeId(from.array()?);
        let incarnation = u32::try_from(from.number()?).map_err(|_| BadBytes)?;
        let class = Class::from_code(from.byte()?).ok_or(BadBytes)?;
        Ok(Self { origin, incarnation, class })
    }

    /// The address of a number in this log.
    pub const fn at(self, number: u64) -> Address {
        Address { stream: self, number }
    }
}

impl Address {
    /// Appends the stream and the number (ADR 0002).
    pub fn put(&self, to: &mut Vec<u8>) {
        self.stream.put(to);
        put_number(to, self.number);
    }

    /// Reads what [`Address::put`] wrote. Number 0 is refused: logs count from 1.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, BadBytes> {
        let stream = Stream::read(from)?;
        let number = from.number()?;
        if number == 0 { Err(BadBytes) } else { Ok(Self { stream, number }) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stream { origin, incarnation, class } = self.stream;
        write!(f, "{origin}.{incarnation}.{class}.{}", self.number)
    }
}
