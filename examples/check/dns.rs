//! Questions to DNS.

use std::{
    net::{IpAddr, SocketAddr},
    thread,
};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        ProtoError,
        rr::{Name, RData, Record, RecordType},
    },
};
use tokio::runtime::{Builder, Runtime};

/// The most addresses of a host that are visited: as many as the clients of this crate try.
const MAX_ADDRESSES: usize = 8;

/// A resolver that is waited for.
pub(crate) struct Dns {
    runtime: Runtime,
    resolver: TokioResolver,
}

/// The records at a name, sorted: their order does not depend on that of the DNS answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer<T> {
    pub(crate) found: Vec<T>,
    /// `false` for NXDOMAIN.
    pub(crate) exists: bool,
    /// The last name of a chain of aliases that begins at this one.
    pub(crate) alias_of: Option<String>,
}

impl Dns {
    /// With this nameserver, or those of the system.
    pub(crate) fn new(server: Option<SocketAddr>) -> Result<Self, String> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let within = runtime.enter();
        let mut builder = match server {
            Some(server) => {
                let provider = TokioRuntimeProvider::default();
                TokioResolver::builder_with_config(only(server), provider)
            }
            None => TokioResolver::builder_tokio()
                .map_err(|error| format!("no nameservers of the system: {error}"))?,
        };
        // What this machine alone knows is nothing that a domain publishes.
        builder.options_mut().use_hosts_file = ResolveHosts::Never;
        let resolver = builder.build().map_err(|error| error.to_string())?;
        drop(within);
        Ok(Self { runtime, resolver })
    }

    /// Drops the answers that are cached.
    pub(crate) fn clear_cache(&self) {
        self.resolver.clear_cache();
    }

    /// Calls `then` when the process is interrupted (SIGINT).
    pub(crate) fn on_interrupt(&self, then: impl FnOnce() + Send + 'static) {
        self.runtime.spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                then();
            }
        });
    }

    /// Looks up TXT records, the strings of each joined, and the alias of a name without any.
    pub(crate) fn texts(&self, name: &str) -> Result<Answer<Vec<u8>>, String> {
        let answer = self.texts_only(name)?;
        Ok(self.with_alias(name, answer))
    }

    /// Looks up TXT records by a single query.
    pub(crate) fn texts_only(&self, name: &str) -> Result<Answer<Vec<u8>>, String> {
        self.ask(name, RecordType::TXT, |data| match data {
            RData::TXT(txt) => Some(txt.txt_data.concat()),
            _ => None,
        })
    }

    /// Looks up MX records, the preferred first.
    pub(crate) fn mx(&self, name: &str) -> Result<Answer<(u16, String)>, String> {
        let answer = self.ask(name, RecordType::MX, |data| match data {
            RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii().to_ascii_lowercase())),
            _ => None,
        })?;
        Ok(if answer.exists { answer } else { self.with_alias(name, answer) })
    }

    /// Looks up the addresses of both families, eight at the most.
    pub(crate) fn addresses(&self, name: &str) -> Result<Answer<IpAddr>, String> {
        let address = |data: &RData| data.ip_addr();
        let (v6, v4) = thread::scope(|scope| {
            let v6 = scope.spawn(|| self.ask(name, RecordType::AAAA, address));
            let v4 = self.ask(name, RecordType::A, address);
            (v6.join().expect("no question panics"), v4)
        });
        let mut both = match (v6, v4) {
            (Err(error), Ok(other)) | (Ok(other), Err(error)) if other.found.is_empty() => {
                return Err(error);
            }
            (Err(error), Err(_)) => return Err(error),
            (Ok(one), Err(_)) | (Err(_), Ok(one)) => one,
            (Ok(v6), Ok(v4)) => Answer {
                found: [v4.found, v6.found].concat(),
                exists: v6.exists || v4.exists,
                alias_of: v6.alias_of.or(v4.alias_of),
            },
        };
        both.found.truncate(MAX_ADDRESSES);
        Ok(self.with_alias(name, both))
    }

    /// Sends a query. An answer without records is no error.
    fn ask<T: Ord>(
        &self,
        name: &str,
        kind: RecordType,
        data: impl Fn(&RData) -> Option<T>,
    ) -> Result<Answer<T>, String> {
        let question = format!("{kind} {name}");
        let name = parse(name).map_err(|error| format!("{question}: {error}"))?;
        let (records, exists) = match self.lookup(&name, kind) {
            Ok(records) => (records, true),
            Err(error) if error.is_no_records_found() => (Vec::new(), !error.is_nx_domain()),
            Err(error) => return Err(lookup_error(&error, &question)),
        };
        let alias_of = last_alias(&name, &records);
        let owner = alias_of.as_ref().unwrap_or(&name);
        let own = records.iter().filter(|record| record.name == *owner);
        let mut found: Vec<T> = own.filter_map(|record| data(&record.data)).collect();
        found.sort();
        Ok(Answer { found, exists, alias_of: alias_of.as_ref().map(shown) })
    }

    /// Looks up the alias of a name without records. Such a name exists, even if its target does not.
    fn with_alias<T>(&self, name: &str, answer: Answer<T>) -> Answer<T> {
        if !answer.found.is_empty() || answer.alias_of.is_some() {
            return answer;
        }
        let Ok(name) = parse(name) else { return answer };
        let records = self.lookup(&name, RecordType::CNAME).unwrap_or_default();
        match last_alias(&name, &records) {
            Some(target) => Answer { exists: true, alias_of: Some(shown(&target)), ..answer },
            None => answer,
        }
    }

    fn lookup(&self, name: &Name, kind: RecordType) -> Result<Vec<Record>, NetError> {
        let answer = self.runtime.block_on(self.resolver.lookup(name.clone(), kind))?;
        Ok(answer.answers().to_vec())
    }
}

fn parse(name: &str) -> Result<Name, ProtoError> {
    Name::from_ascii(format!("{}.", name.trim_end_matches('.')))
}

fn shown(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_owned()
}

/// Returns the last name of the chain of aliases that begins at a name.
fn last_alias(name: &Name, records: &[Record]) -> Option<Name> {
    let mut last = None;
    for _ in 0..records.len() {
        let at = last.as_ref().unwrap_or(name);
        let next = records.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if record.name == *at => Some(target.0.clone()),
            _ => None,
        });
        match next {
            Some(target) => last = Some(target),
            None => break,
        }
    }
    last
}

fn only(server: SocketAddr) -> ResolverConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    let server = NameServerConfig::new(server.ip(), true, connections.into());
    ResolverConfig::from_name_servers(vec![server])
}

fn lookup_error(error: &NetError, question: &str) -> String {
    match error {
        NetError::Dns(DnsError::ResponseCode(code)) => {
            format!("the nameserver answered {code} to {question}")
        }
        NetError::Timeout => format!("no nameserver answered in time to {question}"),
        NetError::NoConnections => format!("no nameserver could be reached for {question}"),
        NetError::Io(error) => format!("no nameserver could be reached for {question}: {error}"),
        error => format!("{question} failed: {error}"),
    }
}
