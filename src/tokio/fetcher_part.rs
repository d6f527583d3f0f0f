//! The fetcher of a client: its own over sockets, or that of the user.

use alloc::sync::Arc;

use super::{https::HttpsSockets, interface::Fetcher};
use crate::client::{Roots, Settings, SettingsError, Time};

/// The fetcher of a client.
#[derive(Clone)]
pub(super) enum FetcherPart {
    Sockets(Arc<HttpsSockets>),
    Users(Arc<dyn Fetcher>),
}

impl FetcherPart {
    /// Takes the user's fetcher, or else makes one of these settings.
    pub(super) fn new(
        users: Option<Arc<dyn Fetcher>>,
        settings: &Settings,
        time: &Arc<Time>,
    ) -> Result<Self, SettingsError> {
        Ok(match users {
            Some(fetcher) => Self::Users(fetcher),
            None => Self::Sockets(Arc::new(HttpsSockets::new(
                settings.https_setup()?,
                Arc::clone(time),
            ))),
        })
    }

    /// Returns the roots of fetches, unless these are the user's.
    pub(super) fn own_roots(&self) -> Option<&Roots> {
        match self {
            Self::Sockets(https) => Some(https.roots()),
            Self::Users(_) => None,
        }
    }
}
