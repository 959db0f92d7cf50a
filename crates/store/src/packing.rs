//! How the text of a version stands on disk.
//!
//! The first byte says how: 0 is the text itself, 1 a zstd frame (RFC 8878) without its magic
//! number, made with dictionary 1. A reader knows all of them for ever; a writer may choose.

use std::{cell::RefCell, sync::OnceLock};

use ondol_record::entry::ENTRY_BYTES_MAX;
use zstd::{
    bulk::{Compressor, Decompressor},
    dict::{DecoderDictionary, EncoderDictionary},
    zstd_safe,
};

use crate::StoreError;

const PLAIN: u8 = 0;
const ZSTD_DICTIONARY_1: u8 = 1;

/// The first four bytes of every frame, which need not stand on disk a million times.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Shorter texts are kept as they are, bytes.
const COMPRESS_FROM: usize = 64;

/// The level at which writing stays well below the cost of the index.
const LEVEL: i32 = 3;

/// Trained on the clinic days 2–4 and on Synthea's bundles by the example `train_dictionary` of
/// `store-sqlite`.
static DICTIONARY_1: &[u8] = include_bytes!("dictionary_1.bin");

fn encoder() -> &'static EncoderDictionary<'static> {
    static ENCODER: OnceLock<EncoderDictionary<'static>> = OnceLock::new();
    ENCODER.get_or_init(|| EncoderDictionary::copy(DICTIONARY_1, LEVEL))
}

fn decoder() -> &'static DecoderDictionary<'static> {
    static DECODER: OnceLock<DecoderDictionary<'static>> = OnceLock::new();
    DECODER.get_or_init(|| DecoderDictionary::copy(DICTIONARY_1))
}

fn defect(what: &'static str) -> StoreError {
    StoreError::Internal(what.into())
}

/// Packs and unpacks bodies; each connection has one, as zstd's contexts are not shared.
#[derive(Default)]
pub struct Packer {
    packing: RefCell<Option<Compressor<'static>>>,
    unpacking: RefCell<Option<Decompressor<'static>>>,
}

impl Packer {
    /// The bytes for the disk.
    pub fn pack(&self, text: &str) -> Result<Vec<u8>, StoreError> {
        if text.len() >= COMPRESS_FROM {
            let mut packing = self.packing.borrow_mut();
            let compressor = match &mut *packing {
                Some(compressor) => compressor,
                none => none.insert(new_compressor().map_err(|_| defect("zstd does not start"))?),
            };
            let frame = compressor
                .compress(text.as_bytes())
                .map_err(|_| defect("zstd does not compress"))?;
            if let Some(rest) = frame.strip_prefix(&MAGIC)
                && rest.len() < text.len()
            {
                return Ok([&[ZSTD_DICTIONARY_1], rest].concat());
            }
        }
        Ok([&[PLAIN], text.as_bytes()].concat())
    }

    /// The text again.
    pub fn unpack(&self, bytes: &[u8]) -> Result<Box<str>, StoreError> {
        let text = match bytes.split_first() {
            Some((&PLAIN, text)) => text.to_vec(),
            Some((&ZSTD_DICTIONARY_1, rest)) => self.inflate(rest)?,
            _ => return Err(StoreError::Damaged("a body has an unknown format")),
        };
        let text =
            String::from_utf8(text).map_err(|_| StoreError::Damaged("a body is not text"))?;
        Ok(text.into())
    }

    fn inflate(&self, rest: &[u8]) -> Result<Vec<u8>, StoreError> {
        let broken = || StoreError::Damaged("a body cannot be unpacked");
        let frame = [&MAGIC, rest].concat();
        let size = zstd_safe::get_frame_content_size(&frame).ok().flatten().ok_or_else(broken)?;
        let size = usize::try_from(size).map_err(|_| broken())?;
        if size > ENTRY_BYTES_MAX {
            return Err(broken());
        }
        let mut unpacking = self.unpacking.borrow_mut();
        let decompressor = match &mut *unpacking {
            Some(decompressor) => decompressor,
            none => none.insert(
                Decompressor::with_prepared_dictionary(decoder())
                    .map_err(|_| defect("zstd does not start"))?,
            ),
        };
        decompressor.decompress(&frame, size).map_err(|_| broken())
    }
}

fn new_compressor() -> std::io::Result<Compressor<'static>> {
    use zstd_safe::CParameter;
    let mut compressor = Compressor::with_prepared_dictionary(encoder())?;
    compressor.set_parameter(CParameter::DictIdFlag(false))?;
    compressor.set_parameter(CParameter::ChecksumFlag(false))?;
    compressor.set_parameter(CParameter::ContentSizeFlag(true))?;
    Ok(compressor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_texts_come_back() {
        let packer = Packer::default();
        let long = r#"{"status":"final","code":{"text":"열"}}"#.repeat(50);
        for text in ["", "{}", r#"{"a":1.10}"#, long.as_str()] {
            assert_eq!(&*packer.unpack(&packer.pack(text).unwrap()).unwrap(), text);
        }
        assert!(packer.pack(&long).unwrap().len() < long.len() / 5);
    }

    #[test]
    fn damaged_bytes_are_an_error_and_never_a_panic() {
        let packer = Packer::default();
        let packed = packer.pack(&"{\"status\":\"final\"}".repeat(20)).unwrap();
        for at in 0..packed.len() {
            let mut bytes = packed.clone();
            bytes[at] ^= 0x41;
            let _ = packer.unpack(&bytes);
            let _ = packer.unpack(&packed[..at]);
        }
        assert!(packer.unpack(&[]).is_err());
        assert!(packer.unpack(&[9, 1]).is_err());
    }
}
