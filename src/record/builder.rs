//! Records to publish.

use alloc::string::String;
use core::fmt::Write as _;

use thiserror::Error;

use super::{PolicyId, StsRecord};
use crate::{
    excerpt::excerpt,
    parse::{ext_name, is_all, record::sts_ext_value},
};

/// A builder of a record to publish; see [`StsRecord::builder`].
///
/// ```
/// use mta_sts::{PolicyId, StsRecord};
///
/// let record = StsRecord::builder(PolicyId::parse("20160831085700Z")?).build()?;
/// assert_eq!(record.to_string(), "v=STSv1; id=20160831085700Z;");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RecordBuilder {
    id: PolicyId,
    text: String,
    error: Option<RecordBuildError>,
}

/// The error for a value that no record can contain.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecordBuildError {
    /// The name is not an `sts-ext-name`, or it is that of a field that RFC 8461 defines.
    #[error("{0} cannot be the name of an extension field")]
    Name(String),
    /// The value is not an `sts-ext-value`.
    #[error("{0} cannot be the value of an extension field")]
    Value(String),
}

impl StsRecord<'_> {
    /// Returns a builder of a record to publish, with this id.
    pub fn builder(id: PolicyId) -> RecordBuilder {
        RecordBuilder::new(id)
    }
}

impl RecordBuilder {
    fn new(id: PolicyId) -> Self {
        Self { id, text: String::new(), error: None }
    }

    /// Adds a field that RFC 8461 does not define. Senders ignore those they do not know.
    pub fn extension(mut self, name: &str, value: &str) -> Self {
        if let Err(error) = check(name, value) {
            self.error.get_or_insert(error);
        } else {
            // Writing to a `String` does not fail.
            let _ = write!(self.text, " {name}={value};");
        }
        self
    }

    /// Builds the record.
    ///
    /// # Errors
    ///
    /// Returns an error for the first value that no record can contain.
    pub fn build(self) -> Result<StsRecord<'static>, RecordBuildError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let text = ["v=STSv1; id=", self.id.as_str(), ";", &self.text].concat();
        Ok(StsRecord::from_parts(self.id, text))
    }
}

fn check(name: &str, value: &str) -> Result<(), RecordBuildError> {
    if matches!(name, "v" | "id") || !is_all(ext_name, name.as_bytes()) {
        return Err(RecordBuildError::Name(excerpt(name.as_bytes())));
    }
    if !is_all(sts_ext_value, value.as_bytes()) {
        return Err(RecordBuildError::Value(excerpt(value.as_bytes())));
    }
    Ok(())
}
