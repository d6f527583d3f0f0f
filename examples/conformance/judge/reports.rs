//! Whether a delivery counts for TLSRPT as it should.

use serde_json::Value;

/// Compares the sessions that were counted with those that have to be, and those that may be.
///
/// An answer without `reports` is that of a program that does no TLSRPT.
pub(super) fn difference(vector: &Value, value: &Value) -> Option<String> {
    let (expected, counted) = (vector["reports"].as_array()?, value["reports"].as_array()?);
    let missing = expected.iter().filter(|report| report["optional"] != true);
    let missing = missing.filter(|report| !counted.iter().any(|counted| is(counted, report)));
    if let Some(missing) = missing.into_iter().next() {
        return Some(format!("expected the report {missing} in {}", value["reports"]));
    }
    let surplus =
        counted.iter().find(|&counted| !expected.iter().any(|report| is(counted, report)));
    surplus.map(|surplus| format!("did not expect the report {surplus}"))
}

/// Returns whether a report is the expected one: a success if no result type is expected, else a failure
/// of these types only.
fn is(counted: &Value, expected: &Value) -> bool {
    let types = |report: &Value| report["result_types"].as_array().cloned().unwrap_or_default();
    let (found, permitted) = (types(counted), types(expected));
    counted["policy_type"] == expected["policy_type"]
        && (expected["mx_host"].is_null() || counted["mx_host"] == expected["mx_host"])
        && found.is_empty() == permitted.is_empty()
        && found.iter().all(|result_type| permitted.contains(result_type))
}
