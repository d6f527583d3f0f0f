//! A store in memory, which goes wrong.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    thread,
};

use mta_sts::{
    Domain,
    cache::Snapshot,
    store::{Change, Loaded, Store, StoreError},
};

use crate::trouble::{Fate, Token, Trouble, Who};

pub(crate) type Rows = Arc<Mutex<BTreeMap<Domain, Snapshot>>>;

pub(crate) struct Memory {
    pub(crate) rows: Rows,
    pub(crate) trouble: Arc<Trouble>,
    pub(crate) _token: Token,
}

impl Store for Memory {
    fn load(&self, _: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
        Ok(Loaded::default())
    }

    fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
        match self.trouble.of_store() {
            Fate::Good | Fate::Hangs => {}
            Fate::Slow(span) => thread::sleep(span),
            Fate::Panics => self.trouble.panic(Who::Store),
            Fate::Fails if self.trouble.rng().percent(10) => {
                self.rows.lock().unwrap().clear();
                return Err(StoreError::lost("all is lost"));
            }
            Fate::Fails => return Err(StoreError::new("the disk is full")),
        }
        let mut rows = self.rows.lock().unwrap();
        for Change { domain, snapshot } in changes {
            match snapshot {
                Some(snapshot) => rows.insert(domain.clone(), snapshot.clone()),
                None => rows.remove(domain),
            };
        }
        Ok(())
    }
}
