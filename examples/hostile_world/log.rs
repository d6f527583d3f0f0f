//! What a client did about one scenario.

use std::fmt::Write as _;

use mta_sts_testkit::{Action, Event};

use super::catalogue::Scenario;

/// Returns the events that belong to a scenario.
pub(crate) fn of_scenario(scenario: &Scenario, events: &[Event]) -> Vec<Event> {
    let zone = scenario.zone();
    let is_below = |name: &str| {
        name.strip_suffix(&zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let hosts: Vec<String> =
        scenario.hosts.iter().map(|host| scenario.fill(host.name).to_ascii_lowercase()).collect();
    let is_of_scenario = |event: &&Event| match &event.action {
        Action::Query { name, .. } => is_below(name) || hosts.contains(name),
        Action::Hello { sni } | Action::Request { sni, .. } => is_below(sni),
        Action::Connection { mx }
        | Action::Starttls { mx, .. }
        | Action::Mail { mx, .. }
        | Action::Message { mx, .. }
        | Action::ActedOnInjection { mx } => hosts.contains(mx),
    };
    events.iter().filter(is_of_scenario).cloned().collect()
}

/// Returns a line for an event: the seconds since the start, and what the client did.
pub(crate) fn line(event: &Event) -> String {
    let mut line = format!("{:.3} ", event.after.as_secs_f64());
    let how = |is_encrypted: &bool| if *is_encrypted { "over TLS" } else { "in clear text" };
    let written = match &event.action {
        Action::Query { name, record_type, is_udp } => {
            let transport = if *is_udp { "UDP" } else { "TCP" };
            write!(line, "query {record_type} {name} over {transport}")
        }
        Action::Hello { sni } => write!(line, "TLS to the Policy Host, SNI {sni:?}"),
        Action::Request { sni, target, host } => {
            write!(line, "request {target:?}, Host {host:?}, SNI {sni:?}")
        }
        Action::Connection { mx } => write!(line, "connection to MX host {mx}"),
        Action::Starttls { mx, sni } => write!(line, "TLS with MX host {mx}, SNI {sni:?}"),
        Action::Mail { mx, is_encrypted } => write!(line, "MAIL to {mx} {}", how(is_encrypted)),
        Action::Message { mx, is_encrypted, recipients } => {
            write!(line, "message to {mx} {}: {}", how(is_encrypted), recipients.join(", "))
        }
        Action::ActedOnInjection { mx } => write!(line, "commands to {mx} after an injected reply"),
    };
    written.expect("a string takes everything");
    line
}
