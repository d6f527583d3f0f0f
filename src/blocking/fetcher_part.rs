//! The fetcher of a client: its own over sockets, or that of the user.

use alloc::{boxed::Box, sync::Arc};

use super::{https::HttpsSockets, interface::Fetcher};
use crate::{
    client::{Settings, SettingsError, Time},
    verify::TrustStore,
};

/// The fetcher of a client.
pub(super) enum FetcherPart {
    Sockets(Box<HttpsSockets>),
    Users(Arc<dyn Fetcher>),
}

impl FetcherPart {
    /// Takes the user's fetcher, or else makes one of these settings.
    pub(super) fn new(
        users: Option<Arc<dyn Fetcher>>,
        settings: &Settings,
        time: &Arc<Time>,
    ) -> Result<Self, SettingsError> {
        if let Some(fetcher) = users {
            return Ok(Self::Users(fetcher));
        }
        let https = HttpsSockets::new(settings.https_setup()?, Arc::clone(time));
        Ok(Self::Sockets(Box::new(https)))
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
