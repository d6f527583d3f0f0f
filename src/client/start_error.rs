//! The error of starting a client.

use thiserror::Error;

use super::settings::SettingsError;
use crate::store::StoreError;

/// The reason why a client did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The settings are not usable.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
    /// There is no runtime of tokio. From a `tokio::Client` only.
    #[cfg(feature = "tokio")]
    #[error("a client has to be started within a runtime of tokio: {0}")]
    NoRuntime(tokio::runtime::TryCurrentError),
    /// The runtime has no timers. From a `tokio::Client` only.
    #[cfg(feature = "tokio")]
    #[error("a client needs a runtime with timers and sockets: build it with `enable_all`")]
    NoTimers,
}

// The sentences of these are part of that of the error: `#[from]` would make them the source, too.
impl From<std::io::Error> for StartError {
    fn from(error: std::io::Error) -> Self {
        Self::Thread(error)
    }
}

#[cfg(feature = "tokio")]
impl From<tokio::runtime::TryCurrentError> for StartError {
    fn from(error: tokio::runtime::TryCurrentError) -> Self {
        Self::NoRuntime(error)
    }
}
