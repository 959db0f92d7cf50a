//! One signature vouches for all entries of a range, together or apart.

use ed25519_dalek::SigningKey;
use ondol_kernel::{Class, NodeId, ResourceId, bytes::Reader};
use ondol_record::{
    ChartId, EntryHash, Seal, SealedHead, Stream,
    seal::{BadSeal, Tree, put_path, read_path},
};
use proptest::prelude::*;

fn head(number: u16) -> SealedHead {
    SealedHead {
        chart: ChartId::Patient(ResourceId::new(&format!("p{number}")).unwrap()),
        chart_number: u64::from(number) + 1,
        hash: EntryHash([u8::try_from(number % 251).unwrap(); 32]),
    }
}

fn stream() -> Stream {
    Stream { origin: NodeId([1; 16]), incarnation: 2, class: Class::Care }
}

proptest! {
    #[test]
    fn every_chart_alone_can_be_checked(count in 1u16..70, damage: u8) {
        let key = SigningKey::from_bytes(&[9; 32]);
        let heads: Vec<_> = (0..count).map(head).collect();
        let tree = Tree::new(&heads);
        let seal = Seal::sign(&key, stream(), 1, u64::from(count), tree.root());
        prop_assert_eq!(seal.check(&key.verifying_key()), Ok(()));
        prop_assert_eq!(seal.covers(&heads), Ok(()));
        for one in &heads {
            let path = tree.path(&one.chart).unwrap();
            prop_assert_eq!(seal.covers_one(one, &path), Ok(()));
            let mut bytes = vec![];
            put_path(&mut bytes, &path);
            prop_assert_eq!(&read_path(&mut Reader::new(&bytes)).unwrap(), &path);
            let mut forged = one.clone();
            forged.hash.0[usize::from(damage % 32)] ^= 1;
            prop_assert_eq!(seal.covers_one(&forged, &path), Err(BadSeal::Root));
        }
        if count > 1 {
            prop_assert_eq!(seal.covers(&heads[1..]), Err(BadSeal::Root));
        }
    }

    #[test]
    fn a_changed_seal_is_refused(at in 0usize..160, bit in 0u8..8) {
        let key = SigningKey::from_bytes(&[9; 32]);
        let seal = Seal::sign(&key, stream(), 1, 300, [3; 32]);
        let mut bytes = vec![];
        seal.put(&mut bytes);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(changed) = Seal::read(&mut Reader::new(&bytes)) {
            prop_assert!(changed.check(&key.verifying_key()).is_err());
        }
    }

    #[test]
    fn reading_never_panics(bytes: Vec<u8>) {
        let _ = Seal::read(&mut Reader::new(&bytes));
        let _ = read_path(&mut Reader::new(&bytes));
        let _ = ondol_record::Certificate::from_bytes(&bytes);
        let _ = ondol_record::Entry::from_bytes(&bytes);
    }
}
