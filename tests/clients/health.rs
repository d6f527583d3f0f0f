//! The state of a client in a word.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use mta_sts::{
    cache::Snapshot,
    client::HealthState,
    store::{Change, Loaded, Store, StoreError},
};
use mta_sts_testkit::World;

use crate::{
    stores,
    world::{BOTH, LONG, domain, eventually},
};

/// A store that fails for as long as this is set.
struct Failing(Arc<AtomicBool>);

impl Store for Failing {
    fn load(&self, _: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
        Ok(Loaded::default())
    }

    fn save(&self, _: &[Change]) -> Result<(), StoreError> {
        if self.0.load(Ordering::SeqCst) {
            Err(StoreError::new("the disk is full"))
        } else {
            Ok(())
        }
    }
}

#[test]
fn a_client_says_how_it_is() {
    for kind in BOTH {
        let world = World::new();
        let fails = Arc::new(AtomicBool::new(false));
        let (client, _) = stores::client(kind, &world, Failing(Arc::clone(&fails)));
        assert_eq!(client.health().to_string(), "working", "{kind:?}");

        fails.store(true, Ordering::SeqCst);
        client.policy(&domain("a.example"), LONG).unwrap();
        eventually(|| client.health().state() == HealthState::Degraded);
        let unsaved = "degraded: domains whose last change the store has not saved: 1";
        assert_eq!(client.health().to_string(), unsaved, "{kind:?}");

        fails.store(false, Ordering::SeqCst);
        eventually(|| client.health().state() == HealthState::Working);
        client.shutdown();
        let ended = "cannot-discover: the client was shut down";
        assert_eq!(client.health().to_string(), ended, "{kind:?}");
    }
}
