//! Sticks as a person hands them over: whatever files were found on one, and what became of what
//! was carried away.

use std::sync::Arc;

use ondol_kernel::{
    Class, Millis, NodeId,
    bytes::{BadBytes, Reader},
};
use ondol_record::{placement, revocation};
use ondol_replicate::stick::{self, BadStick, Item};

use super::{StickIn, keys};
use crate::{Actor, App, AppError};

/// What was last put on a stick for a neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// When.
    pub at: Millis,
    /// The number of the stick.
    pub sequence: u64,
    /// Messages on it.
    pub messages: u64,
    /// Whether the neighbour said since that it holds all of them durably.
    pub is_held: bool,
}

/// What all files that were handed over brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CarriedIn {
    /// The sticks that could be used, oldest first.
    pub brought: Vec<StickIn>,
    /// Why others could not, each reason once.
    pub refused: Vec<BadStick>,
    /// Revocations among the files that were not known here.
    pub revocations: u64,
    /// Placements among the files that were not known here.
    pub placements: u64,
}

/// What stands at the end of a file: the sender's certificate, its length, this. A stick is read
/// by the marks of its frames and passes over what is none (ADR 0010).
const TRAILER: &[u8; 8] = b"ondolcrt";

/// The longest certificate that is looked for, bytes.
const CERTIFICATE_BYTES_MAX: usize = 4_096;

/// Adds the sender's certificate to a stick's file.
pub fn put_certificate(file: &mut Vec<u8>, certificate: &[u8]) {
    let Ok(length) = u32::try_from(certificate.len()) else { return };
    file.extend_from_slice(certificate);
    file.extend_from_slice(&length.to_be_bytes());
    file.extend_from_slice(TRAILER);
}

/// The certificate at the end of a stick's file.
fn certificate(file: &[u8]) -> Option<&[u8]> {
    let (rest, length) = file.strip_suffix(TRAILER)?.split_last_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let from = rest.len().checked_sub(length).filter(|_| length <= CERTIFICATE_BYTES_MAX)?;
    Some(&rest[from..])
}

impl App {
    /// Takes in the files that were found on a stick: copies of one another, sticks of several
    /// senders, others that have nothing to do with it. What is sound is kept, whatever else is
    /// there.
    pub fn sticks_in(
        self: &Arc<Self>,
        actor: &Actor,
        files: &[&[u8]],
    ) -> Result<CarriedIn, AppError> {
        self.may_carry(actor)?;
        let mut result = CarriedIn::default();
        let (revocations, files): (Vec<&[u8]>, Vec<&[u8]>) =
            files.iter().copied().partition(|file| file.starts_with(revocation::MAGIC));
        for bytes in &revocations {
            result.revocations += u64::from(self.take_revocation(bytes)?);
        }
        let (placements, files): (Vec<&[u8]>, Vec<&[u8]>) =
            files.into_iter().partition(|file| file.starts_with(placement::MAGIC));
        for bytes in &placements {
            result.placements += u64::from(self.take_placement(bytes)?);
        }
        for certificate in files.iter().filter_map(|file| certificate(file)) {
            self.introduced(certificate)?;
        }
        let files = &files[..];
        let mut groups = stick::group(files);
        groups.sort_by_key(|group| {
            let label = group.first().and_then(|&at| stick::label(files[at]).ok());
            label.map(|label| (label.from, label.sequence))
        });
        for group in &groups {
            let copies: Vec<&[u8]> = group.iter().map(|&at| files[at]).collect();
            match self.stick_in(actor, &copies) {
                Ok(brought) => result.brought.push(brought),
                Err(AppError::Stick(why)) => result.refuse(why),
                Err(why) => return Err(why),
            }
        }
        if groups.is_empty() {
            files.iter().filter_map(|file| stick::label(file).err()).for_each(|w| result.refuse(w));
        }
        Ok(result)
    }

    /// What was last carried to a neighbour on foot.
    pub(super) fn carried(&self, peer: &NodeId) -> Result<Option<Carried>, AppError> {
        let view = self.view()?;
        let Some(value) = view.value(ondol_store::Space::Peer, &keys::carried(peer))? else {
            return Ok(None);
        };
        let damaged = |_: BadBytes| AppError::Unexpected("a note of a stick");
        let mut from = Reader::new(&value);
        let at = Millis(i64::from_be_bytes(from.array().map_err(damaged)?));
        let mut number = || from.array().map(u64::from_be_bytes).map_err(damaged);
        let (sequence, messages) = (number()?, number()?);
        let mut is_held = true;
        for class in Class::ALL {
            let last = number()?;
            is_held &= keys::number(&*view, &keys::acknowledged(peer, class))? >= last;
        }
        Ok(Some(Carried { at, sequence, messages, is_held }))
    }

    /// Notes what goes onto a stick, before it is written. Gives a number for it that was never
    /// used before, and how many messages there are.
    pub(super) fn note_carried(
        &self,
        to: NodeId,
        at: Millis,
        items: &[Item],
    ) -> Result<(u64, u64), AppError> {
        let (mut last, mut messages) = ([0u64; 4], 0u64);
        for item in items {
            if let Item::Message { class, number, .. } = item {
                let class = usize::from(class.code());
                last[class] = last[class].max(*number);
                messages += 1;
            }
        }
        ondol_store::transact(&*self.store, move |tx| {
            let sequence = keys::number(tx, b"sticks")? + 1;
            keys::set_number(tx, b"sticks", sequence)?;
            let mut value = at.0.to_be_bytes().to_vec();
            for number in [sequence, messages].into_iter().chain(last) {
                value.extend_from_slice(&number.to_be_bytes());
            }
            tx.set_value(ondol_store::Space::Peer, &keys::carried(&to), Some(&value))?;
            Ok((sequence, messages))
        })
    }
}

impl CarriedIn {
    fn refuse(&mut self, why: BadStick) {
        if !self.refused.contains(&why) {
            self.refused.push(why);
        }
    }

    /// Whether something that was not here before is here now, or is known to have arrived.
    pub fn is_news(&self) -> bool {
        self.revocations + self.placements > 0
            || self.brought.iter().any(|stick| stick.arrived > 0 || stick.acknowledged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_at_the_end_is_found_unless_it_was_cut_off() {
        let mut file = b"stick".to_vec();
        put_certificate(&mut file, b"certificate");
        assert_eq!(certificate(&file), Some(&b"certificate"[..]));
        for cut in 0..file.len() {
            assert_eq!(certificate(&file[..cut]), None, "{cut}");
        }
        let lying = [&u32::MAX.to_be_bytes()[..], TRAILER].concat();
        assert_eq!(certificate(&lying), None);
    }
}
