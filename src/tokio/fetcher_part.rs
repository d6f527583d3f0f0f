//! The fetcher of a client: its own over sockets, or that of the user.

use alloc::sync::Arc;

use super::{https::HttpsSockets, interface::Fetcher};
use crate::{
    client::{Settings, SettingsError, Time},
    verify::TrustStore,
};

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

    /// Returns the roots and the cryptography for certificates: those of fetches, or else those of
    /// the settings.
    pub(super) fn trust(&self, settings: &Settings) -> Result<TrustStore, SettingsError> {
        match self {
            Self::Sockets(https) => Ok(https.trust().clone()),
            Self::Users(_) => Ok(settings.https_setup()?.trust),
        }
    }
}
