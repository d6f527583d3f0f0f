//! The progress of a fetch, for the case that it is ended early.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{
    client::graver,
    fetch::{FetchError, HttpsProxy, ProxyError, ProxyErrorKind},
};

/// The progress of a fetch. The task that ends the fetch early reads the error from it.
#[derive(Debug, Default)]
pub(super) struct Progress(Mutex<Stage>);

#[derive(Debug, Default)]
struct Stage {
    /// The failure of the addresses that have been tried.
    failed: Option<FetchError>,
    /// `true` while the fetch waits for the addresses that were not waited for.
    waits_for_rest: bool,
    /// The failure of the proxy, while the fetch waits for it.
    at_proxy: Option<ProxyError>,
}

impl Progress {
    /// Notes the failure of the addresses that have been tried.
    pub(super) fn note_failure(&self, failed: Option<&FetchError>) {
        self.lock().failed = failed.cloned();
    }

    /// Notes whether the fetch waits for the addresses that were not waited for.
    pub(super) fn wait_for_rest(&self, waits: bool) {
        self.lock().waits_for_rest = waits;
    }

    /// Notes that the fetch waits for the proxy of the sender from now on.
    pub(super) fn enter_proxy(&self, proxy: &HttpsProxy) {
        self.lock().at_proxy = Some(ProxyError::new(proxy, ProxyErrorKind::Timeout));
    }

    /// Notes that the proxy has answered.
    pub(super) fn leave_proxy(&self) {
        self.lock().at_proxy = None;
    }

    /// Returns the error of the fetch, if it is ended now.
    pub(super) fn late_error(&self) -> FetchError {
        let stage = self.lock();
        match (&stage.at_proxy, &stage.failed) {
            (Some(error), _) => FetchError::Proxy(error.clone()),
            // No other address is known: what has failed is the failure of the fetch.
            (None, Some(failed)) if stage.waits_for_rest => failed.clone(),
            (None, Some(failed)) => graver(failed.clone(), FetchError::Deadline),
            (None, None) => FetchError::Deadline,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_failed_stands_while_no_other_address_is_known() {
        let progress = Progress::default();
        assert_eq!(progress.late_error(), FetchError::Deadline);
        let failed = FetchError::SourceAddress {
            address: core::net::Ipv4Addr::LOCALHOST.into(),
            message: "not there".into(),
        };
        progress.note_failure(Some(&failed));
        assert_eq!(progress.late_error(), FetchError::Deadline);
        progress.wait_for_rest(true);
        assert_eq!(progress.late_error(), failed);
        progress.wait_for_rest(false);
        assert_eq!(progress.late_error(), FetchError::Deadline);
    }
}
