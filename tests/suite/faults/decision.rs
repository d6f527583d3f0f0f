//! The simplest sender that decides as RFC 8461, 7672 and 8689 ask, and the faults that it may have.

use serde_json::{Value, json};

/// One rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    SendsToUnlistedHosts,
    WildcardsMatchSeveralLabels,
    WildcardsMatchNoLabel,
    ComparesCase,
    SendsWithoutStarttls,
    FallsBackToClearText,
    IgnoresExpiry,
    IgnoresTheName,
    IgnoresTheIssuer,
    EnforcesTesting,
    EnforcesNone,
    StopsAtTheFirstFailure,
    BouncesAtOnce,
    FiltersTheList,
    MtaStsOverridesDane,
    FailedTlsaLookupIsNoDane,
    UnusableTlsaIsNoDane,
    DaneReplacesMxMatching,
    RequiretlsNeedNotBeOffered,
    RequiretlsNeedsNoIdentity,
    RequiretlsOfSecureMxIgnoresTheList,
    RequiretlsIsMetByUnusableTlsa,
    RequiretlsNeedsAnMxRecord,
    TlsRequiredNoIsIgnored,
    TlsRequiredNoKeepsToTheList,
    ReportsModeNone,
    ReportsUnreachableHosts,
    ReportsTestingAsSuccess,
}

/// Delivers the message of a vector.
pub(crate) fn answer(vector: &Value, fault: Option<Fault>) -> Value {
    let sender = Sender::new(vector, fault);
    let mut hosts: Vec<_> = vector["hosts"].as_array().unwrap().iter().collect();
    hosts.sort_by_key(|host| host["preference"].as_u64());
    if sender.has(Fault::FiltersTheList) && sender.enforces {
        hosts.retain(|host| sender.lists(host) && host["self"] != true);
    }
    let mut reports = Vec::new();
    for host in hosts {
        if host["self"] == true {
            break;
        }
        reports.extend(sender.reports(host));
        if let Some(tls) = sender.is_sent(host) {
            let name = name_of(host).to_ascii_lowercase();
            let value =
                json!({ "outcome": "delivered", "host": name, "tls": tls, "reports": reports });
            return json!({ "id": vector["id"], "ok": true, "value": value });
        }
        if sender.has(Fault::StopsAtTheFirstFailure) {
            break;
        }
    }
    let outcome = if sender.has(Fault::BouncesAtOnce) { "bounced" } else { "deferred" };
    json!({ "id": vector["id"], "ok": true, "value": { "outcome": outcome, "reports": reports } })
}

struct Sender<'a> {
    fault: Option<Fault>,
    vector: &'a Value,
    mode: &'a str,
    patterns: Vec<&'a str>,
    enforces: bool,
}

impl<'a> Sender<'a> {
    fn new(vector: &'a Value, fault: Option<Fault>) -> Self {
        let policy = vector["policy"].as_str().unwrap_or_default();
        let field = |name: &str| {
            let name = name.to_owned();
            policy.lines().filter_map(move |line| line.strip_prefix(&name))
        };
        let mode = field("mode: ").next().unwrap_or("none");
        let is_released =
            vector["message"] == "tls-required-no" && fault != Some(Fault::TlsRequiredNoIsIgnored);
        let enforces = match mode {
            "enforce" => !is_released,
            "testing" => fault == Some(Fault::EnforcesTesting),
            _ => fault == Some(Fault::EnforcesNone),
        };
        Self { fault, vector, mode, patterns: field("mx: ").collect(), enforces }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Returns whether over TLS, if the message is sent to the host.
    fn is_sent(&self, host: &Value) -> Option<bool> {
        let starttls = host["starttls"].as_str().unwrap();
        let tlsa = self.tlsa(host);
        let has_tls = starttls == "works" && host["certificate"] != "wrong-key";
        let requires = self.vector["message"] == "requiretls";
        if starttls == "unreachable" || matches!(tlsa, "bogus" | "failed") {
            return None;
        }
        let dane_lists = self.has(Fault::DaneReplacesMxMatching) && tlsa == "match";
        let dnssec_lists = self.has(Fault::RequiretlsOfSecureMxIgnoresTheList)
            && requires
            && self.vector["secure_mx"] == true;
        let ignores_list = self.has(Fault::SendsToUnlistedHosts) || dane_lists || dnssec_lists;
        let enforces_list = self.enforces
            || (self.has(Fault::TlsRequiredNoKeepsToTheList) && self.mode == "enforce");
        if enforces_list && !ignores_list && !self.lists(host) {
            return None;
        }
        if requires && !self.is_identified(host) {
            return None;
        }
        let is_offered = host["requiretls"] == true || self.has(Fault::RequiretlsNeedNotBeOffered);
        if requires && !is_offered {
            return None;
        }
        if !has_tls {
            let lax = match starttls {
                "absent" => self.has(Fault::SendsWithoutStarttls),
                _ => self.has(Fault::FallsBackToClearText),
            };
            let demands = self.enforces || requires || tlsa != "none";
            return (lax || !demands).then_some(false);
        }
        let is_valid = match tlsa {
            "match" => true,
            "mismatch" => false,
            "unusable" if self.has(Fault::RequiretlsIsMetByUnusableTlsa) => !self.enforces,
            _ => !(self.enforces || requires) || self.is_pkix_valid(host),
        };
        is_valid.then_some(true)
    }

    /// Returns what the TLSA records of the host say, as far as they count.
    fn tlsa(&self, host: &'a Value) -> &'a str {
        match host["tlsa"].as_str().unwrap_or("none") {
            _ if self.vector["message"] == "tls-required-no" => "none",
            "mismatch" if self.has(Fault::MtaStsOverridesDane) && self.enforces => "none",
            "failed" if self.has(Fault::FailedTlsaLookupIsNoDane) => "none",
            "unusable" if self.has(Fault::UnusableTlsaIsNoDane) => "none",
            tlsa => tlsa,
        }
    }

    fn is_pkix_valid(&self, host: &Value) -> bool {
        match host["certificate"].as_str().unwrap() {
            "valid" => true,
            "expired" => self.has(Fault::IgnoresExpiry),
            "other-name" | "common-name" => self.has(Fault::IgnoresTheName),
            _ => self.has(Fault::IgnoresTheIssuer),
        }
    }

    fn is_identified(&self, host: &Value) -> bool {
        self.has(Fault::RequiretlsNeedsNoIdentity)
            || (self.vector["no_mx"] == true && !self.has(Fault::RequiretlsNeedsAnMxRecord))
            || self.vector["secure_mx"] == true
            || (self.enforces && self.lists(host))
    }

    fn lists(&self, host: &Value) -> bool {
        let name = name_of(host);
        self.patterns.iter().any(|pattern| self.matches(pattern, name))
    }

    fn matches(&self, pattern: &str, name: &str) -> bool {
        let is = |one: &str, other: &str| {
            one == other || (!self.has(Fault::ComparesCase) && one.eq_ignore_ascii_case(other))
        };
        let Some(base) = pattern.strip_prefix("*.") else { return is(pattern, name) };
        let (_, parent) = name.split_once('.').unwrap_or((name, ""));
        is(base, parent)
            || (self.has(Fault::WildcardsMatchNoLabel) && is(base, name))
            || (self.has(Fault::WildcardsMatchSeveralLabels) && name.ends_with(base))
    }

    /// Returns what is counted of a session with the host.
    fn reports(&self, host: &Value) -> Vec<Value> {
        let report = |policy_type: &str, result_types: Vec<&str>| {
            let mx_host = name_of(host).to_ascii_lowercase();
            json!({ "mx_host": mx_host, "policy_type": policy_type, "result_types": result_types })
        };
        let tlsa = self.tlsa(host);
        if host["starttls"] == "unreachable" && !self.has(Fault::ReportsUnreachableHosts) {
            return Vec::new();
        }
        let without_tls = without_tls(host);
        let mut reports = Vec::new();
        match tlsa {
            "match" => reports.push(report("tlsa", without_tls.into_iter().collect())),
            "mismatch" => reports.push(report("tlsa", vec!["validation-failure"])),
            _ => {}
        }
        let is_skipped = tlsa == "bogus" || (self.enforces && !self.lists(host));
        if let Some(failure) = self.vector["policy_failure"].as_str() {
            reports.push(report("sts", vec![failure]));
        } else if self.mode != "none" && !is_skipped && tlsa == "none" {
            let mut failures: Vec<_> = without_tls.or_else(|| invalid(host)).into_iter().collect();
            if !self.lists(host) {
                failures.push("validation-failure");
            }
            if self.has(Fault::ReportsTestingAsSuccess) && self.mode == "testing" {
                failures.clear();
            }
            reports.push(report("sts", failures));
        } else if self.has(Fault::ReportsModeNone) {
            reports.push(report("no-policy-found", without_tls.into_iter().collect()));
        }
        reports
    }
}

/// Returns the name of the host in its MX record, without a trailing dot.
fn name_of(host: &Value) -> &str {
    host["host"].as_str().unwrap().trim_end_matches('.')
}

fn without_tls(host: &Value) -> Option<&'static str> {
    match host["starttls"].as_str().unwrap() {
        "absent" | "refused" => Some("starttls-not-supported"),
        "works" if host["certificate"] != "wrong-key" => None,
        _ => Some("validation-failure"),
    }
}

fn invalid(host: &Value) -> Option<&'static str> {
    match host["certificate"].as_str().unwrap() {
        "valid" => None,
        "expired" => Some("certificate-expired"),
        "other-name" | "common-name" => Some("certificate-host-mismatch"),
        _ => Some("certificate-not-trusted"),
    }
}
