//! The two forms in which the cache holds a domain: a slot, or a row if it has no record.

use time::UtcDateTime;

use super::{
    Cache,
    bounds::weight,
    entries::row_bytes,
    place::{Form, Place},
};
use crate::domain::Domain;

impl Cache {
    /// Returns the slot of a domain. One in a row moves to a slot, and one that is not in the cache
    /// is added, if there is room.
    pub(super) fn open_or_admit(&mut self, domain: &Domain, now: UtcDateTime) -> Option<u32> {
        match self.table.find(domain) {
            Some(place) => self.unfold(place),
            None => self.admit(domain, now),
        }
    }

    /// Returns the slot of a domain that is in the cache.
    pub(super) fn open(&mut self, domain: &Domain) -> Option<u32> {
        self.table.find(domain).and_then(|place| self.unfold(place))
    }

    /// Returns the slot of an entry, and moves it there if it is in a row.
    /// [`update_derived`](Self::update_derived) moves it back if that is all there is to it.
    pub(super) fn unfold(&mut self, place: Place) -> Option<u32> {
        let row = match place.form() {
            Form::Slot(slot) => return Some(slot),
            Form::Row(row) => row,
        };
        let slot = self.table.unfold(row)?;
        let len = self.table.name_len(Place::of_slot(slot));
        if let Some(found) = self.table.get_mut(slot) {
            found.weight = weight(len, &found.entry);
            let bytes = found.weight.bytes();
            self.bytes = self.bytes.saturating_sub(row_bytes(len)).saturating_add(bytes);
        }
        Some(slot)
    }

    /// Moves an entry to a row, if nothing is known of the domain but that it has no record.
    /// Returns its place.
    pub(super) fn fold(&mut self, slot: u32) -> Place {
        self.try_fold(slot).unwrap_or(Place::of_slot(slot))
    }

    fn try_fold(&mut self, slot: u32) -> Option<Place> {
        #[cfg(test)]
        if self.never_folds {
            return None;
        }
        let found = self.table.get(slot)?;
        let is_stored = found.in_store && self.config.persistence();
        if found.entry.request_id().is_some() || found.to_persist || is_stored {
            return None;
        }
        let absence = found.entry.state.absence()?;
        let has_more = self.waiting.contains_key(&slot)
            || self.overrides.contains_key(&slot)
            || self.overdue.contains_key(&slot);
        if has_more {
            return None;
        }
        let before = found.weight.bytes();
        let place = self.table.fold(slot, absence)?;
        let bytes = row_bytes(self.table.name_len(place));
        self.bytes = self.bytes.saturating_sub(before).saturating_add(bytes);
        Some(place)
    }
}

#[cfg(test)]
mod tests;
