//! Whether the answer to a `scenario` keeps within what is expected after each step.

use serde_json::Value;

use super::compare::has;

/// Returns the first difference, or `None` if there is none.
pub(super) fn difference(vector: &Value, answer: &Value) -> Option<String> {
    let none = Vec::new();
    let steps = vector["steps"].as_array().unwrap_or(&none);
    if answer["ok"] != true {
        return Some(format!("expected `ok`, not {answer}"));
    }
    let Some(seen) = answer["value"].as_array().filter(|seen| seen.len() == steps.len()) else {
        return Some(format!("`value` is not a list of {} steps: {answer}", steps.len()));
    };
    let mut last_fetch = None;
    for ((step, seen), number) in steps.iter().zip(seen).zip(1..) {
        if let Some(what) = difference_of_step(&step["expect"], seen, last_fetch) {
            let at = &step["at"];
            return Some(format!("step {number}, at {at} s: {what}; it was answered {seen}"));
        }
        last_fetch = times(&seen["https"]).last().copied().or(last_fetch);
    }
    None
}

fn difference_of_step(expect: &Value, seen: &Value, last_fetch: Option<f64>) -> Option<String> {
    if let Some(permitted) = expect["answer"].as_array()
        && !permitted.iter().any(|answer| has(&seen["answer"], answer))
    {
        let permitted: Vec<_> = permitted.iter().map(ToString::to_string).collect();
        return Some(format!("expected {}", permitted.join(" or ")));
    }
    // Not every program says whether a message may be returned, or alerts anybody.
    let bounce = &expect["may_bounce"];
    if !bounce.is_null() && !seen["may_bounce"].is_null() && seen["may_bounce"] != *bounce {
        return Some(format!("expected `may_bounce` to be {bounce}"));
    }
    let alerts = seen["alerts"].as_f64();
    if let Some(what) = alerts.and_then(|alerts| outside(&expect["alerts"], alerts, "alerts")) {
        return Some(what);
    }
    ["txt", "https"]
        .into_iter()
        .find_map(|kind| {
            let count = u32::try_from(times(&seen[kind]).len()).unwrap_or(u32::MAX);
            outside(&expect[kind], count.into(), &format!("requests by `{kind}`"))
        })
        .or_else(|| too_near(&expect["https_gap"], &times(&seen["https"]), last_fetch))
}

/// Compares a count with its least and its greatest value; `null` is no limit.
fn outside(bounds: &Value, count: f64, what: &str) -> Option<String> {
    let (least, most) = (bounds[0].as_f64(), bounds[1].as_f64());
    if least.is_some_and(|least| count < least) {
        return Some(format!("expected at least {} {what}, not {count}", bounds[0]));
    }
    if most.is_some_and(|most| count > most) {
        return Some(format!("expected at most {} {what}, not {count}", bounds[1]));
    }
    None
}

/// Compares the times between fetches, also between the first one and the last one of the steps before.
fn too_near(gap: &Value, fetches: &[f64], last: Option<f64>) -> Option<String> {
    let gap = gap.as_f64()?;
    let all: Vec<_> = last.into_iter().chain(fetches.iter().copied()).collect();
    let near = all.windows(2).find(|pair| pair[1] - pair[0] < gap)?;
    Some(format!("expected {gap} s between fetches, not those at {} and {}", near[0], near[1]))
}

fn times(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}
