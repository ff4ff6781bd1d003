//! Queries, as operators ask them and as hosts answer.

use super::{
    bounds::{MAX_QUERY_BYTES, MAX_QUERY_WAIT},
    field::{At, FieldError},
    read, write,
};
use crate::{
    operator::{FailedHost, MatchedHost, QueryAnswer, QueryRequest, QuerySummary},
    v1::{self, queried, query_answer},
};
use cofferdam_engine::{failure::Failure, query::Answer};

pub(super) fn queried_to_wire(request: u64, result: Result<Answer, Failure>) -> v1::Queried {
    let result = match result {
        Ok(answer) => queried::Result::Answer(queried::Answer {
            holds: answer.holds,
            evidence: write::line(&answer.evidence),
        }),
        Err(failure) => queried::Result::Failure(failure.into()),
    };
    v1::Queried {
        request,
        result: Some(result),
    }
}

pub(super) fn queried_from_wire(
    wire: Option<queried::Result>,
) -> Result<Result<Answer, Failure>, FieldError> {
    match read::required(wire).at("result")? {
        queried::Result::Answer(wire) => Ok(Ok(Answer {
            holds: wire.holds,
            evidence: read::line(wire.evidence).at("answer.evidence")?,
        })),
        queried::Result::Failure(wire) => Ok(Err(wire.try_into().at("failure")?)),
    }
}

impl From<QueryRequest> for v1::QueryRequest {
    fn from(request: QueryRequest) -> Self {
        Self {
            text: request.text,
            within_ms: write::wait(request.within),
        }
    }
}

impl TryFrom<v1::QueryRequest> for QueryRequest {
    type Error = FieldError;
    fn try_from(wire: v1::QueryRequest) -> Result<Self, FieldError> {
        let within =
            read::from_one(wire.within_ms).and_then(|ms| read::wait_within(ms, MAX_QUERY_WAIT));
        Ok(Self {
            text: read::text(wire.text, MAX_QUERY_BYTES).at("text")?,
            within: within.at("within_ms")?,
        })
    }
}

impl From<QueryAnswer> for v1::QueryAnswer {
    fn from(answer: QueryAnswer) -> Self {
        let answer = match answer {
            QueryAnswer::Matched(matched) => query_answer::Answer::Matched(v1::MatchedHost {
                host: matched.host.into(),
                evidence: write::line(&matched.evidence),
            }),
            QueryAnswer::Failed(failed) => query_answer::Answer::Failed(v1::FailedHost {
                host: failed.host.into(),
                failure: Some(failed.failure.into()),
            }),
            QueryAnswer::Summary(summary) => query_answer::Answer::Summary(summary.into()),
        };
        Self {
            answer: Some(answer),
        }
    }
}

impl TryFrom<v1::QueryAnswer> for QueryAnswer {
    type Error = FieldError;
    fn try_from(wire: v1::QueryAnswer) -> Result<Self, FieldError> {
        match read::required(wire.answer).at("answer")? {
            query_answer::Answer::Matched(wire) => Ok(Self::Matched(MatchedHost {
                host: read::name(wire.host).at("matched.host")?,
                evidence: read::line(wire.evidence).at("matched.evidence")?,
            })),
            query_answer::Answer::Failed(wire) => Ok(Self::Failed(FailedHost {
                host: read::name(wire.host).at("failed.host")?,
                failure: read::message(wire.failure).at("failed.failure")?,
            })),
            query_answer::Answer::Summary(wire) => {
                Ok(Self::Summary(wire.try_into().at("summary")?))
            }
        }
    }
}

impl From<QuerySummary> for v1::QuerySummary {
    fn from(summary: QuerySummary) -> Self {
        Self {
            matched: summary.matched,
            matched_by_labels: summary.matched_by_labels,
            not_matched: summary.not_matched,
            not_matched_by_labels: summary.not_matched_by_labels,
            failed: summary.failed,
            offline: write::names(summary.offline),
            silent: write::names(summary.silent),
        }
    }
}

impl TryFrom<v1::QuerySummary> for QuerySummary {
    type Error = FieldError;
    fn try_from(wire: v1::QuerySummary) -> Result<Self, FieldError> {
        Ok(Self {
            matched: wire.matched,
            matched_by_labels: wire.matched_by_labels,
            not_matched: wire.not_matched,
            not_matched_by_labels: wire.not_matched_by_labels,
            failed: wire.failed,
            offline: read::names(wire.offline).at("offline")?,
            silent: read::names(wire.silent).at("silent")?,
        })
    }
}
