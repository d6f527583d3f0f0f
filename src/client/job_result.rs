//! The result of a job.

use alloc::string::String;

use crate::{
    cache::{FetchRequestId, PersistRequestId, PolicyAnswer, TxtAnswer, TxtRequestId},
    domain::Domain,
};

/// The result of a job.
#[derive(Debug)]
pub(crate) enum JobResult {
    Txt(TxtRequestId, TxtAnswer),
    Fetch(FetchRequestId, PolicyAnswer),
    Persisted(PersistRequestId, Result<(), String>),
    /// The store has lost its contents, which was detected when this domain was saved.
    Lost(Domain, String),
}

impl JobResult {
    /// Returns whether the job was successful.
    pub(crate) fn is_good(&self) -> bool {
        match self {
            Self::Txt(_, answer) => !matches!(answer, TxtAnswer::Failed(_) | TxtAnswer::NotSent),
            Self::Fetch(_, answer) => matches!(answer, PolicyAnswer::Valid(_)),
            Self::Persisted(_, result) => result.is_ok(),
            Self::Lost(..) => false,
        }
    }
}
