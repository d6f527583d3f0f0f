//! The numbers of the entries of a table.

/// The number of an entry: of a slot, or of a row for a domain without a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place(u32);

/// The form in which an entry is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Slot(u32),
    Row(u32),
}

impl Place {
    /// The number of no entry.
    pub(super) const NONE: Self = Self(u32::MAX);

    /// The number below which those of slots and of rows must be.
    pub(super) const MOST: u32 = u32::MAX / 2;

    #[inline]
    pub(super) const fn of_slot(slot: u32) -> Self {
        Self(slot << 1)
    }

    #[inline]
    pub(super) const fn of_row(row: u32) -> Self {
        Self(row << 1 | 1)
    }

    /// Returns the slot, if it is one.
    pub(super) const fn slot(self) -> Option<u32> {
        match self.form() {
            Form::Slot(slot) => Some(slot),
            Form::Row(_) => None,
        }
    }

    /// Returns a place by its number, which says nothing about whether there is an entry.
    #[inline]
    pub(super) const fn of_number(number: u32) -> Self {
        Self(number)
    }

    #[inline]
    pub(super) const fn number(self) -> u32 {
        self.0
    }

    #[inline]
    pub(super) const fn form(self) -> Form {
        if self.0 & 1 == 0 { Form::Slot(self.0 >> 1) } else { Form::Row(self.0 >> 1) }
    }
}
