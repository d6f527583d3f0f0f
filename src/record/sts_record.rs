//! A record and its contents.

use alloc::{borrow::Cow, string::String};
use core::{fmt, str};

use super::{PolicyId, RecordError, RecordErrorKind};
use crate::parse::{
    Fault,
    record::{Field, sts_text_record},
};

/// A valid `_mta-sts` TXT record, which announces a policy and its id.
///
/// Parsing allocates nothing. Records are equal if their ids and their extensions are.
///
/// ```
/// use mta_sts::StsRecord;
///
/// let record = StsRecord::parse(b"v=STSv1; id=20160831085700Z;")?;
/// assert_eq!(record.id().as_str(), "20160831085700Z");
/// # Ok::<(), mta_sts::error::RecordError>(())
/// ```
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Cow<'_, str>", into = "String"))]
pub struct StsRecord<'a> {
    id: PolicyId,
    /// The text of the record. The grammar allows only printable ASCII and white space.
    text: Cow<'a, [u8]>,
}

impl<'a> StsRecord<'a> {
    /// Reads one record, with its character-strings joined without separators ([RFC 8461 §3.1]).
    ///
    /// There are no tolerances: a record that violates the grammar is not valid. The first `id`
    /// counts, and must be well formed; unknown fields are extensions. Takes time linear in the
    /// length of the input.
    ///
    /// # Errors
    ///
    /// Returns the first error, with its place.
    ///
    /// [RFC 8461 §3.1]: https://www.rfc-editor.org/rfc/rfc8461#section-3.1
    pub fn parse(input: &'a [u8]) -> Result<Self, RecordError> {
        match read_id(input) {
            Ok(id) => Ok(Self { id: PolicyId::accepted(id), text: Cow::Borrowed(input) }),
            Err(fault) => Err(RecordError::new(fault, input)),
        }
    }

    /// Returns the id of the current policy. Ids have no order: an id that differs from the last
    /// known one means that there is a new policy.
    #[must_use]
    pub fn id(&self) -> &PolicyId {
        &self.id
    }

    /// Returns the names and values of the fields that RFC 8461 does not define, in the published
    /// order.
    ///
    /// Of several with the same name, the first one counts ([RFC 8461 §3.2]); see
    /// [`extension`](Self::extension).
    ///
    /// [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2
    pub fn extensions(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = sts_text_record(&self.text).into_iter().flatten().flatten();
        fields.filter_map(|field| match field {
            Field::Other { name, value, .. } if !matches!(name, b"v" | b"id") => {
                str::from_utf8(name).ok().zip(str::from_utf8(value).ok())
            }
            _ => None,
        })
    }

    /// Returns the value of the first extension with this name.
    #[must_use]
    pub fn extension(&self, name: &str) -> Option<&str> {
        self.extensions().find(|&(known, _)| known == name).map(|(_, value)| value)
    }

    /// Returns the record as it was published.
    #[must_use]
    pub fn as_text(&self) -> &str {
        str::from_utf8(&self.text).unwrap_or_default()
    }

    /// Converts to a record that owns its text.
    #[must_use]
    pub fn into_owned(self) -> StsRecord<'static> {
        StsRecord { id: self.id, text: Cow::Owned(self.text.into_owned()) }
    }
}

impl StsRecord<'static> {
    /// Creates a record from its text and the id in it.
    pub(super) fn from_parts(id: PolicyId, text: String) -> Self {
        Self { id, text: Cow::Owned(text.into_bytes()) }
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
    id.ok_or(Fault { kind: RecordErrorKind::MissingId, at: &[] })
}

/// Writes the record in the recommended form: `v=STSv1; id=…;` and the extensions.
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
