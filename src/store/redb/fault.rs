//! The errors of a file.

use alloc::{format, string::String};
use core::{fmt, panic::AssertUnwindSafe};
use std::{io::ErrorKind, panic::catch_unwind};

/// The reason why an operation on a file failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The file is damaged; another one would work.
    Damage(String),
    /// Opening the file again may help.
    Io(String),
    /// The file is valid, and must not be used by this store.
    Refused(String),
}

/// Catches a panic of redb. The caller discards all state that a panic may have left, which
/// justifies `AssertUnwindSafe`.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Fault::Damage("the database library panicked".into())))
}

impl Fault {
    pub(super) fn of_io(error: std::io::Error) -> Self {
        redb::Error::Io(error).into()
    }

    pub(super) fn foreign() -> Self {
        Self::Refused("it is not a file of mta-sts, and stays as it is".into())
    }

    pub(super) fn later() -> Self {
        Self::Refused("it was written by a later version of mta-sts".into())
    }

    pub(super) fn in_use() -> Self {
        Self::Refused("another process, or another client of this one, has it open".into())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Damage(why) | Self::Io(why) | Self::Refused(why)) = self;
        f.write_str(why)
    }
}

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        use redb::Error as Kind;
        match &error {
            Kind::DatabaseAlreadyOpen => Self::in_use(),
            Kind::Corrupted(_)
            | Kind::UpgradeRequired(_)
            | Kind::TableTypeMismatch { .. }
            | Kind::TableIsMultimap(_)
            | Kind::TypeDefinitionChanged { .. } => Self::Damage(format!("{error}")),
            Kind::Io(io)
                if matches!(io.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
            {
                Self::Damage(format!("{error}"))
            }
            _ => Self::Io(format!("{error}")),
        }
    }
}
