//! Order keys and the states of runs.

use super::{
    enumerated::Enumerated,
    field::{At, FieldError, Problem},
    read,
};
use crate::v1::{self, Phase};
use cofferdam_engine::{
    id::{HostSequence, OrderKey, OwnerEpoch},
    run::{Ending, RunState},
};

impl From<OrderKey> for v1::OrderKey {
    fn from(key: OrderKey) -> Self {
        Self {
            epoch: key.epoch.0,
            sequence: key.sequence.0,
        }
    }
}

impl TryFrom<v1::OrderKey> for OrderKey {
    type Error = FieldError;
    fn try_from(wire: v1::OrderKey) -> Result<Self, FieldError> {
        Ok(Self {
            epoch: OwnerEpoch(read::from_one(wire.epoch).at("epoch")?),
            sequence: HostSequence(read::from_one(wire.sequence).at("sequence")?),
        })
    }
}

impl From<RunState> for v1::RunState {
    fn from(state: RunState) -> Self {
        let (phase, ending) = match state {
            RunState::Claiming => (Phase::Claiming, None),
            RunState::Draining => (Phase::Draining, None),
            RunState::Drained => (Phase::Drained, None),
            RunState::Applying => (Phase::Applying, None),
            RunState::Rebooting => (Phase::Rebooting, None),
            RunState::Verifying => (Phase::Verifying, None),
            RunState::RollingBack => (Phase::RollingBack, None),
            RunState::VerifyingRollback => (Phase::VerifyingRollback, None),
            RunState::Readmitting(ending) => (Phase::Readmitting, Some(ending)),
            RunState::Ended(ending) => (Phase::Ended, Some(ending)),
        };
        Self {
            phase: phase.into(),
            ending: ending.map_or(v1::Ending::Unspecified.into(), Ending::number),
        }
    }
}

impl TryFrom<v1::RunState> for RunState {
    type Error = FieldError;
    fn try_from(wire: v1::RunState) -> Result<Self, FieldError> {
        let unknown = |_| Problem::UnknownValue(wire.phase);
        let phase = Phase::try_from(wire.phase).map_err(unknown).at("phase")?;
        let before_the_end = |state| match wire.ending {
            0 => Ok(state),
            _ => Err(Problem::OutOfPlace).at("ending"),
        };
        let ending = || Ending::read(wire.ending).at("ending");
        match phase {
            Phase::Unspecified => Err(Problem::Missing).at("phase"),
            Phase::Claiming => before_the_end(Self::Claiming),
            Phase::Draining => before_the_end(Self::Draining),
            Phase::Drained => before_the_end(Self::Drained),
            Phase::Applying => before_the_end(Self::Applying),
            Phase::Rebooting => before_the_end(Self::Rebooting),
            Phase::Verifying => before_the_end(Self::Verifying),
            Phase::RollingBack => before_the_end(Self::RollingBack),
            Phase::VerifyingRollback => before_the_end(Self::VerifyingRollback),
            Phase::Readmitting => ending().map(Self::Readmitting),
            Phase::Ended => ending().map(Self::Ended),
        }
    }
}
