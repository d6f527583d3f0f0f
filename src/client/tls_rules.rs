//! The operator's rules for TLS in a running client.

use alloc::sync::Arc;
use std::sync::{Mutex, PoisonError};

use super::threads::Process;
use crate::delivery::TlsRules;

/// The rules of a client, which the operator may replace at any time. In a forked child there are none,
/// because a thread of the parent may have locked them.
#[derive(Debug)]
pub(crate) struct CurrentTlsRules {
    process: Process,
    rules: Mutex<Arc<TlsRules>>,
}

impl CurrentTlsRules {
    pub(crate) fn new(process: Process) -> Self {
        Self { process, rules: Mutex::default() }
    }

    pub(crate) fn get(&self) -> Arc<TlsRules> {
        if self.process.is_another() {
            return Arc::default();
        }
        Arc::clone(&self.rules.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set(&self, rules: TlsRules) {
        if !self.process.is_another() {
            *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
        }
    }
}
