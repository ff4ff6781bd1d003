//! Failures.

use super::{
    enumerated::Enumerated,
    field::{At, FieldError},
    read, write,
};
use crate::v1;
use cofferdam_engine::failure::{Failure, FailureKind};

impl From<Failure> for v1::Failure {
    fn from(failure: Failure) -> Self {
        Self {
            kind: failure.kind.number(),
            detail: write::line(&failure.detail),
        }
    }
}

impl TryFrom<v1::Failure> for Failure {
    type Error = FieldError;
    fn try_from(wire: v1::Failure) -> Result<Self, FieldError> {
        Ok(Self {
            kind: FailureKind::read(wire.kind).at("kind")?,
            detail: read::line(wire.detail).at("detail")?,
        })
    }
}
