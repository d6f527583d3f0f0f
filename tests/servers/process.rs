//! A server as a process.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

/// It ends when it is dropped.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program of the system in a folder, where its log is, too.
    pub(crate) fn start(folder: &Path, program: &str, arguments: &[&str]) -> Self {
        let log = folder.join(program).with_extension("log");
        let output = File::options().create(true).append(true).open(&log).unwrap();
        let child = command(folder, program, arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("{program}: {error}"));
        Self { child, log }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            eprintln!("{}:\n{log}", self.log.display());
        }
    }
}

/// Runs a program to its end, which must be a good one. What it says.
pub(crate) fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = command(folder, program, arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn command(folder: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(Path::new("/usr/sbin").join(program));
    command.args(arguments).current_dir(folder);
    command
}
