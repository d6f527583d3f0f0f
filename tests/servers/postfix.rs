//! Postfix, the MX host of a domain.

use std::{
    env,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::PathBuf,
    process::{self, Child, Command, Stdio},
    thread,
};

use crate::{clients::eventually, world::port};

/// What the private instance is told. `FOLDER` is where everything of it is.
const MAIN: &str = "
compatibility_level = 3.6
queue_directory = FOLDER/queue
data_directory = FOLDER/data
maillog_file = /dev/stdout
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = mx.example.com
mydestination =
mynetworks =
local_recipient_maps =
virtual_mailbox_domains = good.example
virtual_mailbox_base = FOLDER/mail
virtual_mailbox_maps = static:inbox
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_recipient_restrictions = check_recipient_access texthash:FOLDER/recipients, reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_chain_files = FOLDER/chain.pem
";

const MASTER: &str = "
ADDRESS inet n - n - - smtpd
anvil unix - - n - 1 anvil
bounce unix - - n - 0 bounce
cleanup unix n - n - 0 cleanup
defer unix - - n - 0 bounce
error unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
qmgr unix n - n 300 1 qmgr
retry unix - - n - - error
rewrite unix - - n - - trivial-rewrite
tlsmgr unix - - n 1000? 1 tlsmgr
virtual unix - n n - - virtual
";

/// Runs until its standard input is closed: at the latest when the test ends, in whatever way.
const RUN: &str = "/usr/sbin/postfix -c $PWD/etc start-fg & read line; \
                   /usr/sbin/postfix -c $PWD/etc stop || kill $!; wait";

/// A private instance of Postfix. It ends when it is dropped.
pub(crate) struct Postfix {
    folder: PathBuf,
    pub(crate) address: SocketAddr,
    running: Option<Child>,
}

impl Postfix {
    /// Starts it. `chain` is its key and its certificates.
    pub(crate) fn new(chain: &str) -> Self {
        // Not in the folder of the build, which its user may not be able to enter.
        let folder = env::temp_dir().join(format!("mta-sts-postfix-{}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        for name in ["data", "etc", "mail", "queue"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let address = (Ipv4Addr::LOCALHOST, port(Ipv4Addr::LOCALHOST)).into();
        let mut postfix = Self { folder, address, running: None };
        postfix.give("data", "postfix");
        postfix.give("mail", "nobody");
        let folder = postfix.folder.to_str().unwrap();
        postfix.write("etc/main.cf", &MAIN.replace("FOLDER", folder));
        postfix.write("etc/master.cf", &MASTER.replace("ADDRESS", &address.to_string()));
        postfix.write("recipients", "");
        postfix.write("chain.pem", chain);
        postfix.start();
        postfix
    }

    fn start(&mut self) {
        // A process of an earlier run may still listen for a moment, after its master has ended.
        eventually(|| TcpStream::connect(self.address).is_err());
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let mut command = self.command("sh", &["-c", RUN]);
        command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
        self.running = Some(command.spawn().unwrap());
        eventually(|| TcpStream::connect(self.address).is_ok());
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.running.take() {
            drop(child.stdin.take());
            child.wait().unwrap();
        }
    }

    /// Has other certificates from now on.
    pub(crate) fn exchange(&mut self, chain: &str) {
        self.stop();
        self.write("chain.pem", chain);
        self.start();
    }

    /// Has other replies to `RCPT` from now on: a recipient and a reply on each line.
    pub(crate) fn answer(&mut self, recipients: &str) {
        self.stop();
        self.write("recipients", recipients);
        self.start();
    }

    /// The mail that it has delivered.
    pub(crate) fn inbox(&self) -> String {
        fs::read_to_string(self.folder.join("mail/inbox")).unwrap_or_default()
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    fn give(&self, name: &str, user: &str) {
        assert!(self.command("chown", &[user, name]).status().unwrap().success());
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder);
        command
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.stop();
        if thread::panicking() {
            eprintln!("{}", fs::read_to_string(self.log()).unwrap_or_default());
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}
