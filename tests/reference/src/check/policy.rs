use mta_sts::{Policy, Tolerances, error::PolicyError};

use super::super::reference::{self, ReferencePolicy};
use super::{check_error, pairs};

/// One policy file, read strictly and tolerantly.
pub fn policy(input: &[u8]) {
    let strict = Policy::parse(input);
    check_against(&strict, reference::policy(input).as_ref(), input);

    let expected = reference::tolerant(input);
    let tolerant = Policy::parse_with(input, Tolerances::IN_THE_WILD);
    check_against(&tolerant, expected.as_ref().map(|(policy, _)| policy), input);
    if let (Ok(policy), Some((_, deviations))) = (&tolerant, &expected) {
        let tolerated = policy.tolerated().iter().map(|one| one.to_string()).collect();
        assert_eq!(*deviations, tolerated);
        check_tolerated(policy, input);
    }

    // Whatever is valid strictly says the same to a tolerant reader, who overlooks nothing in it.
    let faultless = tolerant.ok().filter(|policy| policy.tolerated().is_empty());
    assert_eq!(strict.ok(), faultless);
}

fn check_against(
    result: &Result<Policy, PolicyError>,
    expected: Option<&ReferencePolicy>,
    input: &[u8],
) {
    match result {
        Ok(policy) => {
            assert_eq!(Some(&view(policy)), expected);
            assert_eq!(policy.as_text().as_bytes(), input);
            check_valid(policy);
        }
        Err(error) => {
            assert_eq!(None, expected, "but it was refused: {error}");
            assert!(error.offset() <= input.len());
            let before = &input[..error.offset()];
            assert_eq!(error.line(), before.split(|&byte| byte == b'\n').count());
            check_error(error);
        }
    }
}

fn view(policy: &Policy) -> ReferencePolicy {
    ReferencePolicy {
        mode: policy.mode().as_str().to_owned(),
        max_age: policy.max_age().as_secs(),
        mx: policy.mx().map(|mx| mx.as_str().to_owned()).collect(),
        extensions: pairs(policy.extensions()),
    }
}

/// What was tolerated is all that had to be, and nothing that need not be.
fn check_tolerated(policy: &Policy, input: &[u8]) {
    let enough = Policy::parse_with(input, policy.tolerated());
    assert_eq!(enough.as_ref(), Ok(policy));
    for one in policy.tolerated().iter() {
        let others = Tolerances::IN_THE_WILD.without(one);
        assert!(Policy::parse_with(input, others).is_err(), "{one} was not needed");
    }
}

/// What holds of every policy.
fn check_valid(policy: &Policy) {
    for (name, _) in policy.extensions() {
        let first = policy.extensions().find(|&(other, _)| other == name);
        assert_eq!(policy.extension(name), first.map(|(_, value)| value));
    }
    let text = policy.to_string();
    // One that fits as it was served, with LF and few spaces, may not fit as it is printed.
    if text.len() > Policy::MAX_LEN {
        return;
    }
    let again = Policy::parse(text.as_bytes()).expect("a printed policy is valid");
    assert_eq!(&again, policy);
    assert_eq!(again.to_string(), text);
    assert_eq!(rebuilt(policy).as_text(), text);
}

fn rebuilt(policy: &Policy) -> Policy {
    let mut builder = Policy::builder(policy.mode(), policy.max_age());
    for mx in policy.mx() {
        builder = builder.mx(mx.as_str());
    }
    for (name, value) in policy.extensions() {
        builder = builder.extension(name, value);
    }
    builder.build().expect("a policy can be made of what a policy says")
}
