//! The members of a question, read with their types checked.

use core::error::Error;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Map, Value};

/// One line of the input.
#[derive(Debug)]
pub(crate) struct Question(Map<String, Value>);

/// What is asked for, or why the question has it not: a sentence for people.
type Member<T> = Result<T, Box<dyn Error>>;

impl Question {
    pub(crate) fn from_json(line: &[u8]) -> Result<Self, String> {
        match serde_json::from_slice(line) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err("it is another JSON value".to_owned()),
            // There is but one line, and only the caller knows its number.
            Err(error) => Err(error.to_string().replace("line 1 column", "column")),
        }
    }

    /// What the answer carries too; or `null`.
    pub(crate) fn id(&self) -> &Value {
        self.0.get("id").unwrap_or(&Value::Null)
    }

    pub(crate) fn text(&self, name: &str) -> Member<&str> {
        text(self.required(name)?, name)
    }

    pub(crate) fn texts(&self, name: &str) -> Member<Vec<&str>> {
        list(self.required(name)?, name)?.iter().map(|value| text(value, name)).collect()
    }

    pub(crate) fn maybe_text(&self, name: &str) -> Member<Option<&str>> {
        self.0.get(name).map(|value| text(value, name)).transpose()
    }

    pub(crate) fn number(&self, name: &str) -> Member<f64> {
        number(self.required(name)?, name)
    }

    /// An integer from 0 to 65535.
    pub(crate) fn integer(&self, name: &str) -> Member<u16> {
        let number = self.required(name)?.as_u64().and_then(|number| number.try_into().ok());
        number.ok_or_else(|| format!("`{name}` must be an integer from 0 to 65535").into())
    }

    pub(crate) fn maybe_number(&self, name: &str) -> Member<Option<f64>> {
        self.0.get(name).map(|value| number(value, name)).transpose()
    }

    /// A list of objects, whose members are read in the same way.
    pub(crate) fn objects(&self, name: &str) -> Member<Vec<Self>> {
        list(self.required(name)?, name)?.iter().map(|value| object(value, name)).collect()
    }

    pub(crate) fn object(&self, name: &str) -> Member<Option<Self>> {
        self.0.get(name).map(|value| object(value, name)).transpose()
    }

    /// `false` if the question has no such member.
    pub(crate) fn flag(&self, name: &str) -> Member<bool> {
        match self.0.get(name) {
            None => Ok(false),
            Some(value) => {
                value.as_bool().ok_or_else(|| format!("`{name}` must be true or false").into())
            }
        }
    }

    /// The bytes of `name`, or those that `name_b64` encodes.
    pub(crate) fn bytes(&self, name: &str) -> Member<Vec<u8>> {
        let (value, name, decode) = self.text_or_base64(name)?;
        decode(value, &name)
    }

    /// A list of such bytes.
    pub(crate) fn byte_strings(&self, name: &str) -> Member<Vec<Vec<u8>>> {
        let (value, name, decode) = self.text_or_base64(name)?;
        list(value, &name)?.iter().map(|value| decode(value, &name)).collect()
    }

    /// A list of the bytes that base64 encodes.
    #[cfg(feature = "verify")]
    pub(crate) fn base64_strings(&self, name: &str) -> Member<Vec<Vec<u8>>> {
        let values = list(self.required(name)?, name)?;
        values.iter().map(|value| base64_bytes(value, name)).collect()
    }

    fn text_or_base64(&self, name: &str) -> Member<(&Value, String, Decode)> {
        let base64_name = format!("{name}_b64");
        match (self.0.get(name), self.0.get(&base64_name)) {
            (Some(value), None) => Ok((value, name.to_owned(), text_bytes)),
            (None, Some(value)) => Ok((value, base64_name, base64_bytes)),
            (None, None) => Err(format!("there is neither `{name}` nor `{base64_name}`").into()),
            (Some(_), Some(_)) => Err(format!("give `{name}` or `{base64_name}`, not both").into()),
        }
    }

    fn required(&self, name: &str) -> Member<&Value> {
        self.0.get(name).ok_or_else(|| format!("there is no `{name}`").into())
    }
}

/// Reads the bytes that a value stands for; the name is for the error.
type Decode = fn(&Value, &str) -> Member<Vec<u8>>;

fn text_bytes(value: &Value, name: &str) -> Member<Vec<u8>> {
    Ok(text(value, name)?.into())
}

fn base64_bytes(value: &Value, name: &str) -> Member<Vec<u8>> {
    let bytes = BASE64_STANDARD.decode(text(value, name)?);
    bytes.map_err(|error| format!("`{name}` is not base64: {error}").into())
}

fn text<'a>(value: &'a Value, name: &str) -> Member<&'a str> {
    value.as_str().ok_or_else(|| format!("`{name}` must hold text only").into())
}

fn number(value: &Value, name: &str) -> Member<f64> {
    value.as_f64().ok_or_else(|| format!("`{name}` must be a number").into())
}

fn object(value: &Value, name: &str) -> Member<Question> {
    let members = value.as_object().ok_or_else(|| format!("`{name}` must hold objects only"))?;
    Ok(Question(members.clone()))
}

fn list<'a>(value: &'a Value, name: &str) -> Member<&'a Vec<Value>> {
    value.as_array().ok_or_else(|| format!("`{name}` must be a list").into())
}
