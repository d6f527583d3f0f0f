//! What the writer of a faulty value meant.

use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};

/// A faulty value, read as its writer meant it.
#[derive(Debug, Default)]
pub(super) struct Meant {
    /// The values to write, each as a field of its own, if that is certain.
    pub(super) values: Option<Vec<String>>,
    /// The fault, if more can be said than the grammar says.
    pub(super) fault: Option<String>,
    /// The reason for the text, or what to do where there is nothing to write.
    pub(super) help: Option<String>,
}

impl Meant {
    pub(super) fn one(value: impl Into<String>) -> Self {
        Self { values: Some(vec![value.into()]), ..Self::default() }
    }

    pub(super) fn help(help: &str) -> Self {
        Self { help: Some(help.to_owned()), ..Self::default() }
    }

    pub(super) fn because(mut self, help: &str) -> Self {
        self.help = Some(help.to_owned());
        self
    }

    /// The value differs from what was written in its letter case, or not at all.
    pub(super) fn because_of_case(self, written: &str) -> Self {
        let is_same = self.values.as_deref().is_some_and(|values| values == [written]);
        if is_same { self } else { self.because("values are case-sensitive") }
    }

    pub(super) fn fault(mut self, fault: impl Into<String>) -> Self {
        self.fault = Some(fault.into());
        self
    }
}
