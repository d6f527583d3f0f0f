//! A sender with a cache, deliveries and a loop, and a network in memory: for servers that use neither
//! of the clients.
//!
//! ```sh
//! cargo run -p mta-sts-examples --example sans_io_loop
//! ```
//!
//! Nothing here opens a socket or reads a clock. Put a resolver, an HTTPS client, an SMTP client and
//! `UtcDateTime::now()` in the places of [`Network`] and [`Sender::now`], and it is a mail server's. With
//! rustls, `smtp::Handshake` returns the outcome of a handshake.

use std::{error::Error, net::IpAddr, sync::Arc, time::Duration};

use mta_sts::{
    Domain, Failure, NoPolicy, Policy, ResultType,
    cache::{Answer, Cache, Config, EventKind, Lookup, LookupId, PolicyAnswer, Request, TxtAnswer},
    delivery::{
        Attempt, CertificateChecks, ConnectDecision, Delivery, MinTlsLevel, Mx, Recheck, Route,
        SendDecision, SessionOutcome, SmtpReply, Step, TlsLevel, TlsaStatus,
    },
    time::UtcDateTime,
};

const HOUR: Duration = Duration::from_secs(3600);

fn main() -> Result<(), Box<dyn Error>> {
    let domain = Domain::parse("example.com")?;
    let mut network = Network::honest();
    let mut sender = Sender {
        // The seed comes from the system's random numbers in a mail server.
        cache: Cache::new(Config::new(1)),
        now: UtcDateTime::from_unix_timestamp(1_767_258_000)?, // 2026-01-01 9:00
    };

    println!("# The first message: the policy is discovered");
    assert!(sender.deliver(&domain, &network));

    println!("\n# The host is down, has no room, and closes the connection: the message waits");
    for fault in [
        Fault::Down,
        Fault::Replies(SmtpReply::Transient),
        Fault::Replies(SmtpReply::ConnectionLost),
    ] {
        network.fault = fault;
        assert!(!sender.deliver(&domain, &network));
    }

    println!("\n# Someone strips STARTTLS, and blocks DNS and HTTPS so that no policy is seen");
    sender.pass(HOUR, &network);
    (network.fault, network.record, network.file) = (Fault::NoStarttls, None, None);
    assert!(!sender.deliver(&domain, &network));

    println!("\n# He is gone: the message that waited is tried again");
    network = Network::honest();
    sender.pass(HOUR, &network);
    assert!(sender.deliver(&domain, &network));

    println!("\n# The domain moves its mail to another host, and says so in a new policy");
    network.mx = "mx.elsewhere.example";
    network.record = Some("v=STSv1; id=2");
    network.file =
        Some("version: STSv1\nmode: enforce\nmx: mx.elsewhere.example\nmax_age: 604800\n");
    assert!(sender.deliver(&domain, &network));

    println!("\n# A week in which nothing is sent: the policy is refreshed in the background");
    sender.pass(7 * 24 * HOUR, &network);

    println!("\n# The domain gives up MTA-STS as it should, with a policy of mode none");
    network.record = Some("v=STSv1; id=3");
    network.file = Some("version: STSv1\nmode: none\nmax_age: 86400\n");
    network.fault = Fault::NoStarttls;
    assert!(sender.deliver(&domain, &network));
    Ok(())
}

/// What a sender sees of the world.
struct Network {
    record: Option<&'static str>,
    file: Option<&'static str>,
    mx: &'static str,
    fault: Fault,
}

/// What is wrong with the MX host.
enum Fault {
    None,
    Down,
    NoStarttls,
    /// It replies this to the message.
    Replies(SmtpReply),
}

impl Network {
    fn honest() -> Self {
        Self {
            record: Some("v=STSv1; id=1"),
            file: Some("version: STSv1\nmode: enforce\nmx: *.example.com\nmax_age: 604800\n"),
            mx: "mx1.example.com",
            fault: Fault::None,
        }
    }

    fn query_txt(&self) -> TxtAnswer {
        match self.record {
            Some(record) => TxtAnswer::from_records([record], Duration::from_secs(300)),
            None => TxtAnswer::Failed("the query timed out".into()),
        }
    }

    fn https_get(&self, domain: &Domain) -> PolicyAnswer {
        let Some(file) = self.file else {
            let what = "the connection timed out";
            let host = domain.policy_host();
            let kind = ResultType::StsPolicyFetchError;
            return PolicyAnswer::Failed(Failure::new(kind, "connect", host, what));
        };
        PolicyAnswer::from_body(domain, file.as_bytes())
    }

    /// Where the MX host is: at two addresses.
    fn addresses() -> impl Iterator<Item = IpAddr> {
        [[192, 0, 2, 1], [192, 0, 2, 2]].into_iter().map(IpAddr::from)
    }

    fn connect(&self, attempt: &Attempt) -> SessionOutcome {
        match self.fault {
            Fault::Down => SessionOutcome::Unreachable,
            Fault::NoStarttls => SessionOutcome::ClearText,
            _ if attempt.requirement().tls() == TlsLevel::Never => SessionOutcome::ClearText,
            _ => SessionOutcome::Encrypted(CertificateChecks::new().with_pkix(Ok(()))),
        }
    }

    fn send(&self) -> SmtpReply {
        match self.fault {
            Fault::Replies(reply) => reply,
            _ => SmtpReply::Accepted,
        }
    }
}

struct Sender {
    cache: Cache,
    now: UtcDateTime,
}

impl Sender {
    /// Tries to deliver a message. Whether it is over with.
    fn deliver(&mut self, domain: &Domain, network: &Network) -> bool {
        let mut policy = self.policy(domain, network);
        // Once more with a policy that has changed. Its domain must not keep the sender busy.
        for _ in 0..2 {
            match &policy {
                Ok(policy) => println!("  policy: {}", policy.mode()),
                Err(why) => println!("  no policy: {why}"),
            }
            let route = Route::for_recipient(domain.clone(), [Mx::new(10, network.mx)]);
            match self.walk(&mut Delivery::new(route, policy, MinTlsLevel::Opportunistic), network)
            {
                Step::PolicyChanged(new) => policy = new,
                Step::Delivered => return true,
                Step::Defer(deferral) => {
                    println!("  deferred: {deferral}");
                    return false;
                }
                other => {
                    println!("  given up: {other:?}");
                    return true;
                }
            }
        }
        println!("  deferred: the policy has changed again");
        false
    }

    /// One message's walk over the MX hosts, to its end.
    fn walk(&mut self, delivery: &mut Delivery, network: &Network) -> Step {
        loop {
            match delivery.poll() {
                Step::Consider(candidate) => {
                    match delivery.handle_tlsa(candidate, TlsaStatus::Insecure) {
                        ConnectDecision::Skip(failure) => println!("  skipped: {failure}"),
                        ConnectDecision::Attempt(attempt) => try_host(delivery, attempt, network),
                    }
                }
                Step::Recheck(_) => {
                    if let Some(domain) = delivery.policy_domain().cloned() {
                        delivery.handle_recheck(self.recheck(&domain, network));
                    }
                }
                done => return done,
            }
        }
    }

    /// What applies to the domain: at once, if that is known.
    fn policy(&mut self, domain: &Domain, network: &Network) -> Result<Arc<Policy>, NoPolicy> {
        let waiter = match self.cache.lookup(domain, self.now) {
            Lookup::Answer(answer) => {
                let answer = answer.cloned();
                self.run(network, |_| None::<()>);
                return answer.into_policy();
            }
            Lookup::Waiting(waiter) => waiter,
        };
        self.run(network, |event| match event {
            EventKind::Answered { id: who, answer } if who == waiter => Some(answer),
            _ => None,
        })
        .map_or(Err(NoPolicy::Overloaded), Answer::into_policy)
    }

    fn recheck(&mut self, domain: &Domain, network: &Network) -> Recheck {
        let waiter: LookupId = self.cache.recheck(domain, self.now);
        let result = self.run(network, |event| match event {
            EventKind::Rechecked { id: who, result } if who == waiter => Some(result),
            _ => None,
        });
        let Some(result) = result else { return Recheck::Unknown("no result".into()) };
        println!("  recheck: {}", result.outcome);
        result.into()
    }

    /// The loop: does what the cache asks for and hears what it tells, until there is no more.
    /// Returns what was waited for.
    fn run<T>(&mut self, network: &Network, wanted: impl Fn(EventKind) -> Option<T>) -> Option<T> {
        let mut found = None;
        loop {
            if let Some(request) = self.cache.poll_request() {
                match request {
                    Request::Txt { id, domain } => {
                        println!("  -> TXT {}", domain.txt_name());
                        self.cache.handle_txt(id, network.query_txt(), self.now);
                    }
                    Request::Fetch { id, domain } => {
                        println!("  -> GET {}", domain.policy_url());
                        self.cache.handle_policy(id, network.https_get(&domain), self.now);
                    }
                    other => unreachable!("asked for without being switched on: {other:?}"),
                }
            } else if let Some(event) = self.cache.poll_event() {
                match &event.kind {
                    EventKind::Alert(alert) => println!("  !! {}: {alert}", event.domain),
                    EventKind::Updated { policy, .. } => {
                        println!("  <- {}: a policy of mode {}", event.domain, policy.mode());
                    }
                    _ => {}
                }
                found = found.or_else(|| wanted(event.kind));
            } else {
                return found;
            }
        }
    }

    /// Lets time pass, as a mail server does by sleeping.
    fn pass(&mut self, span: Duration, network: &Network) {
        let end = self.now + span;
        while let Some(due) = self.cache.poll_timeout().filter(|&due| due <= end) {
            self.now = due;
            println!("  {due}");
            self.cache.handle_timeout(due);
            self.run(network, |_| None::<()>);
        }
        self.now = end;
    }
}

/// Tries the addresses of a host, and once more in clear text where that is allowed.
fn try_host(delivery: &mut Delivery, mut attempt: Attempt, network: &Network) {
    let mut addresses = Network::addresses();
    loop {
        let decision = match addresses.next() {
            Some(address) => {
                let outcome = network.connect(&attempt);
                delivery.handle_session(attempt.with_receiving_ip(address), outcome)
            }
            None => delivery.handle_no_address(attempt),
        };
        attempt = match decision {
            SendDecision::NextAddress(attempt) => attempt,
            SendDecision::RetryPlaintext(attempt) => {
                addresses = Network::addresses();
                attempt
            }
            SendDecision::Reject(failure) => {
                println!("  left: {failure}");
                return;
            }
            SendDecision::Send(transaction) => {
                let (session, reply) = (transaction.session(), network.send());
                let how = if session.is_encrypted() { "TLS" } else { "clear text" };
                println!("  sent to {} over {how}: {reply:?}", session.host());
                // After a refusal for now, the next address.
                match delivery.handle_reply(transaction, reply) {
                    Some(attempt) => attempt,
                    None => return,
                }
            }
        };
    }
}
