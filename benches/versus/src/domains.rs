//! Domains and policies for the cache, the same in every run.

use std::sync::Arc;

use mta_sts::{Domain, Policy};

/// Numbers that look random (`SplitMix64`).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.number()) * bound as u128) >> 64) as usize
    }

    /// Fisher and Yates: every order is as likely as any other.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// So many domains, with names such as companies have, of 21 bytes on average.
pub fn domains(count: usize) -> Vec<Domain> {
    (0..count).map(domain).collect()
}

pub fn domain(n: usize) -> Domain {
    Domain::parse(&name(n)).expect("valid")
}

/// A domain of 25 characters that publishes nothing.
pub fn absent(n: usize) -> Domain {
    Domain::parse(&format!("mail-{n:012}.example")).expect("valid")
}

/// Domains that are none of [`domains`], for a flood.
pub fn strangers(count: usize) -> impl Iterator<Item = Domain> {
    (0..count).map(|n| Domain::parse(&format!("x{n}.flood.example")).expect("valid"))
}

const WORDS: [&str; 11] = [
    "acme", "harbor", "north", "bauer", "lumen", "quarry", "sintra", "vector", "willow", "argent",
    "zephyr",
];

fn name(n: usize) -> String {
    let [a, b] = [n % WORDS.len(), n / 7 % WORDS.len()].map(|n| WORDS[n]);
    match n % 5 {
        0 => format!("{a}{n}.com"),
        1 => format!("{a}-{b}{n}.de"),
        2 => format!("mail.{a}{n}.co.uk"),
        3 => format!("{a}{n}.{b}.org"),
        _ => format!("{a}-{b}-{n}.net"),
    }
}

/// How many different policies there are.
pub const POLICIES: usize = 1000;

/// The file of the policy that the `n`th domain has.
pub fn file(n: usize) -> String {
    let n = n % POLICIES;
    format!(
        "version: STSv1\r\nmode: enforce\r\nmx: mx1.host{n}.example\r\nmx: mx2.host{n}.example\r\n\
         mx: *.host{n}.example\r\nmax_age: 31536000\r\n"
    )
}

pub fn policy(n: usize) -> Policy {
    Policy::parse(file(n).as_bytes()).expect("valid")
}

pub fn policies() -> Vec<Arc<Policy>> {
    (0..POLICIES).map(|n| Arc::new(policy(n))).collect()
}

/// Domains in random order; in another one when all had their turn.
pub struct Shuffled {
    domains: Vec<Domain>,
    at: usize,
    random: Random,
}

impl Shuffled {
    pub fn new(mut domains: Vec<Domain>, seed: u64) -> Self {
        let mut random = Random::new(seed);
        random.shuffle(&mut domains);
        Self { domains, at: 0, random }
    }

    /// The next ones. They are copied, so that they lie together and have just been touched, as the
    /// domain of a message has when its policy is looked up: what is measured is the cache.
    pub fn take(&mut self, count: usize) -> Vec<Domain> {
        if self.at + count > self.domains.len() {
            self.random.shuffle(&mut self.domains);
            self.at = 0;
        }
        let taken = self.domains[self.at..].iter().take(count).cloned().collect();
        self.at += count;
        taken
    }

    /// So many keys in random order, the domains over and over.
    pub fn take_all(&mut self, count: usize) -> Vec<Domain> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            let left = count - taken.len();
            taken.extend(self.take(left.min(self.domains.len())));
        }
        taken
    }
}
