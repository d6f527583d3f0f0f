//! Times as RFC 3339 writes them, in sentences and in JSON.

use core::fmt;

use time::UtcDateTime;

/// A time as `2026-06-15T00:00:00Z` (RFC 3339 §5.6), to the second.
pub(crate) struct Rfc3339(pub(crate) UtcDateTime);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Z", Seconds(self.0))
    }
}

/// A time to the second, without its offset.
struct Seconds(UtcDateTime);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) = self.0.as_hms();
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}", self.0.date())
    }
}

/// Serializes a time, to the microsecond if it has any.
#[cfg(feature = "serde")]
pub(crate) fn serialize<S>(at: &UtcDateTime, serializer: S) -> Result<S::Ok, S::Error>
where
    S: serde::Serializer,
{
    match at.microsecond() {
        0 => serializer.collect_str(&Rfc3339(*at)),
        micros => serializer.collect_str(&format_args!("{}.{micros:06}Z", Seconds(*at))),
    }
}

/// Serializes a time that may be missing.
#[cfg(feature = "serde")]
#[expect(clippy::ref_option, reason = "this is how serde passes it")]
pub(crate) fn serialize_option<S>(
    at: &Option<UtcDateTime>,
    serializer: S,
) -> Result<S::Ok, S::Error>
where
    S: serde::Serializer,
{
    match at {
        Some(at) => serialize(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// Deserializes a time, with any offset.
#[cfg(feature = "serde")]
pub(crate) fn deserialize<'de, D>(deserializer: D) -> Result<UtcDateTime, D::Error>
where
    D: serde::Deserializer<'de>,
{
    use serde::{Deserialize as _, de::Error as _};
    use time::format_description::well_known;

    let text = alloc::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    UtcDateTime::parse(&text, &well_known::Rfc3339).map_err(D::Error::custom)
}
