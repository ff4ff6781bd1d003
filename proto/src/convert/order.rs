//! Orders.

use super::{
    conffile,
    enumerated::Enumerated,
    field::{At, FieldError},
    read, write,
};
use crate::v1::{self, package_delta};
use cofferdam_engine::{
    digest::Digest,
    id::{Generation, ReservationToken, WaveIndex},
    order::{Direction, Grant, Order},
    patch::{KernelFallback, RebootPolicy, RestartPolicy},
    policy::Deadlines,
    stratum::Delta,
};
use prost::Message as _;

impl From<Order> for v1::Order {
    fn from(order: Order) -> Self {
        Self {
            key: Some(order.key.into()),
            host: order.host.into(),
            token: order.token.0,
            grant: Some(order.grant.into()),
            direction: order.direction.number(),
            attempt: order.attempt,
            asked_again: order.asked_again,
            content: Some(order.content.into()),
            delta: order.delta.map(Into::into),
            reboot: order.reboot.number(),
            restarts: order.restart == RestartPolicy::IfRequired,
            kernel_once: order.kernel_fallback == KernelFallback::OneShot,
            conffiles: conffile::write(order.conffiles),
            one_way: order.one_way,
            deadlines: Some(order.deadlines.into_own().into()),
            stable_for_ms: write::wait(order.stable_for),
            first_answer_ms: write::wait(order.first_answer),
            traffic: (!order.traffic.is_silent()).then(|| order.traffic.into()),
            // Beside the order, and no part of what its digest is of.
            signed: None,
            warrant: None,
        }
    }
}

/// The digest of an order as it travels: tells other content under the same key from a repetition.
///
/// Fields that a later release adds are not on the wire while they are absent, so an agent that was
/// upgraded in the middle of a run still knows its order.
pub fn order_digest(order: &Order) -> Digest {
    Digest::of(v1::Order::from(order.clone()).encode_to_vec())
}

impl TryFrom<v1::Order> for Order {
    type Error = FieldError;
    fn try_from(wire: v1::Order) -> Result<Self, FieldError> {
        Ok(Self {
            key: read::message(wire.key).at("key")?,
            host: read::name(wire.host).at("host")?,
            token: ReservationToken(read::from_one(wire.token).at("token")?),
            grant: read::message(wire.grant).at("grant")?,
            direction: Direction::read(wire.direction).at("direction")?,
            attempt: read::from_one(wire.attempt).at("attempt")?,
            asked_again: wire.asked_again,
            content: read::message(wire.content).at("content")?,
            delta: read::optional(wire.delta).at("delta")?,
            reboot: RebootPolicy::read(wire.reboot).at("reboot")?,
            restart: match wire.restarts {
                true => RestartPolicy::IfRequired,
                false => RestartPolicy::Never,
            },
            kernel_fallback: kernel_fallback(wire.kernel_once),
            conffiles: conffile::read(wire.conffiles).at("conffiles")?,
            one_way: wire.one_way,
            deadlines: read::message::<_, Deadlines>(wire.deadlines)
                .at("deadlines")?
                .into(),
            stable_for: read::wait(wire.stable_for_ms).at("stable_for_ms")?,
            first_answer: read::wait(wire.first_answer_ms).at("first_answer_ms")?,
            traffic: read::optional(wire.traffic)
                .at("traffic")?
                .unwrap_or_default(),
        })
    }
}

/// What is not said is of an earlier release, which had none.
pub(super) fn kernel_fallback(once: bool) -> KernelFallback {
    match once {
        true => KernelFallback::OneShot,
        false => KernelFallback::None,
    }
}

impl From<Delta> for v1::PackageDelta {
    fn from(delta: Delta) -> Self {
        use package_delta::Delta as Wire;
        let delta = match delta {
            Delta::Known(changes) => Wire::Changes(write::digest(changes)),
            Delta::Unknown(installed) => Wire::Installed(write::digest(installed)),
        };
        Self { delta: Some(delta) }
    }
}

impl TryFrom<v1::PackageDelta> for Delta {
    type Error = FieldError;
    fn try_from(wire: v1::PackageDelta) -> Result<Self, FieldError> {
        use package_delta::Delta as Wire;
        Ok(match read::required(wire.delta)? {
            Wire::Changes(changes) => Self::Known(read::digest(&changes).at("changes")?),
            Wire::Installed(installed) => Self::Unknown(read::digest(&installed).at("installed")?),
        })
    }
}

impl From<Grant> for v1::Grant {
    fn from(grant: Grant) -> Self {
        Self {
            rollout: grant.rollout.into(),
            rollout_digest: write::digest(grant.rollout_digest),
            lock_digest: write::digest(grant.lock_digest),
            wave: grant.wave.0,
            cell: grant.cell.into(),
            generation: grant.generation.0,
            signature: Vec::new(),
        }
    }
}

impl TryFrom<v1::Grant> for Grant {
    type Error = FieldError;
    fn try_from(wire: v1::Grant) -> Result<Self, FieldError> {
        Ok(Self {
            rollout: read::name(wire.rollout).at("rollout")?,
            rollout_digest: read::digest(&wire.rollout_digest).at("rollout_digest")?,
            lock_digest: read::digest(&wire.lock_digest).at("lock_digest")?,
            wave: WaveIndex(wire.wave),
            cell: read::name(wire.cell).at("cell")?,
            generation: Generation(wire.generation),
        })
    }
}

impl From<Deadlines> for v1::Deadlines {
    fn from(deadlines: Deadlines) -> Self {
        Self {
            start_by_ms: write::wait(deadlines.start_by),
            claim_wait_ms: write::wait(deadlines.claim_wait),
            drain_ms: write::wait(deadlines.drain),
            apply_ms: write::wait(deadlines.apply),
            script_ms: write::wait(deadlines.script),
            reboot_ms: write::wait(deadlines.reboot),
            verify_ms: write::wait(deadlines.verify),
            late_ms: write::wait(deadlines.late),
            settle_ms: write::wait(deadlines.settle),
        }
    }
}

impl TryFrom<v1::Deadlines> for Deadlines {
    type Error = FieldError;
    fn try_from(wire: v1::Deadlines) -> Result<Self, FieldError> {
        Ok(Self {
            start_by: read::wait(wire.start_by_ms).at("start_by_ms")?,
            claim_wait: read::wait(wire.claim_wait_ms).at("claim_wait_ms")?,
            drain: read::wait(wire.drain_ms).at("drain_ms")?,
            apply: read::wait(wire.apply_ms).at("apply_ms")?,
            script: read::wait(wire.script_ms).at("script_ms")?,
            reboot: read::wait(wire.reboot_ms).at("reboot_ms")?,
            verify: read::wait(wire.verify_ms).at("verify_ms")?,
            late: read::wait(wire.late_ms).at("late_ms")?,
            settle: read::wait(wire.settle_ms).at("settle_ms")?,
        })
    }
}
