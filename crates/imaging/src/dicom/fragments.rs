//! The compressed frames of a file (PS3.5 §A.4). The walk has checked every length before.

/// An item: where its head lies, counted from the first byte behind the offset table, and what
/// it holds.
type Fragment<'a> = (usize, &'a [u8]);

/// Items one after another, up to the delimiter.
fn items(mut rest: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let whole = rest.len();
    std::iter::from_fn(move || {
        let at = whole - rest.len();
        let (head, behind) = rest.split_at_checked(8)?;
        // The delimiter FFFE,E0DD ends them.
        if head[..4] != [0xfe, 0xff, 0x00, 0xe0] {
            return None;
        }
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        let (value, after) = behind.split_at_checked(usize::try_from(length).ok()?)?;
        rest = after;
        Some((at, value))
    })
}

/// The bytes of frame `wanted` (from 0) of `frames`; `None` if the file does not tell where its
/// frames begin. A frame in several fragments is put together.
pub(super) fn frame(encapsulated: &[u8], wanted: u32, frames: u32) -> Option<Vec<u8>> {
    let (_, table) = items(encapsulated).next()?;
    let behind = encapsulated.get(8 + table.len()..)?;
    let join = |from: usize, to: usize| {
        let inside = |(at, _): &Fragment<'_>| (from..to).contains(at);
        items(behind).filter(inside).flat_map(|(_, bytes)| bytes.iter().copied()).collect()
    };
    if frames == 1 {
        return Some(join(0, usize::MAX));
    }
    let wanted = usize::try_from(wanted).ok()?;
    let frames = usize::try_from(frames).ok()?;
    if items(behind).count() == frames {
        return items(behind).nth(wanted).map(|(_, bytes)| bytes.to_vec());
    }
    let (offsets, []) = table.as_chunks::<4>() else { return None };
    if offsets.len() != frames {
        return None;
    }
    let offset = |index: usize| usize::try_from(u32::from_le_bytes(*offsets.get(index)?)).ok();
    let from = offset(wanted)?;
    let to = if wanted + 1 == frames { usize::MAX } else { offset(wanted + 1)? };
    Some(join(from, to))
}
