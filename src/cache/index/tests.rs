#![allow(clippy::unwrap_used, clippy::panic, reason = "here a panic is a finding")]
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "as in other tests")]

use alloc::{collections::BTreeMap, vec::Vec};

use mta_sts_testkit::rng::Rng;

use super::*;

fn below(random: &mut Rng, bound: u32) -> u32 {
    u32::try_from(random.below(bound.into())).unwrap()
}

/// Keys of one part: of its last groups, so that searches go around its end, and often the same.
fn last_keys(random: &mut Rng) -> Key {
    Key((u32::MAX - below(random, 12) * 0x0100_0000) / 64 * 64)
}

fn all_keys(random: &mut Rng) -> Key {
    Key(below(random, u32::MAX))
}

/// The index finds what a map finds, whatever is added, replaced and removed.
fn compare_with_a_map(seed: u64, most: usize, key: impl Fn(&mut Rng) -> Key) -> (usize, usize) {
    let random = &mut Rng::of(seed, 0, 0, 0);
    let (mut index, mut map) = (Index::new(seed), BTreeMap::new());
    let mut next = 0;
    let (mut searched, mut hits) = (0, 0);
    for step in 0..4000 {
        let chosen = map.keys().nth(below(random, 60) as usize).copied();
        match (below(random, 10), chosen) {
            (0..=5, _) if map.len() < most => {
                let key = key(random);
                index.insert(key, Place::of_number(next));
                map.insert(next, key);
                next += 1;
            }
            (0..=7, Some(number)) => {
                index.remove(map.remove(&number).unwrap(), Place::of_number(number));
            }
            (8, Some(number)) => {
                let key = map.remove(&number).unwrap();
                index.replace(key, Place::of_number(number), Place::of_number(next));
                map.insert(next, key);
                next += 1;
            }
            _ => index.reserve(below(random, 200) as usize),
        }
        assert_eq!(index.len(), map.len(), "seed {seed}, step {step}");
        if step % 50 > 0 {
            continue;
        }
        let mut by_key = BTreeMap::<u32, Vec<u32>>::new();
        for (&number, key) in &map {
            by_key.entry(key.0).or_default().push(number);
        }
        for (&number, &key) in &map {
            let found = index.search(key, |place| (place.number() == number).then_some(place));
            assert_eq!(found, Some(Place::of_number(number)), "seed {seed}, step {step}");
            // Places with a key of their own that are where it belongs, and no other ones.
            let is_alone = by_key[&key.0].len() == 1;
            let likely = index.likely(key).unwrap();
            assert!(!is_alone || [Place::of_number(number), Place::NONE].contains(&likely));
            searched += 1;
            hits += usize::from(likely == Place::of_number(number));
        }
        // A search for what is not there looks at every place with the key, and at no other.
        for (&key, same) in &by_key {
            let looked_at = core::cell::RefCell::new(Vec::new());
            let _ = index.part(Key(key)).unwrap().search(Key(key), |place| {
                looked_at.borrow_mut().push(place.number());
                None::<()>
            });
            let mut looked_at = looked_at.into_inner();
            looked_at.sort_unstable();
            assert_eq!(looked_at, *same, "seed {seed}, step {step}");
        }
    }
    // Nearly all, unless the keys are chosen.
    (searched, hits)
}

#[test]
fn places_are_found_whatever_is_added_and_removed() {
    for seed in 0..20 {
        let (searched, hits) = compare_with_a_map(seed, 2000, all_keys);
        assert!(hits > searched / 20 * 19, "{hits} of {searched} were where they belong");
    }
}

#[test]
fn places_are_found_if_their_keys_collide() {
    for seed in 0..20 {
        let _ = compare_with_a_map(seed, 60, last_keys);
    }
}

fn key(number: u32) -> Key {
    Key(number.wrapping_mul(0x9E37_79B9))
}

#[test]
fn no_part_is_too_full_or_too_large() {
    let mut index = Index::new(1);
    for number in 0..20_000 {
        index.insert(key(number), Place::of_number(number));
        let full = index.parts.iter().find(|part| part.len * 3 > part.capacity() * 2);
        assert!(full.is_none(), "{number}");
    }
    assert_eq!(index.parts.len(), 20_000_usize.div_ceil(FULL));
    // The parts that are yet to be split have twice the average, give or take some.
    assert!(index.parts.iter().all(|part| part.len < 3 * FULL));
}

#[test]
fn what_is_reserved_needs_no_growth() {
    for count in [1, 20, FULL, 3 * FULL, 4 * FULL, 11 * FULL] {
        let count = u32::try_from(count).unwrap();
        let mut index = Index::new(1);
        index.reserve(count as usize);
        let capacities = |index: &Index| index.parts.iter().map(Part::capacity).collect::<Vec<_>>();
        let before = capacities(&index);
        (0..count).for_each(|number| index.insert(key(number), Place::of_number(number)));
        let grown = capacities(&index).iter().zip(&before).filter(|(now, then)| now > then).count();
        // A part may have some more than its share.
        assert!(grown * 4 <= before.len(), "{count}: {grown} of {}", before.len());
        assert_eq!(capacities(&index).len(), before.len());
    }
}
