//! Classes of differences.

/// What a reader found: a text that two readers agree on, or that it refuses the input.
pub(crate) type Reading = Option<String>;

/// Another library, beside this crate.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The name of its crate.
    pub name: &'static str,
    /// Reads an input with this crate and with the peer, or returns `None` if the peer cannot be asked
    /// this.
    pub read: fn(&[u8]) -> Option<(Reading, Reading)>,
}

/// A property of an input that is read differently, and why.
#[derive(Debug)]
pub struct Class {
    /// What is special about the input.
    pub property: &'static str,
    /// The requirements that decide, by their ids in `rows.tsv`.
    pub rows: &'static [&'static str],
    /// Which reading is right, and why the other one is a choice or a fault.
    pub why: &'static str,
    /// Removes the property from an input, and changes nothing else.
    pub remove: fn(&[u8]) -> Vec<u8>,
    /// An input that is read differently because of this property alone.
    pub example: &'static str,
}

impl Peer {
    /// Returns whether the peer reads the same as this crate.
    #[must_use]
    pub fn agrees(self, input: &[u8]) -> bool {
        (self.read)(input).is_none_or(|(ours, theirs)| ours == theirs)
    }

    /// Compares the two readings of an input, and if they differ, those of the input without the
    /// properties of all classes. To remove one may bring out another, so that all are removed until
    /// nothing changes.
    pub(crate) fn check(self, classes: &[Class], input: &[u8]) {
        if self.agrees(input) {
            return;
        }
        let mut text = input.to_vec();
        loop {
            let next = classes.iter().fold(text.clone(), |text, class| (class.remove)(&text));
            if next == text {
                break;
            }
            text = next;
        }
        assert!(
            self.agrees(&text),
            "a difference without a class: {} reads \"{}\" as {:?}, and without the known differences \"{}\" as {:?}",
            self.name,
            input.escape_ascii(),
            (self.read)(input),
            text.escape_ascii(),
            (self.read)(&text),
        );
    }
}
