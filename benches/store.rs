//! What the store costs: bytes of the file, loading, saving, and the start of a client.
//!
//! Takes the numbers of domains as arguments, or else 10,000 and 100,000; `--test` runs it with few.
//! Each line is a file in which the domains were saved a thousand at a time, in the order of their
//! names or scattered over them, with one text of a policy for ten domains or one for each. The bytes
//! are those that the file system gave the file; a file's length is more, because it grows in large
//! steps. A save has beside it a floor, which takes turns with it: as many pages as it wrote, where
//! the system says it, written in place to a file of the same length, and synced once. Each file is measured by processes of its own, so that the memory is that of a client.

#![allow(clippy::disallowed_methods, reason = "the clock is what is measured by")]

use std::{
    env,
    fs::{self, File},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use mta_sts::{
    Domain,
    blocking::{Client, Fetcher, Resolver},
    cache::{Cache, Config, PolicyAnswer, Request, TxtAnswer},
    client::{AddressAnswer, Settings},
    store::{Change, Redb, Store as _},
};
use rustix::time::{ClockId, clock_gettime};
use time::UtcDateTime;

const BATCH: usize = 1000;
const TTL: Duration = Duration::from_secs(86_400);

/// How many saves are timed, of which the median counts.
const SAVES: usize = 21;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [step, path, count, order, sharing] = arguments.as_slice() {
        let number = |text: &str| text.parse().expect("a number");
        let is_scattered = order == "scattered";
        let domains = Domains { count: number(count), is_scattered, sharing: number(sharing) };
        let path = Path::new(path);
        return if step == "file" { file(path, &domains) } else { client(path, &domains) };
    }
    let mut sizes: Vec<usize> = arguments.iter().filter_map(|text| text.parse().ok()).collect();
    if arguments.iter().any(|argument| argument == "--test") {
        sizes = vec![10];
    } else if sizes.is_empty() {
        sizes = vec![10_000, 100_000];
    }
    println!(
        "| domains | order | for a text | bytes a domain | length | load, s | save of 1,000, ms | \
         processor | pages | floor, ms | processor | start, s | RSS, MiB | most, MiB |"
    );
    println!("| --: | --- | {}", "--: | ".repeat(12));
    let path = env::temp_dir().join(format!("mta-sts-store-{}", std::process::id()));
    for size in sizes {
        for (order, sharing) in [("sorted", "10"), ("scattered", "10"), ("scattered", "1")] {
            for step in ["file", "client"] {
                run(step, &path, &[&size.to_string(), order, sharing]);
            }
            fs::remove_file(&path).expect("removed");
        }
    }
}

/// Runs a step in a process of its own, which prints cells of the table.
fn run(step: &str, path: &Path, arguments: &[&str]) {
    let mut command = Command::new(env::current_exe().expect("a program"));
    let status = command.arg(step).arg(path).args(arguments).status().expect("runs");
    assert!(status.success(), "{step} {arguments:?}");
}

/// The domains of a file.
struct Domains {
    count: usize,
    is_scattered: bool,
    /// The number of domains that have the same text.
    sharing: usize,
}

impl Domains {
    fn name(&self, n: usize) -> Domain {
        let n = if self.is_scattered { scattered(n as u64) } else { n as u64 };
        Domain::parse(&format!("{n:016x}.example")).expect("valid")
    }

    fn changes(&self, range: impl Iterator<Item = usize>, id: &str) -> Vec<Change> {
        let mut cache = Cache::new(Config::new(1));
        range.for_each(|n| self.discover(&mut cache, n, id));
        let snapshots = cache.snapshots();
        let change = |snapshot: mta_sts::cache::Snapshot| Change {
            domain: snapshot.domain().expect("valid").clone(),
            snapshot: Some(snapshot),
        };
        snapshots.map(change).collect()
    }

    fn discover(&self, cache: &mut Cache, n: usize, id: &str) {
        let now = UtcDateTime::now();
        let text = n / self.sharing;
        let body = format!(
            "version: STSv1\nmode: enforce\nmx: mx1.provider{text}.example\n\
             mx: mx2.provider{text}.example\nmx: *.backup.example\nmax_age: 604800\n"
        );
        drop(cache.lookup(&self.name(n), now));
        while let Some(request) = cache.poll_request() {
            match request {
                Request::Txt { id: request, .. } => {
                    let record = format!("v=STSv1; id={id}");
                    cache.handle_txt(request, TxtAnswer::from_records([record.as_str()], TTL), now);
                }
                Request::Fetch { id, domain } => {
                    cache.handle_policy(id, PolicyAnswer::from_body(&domain, body.as_bytes()), now);
                }
                _ => {}
            }
        }
        while cache.poll_event().is_some() {}
    }
}

/// Creates a file, loads it, and saves some of it anew.
fn file(path: &Path, domains: &Domains) {
    let store = Redb::open(path).expect("a new file");
    let all: Vec<usize> = (0..domains.count).collect();
    for batch in all.chunks(BATCH) {
        store.save(&domains.changes(batch.iter().copied(), "1")).expect("saved");
    }
    let (bytes, length) = size(path);
    drop(store);
    let start = Instant::now();
    let store = Redb::open(path).expect("ours");
    let mut count = 0;
    store.load(&mut |_| count += 1).expect("loaded");
    let load = start.elapsed();
    assert_eq!(count, domains.count);
    print!(
        "| {} | {} | {} | {} | {} | {:.2} | {} |",
        domains.count,
        if domains.is_scattered { "scattered" } else { "sorted" },
        domains.sharing,
        bytes / domains.count as u64,
        length / domains.count as u64,
        load.as_secs_f64(),
        saves(&store, path, domains),
    );
    io::stdout().flush().expect("printed");
}

/// Returns the bytes that the file system gave a file, and its length.
fn size(path: &Path) -> (u64, u64) {
    let metadata = fs::metadata(path).expect("a file");
    #[cfg(unix)]
    let blocks = std::os::unix::fs::MetadataExt::blocks(&metadata) * 512;
    #[cfg(not(unix))]
    let blocks = metadata.len();
    (blocks, metadata.len())
}

/// Returns the medians of saving a thousand domains, which are in the file, and of the floor.
fn saves(store: &Redb, path: &Path, domains: &Domains) -> String {
    let beside = path.with_extension("floor");
    let length = fs::metadata(path).expect("a file").len();
    fs::write(&beside, vec![1; length.try_into().expect("in memory")]).expect("written");
    let mut file = File::options().write(true).open(&beside).expect("a file");
    file.sync_all().expect("synced");
    let (mut of_saves, mut pages, mut of_floor) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..SAVES {
        let range = (0..BATCH).map(|place| (n * BATCH + place) % domains.count);
        let changes = domains.changes(range, &format!("2x{n}"));
        let before = written();
        of_saves.push(timed(|| store.save(&changes).expect("saved")));
        let count = written().saturating_sub(before) / PAGE as u64;
        pages.push(count);
        of_floor.push(timed(|| {
            for number in 0..count {
                let place = if domains.is_scattered { scattered(number) } else { number };
                let offset = place % (length / PAGE as u64) * PAGE as u64;
                file.seek(SeekFrom::Start(offset)).expect("no pipe");
                file.write_all(&[2; PAGE]).expect("written");
            }
            file.sync_data().expect("synced");
        }));
    }
    fs::remove_file(beside).expect("removed");
    pages.sort_unstable();
    format!("{} | {} | {}", medians(of_saves), pages[SAVES / 2], medians(of_floor))
}

/// A page of the database library.
const PAGE: usize = 4096;

/// Returns a number of its own for each number, by a multiplication by an odd one.
const fn scattered(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Returns the bytes that this process has written so far, where the system says it.
fn written() -> u64 {
    let counts = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let count = counts.lines().find_map(|line| line.strip_prefix("wchar: "));
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// Returns how long a call takes, by the clock and of the processor.
fn timed(call: impl FnOnce()) -> (Duration, Duration) {
    let processor =
        || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).expect("not negative");
    let (clock, before) = (Instant::now(), processor());
    call();
    (clock.elapsed(), processor().saturating_sub(before))
}

/// Returns the median times in milliseconds, as cells of the table.
fn medians(times: Vec<(Duration, Duration)>) -> String {
    let (clock, processor): (Vec<_>, Vec<_>) = times.into_iter().unzip();
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1000.0
    };
    format!("{:.1} | {:.1}", median(clock), median(processor))
}

/// Starts a client, which answers for one of the domains.
fn client(path: &Path, domains: &Domains) {
    let domain = domains.name(domains.count / 2);
    let config = Config::new(1).with_max_entries(domains.count.max(1)).with_max_bytes(usize::MAX);
    let start = Instant::now();
    let client = Client::builder()
        .with_settings(Settings::default().with_cache_config(config))
        .with_resolver(Silent)
        .with_fetcher(Silent)
        .with_store(Redb::open(path).expect("ours"))
        .build()
        .expect("starts");
    let answer = client.policy(&domain).expect("in time");
    let start = start.elapsed();
    assert!(answer.policy().is_some(), "{domain}");
    println!(" {:.2} | {} |", start.as_secs_f64(), memory());
}

/// No Internet.
struct Silent;

impl Resolver for Silent {
    fn txt(&self, _: &Domain) -> TxtAnswer {
        TxtAnswer::Failed("no Internet".into())
    }

    fn addresses(&self, _: &Domain) -> AddressAnswer {
        AddressAnswer::Failed("no Internet".into())
    }
}

impl Fetcher for Silent {
    fn fetch(&self, _: &Domain) -> PolicyAnswer {
        unreachable!("there is a policy")
    }
}

/// Returns the memory of this process in MiB, now and at its most, where the system says it.
fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mebibytes = |name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? / 1024)
    };
    let cell = |name| mebibytes(name).map_or("–".to_owned(), |mebibytes| mebibytes.to_string());
    format!("{} | {}", cell("VmRSS:"), cell("VmHWM:"))
}
