//! One domain of a cache, as it is seen from outside.

use std::collections::BTreeSet;

use mta_sts::{Domain, Mode, cache::Cache};

use super::{DAY, File, MINUTE, Micros, predict::micros, town::is_told};

/// How little a domain would be missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Expired,
    Negative,
    ModeNone,
    /// Of mode `testing`, or else `enforce`; whether it is in regular use, if that is known.
    Policy {
        enforce: bool,
        regular: Option<bool>,
    },
    /// It has ended, by a clock that was set ahead: it goes as though it had not, or had.
    Doubtful,
    Kept,
}

impl Class {
    /// Whether it may stay while one of that class goes.
    pub fn may_outlast(self, gone: Self) -> bool {
        self.ranks().1 >= gone.ranks().0
    }

    /// The lowest and the highest rank that it may have.
    fn ranks(self) -> (u8, u8) {
        match self {
            Self::Expired => (0, 0),
            Self::Negative => (1, 1),
            Self::ModeNone => (2, 2),
            Self::Policy { enforce, regular } => {
                let rank = |regular| 3 + u8::from(enforce) + 2 * u8::from(regular);
                (rank(regular == Some(true)), rank(regular != Some(false)))
            }
            Self::Doubtful => (0, 6),
            Self::Kept => (7, 7),
        }
    }
}

/// A domain, how it stood before the last deed, and what became of it.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Resident {
    pub domain: Domain,
    /// The policy fetched last, and when.
    pub held: Option<(File, Micros)>,
    served: BTreeSet<File>,
    /// The days of its lookups; not known after a restart, or after the clock was set back over the
    /// only one.
    days: Option<BTreeSet<Micros>>,
    pub overridden: bool,
    pub was_there: bool,
    pub class: Class,
    pub may_vanish: bool,
    pub evicted: Option<Class>,
    pub evicted_live: Option<File>,
    now: Micros,
    /// Whether the clock was set ahead since it was fetched.
    is_doubtful: bool,
    /// When it was restored, if that is before it was fetched: it may end as though it had been
    /// fetched then.
    restored_before: Option<Micros>,
}

impl Resident {
    pub fn new(domain: Domain) -> Self {
        Self {
            domain,
            held: None,
            served: BTreeSet::new(),
            days: Some(BTreeSet::new()),
            overridden: false,
            was_there: false,
            class: Class::Negative,
            may_vanish: false,
            evicted: None,
            evicted_live: None,
            now: 0,
            is_doubtful: false,
            restored_before: None,
        }
    }

    /// The policy that must be given out.
    pub fn applies(&self, now: Micros) -> Option<File> {
        self.live(now).filter(|&file| is_told(file))
    }

    /// Whether the policy has ended if it counts as fetched when it was restored.
    pub fn may_have_ended(&self, now: Micros) -> bool {
        self.held
            .zip(self.restored_before)
            .is_some_and(|((file, _), restored)| now > restored + file.max_age())
    }

    fn live(&self, now: Micros) -> Option<File> {
        let (file, at) = self.held?;
        (now <= at + file.max_age() && file != File::Zero).then_some(file)
    }

    pub fn was_served(&self, file: File) -> bool {
        self.served.contains(&file) || self.held.is_some_and(|(held, _)| held == file)
    }

    pub fn note_use(&mut self, now: Micros) {
        if let Some(days) = &mut self.days {
            days.insert(now.div_euclid(DAY));
        }
    }

    /// Notes that the clock was set back. A use on a day that is now in the future may count as one of
    /// today: whether another one makes two days of them is not known.
    pub fn set_back(&mut self, now: Micros) {
        let is_future = |day: &Micros| *day > now.div_euclid(DAY);
        if self.days.as_ref().is_some_and(|days| days.len() == 1 && days.iter().all(is_future)) {
            self.days = None;
        }
    }

    pub fn look(&mut self, cache: &Cache, now: Micros, waits: bool) {
        self.is_doubtful |= now > self.now + DAY;
        self.now = now;
        self.was_there = cache.entry(&self.domain).is_some();
        (self.may_vanish, self.evicted, self.evicted_live) = (false, None, None);
        let regular = self.days.as_ref().map(|days| days.len() > 1);
        self.class = match (self.held, self.live(now).map(File::mode)) {
            _ if waits || self.overridden => Class::Kept,
            (None, _) => Class::Negative,
            _ if self.restored_before.is_some() => Class::Doubtful,
            (_, None) if self.is_doubtful => Class::Doubtful,
            (_, None) => Class::Expired,
            (_, Some(Mode::None)) => Class::ModeNone,
            (_, Some(mode)) => Class::Policy { enforce: mode == Mode::Enforce, regular },
        };
    }

    /// Notes whether it is gone, and that it is otherwise as it should be. Returns whether it went.
    pub fn settle(&mut self, cache: &Cache, now: Micros, waits: bool) -> bool {
        let Some(view) = cache.entry(&self.domain) else {
            assert!(!self.overridden, "the operator wants it");
            assert!(!waits, "someone waits for it");
            if self.was_there && !self.may_vanish {
                // Who waited may have been answered first: then nothing is known of its class.
                self.evicted = Some(self.class).filter(|&class| class != Class::Kept);
                self.check_told(now);
            }
            (self.held, self.days) = (None, Some(BTreeSet::new()));
            return self.was_there;
        };
        // Invariant 1: nothing but a fetch changes what is held.
        let held = view.policy().map(|policy| File::of(policy)).zip(view.fetched_at().map(micros));
        self.is_doubtful &= held == self.held;
        self.restored_before = self.restored_before.filter(|_| held == self.held);
        assert_eq!(held, self.held, "what is known of {}", self.domain);
        self.served.extend(held.map(|(file, _)| file));
        false
    }

    /// The eviction of a policy that applies is told, and no other.
    fn check_told(&self, now: Micros) {
        // The cache may take the latest time that it has seen for the present, up to a minute.
        let moments = [self.now, now, now + MINUTE].map(|moment| self.applies(moment));
        let told = self.evicted_live;
        // It may apply again when the clock comes back.
        if self.restored_before.is_some() && told.is_none() {
            return;
        }
        if self.is_doubtful && told.is_some() && told == self.held.map(|(file, _)| file) {
            return;
        }
        assert!(moments.contains(&told), "{told:?} told as evicted, and {moments:?} applied");
    }

    /// What it was looked up for is not known any more.
    pub fn restart(&mut self, now: Micros) {
        if self.held.is_some_and(|(_, at)| now < at) {
            let restored = self.restored_before.map_or(now, |before| before.min(now));
            self.restored_before = Some(restored);
        }
        self.overridden = false;
        self.days = None;
        self.may_vanish = true;
        self.was_there = false;
    }
}
