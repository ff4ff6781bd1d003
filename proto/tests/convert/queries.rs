//! Queries and their answers come as they went.

use crate::sample::{host, over_the_wire, text};
use cofferdam_engine::failure::{Failure, FailureKind};
use cofferdam_proto::{
    convert::bounds::{MAX_QUERY_BYTES, MAX_QUERY_WAIT},
    operator::{FailedHost, MatchedHost, QueryAnswer, QueryRequest, QuerySummary},
    v1,
};
use std::time::Duration;

#[test]
pub(super) fn queries_arrive_unchanged() {
    let request = QueryRequest {
        text: text("package openssl\n and kernel < 6"),
        within: Duration::from_secs(10),
    };
    assert_eq!(
        over_the_wire::<v1::QueryRequest, _>(request.clone()),
        Ok(request)
    );
    let summary = QuerySummary {
        matched: 5,
        matched_by_labels: 1,
        not_matched: 7,
        not_matched_by_labels: 2,
        failed: 3,
        offline: vec![host()],
        silent: vec![host()],
    };
    for answer in [
        QueryAnswer::Matched(MatchedHost {
            host: host(),
            evidence: text("openssl 3.0.13-1"),
        }),
        QueryAnswer::Failed(FailedHost {
            host: host(),
            failure: Failure::new(FailureKind::TimedOut, "slow"),
        }),
        QueryAnswer::Summary(summary),
    ] {
        let arrived = over_the_wire::<v1::QueryAnswer, _>(answer.clone());
        assert_eq!(arrived, Ok(answer));
    }
}

#[test]
fn a_query_is_bounded_in_length_and_time() {
    let fits = v1::QueryRequest {
        text: "x".repeat(MAX_QUERY_BYTES),
        within_ms: 300_000,
    };
    let too_long = v1::QueryRequest {
        text: "x".repeat(MAX_QUERY_BYTES + 1),
        ..fits.clone()
    };
    let too_late = v1::QueryRequest {
        within_ms: fits.within_ms + 1,
        ..fits.clone()
    };
    let at_once = v1::QueryRequest {
        within_ms: 0,
        ..fits.clone()
    };
    assert_eq!(
        QueryRequest::try_from(fits).map(|request| request.within),
        Ok(MAX_QUERY_WAIT)
    );
    for (wire, field) in [
        (too_long, "text"),
        (too_late, "within_ms"),
        (at_once, "within_ms"),
    ] {
        let refused = QueryRequest::try_from(wire).unwrap_err().to_string();
        assert!(refused.starts_with(field), "{refused}");
    }
    assert!(QueryAnswer::try_from(v1::QueryAnswer::default()).is_err());
}
