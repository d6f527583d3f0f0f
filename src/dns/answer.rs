//! Whether a message answers a question, and what it says.

use alloc::{boxed::Box, string::ToString, vec::Vec};
use core::{net::IpAddr, time::Duration};

#[cfg(feature = "hickory-resolver")]
use hickory_proto::rr::Name;
use hickory_proto::{
    op::ResponseCode,
    rr::{DNSClass, RData, Record, rdata::TXT},
};

use super::{
    message::{Head, Opening, Records},
    outcome::{Found, Outcome},
    question::{Asked, Kind, Question},
};
use crate::{cache::TxtAnswer, domain::Domain};

/// What a message is to whoever has asked.
#[derive(Debug, PartialEq)]
pub(super) enum Reading {
    /// No answer to this question: perhaps a late one to another, perhaps a forgery.
    Foreign,
    /// The answer does not fit.
    Truncated,
    /// The server does not understand what is asked, or does not want to, or cannot say.
    Refused(ResponseCode),
    Malformed(Box<str>),
    /// The name is an alias of another one, of which the message says nothing.
    Alias(Asked),
    Answered(Outcome),
}

/// How many aliases are followed: no honest name has as many.
const MAX_ALIASES: usize = 8;

/// The most addresses that are kept of an answer.
const MAX_ADDRESSES: usize = 16;

/// The question section of a response, compared with what was asked.
enum Repeats {
    It,
    Nothing,
    Another,
    /// The message is cut before the end of its question, or damaged.
    Unread,
}

/// Reads what came from the server that was asked.
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
        // "When a DNS client receives a reply with TC set, it should ignore that response, and query
        // again" (RFC 2181 §9), wherever the reply was cut.
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
        // An error is that server's failure, whether it repeats the question or not.
        (code, _) => Reading::Refused(code),
    }
}

/// Reads the TXT answer for a domain out of the records that another resolver has found for
/// [`Domain::txt_name`]: the answer section of the response, with the aliases (CNAME) in it.
///
/// Records of other names do not count; aliases are followed. Without a record at the name, or where
/// its aliases lead, it is [`TxtAnswer::NoRecord`]; aliases in a circle are [`TxtAnswer::Failed`].
///
/// If the resolver says that there is no record, and for how long that may be believed, use
/// [`TxtAnswer::NoRecord`] with that time; if it failed, [`TxtAnswer::Failed`]: the two are not the
/// same (RFC 8461 §3.1).
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
pub fn txt_answer<'a>(domain: &Domain, records: impl IntoIterator<Item = &'a Record>) -> TxtAnswer {
    answer_to(&Asked::from(&Question::txt(domain)), records)
}

/// Reads the TXT answer out of the records of a resolver that has followed the aliases to this name.
#[cfg(feature = "hickory-resolver")]
pub(crate) fn txt_answer_at<'a>(
    name: &Name,
    records: impl IntoIterator<Item = &'a Record>,
) -> TxtAnswer {
    answer_to(&Asked::new(name.clone(), Kind::Txt), records)
}

fn answer_to<'a>(asked: &Asked, records: impl IntoIterator<Item = &'a Record>) -> TxtAnswer {
    match asked.find(records) {
        None => TxtAnswer::Failed(NOWHERE.into()),
        Some(found) if found.texts.is_empty() => TxtAnswer::NoRecord { ttl: None },
        Some(found) => TxtAnswer::from_records(&found.texts, found.ttl),
    }
}

impl Found {
    /// Finds the records that answer a question among those of a resolver: the answer section of the
    /// response. Records of other names do not count, aliases (CNAME) are followed, and duplicates are
    /// one. It may be that none is found.
    ///
    /// Returns `None` if the aliases lead round in a circle, or on and on.
    pub fn among<'a>(
        question: &Question,
        records: impl IntoIterator<Item = &'a Record>,
    ) -> Option<Self> {
        Asked::from(question).find(records)
    }
}

const NOWHERE: &str = "its aliases lead nowhere";

fn content(asked: &Asked, head: Head, code: ResponseCode, records: &Records) -> Reading {
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
            Reading::Answered(Outcome::Found(found))
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
        Outcome::NoSuchName { ttl, authentic }
    } else {
        Outcome::NoData { ttl, authentic }
    })
}

impl Asked {
    fn find<'a>(&self, records: impl IntoIterator<Item = &'a Record>) -> Option<Found> {
        let records: Vec<&Record> = records.into_iter().collect();
        Some(self.follow(&records)?.found(&records))
    }

    /// Follows the aliases (CNAME) of the name; `None` if they lead round in a circle, or on and on.
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

    /// Returns the records of this name that are of the kind asked for.
    fn found(&self, answers: &[&Record]) -> Found {
        let mut found = Found {
            texts: Vec::new(),
            addresses: Vec::new(),
            ttl: self.ttl,
            authentic: self.is_authentic,
        };
        let mut seen: Vec<&RData> = Vec::new();
        for record in answers.iter().filter(|record| self.has(record)) {
            // Duplicate records are one (RFC 2181 §5), of the lesser TTL (§5.2).
            if seen.contains(&&record.data) {
                found.ttl = found.ttl.min(ttl(record));
            } else if self.take(record, &mut found) {
                seen.push(&record.data);
            }
        }
        found
    }

    /// Takes a record, if it is of the kind asked for.
    fn take(&self, record: &Record, found: &mut Found) -> bool {
        let addresses = &mut found.addresses;
        match (self.kind, &record.data) {
            (Kind::Txt, RData::TXT(text)) => found.texts.push(joined(text)),
            (Kind::A, RData::A(address)) if addresses.len() < MAX_ADDRESSES => {
                addresses.push(IpAddr::V4(address.0));
            }
            (Kind::Aaaa, RData::AAAA(address)) if addresses.len() < MAX_ADDRESSES => {
                addresses.push(IpAddr::V6(address.0));
            }
            _ => return false,
        }
        found.ttl = found.ttl.min(ttl(record));
        true
    }
}

/// "MUST be treated as if those strings are concatenated without adding spaces" (RFC 8461 §3.1).
fn joined(text: &TXT) -> Box<[u8]> {
    text.txt_data.concat().into()
}

/// Returns whether a server sends on to others instead of answering: it names those that might know,
/// an alias leads to where it knows nothing, or it has nothing to say and is neither an authority nor
/// recursive. That says nothing about the name (RFC 2308 §2).
fn is_referral(head: Head, is_absent: bool, is_alias: bool, records: &Records) -> bool {
    let has = |is: fn(&RData) -> bool| records.authorities.iter().any(|it| is(&it.data));
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

/// How long absence may be believed: the lesser of the SOA's TTL and its last field (RFC 2308 §5).
fn negative_ttl(authorities: &[Record]) -> Option<Duration> {
    authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(ttl(record).min(Duration::from_secs(soa.minimum.into()))),
        _ => None,
    })
}

/// Of a TTL with its most significant bit set, nothing is left (RFC 2181 §8).
fn ttl(record: &Record) -> Duration {
    Duration::from_secs(u64::try_from(record.ttl.cast_signed()).unwrap_or(0))
}

/// Returns the name of a response code. Code 16 has two names, of which hickory has the other one.
pub(super) fn name_of(code: ResponseCode) -> &'static str {
    if u16::from(code) == u16::from(ResponseCode::BADVERS) {
        "Bad OPT Version"
    } else {
        code.to_str()
    }
}

/// Returns whether a server says that it does not know EDNS (RFC 6891 §7), or only another version
/// of it (§6.1.3). The last code has two names, so it is compared by number.
pub(super) fn is_of_edns(code: ResponseCode) -> bool {
    matches!(code, ResponseCode::FormErr | ResponseCode::NotImp)
        || u16::from(code) == u16::from(ResponseCode::BADVERS)
}
