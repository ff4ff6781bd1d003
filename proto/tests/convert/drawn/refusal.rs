//! Why an agent takes no order.

use super::{digest, failure, key};
use cofferdam_engine::{report::Refusal, stratum::Delta};
use proptest::prelude::*;

pub(super) fn delta() -> impl Strategy<Value = Delta> {
    prop_oneof![
        digest().prop_map(Delta::Known),
        digest().prop_map(Delta::Unknown)
    ]
}

pub(super) fn refusal() -> impl Strategy<Value = Refusal> {
    prop_oneof![
        key().prop_map(|newest| Refusal::Older { newest }),
        Just(Refusal::OtherContent),
        key().prop_map(|with| Refusal::Busy { with }),
        Just(Refusal::OtherHost),
        Just(Refusal::Denied),
        failure().prop_map(|failure| Refusal::Impossible { failure }),
        (delta(), delta()).prop_map(|(assumed, found)| Refusal::OtherDelta { assumed, found }),
    ]
}
