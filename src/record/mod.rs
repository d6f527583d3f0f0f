//! The `_mta-sts` TXT record (RFC 8461 §3.1).

mod builder;
mod error;
mod id;
mod select;

use alloc::{borrow::Cow, string::String};
use core::{fmt, str};

pub use self::{
    builder::{RecordBuildError, RecordBuilder},
    error::RecordError,
    id::{PolicyId, PolicyIdError},
    select::SelectError,
};
pub use crate::parse::record::RecordErrorKind;
use crate::parse::{
    Fault,
    record::{Field, sts_text_record},
};

/// A valid `_mta-sts` TXT record: that the domain has a policy, and which.
///
/// Parsing allocates nothing. Records are equal if their ids and their extensions are.
///
/// ```
/// use mta_sts::StsRecord;
///
/// let record = StsRecord::parse(b"v=STSv1; id=20160831085700Z;")?;
/// assert_eq!(record.id().as_str(), "20160831085700Z");
/// # Ok::<(), mta_sts::RecordError>(())
/// ```
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Cow<'_, str>", into = "String"))]
pub struct StsRecord<'a> {
    id: PolicyId,
    /// Printable ASCII and white space, which is all that the grammar takes.
    text: Cow<'a, [u8]>,
}

impl<'a> StsRecord<'a> {
    /// Reads one record: its character-strings joined with nothing between (§3.1).
    ///
    /// There is no tolerance: a record that breaks the grammar is no record. The first `id` counts,
    /// and must be well formed; fields that are not known are extensions. Takes time linear in the
    /// length of the input.
    ///
    /// # Errors
    ///
    /// What is wrong first, and where.
    pub fn parse(input: &'a [u8]) -> Result<Self, RecordError> {
        match read_id(input) {
            Ok(id) => Ok(Self { id: PolicyId::accepted(id), text: Cow::Borrowed(input) }),
            Err(fault) => Err(RecordError::new(fault, input)),
        }
    }

    /// A record to publish, with this id.
    pub fn builder(id: PolicyId) -> RecordBuilder {
        RecordBuilder::new(id)
    }

    /// The instance of the policy that is being served. Ids have no order: one that differs from the
    /// id known before means that there is a new policy.
    #[must_use]
    pub fn id(&self) -> &PolicyId {
        &self.id
    }

    /// The fields that RFC 8461 does not define, as names and values, in the order published.
    ///
    /// Of several with one name the first counts (§3.2); see [`extension`](Self::extension).
    pub fn extensions(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = sts_text_record(&self.text).into_iter().flatten().flatten();
        fields.filter_map(|field| match field {
            Field::Other { name, value, .. } if !matches!(name, b"v" | b"id") => {
                str::from_utf8(name).ok().zip(str::from_utf8(value).ok())
            }
            _ => None,
        })
    }

    /// The value of the first extension with this name.
    #[must_use]
    pub fn extension(&self, name: &str) -> Option<&str> {
        self.extensions().find(|&(known, _)| known == name).map(|(_, value)| value)
    }

    /// The record as it was published.
    #[must_use]
    pub fn as_text(&self) -> &str {
        str::from_utf8(&self.text).unwrap_or_default()
    }

    /// The same record, owned.
    #[must_use]
    pub fn into_owned(self) -> StsRecord<'static> {
        StsRecord { id: self.id, text: Cow::Owned(self.text.into_owned()) }
    }
}

#[inline]
fn read_id(input: &[u8]) -> Result<&[u8], Fault<'_, RecordErrorKind>> {
    let mut id = None;
    for field in sts_text_record(input)? {
        if let Field::Id(value) = field? {
            id = Some(value);
        }
    }
    id.ok_or(Fault { kind: RecordErrorKind::NoId, at: &[] })
}

/// The record as it is best published: `v=STSv1; id=…;` and the extensions.
impl fmt::Display for StsRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v=STSv1; id={};", self.id)?;
        for (name, value) in self.extensions() {
            write!(f, " {name}={value};")?;
        }
        Ok(())
    }
}

impl fmt::Debug for StsRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StsRecord").field(&self.as_text()).finish()
    }
}

impl PartialEq for StsRecord<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.extensions().eq(other.extensions())
    }
}

impl Eq for StsRecord<'_> {}

impl TryFrom<Cow<'_, str>> for StsRecord<'_> {
    type Error = RecordError;

    fn try_from(text: Cow<'_, str>) -> Result<Self, Self::Error> {
        let id = *StsRecord::parse(text.as_bytes())?.id();
        Ok(Self { id, text: Cow::Owned(text.into_owned().into_bytes()) })
    }
}

impl From<StsRecord<'_>> for String {
    fn from(record: StsRecord<'_>) -> Self {
        String::from_utf8(record.text.into_owned()).unwrap_or_default()
    }
}
