//! Arbitrary values are values that could be met.
#![cfg(feature = "arbitrary")]

use arbitrary::{Arbitrary, Unstructured};
use mta_sts::{Domain, Failure, MxPattern, Policy, PolicyId, StsRecord, Tolerances};
use proptest::prelude::*;

/// Makes a value of these bytes; nothing but too few of them is a reason to fail.
fn make<'a, T: Arbitrary<'a>>(bytes: &'a [u8]) -> T {
    T::arbitrary(&mut Unstructured::new(bytes)).unwrap()
}

proptest! {
    #[test]
    fn values_hold_to_their_grammar(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let domain: Domain = make(&bytes);
        prop_assert_eq!(Domain::parse(domain.as_str()), Ok(domain));
        let id: PolicyId = make(&bytes);
        prop_assert_eq!(PolicyId::parse(id.as_str()), Ok(id));
        let pattern: MxPattern<'static> = make(&bytes);
        prop_assert!(MxPattern::parse(pattern.as_str()).is_ok());
        let record: StsRecord<'static> = make(&bytes);
        prop_assert_eq!(StsRecord::parse(record.as_text().as_bytes()), Ok(record.clone()));
        let policy: Policy = make(&bytes);
        prop_assert_eq!(policy.as_text().parse(), Ok(policy.clone()));
        let tolerances: Tolerances = make(&bytes);
        prop_assert!(Tolerances::IN_THE_WILD.contains(tolerances));
        let failure: Failure = make(&bytes);
        prop_assert!(!failure.to_string().contains(char::is_control));
    }
}
