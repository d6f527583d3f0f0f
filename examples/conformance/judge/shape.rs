//! The types of the members of an answer. A member of another type is wrong, and not read as absent.

use serde_json::Value;

/// What a value may be.
enum Shape {
    Flag,
    Number,
    /// An integer that is not negative.
    Count,
    Text,
    TextOrNull,
    List(&'static Shape),
    /// Members that are known; there may be others.
    Object(&'static [Member]),
}

struct Member {
    name: &'static str,
    shape: Shape,
    is_required: bool,
}

const fn optional(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, is_required: false }
}

const fn required(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, is_required: true }
}

use Shape::{Count, Flag, List, Number, Object, Text, TextOrNull};

const ANSWER: Shape =
    Object(&[optional("unsupported", Flag), optional("ok", Flag), optional("error", Text)]);

const RECORD: Shape = Object(&[optional("id", Text), optional("extensions", List(&List(&Text)))]);

const POLICY: Shape =
    Object(&[optional("mode", Text), optional("max_age", Number), optional("mx", List(&Text))]);

const NAMES: Shape = Object(&[
    optional("txt", Text),
    optional("policy_host", Text),
    optional("policy_url", Text),
    optional("tlsrpt", TextOrNull),
]);

const SCENARIO: Shape = List(&Object(&[
    optional("answer", Object(&[required("mode", Text), optional("mx", List(&Text))])),
    optional("may_bounce", Flag),
    optional("txt", List(&Number)),
    optional("https", List(&Number)),
    optional("alerts", Count),
]));

const DELIVERY: Shape = Object(&[
    optional("outcome", Text),
    optional("host", Text),
    optional("tls", Flag),
    optional(
        "reports",
        List(&Object(&[
            optional("mx_host", Text),
            required("policy_type", Text),
            required("result_types", List(&Text)),
        ])),
    ),
]);

const CERTIFICATE: Shape = Object(&[optional("result", Text)]);

/// Returns what is malformed in an answer to a vector of this kind. A member that is missing altogether
/// is found by the comparison with what is expected.
pub(super) fn fault(kind: &str, answer: &Value) -> Option<String> {
    if let Some(fault) = ANSWER.fault(answer, "the answer") {
        return Some(fault);
    }
    match (answer["unsupported"] == true, answer["ok"].as_bool()) {
        (true, Some(_)) => return Some("`ok` stands beside `unsupported`".to_owned()),
        (false, None) => return Some("`ok` is missing".to_owned()),
        (false, Some(true)) => {}
        _ => return None,
    }
    let shape = match kind {
        "record" | "recordset" => RECORD,
        "policy" => POLICY,
        "mx" | "media_type" => Flag,
        "domain" => Text,
        "names" => NAMES,
        "scenario" => SCENARIO,
        "delivery" => DELIVERY,
        "certificate" => CERTIFICATE,
        _ => return None,
    };
    answer.get("value").and_then(|value| shape.fault(value, "value"))
}

impl Shape {
    /// Returns the first member that has another type, or is missing though required, in words.
    fn fault(&self, value: &Value, path: &str) -> Option<String> {
        match (self, value) {
            (Object(members), Value::Object(object)) => members.iter().find_map(|member| {
                let path = below(path, member.name);
                match object.get(member.name) {
                    Some(value) => member.shape.fault(value, &path),
                    None if member.is_required => Some(format!("`{path}` is missing")),
                    None => None,
                }
            }),
            (List(shape), Value::Array(values)) => (values.iter().zip(0..))
                .find_map(|(value, number)| shape.fault(value, &format!("{path}[{number}]"))),
            _ if self.is(value) => None,
            _ => Some(format!("`{path}` is {}, not {}", type_of(value), self.name())),
        }
    }

    fn is(&self, value: &Value) -> bool {
        match self {
            Flag => value.is_boolean(),
            Number => value.is_number(),
            Count => value.as_f64().is_some_and(|count| count >= 0.0 && count.fract() == 0.0),
            Text => value.is_string(),
            TextOrNull => value.is_string() || value.is_null(),
            List(_) | Object(_) => false,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Flag => "true or false",
            Number => "a number",
            Count => "an integer of 0 or more",
            Text => "a string",
            TextOrNull => "a string or null",
            List(_) => "an array",
            Object(_) => "an object",
        }
    }
}

/// Returns the path of a member. The answer itself is not named in those of its members.
fn below(path: &str, name: &str) -> String {
    if path == "the answer" { name.to_owned() } else { format!("{path}.{name}") }
}

fn type_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
