//! Amendments.

use super::{
    field::{At, FieldError, Problem},
    read, write,
};
use crate::{
    operator::{AmendReply, AmendRequest},
    v1,
};

impl From<AmendRequest> for v1::AmendRequest {
    fn from(request: AmendRequest) -> Self {
        Self {
            rollout: request.rollout.into(),
            file_name: write::line(&request.file_name),
            spec_text: request.spec_text,
            lock_text: request.lock_text,
            reason: write::line(&request.reason),
            seen: request.seen.map(write::digest),
            signed: request.signed.map(Into::into),
        }
    }
}

impl TryFrom<v1::AmendRequest> for AmendRequest {
    type Error = FieldError;
    fn try_from(wire: v1::AmendRequest) -> Result<Self, FieldError> {
        let lock_text = wire.lock_text.map(read::file_text).transpose();
        let seen = wire.seen.as_deref().map(read::digest).transpose();
        Ok(Self {
            rollout: read::name(wire.rollout).at("rollout")?,
            file_name: read::filled_line(wire.file_name).at("file_name")?,
            spec_text: read::file_text(wire.spec_text).at("spec_text")?,
            lock_text: lock_text.at("lock_text")?,
            reason: read::line(wire.reason).at("reason")?,
            seen: seen.at("seen")?,
            signed: read::optional(wire.signed).at("signed")?,
        })
    }
}

impl From<AmendReply> for v1::AmendReply {
    fn from(reply: AmendReply) -> Self {
        Self {
            started: reply.started,
            amends: reply.amends.into(),
            generation: reply.generation,
            plan: Some(reply.plan.into()),
            passed: reply.passed,
            away: reply.away,
            file_diff: reply.file_diff.join("\n"),
            lock_diff: reply.lock_diff.join("\n"),
            lock_text: reply.lock_text,
            amended_digest: reply.amended_digest.map(write::digest),
        }
    }
}

impl TryFrom<v1::AmendReply> for AmendReply {
    type Error = FieldError;
    fn try_from(wire: v1::AmendReply) -> Result<Self, FieldError> {
        let amended_digest = wire.amended_digest.as_deref().map(read::digest);
        Ok(Self {
            started: wire.started,
            amends: read::name(wire.amends).at("amends")?,
            generation: read::from_one(wire.generation).at("generation")?,
            plan: read::message(wire.plan).at("plan")?,
            passed: wire.passed,
            away: wire.away,
            file_diff: diff(wire.file_diff).at("file_diff")?,
            lock_diff: diff(wire.lock_diff).at("lock_diff")?,
            lock_text: read::file_text(wire.lock_text).at("lock_text")?,
            amended_digest: amended_digest.transpose().at("amended_digest")?,
        })
    }
}

/// The lines of a difference, which travel as one text: none is cut, so that none is hidden.
fn diff(text: String) -> Result<Vec<String>, Problem> {
    let text = read::file_text(text)?;
    Ok(text.lines().map(ToOwned::to_owned).collect())
}
