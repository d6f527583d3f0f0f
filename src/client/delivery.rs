//! The delivery of a message with the answer of a client.

use super::lookup_error::LookupError;
use crate::{
    cache::{Answer, RecheckResult, Source},
    delivery::{Delivery, MinTlsLevel, Recheck, Route},
    smtp::FoundPolicy,
};

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
