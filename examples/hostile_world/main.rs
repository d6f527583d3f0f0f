//! A world of faults for other MTA-STS clients: policy daemons, and whole mail servers.
//!
//! ```sh
//! cargo run -p mta-sts-examples --example hostile_world -- --scenario all --ask socketmap:127.0.0.1:8461
//! ```
//!
//! It starts a nameserver, Policy Hosts and MX hosts on loopback addresses, tells in JSON where they are,
//! and judges what the client under test does. `README.md` says how to point one at it.

#![allow(clippy::disallowed_methods, reason = "here are real sockets, and real time passes")]

pub(crate) mod answer;
pub(crate) mod ask;
pub(crate) mod catalogue;
pub(crate) mod description;
pub(crate) mod judge;
pub(crate) mod log;
pub(crate) mod options;
pub(crate) mod page;
pub(crate) mod run;
pub(crate) mod signals;
pub(crate) mod world;

use std::{
    env, fs,
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::{self, ExitCode},
};

use base64::prelude::{BASE64_STANDARD, Engine as _};

use self::{
    judge::Verdict,
    options::{Command, Mode, Options},
    run::Course,
    signals::Signals,
    world::HostileWorld,
};

const HELP: &str = include_str!("help.txt");

fn main() -> ExitCode {
    let done = match Command::parse(lexopt::Parser::from_env()) {
        Ok(Command::Help) => print(HELP).map(|()| true),
        Ok(Command::List) => print(&list()).map(|()| true),
        Ok(Command::Run(options)) => test(&options),
        Err(error) => {
            eprintln!("hostile_world: {error}\nTry --help.");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(is_right) => ExitCode::from(u8::from(!is_right)),
        // The reader has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hostile_world: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs a test. Returns whether nothing is wrong.
fn test(options: &Options) -> io::Result<bool> {
    let world = HostileWorld::start(options.scenarios.clone(), options.places, options.ttl)?;
    let signals = Signals::listen()?;
    let folder = Folder::new(options)?;
    let ca = write_ca(&folder.path, &world.root())?;
    print(&format!("{}\n", description::description(&world, &ca)))?;
    if let Mode::Ask(daemon) = &options.mode {
        daemon.wait(&signals)?;
    }
    let announce = |phase| {
        if phase > 0 && !matches!(options.mode, Mode::Ask(_)) {
            let _ = print(&format!("{}\n", description::phase(&world, phase)));
        }
    };
    let judgements = run::run(
        &world,
        &Course {
            mode: &options.mode,
            limit: options.limit,
            pause: &|| signals.sleep(options.pace),
            announce: &announce,
            signals: &signals,
        },
    );
    print(&if options.is_json {
        format!("{}\n", description::judgement(&judgements))
    } else {
        description::report(&judgements)
    })?;
    if judgements.iter().all(|judged| judged.verdict == Verdict::Untested) {
        return Err(io::Error::other("nothing could be judged: the client asked for no domain"));
    }
    Ok(judgements.iter().all(|judged| judged.verdict <= Verdict::Right))
}

/// The directory of the root certificate.
struct Folder {
    path: PathBuf,
    /// Whether it is removed at the end.
    is_temporary: bool,
}

impl Folder {
    fn new(options: &Options) -> io::Result<Self> {
        let own = || env::temp_dir().join(format!("hostile-world-{}", process::id()));
        let path = options.directory.clone().unwrap_or_else(own);
        fs::create_dir_all(&path)?;
        Ok(Self { path, is_temporary: options.directory.is_none() })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_temporary {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Writes the root certificate as PEM (RFC 7468). Returns the path of the file.
fn write_ca(directory: &Path, certificate: &[u8]) -> io::Result<PathBuf> {
    let path = directory.join("ca.pem");
    let encoded = BASE64_STANDARD.encode(certificate);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(64).map(|line| str::from_utf8(line).expect("ASCII")).collect();
    let lines = lines.join("\n");
    fs::write(&path, format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"))?;
    Ok(path)
}

/// Returns a line for each scenario.
fn list() -> String {
    let line = |scenario: &catalogue::Scenario| {
        [scenario.name, &scenario.rows.join(" "), scenario.reason].join("\t") + "\n"
    };
    catalogue::all().map(line).collect()
}

fn print(text: &str) -> io::Result<()> {
    let mut output = io::stdout();
    output.write_all(text.as_bytes())?;
    output.flush()
}
