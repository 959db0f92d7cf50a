use super::*;
use proptest::prelude::*;

fn shards(count: usize, seed: u64) -> Vec<Shard> {
    let stream = &mut blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof();
    let fill = |_| {
        let mut shard = [0; SHARD_BYTES];
        stream.fill(&mut shard);
        shard
    };
    (0..count).map(fill).collect()
}

fn without<'a>(all: &'a [Shard], lost: &[usize]) -> Vec<Option<&'a Shard>> {
    all.iter().enumerate().map(|(n, s)| (!lost.contains(&n)).then_some(s)).collect()
}

#[test]
fn every_element_but_zero_has_a_reciprocal() {
    for a in 1..=255 {
        assert_eq!(times(a, reciprocal(a)), 1);
    }
    // x * x^7 = x^8 = x^4 + x^3 + x^2 + 1: a published property of the polynomial.
    assert_eq!(times(2, 0x80), 0x1d);
}

#[test]
fn a_multiple_of_a_shard_is_the_multiple_of_each_byte() {
    let shard = &shards(1, 9)[0];
    for factor in [0, 1, 2, 0x53, 0xff] {
        let mut sum = [0; LANES];
        Multiples::of(shard).add(factor, &mut sum);
        assert_eq!(bytes(&sum), shard.map(|b| times(b, factor)));
    }
}

#[test]
fn a_full_group_survives_any_run_of_twenty() {
    let mut all = shards(GROUP_DATA_MAX, 1);
    all.extend(parity(&all));
    for start in (0..=all.len() - GROUP_PARITY).step_by(7) {
        let lost: Vec<usize> = (start..start + GROUP_PARITY).collect();
        let restored = restore(GROUP_DATA_MAX, &without(&all, &lost));
        for number in lost.into_iter().filter(|&n| n < GROUP_DATA_MAX) {
            assert_eq!(restored[&number], all[number]);
        }
    }
}

#[test]
fn a_run_is_shared_out_among_the_groups() {
    let data = 2 * GROUP_DATA_MAX + 5;
    let mut all = shards(data, 2);
    all.extend(parity(&all));
    assert_eq!(all.len(), data + 3 * GROUP_PARITY);
    let lost: Vec<usize> = (100..100 + 3 * GROUP_PARITY).collect();
    let restored = restore(data, &without(&all, &lost));
    assert_eq!(restored.len(), lost.len());
    assert!(restored.iter().all(|(&number, shard)| *shard == all[number]));
}

#[test]
fn one_lost_more_than_parity_restores_nothing_wrong() {
    let mut all = shards(40, 3);
    all.extend(parity(&all));
    let lost: Vec<usize> = (10..=10 + GROUP_PARITY).collect();
    assert!(restore(40, &without(&all, &lost)).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_twenty_of_a_group_are_restored(
        data in 1..=GROUP_DATA_MAX,
        seed: u64,
        lost in proptest::collection::vec(any::<proptest::sample::Index>(), GROUP_PARITY),
    ) {
        let mut all = shards(data, seed);
        all.extend(parity(&all));
        let lost: Vec<usize> = lost.iter().map(|index| index.index(all.len())).collect();
        let restored = restore(data, &without(&all, &lost));
        for &number in lost.iter().filter(|&&n| n < data) {
            prop_assert_eq!(&restored[&number], &all[number]);
        }
    }
}
