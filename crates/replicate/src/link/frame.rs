//! What stands inside a data packet once it is decrypted (ADR 0005, 'Frames').

use ondol_kernel::{
    Class,
    bytes::{BadBytes, Reader, put_number},
};

use super::{MAX_MESSAGE_BYTES, Position};

const TYPE_ACK: u8 = 0x01;
const TYPE_PING: u8 = 0x02;
const TYPE_DURABLE: u8 = 0x04;
const STREAM: u8 = 0x80;
const LAST: u8 = 0x10;
const LENGTH: u8 = 0x08;
const GAP: u8 = 0x04;
const OFFSET: u8 = 0x02;

/// The most ranges that an acknowledgement names.
pub(super) const MAX_RANGES: usize = 32;

/// Which packets arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The low 16 bits of the receiver's clock in ms when the highest of them arrived.
    pub arrival: u16,
    /// Packet numbers from-to (both inclusive), highest first, apart by at least one.
    pub ranges: Vec<(u64, u64)>,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream<'a> {
    /// The class of the message.
    pub class: Class,
    /// Its number in its class.
    pub message_no: u64,
    /// Where the piece begins in the message.
    pub offset: u32,
    /// How many numbers before this message will never come (any more).
    pub gap: u64,
    /// Whether the message ends with this piece.
    pub last: bool,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Receipt, for recovery and rate alone.
    Ack(Ack),
    /// 'Tell me everything you have': asks for a full acknowledgement.
    Ping,
    /// The receiver holds this class durably up to here.
    Durable(Class, Position),
    /// A piece of a message.
    Stream(Stream<'a>),
}

impl Frame<'_> {
    /// Appends the frame. A stream frame written with `to_the_end` has no length and must be
    /// the last of its packet.
    pub fn encode(&self, to: &mut Vec<u8>, to_the_end: bool) {
        match self {
            Self::Ack(ack) => ack.encode(to),
            Self::Ping => to.push(TYPE_PING),
            Self::Durable(class, position) => {
                to.push(TYPE_DURABLE | class.code());
                put_number(to, position.message_no);
                put_number(to, u64::from(position.offset));
            }
            Self::Stream(stream) => stream.encode(to, to_the_end),
        }
    }
}

impl Ack {
    fn encode(&self, to: &mut Vec<u8>) {
        let Some((&(low, high), others)) = self.ranges.split_first() else { return };
        to.push(TYPE_ACK);
        to.extend_from_slice(&self.arrival.to_be_bytes());
        put_number(to, high);
        put_number(to, (high - low) << 1 | u64::from(!others.is_empty()));
        let mut below = low;
        for (index, &(low, high)) in others.iter().enumerate() {
            put_number(to, below - high - 2);
            put_number(to, (high - low) << 1 | u64::from(index + 1 < others.len()));
            below = low;
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, BadBytes> {
        let arrival = u16::from_be_bytes(reader.array()?);
        let mut high = reader.number()?;
        let mut ranges = Vec::new();
        loop {
            let length = reader.number()?;
            let low = high.checked_sub(length >> 1).ok_or(BadBytes)?;
            ranges.push((low, high));
            if length & 1 == 0 {
                return Ok(Self { arrival, ranges });
            }
            if ranges.len() == MAX_RANGES {
                return Err(BadBytes);
            }
            let gap = reader.number()?.checked_add(2).ok_or(BadBytes)?;
            high = low.checked_sub(gap).ok_or(BadBytes)?;
        }
    }
}

impl<'a> Stream<'a> {
    /// Bytes of the frame's header when it is the last of its packet.
    pub(super) fn header_bytes(message_no: u64, offset: u32, gap: u64) -> usize {
        let size = |n: u64| (64 - n.leading_zeros() as usize).div_ceil(7).max(1);
        1 + size(message_no)
            + if offset > 0 { size(u64::from(offset)) } else { 0 }
            + if gap > 0 { size(gap) } else { 0 }
    }

    fn encode(&self, to: &mut Vec<u8>, to_the_end: bool) {
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        to.push(
            STREAM
                | self.class.code() << 5
                | flag(self.last, LAST)
                | flag(!to_the_end, LENGTH)
                | flag(self.gap > 0, GAP)
                | flag(self.offset > 0, OFFSET),
        );
        put_number(to, self.message_no);
        if self.offset > 0 {
            put_number(to, u64::from(self.offset));
        }
        if self.gap > 0 {
            put_number(to, self.gap);
        }
        if !to_the_end {
            put_number(to, self.bytes.len() as u64);
        }
        to.extend_from_slice(self.bytes);
    }

    fn decode(first: u8, reader: &mut Reader<'a>) -> Result<Self, BadBytes> {
        if first & 1 != 0 {
            return Err(BadBytes);
        }
        let class = Class::from_code(first >> 5 & 3).ok_or(BadBytes)?;
        let message_no = reader.number()?;
        let offset = if first & OFFSET == 0 { 0 } else { reader.size(MAX_MESSAGE_BYTES)? };
        let gap = if first & GAP == 0 { 0 } else { reader.number()? };
        if gap > message_no {
            return Err(BadBytes);
        }
        let bytes =
            if first & LENGTH == 0 { reader.take(reader.rest().len())? } else { reader.bytes()? };
        if offset + bytes.len() > MAX_MESSAGE_BYTES || message_no == u64::MAX {
            return Err(BadBytes);
        }
        let offset = u32::try_from(offset).map_err(|_| BadBytes)?;
        Ok(Self { class, message_no, offset, gap, last: first & LAST != 0, bytes })
    }
}

/// Reads all frames of a packet. One bad frame makes the whole packet bad: it came from a
/// neighbour who speaks another tongue, and half of it would be guesswork.
pub fn decode_all(payload: &[u8]) -> Result<Vec<Frame<'_>>, BadBytes> {
    let mut reader = Reader::new(payload);
    let mut frames = Vec::new();
    while !reader.is_empty() {
        frames.push(match reader.byte()? {
            TYPE_ACK => Frame::Ack(Ack::decode(&mut reader)?),
            TYPE_PING => Frame::Ping,
            first if first & !3 == TYPE_DURABLE => {
                let class = Class::from_code(first & 3).ok_or(BadBytes)?;
                let message_no = reader.number()?;
                let offset =
                    u32::try_from(reader.size(MAX_MESSAGE_BYTES)?).map_err(|_| BadBytes)?;
                Frame::Durable(class, Position { message_no, offset })
            }
            first if first & STREAM != 0 => Frame::Stream(Stream::decode(first, &mut reader)?),
            _ => return Err(BadBytes),
        });
    }
    Ok(frames)
}
