//! What becomes of the row of a domain that was evicted from memory only, because a restore had more
//! valuable ones.

use std::time::Duration;

use mta_sts::{
    Mode,
    cache::{Config, Event, EventKind, PersistRequestId, Request, Snapshot},
};

use crate::world::{World, domain, found, no_record, policy};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// A cache with room for one domain, and the request to save its policy.
fn found_and_asked() -> (World, PersistRequestId) {
    let mut world = World::with(Config::new(1).with_persistence(true).with_max_entries(1));
    world.fetch_policy(Mode::Testing, WEEK);
    let id = asked(&mut world).expect("the policy is saved").0;
    (world, id)
}

/// The next request to save, and whether it removes the row.
fn asked(world: &mut World) -> Option<(PersistRequestId, bool)> {
    loop {
        match world.cache.poll_request()? {
            Request::Persist { id, snapshot, .. } => return Some((id, snapshot.is_none())),
            Request::Txt { id, .. } => world.cache.handle_txt(id, no_record(), world.now),
            other => panic!("{other:?}"),
        }
    }
}

/// A row that is worth more than that of the cache.
fn other_row() -> Snapshot {
    row_of("other.example")
}

fn row_of(name: &str) -> Snapshot {
    let mut other = World::new();
    other.publish("a", Mode::Enforce, WEEK);
    other.lookup_of(name);
    other.cache.snapshots().next().expect("a policy")
}

/// Evicts the domain from memory.
fn evict(world: &mut World) {
    let restored = world.cache.restore([other_row()], world.now);
    assert_eq!(restored.restored, 1);
    assert!(world.cache.entry(&domain("example.com")).is_none());
}

/// Makes room again, and looks the domain up. Returns the request to
/// remove the other row.
fn come_back(world: &mut World) -> PersistRequestId {
    world.cache.remove(&domain("other.example"), world.now);
    let (id, removes) = asked(world).unwrap();
    assert!(removes);
    let _ = world.cache.lookup(&domain("example.com"), world.now);
    id
}

fn come_back_in_vain(world: &mut World) {
    let id = come_back(world);
    world.cache.handle_persisted(id, Err("the disk is full"), world.now);
}

/// Retries all saves, and returns the domains whose row is removed.
fn removed(world: &mut World) -> usize {
    world.cache.retry_unsaved(world.now);
    let mut removed = 0;
    while let Some((id, removes)) = asked(world) {
        removed += usize::from(removes);
        world.cache.handle_persisted(id, Ok(()), world.now);
    }
    assert_eq!(world.cache.unsaved_count(), 0, "nothing else is to be saved");
    removed
}

fn all_saved(world: &mut World) -> bool {
    world.drain();
    world.events.iter().any(|event| event.kind == EventKind::PersistRecovered)
}

#[test]
fn a_row_whose_save_has_failed_stays() {
    for is_back in [false, true] {
        let (mut world, id) = found_and_asked();
        world.cache.handle_persisted(id, Err("the disk is full"), world.now);
        evict(&mut world);
        if is_back {
            come_back_in_vain(&mut world);
        }
        // Only that of the other domain, if it was removed.
        assert_eq!(removed(&mut world), usize::from(is_back), "{is_back}");
        assert!(all_saved(&mut world));
    }
}

#[test]
fn a_row_whose_save_fails_later_stays() {
    for is_back in [false, true] {
        let (mut world, id) = found_and_asked();
        evict(&mut world);
        if is_back {
            come_back_in_vain(&mut world);
        }
        world.cache.handle_persisted(id, Err("the disk is full"), world.now);
        assert_eq!(removed(&mut world), usize::from(is_back), "{is_back}");
        assert!(all_saved(&mut world));
    }
}

/// Changes the policy, and returns the request to save it, which takes too long.
fn changed_and_late(world: &mut World, record: &str) -> PersistRequestId {
    let id = changed(world, record);
    world.now += Duration::from_secs(10);
    world.cache.handle_timeout(world.now);
    id
}

/// Changes the policy, and returns the request to save it.
fn changed(world: &mut World, record: &str) -> PersistRequestId {
    world.cache.force_refresh(&domain("example.com"), world.now);
    loop {
        match world.cache.poll_request().unwrap() {
            Request::Txt { id, .. } => world.cache.handle_txt(id, found(record), world.now),
            Request::Fetch { id, .. } => {
                let max_age = WEEK + Duration::from_secs(record.len() as u64);
                world.cache.handle_policy(id, policy(Mode::Testing, max_age), world.now);
            }
            Request::Persist { id, .. } => return id,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_row_whose_save_has_stalled_stays() {
    let (mut world, first) = found_and_asked();
    world.cache.handle_persisted(first, Ok(()), world.now);
    let out = ["aa", "aaa", "aaaa"].map(|record| changed_and_late(&mut world, record));
    let stalled = |event: &Event| matches!(event.kind, EventKind::StoreStalled);
    assert!(core::iter::from_fn(|| world.cache.poll_event()).any(|event| stalled(&event)));
    evict(&mut world);
    let removal = come_back(&mut world);
    world.now += Duration::from_secs(20);
    // What the store has done meanwhile is no reason to try it by a removal.
    for id in [removal].into_iter().chain(out) {
        world.cache.handle_persisted(id, Ok(()), world.now);
        while let Some(request) = world.cache.poll_request() {
            if let Request::Persist { domain: name, snapshot: None, .. } = request {
                assert_ne!(name, domain("example.com"));
            }
        }
    }
}

#[test]
fn a_row_whose_removal_has_failed_after_an_earlier_save_goes() {
    for is_asked_again in [false, true] {
        let (mut world, first) = found_and_asked();
        world.cache.handle_persisted(first, Ok(()), world.now);
        let save = changed(&mut world, "aa");
        world.cache.remove(&domain("example.com"), world.now);
        let (removal, removes) = asked(&mut world).unwrap();
        assert!(removes);
        world.cache.handle_persisted(save, Err("the disk is full"), world.now);
        world.cache.handle_persisted(removal, Err("the disk is full"), world.now);
        if is_asked_again {
            // The policy comes back, and its save fails, too: what is stored is the old row.
            world.fetch_policy(Mode::Testing, WEEK);
            let (save, removes) = asked(&mut world).unwrap();
            assert!(!removes);
            world.cache.handle_persisted(save, Err("the disk is full"), world.now);
            evict(&mut world);
        }
        assert!(!all_saved(&mut world));
        assert_eq!(removed(&mut world), 1, "{is_asked_again}");
        assert!(all_saved(&mut world));
    }
}

/// Removes the domain, looks it up again, and evicts it from memory. Returns the requests to remove its
/// row and to save it again.
fn removed_and_found(
    world: &mut World,
    earlier: Option<PersistRequestId>,
) -> [PersistRequestId; 2] {
    world.cache.remove(&domain("example.com"), world.now);
    let (removal, removes) = asked(world).unwrap();
    assert!(removes);
    if let Some(earlier) = earlier {
        world.cache.handle_persisted(earlier, Err("the disk is full"), world.now);
    }
    world.fetch_policy(Mode::Testing, WEEK);
    let (save, removes) = asked(world).unwrap();
    assert!(!removes);
    evict(world);
    [removal, save]
}

#[test]
fn a_row_goes_if_its_removal_and_the_saves_around_it_fail() {
    let (mut world, first) = found_and_asked();
    let [removal, save] = removed_and_found(&mut world, Some(first));
    world.cache.handle_persisted(removal, Err("the disk is full"), world.now);
    world.cache.handle_persisted(save, Err("the disk is full"), world.now);
    assert_eq!(removed(&mut world), 1);
    assert!(all_saved(&mut world));
}

#[test]
fn a_row_goes_if_its_removal_was_dropped_for_a_save_that_fails() {
    let (mut world, first) = found_and_asked();
    world.cache.handle_persisted(first, Ok(()), world.now);
    let [_, save] = removed_and_found(&mut world, None);
    world.cache.handle_persisted(save, Err("the disk is full"), world.now);
    assert_eq!(removed(&mut world), 1);
}

/// The store has a row that the operator has removed from the cache.
fn with_a_failed_removal() -> World {
    let (mut world, id) = found_and_asked();
    world.cache.handle_persisted(id, Ok(()), world.now);
    world.cache.remove(&domain("example.com"), world.now);
    let (id, removes) = asked(&mut world).unwrap();
    assert!(removes);
    world.cache.handle_persisted(id, Err("the disk is full"), world.now);
    world
}

#[test]
fn a_row_whose_removal_has_failed_goes() {
    let mut world = with_a_failed_removal();
    evict(&mut world);
    assert_eq!(removed(&mut world), 1);
}

#[test]
fn a_row_that_was_not_in_memory_goes_when_the_operator_removes_its_domain() {
    for is_asking in [false, true] {
        let (mut world, id) = found_and_asked();
        world.cache.handle_persisted(id, Ok(()), world.now);
        evict(&mut world);
        let id = come_back(&mut world);
        world.cache.handle_persisted(id, Ok(()), world.now);
        if !is_asking {
            // The domain has no record, and is in the cache without its row.
            assert!(asked(&mut world).is_none());
        }
        assert!(world.cache.remove(&domain("example.com"), world.now));
        let (_, removes) = asked(&mut world).expect("the row is removed");
        assert!(removes, "{is_asking}");
    }
}

/// The retry of its save is requested, and is not polled any more.
#[test]
fn a_domain_that_is_evicted_while_its_retry_waits_is_unsaved_no_more() {
    let (mut world, id) = found_and_asked();
    world.cache.handle_persisted(id, Err("the disk is full"), world.now);
    world.cache.retry_unsaved(world.now);
    evict(&mut world);
    assert!(world.cache.poll_request().is_none());
    assert_eq!(world.cache.unsaved_count(), 0);
    assert!(all_saved(&mut world));
}

/// The removal of its row had failed before, and the retry would have saved it instead.
#[test]
fn a_row_to_be_removed_goes_if_the_retry_that_waits_is_dropped() {
    let mut world = with_a_failed_removal();
    world.fetch_policy(Mode::Testing, WEEK);
    world.cache.retry_unsaved(world.now);
    evict(&mut world);
    assert_eq!(removed(&mut world), 1);
}

fn look_up_with_a_full_disk(world: &mut World, name: &str) {
    let _ = world.cache.lookup(&domain(name), world.now);
    while let Some(request) = world.cache.poll_request() {
        match request {
            Request::Persist { id, .. } => {
                world.cache.handle_persisted(id, Err("the disk is full"), world.now);
            }
            request => world.answer(request),
        }
    }
}

/// More removals fail than are tried again.
#[test]
fn what_is_in_memory_is_saved_in_the_end_however_many_removals_fail() {
    let mut world = World::with(Config::new(1).with_persistence(true).with_max_entries(3));
    world.publish("a", Mode::Enforce, WEEK);
    for n in 0..30 {
        look_up_with_a_full_disk(&mut world, &format!("d{n}.example"));
        assert!(world.cache.unsaved_count() <= 9);
    }
    world.pass(Duration::from_secs(300));
    assert_eq!(world.cache.unsaved_count(), 0);
    let held: Vec<_> = world.cache.entries().map(|view| view.domain().clone()).collect();
    assert_eq!(held.len(), 3);
    assert!(held.iter().all(|domain| world.store.contains_key(domain)), "{held:?}");
    assert!(all_saved(&mut world));
}

/// More saves have failed than are retried at once.
#[test]
fn the_retries_go_on_if_all_of_the_first_are_dropped() {
    const COUNT: usize = 17;
    let mut world = World::with(Config::new(1).with_persistence(true).with_max_entries(COUNT));
    world.publish("a", Mode::Testing, WEEK);
    for n in 0..COUNT {
        look_up_with_a_full_disk(&mut world, &format!("d{n}.example"));
    }
    assert_eq!(world.cache.unsaved_count(), COUNT);
    world.now += Duration::from_secs(1);
    world.cache.handle_timeout(world.now);
    let others: Vec<_> = (0..COUNT).map(|n| row_of(&format!("other{n}.example"))).collect();
    assert_eq!(world.cache.restore(others, world.now).restored, COUNT);
    world.handle_due();
    assert_eq!(world.cache.unsaved_count(), 0);
}

#[test]
fn a_retry_looks_at_a_bounded_number_of_evicted_domains() {
    const COUNT: usize = 10_000;
    let mut world = World::with(Config::new(1).with_persistence(true).with_max_entries(COUNT));
    world.publish("a", Mode::Testing, WEEK);
    for n in 0..COUNT {
        look_up_with_a_full_disk(&mut world, &format!("d{n}.example"));
    }
    let mut others = World::new();
    others.publish("a", Mode::Enforce, WEEK);
    (0..COUNT).for_each(|n| drop(others.lookup_of(&format!("other{n}.example"))));
    assert_eq!(world.cache.restore(others.cache.snapshots(), world.now).restored, COUNT);
    world.now += Duration::from_secs(600);
    let (mut calls, mut before) = (0, COUNT);
    while world.cache.unsaved_count() > 0 {
        world.cache.handle_timeout(world.now);
        let left = world.cache.unsaved_count();
        assert!(before - left <= 4096, "{before} to {left}");
        (calls, before) = (calls + 1, left);
        assert!(calls < 10, "{left} are left");
    }
}
