//! The rows of domains without a record.

use core::mem::size_of;

use hashbrown::HashMap;

use super::{clock::Tick, entry::Absence, order::ListLinks, place::Place, slab::Slab};
use crate::domain::Domain;

/// The domains of which nothing is known but that they have no record, in little memory: most
/// domains that a sender meets are such.
///
/// Whatever is more about a domain, as a request in flight or an override, needs a slot.
#[derive(Debug, Default)]
pub(super) struct AbsentRows {
    rows: Slab<AbsentRow>,
    /// The names that are too long for a row.
    long: HashMap<u32, Domain, foldhash::fast::FixedState>,
}

/// A domain without a record.
#[derive(Debug)]
pub(super) struct AbsentRow {
    pub(super) links: ListLinks,
    pub(super) absence: Absence,
    /// The time before which a lookup has nothing to do.
    pub(super) calm_before: Tick,
    len: u8,
    name: [u8; INLINE],
}

/// The length of the longest name within a row. Together with its length it fills what the rest
/// leaves of 60 bytes.
const INLINE: usize = 27;

/// The bytes of a row and its place in an index that is at worst half empty.
const ROW: usize = size_of::<AbsentRow>() + super::index::PLACE;

/// The bytes of a name beside a row, in a map that is at worst half empty.
const LONG: usize = 2 * (size_of::<(u32, Domain)>() + 1) + super::bounds::ALLOCATION;

impl AbsentRows {
    /// Returns the bytes that a domain takes.
    pub(super) fn bytes(domain: &Domain) -> usize {
        match domain.as_str().len() {
            0..=INLINE => ROW,
            len => ROW.saturating_add(LONG).saturating_add(len),
        }
    }

    pub(super) fn end(&self) -> u32 {
        self.rows.end()
    }

    #[inline]
    pub(super) fn get(&self, row: u32) -> Option<&AbsentRow> {
        self.rows.get(row)
    }

    pub(super) fn get_mut(&mut self, row: u32) -> Option<&mut AbsentRow> {
        self.rows.get_mut(row)
    }

    /// Returns whether a row is of this domain.
    #[inline]
    pub(super) fn is_of(&self, row: u32, domain: &Domain) -> bool {
        let Some(found) = self.get(row) else { return false };
        match found.name() {
            Some(name) => name == domain.as_str().as_bytes(),
            None => self.long.get(&row) == Some(domain),
        }
    }

    /// Returns the domain of a row, unless it is vacant.
    pub(super) fn domain(&self, row: u32) -> Option<Domain> {
        match self.get(row)?.name() {
            Some([]) => None,
            Some(name) => Some(Domain::of_valid(str::from_utf8(name).ok()?)),
            None => self.long.get(&row).cloned(),
        }
    }

    /// Adds a row. Returns the domain if all numbers are in use.
    pub(super) fn insert(
        &mut self,
        domain: Domain,
        absence: Absence,
        calm_before: Tick,
    ) -> Result<u32, Domain> {
        let row = AbsentRow { absence, calm_before, ..AbsentRow::named(domain.as_str()) };
        let is_long = row.name().is_none();
        let Ok(at) = self.rows.insert(row, Place::MOST) else { return Err(domain) };
        if is_long {
            self.long.insert(at, domain);
        }
        Ok(at)
    }

    /// Removes a row.
    pub(super) fn remove(&mut self, row: u32) -> Option<AbsentRow> {
        self.long.remove(&row);
        self.rows.remove(row, AbsentRow::named(""))
    }
}

impl AbsentRow {
    fn named(name: &str) -> Self {
        let mut row = Self {
            links: ListLinks::NONE,
            absence: Absence::NONE,
            calm_before: Tick::FIRST,
            len: u8::try_from(name.len()).unwrap_or(u8::MAX),
            name: [0; INLINE],
        };
        if let Some(place) = row.name.get_mut(..name.len()) {
            place.copy_from_slice(name.as_bytes());
        }
        row
    }

    /// Returns the name, unless it is too long for the row.
    #[inline]
    fn name(&self) -> Option<&[u8]> {
        self.name.get(..usize::from(self.len))
    }
}
