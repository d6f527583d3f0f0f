//! What a domain costs a process that has a client: discovered through the client, from a resolver and
//! a fetcher that answer at once. Each client is built in a process of its own, and measured twice: by
//! an allocator that counts what all threads request, and by what the kernel says of the process
//! (`VmRSS`, with the stacks of the threads that did the work), less what it was before.

use std::{
    alloc::System, env, fs, hint::black_box, mem, process::Command, sync::Arc, thread,
    time::Duration,
};

use cap::Cap;
use mta_sts::{Domain, blocking, cache::{Answer, PolicyAnswer, TxtAnswer}, client::{AddressAnswer, Settings}, tokio::{self as async_, BoxFuture}, pki_types::{Der, TrustAnchor}, rustls::{RootCertStore, crypto::ring}};
use tokio::{runtime::Builder, task::JoinSet};
use versus::{
    discovery::found,
    domains::{domain, file},
};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

const DOMAINS: usize = 100_000;

/// Callers at a time.
const CALLERS: usize = 8;

/// What a domain may take, in bytes.
const LIMIT: f64 = 400.0;

const PATIENCE: Duration = Duration::from_secs(60);

const BUILDS: [(&str, fn()); 2] =
    [("`blocking::Client`", || keep(blocking())), ("`tokio::Client`", || keep(tokio()))];

fn main() {
    if let Some(wanted) = env::args().nth(1) {
        let build = BUILDS.iter().find(|(name, _)| *name == wanted);
        return run(build.expect("a build of this name").1);
    }
    println!("| bytes a domain, of {DOMAINS} | requested | process | |");
    println!("| --- | --: | --: | --- |");
    for (name, _) in BUILDS {
        let [requested, process] = child(name);
        let verdict = if requested.max(process) <= LIMIT { "PASS" } else { "FAIL" };
        println!("| {name} | {requested:.1} | {process:.1} | {verdict} |");
    }
}

/// What a process of its own measures.
fn child(name: &str) -> [f64; 2] {
    let program = env::current_exe().expect("this program has a path");
    let output = Command::new(program).arg(name).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let mut numbers = text.split_whitespace().map(|word| word.parse().expect("a number"));
    std::array::from_fn(|_| numbers.next().expect("two numbers"))
}

fn run(build: fn()) {
    let before = (ALLOCATOR.allocated(), resident());
    build();
    for bytes in [ALLOCATOR.allocated() - before.0, resident() - before.1] {
        println!("{}", bytes as f64 / DOMAINS as f64);
    }
}

fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).expect("a line of it");
    kib.parse::<usize>().expect("a number") * 1024
}

/// Built to stay until the process ends.
fn keep<T>(built: T) {
    mem::forget(black_box(built));
}

fn blocking() -> blocking::Client {
    let builder =
        blocking::Client::builder().with_settings(settings()).with_resolver(Network).with_fetcher(Network);
    let client = builder.build().expect("settings that do");
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let client = &client;
            scope.spawn(move || {
                for n in (caller..DOMAINS).step_by(CALLERS) {
                    check(client.policy_within(&domain(n), PATIENCE).expect("in time"));
                }
            });
        }
    });
    assert_eq!(client.cache().len(), DOMAINS);
    client
}

fn tokio() -> (tokio::runtime::Runtime, Arc<async_::Client>) {
    let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let client = runtime.block_on(async {
        let builder =
            async_::Client::builder().with_settings(settings()).with_resolver(Network).with_fetcher(Network);
        let client = Arc::new(builder.build().await.expect("settings that do"));
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let client = Arc::clone(&client);
            callers.spawn(async move {
                for n in (caller..DOMAINS).step_by(CALLERS) {
                    check(client.policy_within(&domain(n), PATIENCE).await.expect("in time"));
                }
            });
        }
        callers.join_all().await;
        client
    });
    assert_eq!(client.cache().len(), DOMAINS);
    (runtime, client)
}

fn check(answer: Answer) {
    assert!(answer.policy().is_some(), "{answer:?}");
}

fn settings() -> Settings {
    let root = TrustAnchor {
        subject: Der::from_slice(b"nobody"),
        subject_public_key_info: Der::from_slice(b"a key"),
        name_constraints: None,
    };
    Settings::default()
        .with_nameservers([([127, 0, 0, 1], 53).into()])
        .with_crypto_provider(ring::default_provider())
        .with_root_certificates(RootCertStore { roots: vec![root] })
}

/// Says at once what the domain of each number has.
struct Network;

impl Network {
    /// The number in the domain's name.
    fn number(domain: &Domain) -> usize {
        let digits: String = domain.as_str().chars().filter(char::is_ascii_digit).collect();
        digits.parse().expect("a number")
    }

    fn txt(domain: &Domain) -> TxtAnswer {
        found(Self::number(domain))
    }

    /// Parsed anew, as it is for every domain.
    fn policy(domain: &Domain) -> PolicyAnswer {
        PolicyAnswer::from_body(domain, file(Self::number(domain)).as_bytes())
    }
}

impl blocking::Resolver for Network {
    fn txt(&self, domain: &Domain) -> TxtAnswer {
        Self::txt(domain)
    }

    fn addresses(&self, _: &Domain) -> AddressAnswer {
        AddressAnswer::NoAddress
    }
}

impl blocking::Fetcher for Network {
    fn fetch(&self, domain: &Domain) -> PolicyAnswer {
        Self::policy(domain)
    }
}

impl async_::Resolver for Network {
    fn txt<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        Box::pin(async { Self::txt(domain) })
    }

    fn addresses<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(async { AddressAnswer::NoAddress })
    }
}

impl async_::Fetcher for Network {
    fn fetch<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, PolicyAnswer> {
        Box::pin(async { Self::policy(domain) })
    }
}
