//! What the mail server meets: a table of scenes. The tests play it with both clients.

use std::fmt;

use mta_sts::delivery::RequireTls;
use mta_sts_testkit::{Certificate, Mx};

/// A scene: the domain example.com, its MX host mx.example.com, and messages to Bob and Carol. At its
/// beginning, the domain has no policy, and the host is a good one.
pub(crate) struct Scene {
    pub(crate) title: &'static str,
    /// The file of the operator.
    pub(crate) overrides: &'static str,
    pub(crate) steps: &'static [Step],
}

/// A step of a scene.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The domain publishes another policy.
    Policy(&'static str),
    /// Neither the record nor the policy can be seen any more.
    Hidden,
    /// The host behaves like this.
    Host(Mx),
    /// The host replies this to `RCPT` for Carol; to nothing, by closing the connection.
    Carol(&'static str),
    /// The host replies this to the message; to nothing, by closing the connection.
    Message(&'static str),
    /// The address of the host refuses connections.
    Down,
    /// The host is back.
    Up,
    /// The mail server is started again, with its files.
    Restart,
    /// A message is sent.
    Send(RequireTls, Expected),
    /// The message is tried again for those who have not got it.
    Retry(Expected),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(policy) => {
                write!(f, "the domain publishes {}", policy.trim_end().replace('\n', ", "))
            }
            Self::Hidden => f.write_str("an attacker hides the record and the policy"),
            Self::Host(manner) => write!(f, "the host: {manner:?}"),
            Self::Carol(reply) => write!(f, "the host replies {reply:?} to RCPT for Carol"),
            Self::Message(reply) => write!(f, "the host replies {reply:?} to the message"),
            Self::Down => f.write_str("the host is down"),
            Self::Up => f.write_str("the host is back"),
            Self::Restart => f.write_str("the mail server is started again"),
            Self::Send(tag, _) => write!(f, "a message, of tag {tag:?}"),
            Self::Retry(_) => f.write_str("the message is tried again"),
        }
    }
}

/// The notification about each recipient, or one for all; and the sessions in reports, sorted.
pub(crate) type Expected = (&'static [&'static str], &'static [&'static str]);

pub(crate) const DOMAIN: &str = "example.com";
pub(crate) const HOST: &str = "mx.example.com";
pub(crate) const BOB: &str = "bob@example.com";
pub(crate) const CAROL: &str = "carol@example.com";

const ENFORCE: &str = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";
const ELSEWHERE: &str = "version: STSv1\nmode: enforce\nmx: mx.example.net\nmax_age: 604800\n";
const TESTING: &str = "version: STSv1\nmode: testing\nmx: mx.example.com\nmax_age: 604800\n";
const NONE: &str = "version: STSv1\nmode: none\nmax_age: 86400\n";

// The notifications. Their sentences are those of the library.
const DELIVERED: &str = "delivered";
const HAS_EXPIRED: &str = "delayed: 4.7.5 no host of example.com took the message: the certificate \
     of mx.example.com has expired, and the MTA-STS policy of example.com demands a valid one";
const NO_STARTTLS: &str = "delayed: 4.7.4 no host of example.com took the message: mx.example.com \
     does not offer STARTTLS, which the MTA-STS policy of example.com demands";
const NO_STARTTLS_AND_NO_RECHECK: &str = "delayed: 4.7.4 no host of example.com took the message: \
     mx.example.com does not offer STARTTLS, which the MTA-STS policy of example.com demands; \
     whether the policy is still current could not be found out";
const NOT_LISTED: &str = "delayed: 4.7.0 no host of example.com took the message: mx.example.com \
     is not listed in the MTA-STS policy of example.com";
const NO_REQUIRETLS: &str = "failed: 5.7.30 no host of example.com took the message: \
     mx.example.com does not offer REQUIRETLS, which the sender of the message demands";
const UNREACHABLE: &str = "delayed: 4.4.1 no host of example.com took the message: mx.example.com \
     could not be reached";
const REFUSED_FOR_NOW: &str = "delayed: 4.0.0 no host of example.com took the message: \
     mx.example.com refused the message for now";
const REFUSED: &str = "failed: 5.0.0 mx.example.com refused the message";
const LOST: &str = "delayed: 4.4.2 no host of example.com took the message: the connection to \
     mx.example.com was lost";

const GOOD: Step = Step::Host(Mx::Starttls(Certificate::Good));
const EXPIRED: Step = Step::Host(Mx::Starttls(Certificate::Expired));
const CLEAR: Step = Step::Host(Mx::ClearText);
/// The certificate has expired, and the host has not got its key.
const EXPIRED_WITHOUT_KEY: Step = Step::Host(Mx::Starttls(Certificate::ExpiredWithoutKey));

const fn send(notifications: &'static [&'static str], reports: &'static [&'static str]) -> Step {
    Step::Send(RequireTls::Unspecified, (notifications, reports))
}

pub(crate) const SCENES: &[Scene] = &[
    Scene {
        title: "A policy of mode enforce",
        overrides: "",
        steps: &[
            Step::Policy(ENFORCE),
            send(&[DELIVERED], &["sts: success"]),
            EXPIRED,
            send(&[HAS_EXPIRED], &["sts: certificate-expired"]),
            GOOD,
            Step::Retry((&[DELIVERED], &["sts: success"])),
        ],
    },
    Scene {
        title: "A policy of mode testing",
        overrides: "",
        steps: &[
            Step::Policy(TESTING),
            EXPIRED,
            send(&[DELIVERED], &["sts: certificate-expired"]),
            CLEAR,
            send(&[DELIVERED], &["sts: starttls-not-supported"]),
        ],
    },
    Scene {
        title: "A policy of mode none",
        overrides: "",
        steps: &[Step::Policy(NONE), CLEAR, send(&[DELIVERED], &[])],
    },
    Scene {
        title: "No policy",
        overrides: "",
        steps: &[CLEAR, send(&[DELIVERED], &["no-policy-found: starttls-not-supported"])],
    },
    Scene {
        title: "A policy that changes: the mail goes where it says",
        overrides: "",
        steps: &[
            Step::Policy(ELSEWHERE),
            send(&[NOT_LISTED], &["sts: validation-failure"]),
            Step::Policy(ENFORCE),
            Step::Retry((&[DELIVERED], &["sts: success", "sts: validation-failure"])),
        ],
    },
    Scene {
        title: "A message that requires TLS",
        overrides: "",
        steps: &[
            Step::Policy(ENFORCE),
            Step::Send(RequireTls::Yes, (&[NO_REQUIRETLS], &["sts: success"])),
            Step::Host(Mx::Requiretls(Certificate::Good)),
            Step::Send(RequireTls::Yes, (&[DELIVERED], &["sts: success"])),
        ],
    },
    Scene {
        title: "A host that is down for a while",
        overrides: "",
        steps: &[
            Step::Policy(ENFORCE),
            Step::Down,
            send(&[UNREACHABLE], &[]),
            Step::Up,
            Step::Retry((&[DELIVERED], &["sts: success"])),
        ],
    },
    Scene {
        title: "A host with an expired certificate, and without its key",
        overrides: "",
        steps: &[
            Step::Policy(ENFORCE),
            EXPIRED_WITHOUT_KEY,
            send(&[HAS_EXPIRED], &["sts: certificate-expired"]),
        ],
    },
    Scene {
        title: "A host that refuses a recipient for now, and then for ever",
        overrides: "",
        steps: &[
            Step::Policy(ENFORCE),
            Step::Carol("450 later"),
            send(&[DELIVERED, REFUSED_FOR_NOW], &["sts: success"]),
            Step::Carol("550 no"),
            Step::Retry((&[REFUSED], &["sts: success"])),
        ],
    },
    Scene {
        title: "A host that refuses a recipient for ever, and the message for now",
        overrides: "",
        steps: &[
            Step::Policy(ENFORCE),
            Step::Carol("550 no"),
            Step::Message("452 no room"),
            send(&[REFUSED_FOR_NOW, REFUSED], &["sts: success"]),
            Step::Message("250 ok"),
            Step::Retry((&[DELIVERED], &["sts: success"])),
        ],
    },
    Scene {
        title: "A host that closes the connection in the middle",
        overrides: "",
        steps: &[
            Step::Policy(ENFORCE),
            Step::Carol(""),
            send(&[LOST], &["sts: success"]),
            Step::Carol("250 ok"),
            Step::Retry((&[DELIVERED], &["sts: success"])),
        ],
    },
    Scene {
        title: "A restart: what was known is known, whatever an attacker hides",
        overrides: "",
        steps: &[
            Step::Policy(ENFORCE),
            send(&[DELIVERED], &["sts: success"]),
            Step::Hidden,
            CLEAR,
            Step::Restart,
            send(&[NO_STARTTLS_AND_NO_RECHECK], &["sts: starttls-not-supported"]),
        ],
    },
    Scene {
        title: "A domain whose policy the operator has pinned",
        overrides: "example.com enforce mx.example.com",
        steps: &[CLEAR, send(&[NO_STARTTLS], &[]), GOOD, Step::Retry((&[DELIVERED], &[]))],
    },
    Scene {
        title: "A domain for which the operator has disabled MTA-STS",
        overrides: "example.com none # until March",
        steps: &[Step::Policy(ENFORCE), CLEAR, send(&[DELIVERED], &[])],
    },
];
