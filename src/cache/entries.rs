//! The storage of the entries: in slots, and domains without a record in rows.

use alloc::sync::Arc;
use core::mem::size_of;

use super::{
    answer::Answer,
    clock::{Tick, Timestamp},
    deadlines::{HeapIndex, HeapIndices},
    entry::{Absence, AppliedPolicyRef, Entry, State},
    index::PLACE,
    name::{Name, is_same},
    order::{EvictionClass, Linked, ListLinks},
    parts::Parts,
    place::{Form, Place},
    slab::Slab,
    weight::Weight,
};
use crate::{domain::Domain, no_policy::NoPolicy, policy::Policy};

/// The entries by number. What a lookup reads that has nothing to do lies apart from the rest.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) slots: Slab<Head, Slot>,
    pub(super) rows: Slab<RowHead, Row>,
    /// The names that are too long for a head.
    long: Parts<(Place, Domain)>,
}

/// The beginning of an entry in a slot.
#[derive(Debug)]
#[repr(align(64))] // a line of the processor's cache
pub(super) struct Head {
    name: Name<SLOT_NAME>,
    /// The time before which a lookup has nothing to do.
    calm_before: Tick,
    /// The policy that a lookup finds then, if there is one.
    pub(super) policy: Option<Arc<Policy>>,
}

/// The rest of an entry in a slot.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) entry: Entry,
    links: ListLinks,
    heap_index: HeapIndex,
    /// The size of the entry as counted towards the bound on memory.
    pub(super) weight: Weight,
    pub(super) class: EvictionClass,
    /// `true` if the entry is in the queue to be stored.
    pub(super) to_persist: bool,
    /// `true` if the store has, or will have, a row of the entry.
    pub(super) in_store: bool,
    /// `true` if the policy was restored, and not fetched since.
    pub(super) is_restored: bool,
    /// The number of times that the refresh which is due was postponed.
    pub(super) put_off: u8,
}

/// The beginning of an entry in a row.
#[derive(Debug)]
#[repr(align(32))] // half a line of the processor's cache
pub(super) struct RowHead {
    name: Name<ROW_NAME>,
    /// The time before which a lookup has nothing to do.
    calm_before: Tick,
}

/// The rest of an entry in a row.
#[derive(Debug)]
pub(super) struct Row {
    links: ListLinks,
    pub(super) absence: Absence,
}

/// An entry that was found by its domain, and what a lookup reads that has nothing to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    pub(super) place: Place,
    /// The time before which a lookup has nothing to do.
    pub(super) calm_before: Tick,
    /// The policy that a lookup finds then, if there is one, and its dates.
    policy: Option<(&'a Arc<Policy>, &'a State)>,
}

/// The lengths of the longest names within a head.
const SLOT_NAME: usize = 51;
const ROW_NAME: usize = 27;

/// The bytes of an entry in a slot, with its place in the index and its deadline.
const SLOT: usize = size_of::<Head>() + size_of::<Slot>() + PLACE + 12;

/// The bytes of an entry in a row, with its place in the index.
const ROW: usize = size_of::<RowHead>() + size_of::<Row>() + PLACE;

/// The bytes of a name that is too long for a head, in a map that is at worst half empty.
const LONG: usize = 2 * (size_of::<(Place, Domain)>() + 1) + 16;

/// Returns the bytes of an entry in a slot, if its name has this length.
pub(super) fn slot_bytes(len: usize) -> usize {
    SLOT.saturating_add(if len <= SLOT_NAME { 0 } else { LONG.saturating_add(len) })
}

/// Returns the bytes of an entry in a row, if its name has this length.
pub(super) fn row_bytes(len: usize) -> usize {
    ROW.saturating_add(if len <= ROW_NAME { 0 } else { LONG.saturating_add(len) })
}

impl Head {
    const VACANT: Self = Self { name: Name::NONE, policy: None, calm_before: Tick::FIRST };

    /// Notes that until this moment lookups have nothing to do but find this policy.
    pub(super) fn set_calm(&mut self, until: Timestamp, policy: Option<Arc<Policy>>) {
        self.calm_before = Tick::of(until.next().to_utc());
        self.policy = policy;
    }
}

impl RowHead {
    const VACANT: Self = Self { name: Name::NONE, calm_before: Tick::FIRST };
}

impl Slot {
    const VACANT: Self = Self {
        entry: Entry::NEW,
        links: ListLinks::NONE,
        heap_index: HeapIndex::NONE,
        weight: Weight::NONE,
        class: EvictionClass::Pinned,
        to_persist: false,
        in_store: false,
        is_restored: false,
        put_off: 0,
    };
}

impl Row {
    const VACANT: Self = Self { links: ListLinks::NONE, absence: Absence::NONE };
}

impl<'a> Found<'a> {
    /// Returns the answer to a lookup that has nothing to do, unless it is one that says why there
    /// is no policy although there is a record.
    #[inline]
    pub(super) fn answer(self) -> Option<Answer<AppliedPolicyRef<'a>>> {
        match self.policy {
            Some((policy, state)) => Some(Answer::Policy(AppliedPolicyRef::new(policy, state))),
            None => self.place.slot().is_none().then_some(Answer::NoPolicy(NoPolicy::NoRecord)),
        }
    }
}

/// Spreads the bits of the number of a place, which no stranger can choose.
const fn hash_of(place: Place) -> u64 {
    (place.number() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Entries {
    /// Returns an entry, and its name. The name is `None` if it is too long for a head, and empty
    /// if the place is vacant.
    #[inline]
    fn named(&self, place: Place) -> Option<(Option<&[u8]>, Found<'_>)> {
        Some(match place.form() {
            Form::Slot(slot) => {
                let (Head { name, calm_before, policy }, slot) = self.slots.both(slot)?;
                let policy = policy.as_ref().map(|policy| (policy, &slot.entry.state));
                (name.text(), Found { place, calm_before: *calm_before, policy })
            }
            Form::Row(row) => {
                let RowHead { name, calm_before } = self.rows.head(row)?;
                (name.text(), Found { place, calm_before: *calm_before, policy: None })
            }
        })
    }

    /// Returns an entry. It may be vacant.
    #[inline]
    pub(super) fn at(&self, place: Place) -> Option<Found<'_>> {
        self.named(place).map(|(_, found)| found)
    }

    /// Returns an entry, if it is that of a domain.
    #[expect(clippy::inline_always, reason = "a call would cost a tenth of a lookup")]
    #[inline(always)]
    pub(super) fn find(&self, place: Place, domain: &Domain) -> Option<Found<'_>> {
        let (name, found) = self.named(place)?;
        let is_it = match name {
            Some(name) => is_same(name, domain.as_str().as_bytes()),
            None => self.is_long(place, domain),
        };
        if is_it { Some(found) } else { None }
    }

    /// Returns the length of the name, or zero if the place is vacant.
    pub(super) fn name_len(&self, place: Place) -> usize {
        let len = match place.form() {
            Form::Slot(slot) => self.slots.head(slot).map(|head| head.name.len()),
            Form::Row(row) => self.rows.head(row).map(|head| head.name.len()),
        };
        len.unwrap_or(0)
    }

    #[cold]
    fn is_long(&self, place: Place, domain: &Domain) -> bool {
        self.long_name(place) == Some(domain)
    }

    /// Returns the domain of an entry, unless it is vacant.
    pub(super) fn domain(&self, place: Place) -> Option<Domain> {
        match self.named(place)?.0 {
            Some([]) => None,
            Some(name) => Some(Domain::of_valid(str::from_utf8(name).ok()?)),
            None => self.long_name(place).cloned(),
        }
    }

    /// Adds an entry in a slot. Returns `None` if all numbers are in use.
    pub(super) fn insert_slot(
        &mut self,
        domain: &Domain,
        entry: Entry,
        class: EvictionClass,
    ) -> Option<Place> {
        let head = Head { name: Name::new(domain.as_str()), ..Head::VACANT };
        let slot = self.slots.insert(head, Slot { entry, class, ..Slot::VACANT })?;
        let place = Place::of_slot(slot);
        self.keep_long(place, domain);
        Some(place)
    }

    /// Adds an entry in a row. Returns `None` if all numbers are in use.
    pub(super) fn insert_row(
        &mut self,
        domain: &Domain,
        absence: Absence,
        calm_before: Tick,
    ) -> Option<Place> {
        let head = RowHead { name: Name::new(domain.as_str()), calm_before };
        let row = self.rows.insert(head, Row { absence, ..Row::VACANT })?;
        let place = Place::of_row(row);
        self.keep_long(place, domain);
        Some(place)
    }

    fn keep_long(&mut self, place: Place, domain: &Domain) {
        if self.named(place).is_some_and(|(name, _)| name.is_none()) {
            let hash = hash_of(place);
            if let Some(part) = self.long.of_mut(hash) {
                part.insert_unique(hash, (place, domain.clone()), |&(place, _)| hash_of(place));
            }
        }
    }

    fn long_name(&self, place: Place) -> Option<&Domain> {
        let hash = hash_of(place);
        let found = self.long.of(hash)?.find(hash, |&(known, _)| known == place);
        found.map(|(_, domain)| domain)
    }

    fn remove_long(&mut self, place: Place) {
        let hash = hash_of(place);
        let part = self.long.of_mut(hash);
        if let Some(Ok(found)) =
            part.map(|part| part.find_entry(hash, |&(known, _)| known == place))
        {
            found.remove();
        }
    }

    pub(super) fn remove_slot(&mut self, slot: u32) -> Option<Slot> {
        self.remove_long(Place::of_slot(slot));
        self.slots.remove(slot, (Head::VACANT, Slot::VACANT))
    }

    pub(super) fn remove_row(&mut self, row: u32) -> Option<()> {
        self.remove_long(Place::of_row(row));
        self.rows.remove(row, (RowHead::VACANT, Row::VACANT)).map(drop)
    }

    /// Returns a number above those of all places.
    pub(super) fn places(&self) -> u32 {
        self.slots.end().max(self.rows.end()).saturating_mul(2)
    }
}

impl Linked for Entries {
    fn links(&self, place: Place) -> Option<&ListLinks> {
        match place.form() {
            Form::Slot(slot) => self.slots.get(slot).map(|slot| &slot.links),
            Form::Row(row) => self.rows.get(row).map(|row| &row.links),
        }
    }

    fn links_mut(&mut self, place: Place) -> Option<&mut ListLinks> {
        match place.form() {
            Form::Slot(slot) => self.slots.get_mut(slot).map(|slot| &mut slot.links),
            Form::Row(row) => self.rows.get_mut(row).map(|row| &mut row.links),
        }
    }
}

impl HeapIndices for Entries {
    fn heap_index(&self, slot: u32) -> HeapIndex {
        self.slots.get(slot).map_or(HeapIndex::NONE, |slot| slot.heap_index)
    }

    fn set_heap_index(&mut self, slot: u32, index: HeapIndex) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.heap_index = index;
        }
    }
}
