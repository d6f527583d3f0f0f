//! Conversions from the results of a client to the inputs of a delivery.

use alloc::string::ToString;

use super::lookup_error::LookupError;
use crate::{
    cache::{Answer, RecheckOutcome, RecheckResult, Source},
    delivery::{Delivery, MinTlsLevel, Recheck, Route},
    smtp::FoundPolicy,
};

/// Converts the result of a client to the input of a delivery.
impl From<RecheckResult> for Recheck {
    fn from(RecheckResult { outcome, answer }: RecheckResult) -> Self {
        let answer = answer.into_policy();
        match outcome {
            RecheckOutcome::Changed | RecheckOutcome::Unchanged => Self::Current(answer),
            RecheckOutcome::Unknown(doubt) => {
                Self::Unconfirmed { answer, why: doubt.to_string().into() }
            }
        }
    }
}

/// Creates the delivery of a message with this answer.
pub(crate) fn delivery(route: Route, answer: Answer, floor: MinTlsLevel) -> Delivery {
    let (policy, is_operators) = found_policy(answer);
    Delivery::new(route, policy, floor).with_operators_policy(is_operators)
}

/// Converts an answer to a policy, and whether it is one of the operator.
pub(crate) fn found_policy(answer: Answer) -> FoundPolicy {
    let is_operators =
        matches!(&answer, Answer::Policy(applied) if applied.source() != Source::Fetched);
    (answer.into_policy(), is_operators)
}

/// Converts the result of a client to the input of a walk.
pub(crate) fn rechecked(result: Result<RecheckResult, LookupError>) -> (Recheck, bool) {
    match result {
        Ok(result) => {
            let (_, is_operators) = found_policy(result.answer.clone());
            (result.into(), is_operators)
        }
        Err(error) => (error.into(), false),
    }
}
