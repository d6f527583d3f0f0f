//! Reading of responses: whether a message answers a question, and with which records.

use alloc::{boxed::Box, string::ToString, vec::Vec};
use core::{net::IpAddr, time::Duration};

#[cfg(feature = "hickory-resolver")]
use hickory_proto::rr::Name;
use hickory_proto::{
    op::ResponseCode,
    rr::{DNSClass, RData, Record, rdata::TXT},
};

use super::{
    message::{Head, Opening, Sections},
    outcome::{LookupOutcome, Records},
    question::{Asked, QueryType, Question},
};
use crate::{cache::TxtAnswer, domain::Domain};

/// The meaning of a message for a question.
#[derive(Debug, PartialEq)]
pub(super) enum Reading {
    /// The message is no answer to this question. It may be a late answer to another one, or a
    /// forgery.
    Foreign,
    /// The answer is truncated.
    Truncated,
    /// The server returned an error: it does not understand the query, refuses it, or has failed.
    Refused(ResponseCode),
    Malformed(Box<str>),
    /// The name is an alias of another one, about which the message contains nothing.
    Alias(Asked),
    Answered(LookupOutcome),
}

/// The maximum number of aliases that are followed. No honest name has as many.
const MAX_ALIASES: usize = 8;

/// The maximum number of addresses that are stored of an answer.
const MAX_ADDRESSES: usize = 16;

/// The result of comparing the question section of a response with the question.
enum Repeats {
    It,
    Nothing,
    Another,
    /// The message ends before the end of its question, or is damaged.
    Unread,
}

/// Reads a message from the server that was asked.
pub(super) fn read(asked: &Asked, id: u16, bytes: &[u8]) -> Reading {
    let Some(head) = Head::of_response(id, bytes) else { return Reading::Foreign };
    let opening = Opening::read(bytes);
    let repeats = match &opening {
        Ok(opening) if asked.is_only_one_of(&opening.queries) => Repeats::It,
        Ok(opening) if opening.queries.is_empty() => Repeats::Nothing,
        Ok(_) => Repeats::Another,
        Err(_) => Repeats::Unread,
    };
    let records = opening.and_then(|opening| opening.records(asked));
    let code = head.code(records.as_ref().ok());
    match (code, repeats) {
        (ResponseCode::NoError | ResponseCode::NXDomain, Repeats::Another) => Reading::Foreign,
        // "When a DNS client receives a reply with TC set, it should ignore that response, and
        // query again" (RFC 2181 §9), wherever the reply was cut.
        (ResponseCode::NoError | ResponseCode::NXDomain, _) if head.is_truncated() => {
            Reading::Truncated
        }
        (ResponseCode::NoError | ResponseCode::NXDomain, Repeats::Nothing) => Reading::Foreign,
        (ResponseCode::NoError | ResponseCode::NXDomain, Repeats::It | Repeats::Unread) => {
            match records {
                Ok(records) => content(asked, head, code, &records),
                Err(error) => Reading::Malformed(error.to_string().into()),
            }
        }
        // An error is a failure of that server, whether it repeats the question or not.
        (code, _) => Reading::Refused(code),
    }
}

/// Creates the TXT answer for a domain from the records that another resolver has found at the name
/// [`Domain::txt_name`]: the answer section of the response, including aliases (CNAME).
///
/// Records of other names are ignored; aliases are followed. Without a record at the name or at the
/// target of its aliases, the answer is [`TxtAnswer::NoRecord`]. If the aliases form a loop, it is
/// [`TxtAnswer::Failed`].
///
/// If the resolver returns that there is no record, use [`TxtAnswer::NoRecord`] with the time for
/// which that may be cached. If it failed, use [`TxtAnswer::Failed`]: the two are not the same
/// ([RFC 8461 §3.1]).
///
/// ```
/// use mta_sts::{
///     Domain,
///     cache::TxtAnswer,
///     dns::{hickory_proto::rr::{Name, RData, Record, rdata::TXT}, txt_answer},
/// };
///
/// let domain = Domain::parse("example.com")?;
/// let name = Name::from_ascii("_mta-sts.example.com.")?;
/// let strings = vec!["v=STSv1;".into(), " id=7;".into()];
/// let records = [Record::from_rdata(name, 300, RData::TXT(TXT::new(strings)))];
/// let answer = txt_answer(&domain, &records);
/// assert!(matches!(answer, TxtAnswer::Found { id, .. } if id.as_str() == "7"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 8461 §3.1]: https://www.rfc-editor.org/rfc/rfc8461#section-3.1
pub fn txt_answer<'a>(domain: &Domain, records: impl IntoIterator<Item = &'a Record>) -> TxtAnswer {
    answer_to(&Asked::from(&Question::txt(domain)), records)
}

/// Creates the TXT answer from the records of a resolver that has followed the aliases to this
/// name.
#[cfg(feature = "hickory-resolver")]
pub(crate) fn txt_answer_at<'a>(
    name: &Name,
    records: impl IntoIterator<Item = &'a Record>,
) -> TxtAnswer {
    answer_to(&Asked::new(name.clone(), QueryType::Txt), records)
}

fn answer_to<'a>(asked: &Asked, records: impl IntoIterator<Item = &'a Record>) -> TxtAnswer {
    match asked.find(records) {
        None => TxtAnswer::Failed(NOWHERE.into()),
        Some(found) if found.texts.is_empty() => TxtAnswer::NoRecord { ttl: None },
        Some(found) => TxtAnswer::from_records(&found.texts, found.ttl),
    }
}

impl Records {
    /// Finds the records that answer a question in the answer section of a resolver's response.
    /// Records of other names are ignored, aliases (CNAME) are followed, and duplicates are
    /// removed. There may be none.
    ///
    /// Returns `None` if the aliases form a loop, or if there are too many.
    pub fn among<'a>(
        question: &Question,
        records: impl IntoIterator<Item = &'a Record>,
    ) -> Option<Self> {
        Asked::from(question).find(records)
    }
}

const NOWHERE: &str = "its aliases lead nowhere";

fn content(asked: &Asked, head: Head, code: ResponseCode, records: &Sections) -> Reading {
    let answers: Vec<&Record> = records.answers.iter().collect();
    let Some(mut end) = asked.follow(&answers) else { return Reading::Malformed(NOWHERE.into()) };
    if records.is_damaged_at(&end.name) {
        return Reading::Malformed("a record in it is damaged".into());
    }
    end.is_authentic &= head.is_authentic();
    let found = end.found(&answers);
    let is_absent = code == ResponseCode::NXDomain;
    if !found.texts.is_empty() || !found.addresses.is_empty() {
        return if is_absent {
            Reading::Malformed("it has records of a name that it denies".into())
        } else {
            Reading::Answered(LookupOutcome::Found(found))
        };
    }
    let is_alias = end.name != asked.name;
    if is_referral(head, is_absent, is_alias, records) {
        return Reading::Malformed("it sends on to other nameservers".into());
    }
    let ttl = negative_ttl(&records.authorities);
    if is_alias && !is_absent && ttl.is_none() {
        return Reading::Alias(end);
    }
    let (ttl, authentic) = (ttl.map(|ttl| ttl.min(end.ttl)), end.is_authentic);
    Reading::Answered(if is_absent {
        LookupOutcome::NoSuchName { ttl, authentic }
    } else {
        LookupOutcome::NoData { ttl, authentic }
    })
}

impl Asked {
    fn find<'a>(&self, records: impl IntoIterator<Item = &'a Record>) -> Option<Records> {
        let records: Vec<&Record> = records.into_iter().collect();
        Some(self.follow(&records)?.found(&records))
    }

    /// Follows the aliases (CNAME) of the name. Returns `None` if they form a loop, or if there are
    /// too many.
    fn follow(&self, answers: &[&Record]) -> Option<Self> {
        let mut end = self.clone();
        loop {
            let alias = answers.iter().find_map(|record| match &record.data {
                RData::CNAME(target) if end.has(record) => Some((&target.0, ttl(record))),
                _ => None,
            });
            let Some((target, ttl)) = alias else { return Some(end) };
            if end.aliases >= MAX_ALIASES {
                return None;
            }
            end.aliases = end.aliases.saturating_add(1);
            end.ttl = end.ttl.min(ttl);
            end.name = target.clone();
        }
    }

    fn has(&self, record: &Record) -> bool {
        record.dns_class == DNSClass::IN && record.name.eq_ignore_root(&self.name)
    }

    /// Returns the records of this name and type.
    fn found(&self, answers: &[&Record]) -> Records {
        let mut found = Records {
            texts: Vec::new(),
            addresses: Vec::new(),
            ttl: self.ttl,
            authentic: self.is_authentic,
        };
        let mut seen: Vec<&RData> = Vec::new();
        for record in answers.iter().filter(|record| self.has(record)) {
            // Duplicate records count once (RFC 2181 §5), with the lesser TTL (RFC 2181 §5.2).
            if seen.contains(&&record.data) {
                found.ttl = found.ttl.min(ttl(record));
            } else if self.take(record, &mut found) {
                seen.push(&record.data);
            }
        }
        found
    }

    /// Adds a record, if it is of the right type. Returns whether it is.
    fn take(&self, record: &Record, found: &mut Records) -> bool {
        let addresses = &mut found.addresses;
        match (self.kind, &record.data) {
            (QueryType::Txt, RData::TXT(text)) => found.texts.push(joined(text)),
            (QueryType::A, RData::A(address)) if addresses.len() < MAX_ADDRESSES => {
                addresses.push(IpAddr::V4(address.0));
            }
            (QueryType::Aaaa, RData::AAAA(address)) if addresses.len() < MAX_ADDRESSES => {
                addresses.push(IpAddr::V6(address.0));
            }
            _ => return false,
        }
        found.ttl = found.ttl.min(ttl(record));
        true
    }
}

/// Joins the strings of a record: it "MUST be treated as if those strings are concatenated without
/// adding spaces" (RFC 8461 §3.1).
fn joined(text: &TXT) -> Box<[u8]> {
    text.txt_data.concat().into()
}

/// Returns whether a response refers to other servers instead of answering: it names them, or an
/// alias leads to a name that the server does not know, or it is empty and the server is neither
/// authoritative nor recursive. Such a response is no answer about the name (RFC 2308 §2).
fn is_referral(head: Head, is_absent: bool, is_alias: bool, records: &Sections) -> bool {
    let has =
        |is: fn(&RData) -> bool| records.authorities.iter().any(|authority| is(&authority.data));
    if has(|data| matches!(data, RData::SOA(_))) {
        return false;
    }
    let names_others = !head.is_authoritative() && has(|data| matches!(data, RData::NS(_)));
    if is_absent {
        return names_others && !head.is_of_recursion();
    }
    let knows_nothing = !head.is_of_recursion() && (is_alias || !head.is_authoritative());
    (names_others && !is_alias) || knows_nothing
}

/// Returns the time for which absence may be cached: the lesser of the SOA's TTL and its last field
/// (RFC 2308 §5).
fn negative_ttl(authorities: &[Record]) -> Option<Duration> {
    authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(ttl(record).min(Duration::from_secs(soa.minimum.into()))),
        _ => None,
    })
}

/// Returns the TTL of a record. One with its most significant bit set counts as zero (RFC 2181 §8).
fn ttl(record: &Record) -> Duration {
    Duration::from_secs(u64::try_from(record.ttl.cast_signed()).unwrap_or(0))
}

/// Returns the name of a response code. Code 16 has two names, of which hickory uses the other one.
pub(super) fn name_of(code: ResponseCode) -> &'static str {
    if u16::from(code) == u16::from(ResponseCode::BADVERS) {
        "Bad OPT Version"
    } else {
        code.to_str()
    }
}

/// Returns whether the code means that the server does not support EDNS (RFC 6891 §7), or not this
/// version of it (RFC 6891 §6.1.3). The last code has two names, so it is compared by number.
pub(super) fn is_of_edns(code: ResponseCode) -> bool {
    matches!(code, ResponseCode::FormErr | ResponseCode::NotImp)
        || u16::from(code) == u16::from(ResponseCode::BADVERS)
}
