//! How traffic leaves hosts and comes back.

use super::{
    enumerated::Enumerated,
    field::{At, FieldError, Problem},
    read, write,
};
use crate::v1;
use cofferdam_engine::traffic::{OnExpiry, RampSteps, RampStepsError, TrafficWish};

impl From<TrafficWish> for v1::TrafficWish {
    fn from(wish: TrafficWish) -> Self {
        let steps = wish
            .ramp_steps
            .as_ref()
            .map_or(&[][..], RampSteps::percents);
        Self {
            on_expiry: wish.on_expiry.map(OnExpiry::number),
            ramp_ms: wish.ramp.map(write::wait),
            ramp_steps: steps.iter().copied().map(u32::from).collect(),
        }
    }
}

impl TryFrom<v1::TrafficWish> for TrafficWish {
    type Error = FieldError;
    fn try_from(wire: v1::TrafficWish) -> Result<Self, FieldError> {
        let on_expiry = wire.on_expiry.map(OnExpiry::read).transpose();
        let ramp = wire.ramp_ms.map(read::wait).transpose();
        Ok(Self {
            on_expiry: on_expiry.at("on_expiry")?,
            ramp: ramp.at("ramp_ms")?,
            ramp_steps: ramp_steps(wire.ramp_steps).at("ramp_steps")?,
        })
    }
}

fn ramp_steps(percents: Vec<u32>) -> Result<Option<RampSteps>, Problem> {
    if percents.is_empty() {
        return Ok(None);
    }
    let percents: Result<Vec<u8>, _> = percents.into_iter().map(u8::try_from).collect();
    let percents = percents.map_err(|_| RampStepsError)?;
    Ok(Some(RampSteps::new(percents)?))
}
