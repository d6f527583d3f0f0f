//! Conversions from the results of a client to the inputs of a delivery.

use alloc::string::ToString;

use crate::{
    cache::{Answer, RecheckOutcome, RecheckResult, Source},
    delivery::{Delivery, MinTlsLevel, Recheck, Route},
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
    let is_operators =
        matches!(&answer, Answer::Policy(applied) if applied.source() != Source::Fetched);
    Delivery::new(route, answer.into_policy(), floor).with_operators_policy(is_operators)
}
