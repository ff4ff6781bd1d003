//! Session messages come back as they went.

use crate::{
    drawn,
    sample::{order, over_the_wire},
};
use cofferdam_engine::failure::{Failure, FailureKind};
use cofferdam_engine::id::{Incarnation, ReportSequence};
use cofferdam_engine::report::{Report, ReportBody};
use cofferdam_proto::{
    convert::bounds::{MAX_LINE_BYTES, MAX_WAIT},
    session::{FromAgent, Papers, ToAgent},
    v1,
};
use proptest::prelude::*;
use std::time::Duration;

proptest! {
    #[test]
    fn what_an_agent_says_arrives_unchanged(message in drawn::from_agent()) {
        let arrived = over_the_wire::<v1::FromAgent, FromAgent>(message.clone());
        prop_assert_eq!(arrived, Ok(message));
    }

    #[test]
    fn what_a_coordinator_says_arrives_unchanged(message in drawn::to_agent()) {
        let arrived = over_the_wire::<v1::ToAgent, ToAgent>(message.clone());
        prop_assert_eq!(arrived, Ok(message));
    }
}

#[test]
fn whatever_a_tool_prints_gets_through() {
    let printed = format!("dpkg:\n\t\x1b[31merror\x1b[0m {}", "ü".repeat(10_000));
    let report = Report {
        incarnation: Incarnation(1),
        sequence: ReportSequence(1),
        body: ReportBody::Service {
            in_service: false,
            detail: printed,
        },
    };

    let arrived = over_the_wire::<v1::FromAgent, FromAgent>(FromAgent::Report(report)).unwrap();

    let FromAgent::Report(Report {
        body: ReportBody::Service { detail, .. },
        ..
    }) = arrived
    else {
        panic!("another message arrived: {arrived:?}");
    };
    assert!(detail.starts_with("dpkg:   [31merror [0m ü"), "{detail}");
    assert!(detail.len() <= MAX_LINE_BYTES);
}

#[test]
fn the_longest_detail_of_a_failure_is_not_cut() {
    let failure = Failure::new(FailureKind::Io, "\u{10ffff}".repeat(2000));
    let simulated = FromAgent::Simulated {
        request: 1,
        result: Err(failure),
    };

    let arrived = over_the_wire::<v1::FromAgent, FromAgent>(simulated.clone());

    assert_eq!(arrived, Ok(simulated));
}

#[test]
fn a_wait_without_end_becomes_the_longest_wait() {
    let mut order = order();
    order.deadlines.apply = Duration::MAX;

    let arrived =
        over_the_wire::<v1::ToAgent, ToAgent>(ToAgent::Order(Box::new(order), Papers::default()))
            .unwrap();

    let ToAgent::Order(order, _) = arrived else {
        panic!("another message arrived: {arrived:?}");
    };
    assert_eq!(order.deadlines.apply, MAX_WAIT);
}
