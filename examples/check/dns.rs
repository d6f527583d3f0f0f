//! Questions to DNS.

use std::{
    net::{IpAddr, SocketAddr},
    thread,
};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::rr::{Name, RData, Record, RecordType},
};
use mta_sts::{
    Domain,
    dns::{Found, Question},
};
use tokio::runtime::{Builder, Runtime};

/// A resolver that is waited for.
pub(crate) struct Dns {
    runtime: Runtime,
    resolver: TokioResolver,
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
                .map_err(|error| format!("the system names no nameservers: {error}"))?,
        };
        // What this machine alone knows is nothing that a domain publishes.
        builder.options_mut().use_hosts_file = ResolveHosts::Never;
        let resolver = builder.build().map_err(|error| error.to_string())?;
        drop(within);
        Ok(Self { runtime, resolver })
    }

    /// The texts of a domain's TXT records, their strings joined.
    pub(crate) fn texts(&self, domain: &Domain) -> Result<Vec<Vec<u8>>, String> {
        let question = Question::txt(domain);
        let records = self.ask(question.name(), RecordType::TXT)?;
        let found = Found::among(&question, &records);
        let found = found.ok_or_else(|| format!("{question}: its aliases lead nowhere"))?;
        Ok(found.texts().iter().map(|text| text.to_vec()).collect())
    }

    /// MX records, the preferred first.
    pub(crate) fn mx(&self, name: &str) -> Result<Vec<(u16, String)>, String> {
        let records = self.ask(name, RecordType::MX)?.into_iter();
        let mut found: Vec<(u16, String)> = records
            .filter_map(|record| match record.data {
                RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii())),
                _ => None,
            })
            .collect();
        found.sort();
        Ok(found)
    }

    /// Addresses of both families.
    pub(crate) fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let (v6, v4) = thread::scope(|scope| {
            let v6 = scope.spawn(|| self.ask(name, RecordType::AAAA));
            let v4 = self.ask(name, RecordType::A);
            (v6.join().expect("no question panics"), v4)
        });
        let records = v6.iter().chain(&v4).flatten();
        let found = records.filter_map(|record| record.data.ip_addr()).collect::<Vec<_>>();
        match (v6, v4) {
            (Err(error), _) | (_, Err(error)) if found.is_empty() => Err(error),
            _ => Ok(found),
        }
    }

    /// No records are an answer; that there is none is an error.
    fn ask(&self, name: &str, kind: RecordType) -> Result<Vec<Record>, String> {
        let question = format!("{kind} {name}");
        let malformed = |error| format!("{question}: {error}");
        let name = Name::from_ascii(format!("{}.", name.trim_end_matches('.')));
        let answer = self.runtime.block_on(self.resolver.lookup(name.map_err(malformed)?, kind));
        match answer {
            Ok(found) => Ok(found.answers().to_vec()),
            Err(error) if error.is_no_records_found() => Ok(Vec::new()),
            Err(error) => Err(told(&error, &question)),
        }
    }
}

fn only(server: SocketAddr) -> ResolverConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut it| {
        it.port = server.port();
        it
    });
    let server = NameServerConfig::new(server.ip(), true, connections.into());
    ResolverConfig::from_name_servers(vec![server])
}

fn told(error: &NetError, question: &str) -> String {
    match error {
        NetError::Dns(DnsError::ResponseCode(code)) => {
            format!("the nameserver answered {code} to {question}")
        }
        NetError::Timeout => format!("no nameserver answered in time to {question}"),
        NetError::NoConnections => format!("no nameserver could be reached for {question}"),
        NetError::Io(error) => format!("no nameserver could be asked for {question}: {error}"),
        error => format!("asking for {question}: {error}"),
    }
}
