//! The delivery of a message with the answer of a client.

use crate::{
    cache::{Answer, Source},
    delivery::{Delivery, MinTlsLevel, Route},
};

/// Creates the delivery of a message with this answer.
pub(crate) fn delivery(route: Route, answer: Answer, floor: MinTlsLevel) -> Delivery {
    let is_operators =
        matches!(&answer, Answer::Policy(applied) if applied.source() != Source::Fetched);
    Delivery::new(route, answer.into_policy(), floor).with_operators_policy(is_operators)
}
