//! The text of an explanation, for an operator.

use alloc::string::ToString;
use core::fmt;

use super::{
    answer::Answer,
    entry::EntryRequest,
    explanation::{AnswerChange, CachedPolicy, CachedRecord, Explanation, Origin, RequestInFlight},
};
use crate::{excerpt::Printable, rfc3339::Rfc3339};

/// Writes at most fifteen lines without control characters, each but the first with a label.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.domain, Rfc3339(self.at))?;
        self.write_answer(f)?;
        self.policy.as_ref().map_or(Ok(()), |policy| self.write_policy(policy, f))?;
        self.record.as_ref().map_or(Ok(()), |record| write!(f, "\nrecord: {record}"))?;
        self.write_failures(f)?;
        self.write_next(f)?;
        if let Some(hour) = self.last_used {
            write!(f, "\nlast lookup: in the hour from {}", Rfc3339(hour))?;
        }
        write!(f, "\nchanges when: {}", self.change)
    }
}

impl Explanation {
    fn write_answer(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_unknown = self.policy.is_none() && self.record.is_none();
        match &self.answer {
            Some(Answer::Policy(applied)) => {
                write!(f, "\nanswer: a policy of mode {} applies", applied.policy().mode())?;
            }
            Some(Answer::NoPolicy(why)) => {
                write!(f, "\nanswer: no policy applies: {}", Printable(&why.to_string()))?;
            }
            None if self.is_saving => write!(f, "\nanswer: a lookup waits for the store")?,
            None if is_unknown => {
                write!(f, "\nanswer: nothing is known: a lookup waits for discovery")?;
            }
            None => write!(f, "\nanswer: a lookup waits for discovery")?,
        }
        self.origin.map_or(Ok(()), |origin| write!(f, "\nsource: {origin}"))
    }

    fn write_policy(&self, cached: &CachedPolicy, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_overridden = matches!(self.origin, Some(Origin::Pinned | Origin::Disabled));
        let label = if is_overridden { "policy without the override" } else { "policy" };
        write!(f, "\n{label}: mode {}", cached.policy.mode())?;
        cached.id.map_or(Ok(()), |id| write!(f, ", id {id}"))?;
        let since = Rfc3339(cached.fetched_at);
        match cached.ends_at {
            None => write!(f, ", set at {since}, without an end"),
            Some(end) => {
                let is_over = end < self.at || cached.policy.max_age().is_zero();
                let verb = if is_over { "ended at" } else { "applies until" };
                write!(f, ", fetched at {since}, {verb} {}", Rfc3339(end))
            }
        }
    }

    fn write_failures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(failure) = &self.fetch_failure {
            write!(f, "\nfetch failed: {failure}{}", Times(self.fetch_failures_in_a_row))?;
        }
        let until = self.backoff_until.map(Rfc3339);
        until.map_or(Ok(()), |until| write!(f, "\nback-off: no fetch before {until}"))
    }

    fn write_next(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(RequestInFlight { request, until }) = self.in_flight {
            let request = match request {
                EntryRequest::Txt => "TXT query",
                EntryRequest::Fetch => "fetch",
            };
            write!(f, "\nin flight: {request}, until {}", Rfc3339(until))?;
        }
        match self.query_at {
            None => {}
            Some(from) if from <= self.at => write!(f, "\nnext: a lookup queries the record")?,
            Some(from) => write!(f, "\nnext: a lookup from {} queries the record", Rfc3339(from))?,
        }
        match self.refresh_at {
            None => Ok(()),
            Some(due) if due <= self.at => {
                write!(f, "\nnext: a refresh, due since {}", Rfc3339(due))
            }
            Some(due) => write!(f, "\nnext: a refresh at {}", Rfc3339(due)),
        }
    }
}

impl fmt::Display for CachedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.failure, self.id) {
            (Some(failure), _) => write!(f, "{failure}{}", Times(self.failures_in_a_row))?,
            (None, Some(id)) => write!(f, "id {id}")?,
            (None, None) => f.write_str("found")?,
        }
        let what = if self.failures_in_a_row > 0 { "next query after" } else { "TTL" };
        write!(f, ", looked up at {}, {what} {} s", Rfc3339(self.looked_up_at), self.ttl.as_secs())
    }
}

/// A number of failures, if there are several.
struct Times(u32);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 > 1 { write!(f, ", {} times in a row", self.0) } else { Ok(()) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fetched => "fetched from the Policy Host",
            Self::Restored => "fetched from the Policy Host, restored from a snapshot",
            Self::Static => "the operator's list",
            Self::Pinned => "pinned by the operator",
            Self::Disabled => "disabled by the operator",
        })
    }
}

impl fmt::Display for AnswerChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lookup => "the next message starts a discovery",
            Self::Response => "the request in flight is answered",
            Self::Save => "the store has saved the policy, or does not answer in time",
            Self::Override => "the operator clears the override",
            Self::OwnPolicy => "the domain's own policy is fetched",
            Self::NewPolicy => "another policy is fetched, or this one ends",
            Self::Record => "a later lookup finds a valid record",
            Self::Fetch => "a later fetch succeeds",
        })
    }
}
