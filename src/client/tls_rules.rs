//! The operator's rules for TLS in a running client.

use alloc::sync::Arc;
use std::sync::{Mutex, PoisonError};

use crate::delivery::TlsRules;

/// The rules of a client, which the operator may replace at any time.
#[derive(Debug, Default)]
pub(crate) struct CurrentTlsRules(Mutex<Arc<TlsRules>>);

impl CurrentTlsRules {
    pub(crate) fn get(&self) -> Arc<TlsRules> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set(&self, rules: TlsRules) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }
}
