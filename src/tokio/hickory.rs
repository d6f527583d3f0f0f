//! hickory's resolver, as a client's.

use alloc::{boxed::Box, format, string::ToString};
use core::time::Duration;

use hickory_resolver::{
    ConnectionProvider,
    net::{DnsError, NetError, NoRecords},
    proto::rr::{Record, RecordType},
};

use super::sockets::{Later, Resolver};
use crate::{
    cache::TxtAnswer,
    dns::{txt_answer, txt_answer_at},
    domain::Domain,
};

impl<P: ConnectionProvider> Resolver for hickory_resolver::Resolver<P> {
    fn txt<'a>(&'a self, domain: &'a Domain) -> Later<'a, TxtAnswer> {
        Box::pin(async move {
            // With the dot at its end no search list applies to it.
            match self.txt_lookup(format!("{}.", domain.txt_name())).await {
                Ok(lookup) => {
                    answer(domain, lookup.answers(), self.options().preserve_intermediates)
                }
                Err(NetError::Dns(DnsError::NoRecordsFound(none))) if !is_referral(&none) => {
                    let seconds = none.negative_ttl.map(u64::from);
                    TxtAnswer::NoRecord { ttl: seconds.map(Duration::from_secs) }
                }
                Err(error) => TxtAnswer::Failed(error.to_string().into()),
            }
        })
    }
}

/// What the records say. A resolver that does not keep aliases has followed them itself: then there
/// may be nothing at the domain's own name, and all there is stands where they lead.
fn answer(domain: &Domain, records: &[Record], keeps_aliases: bool) -> TxtAnswer {
    let first = records.iter().find(|record| record.record_type() == RecordType::TXT);
    match (txt_answer(domain, records), first) {
        (TxtAnswer::NoRecord { ttl: None }, Some(first)) if !keeps_aliases => {
            txt_answer_at(&first.name, records)
        }
        (answer, _) => answer,
    }
}

/// Whether the server named others that might know: that says nothing.
fn is_referral(none: &NoRecords) -> bool {
    none.ns.is_some() && none.soa.is_none()
}
