//! What a cell's decision says to which agents.

use cofferdam_engine::{
    cell::CellCommand,
    id::{HostId, RolloutId},
    statement::Signed,
};
use cofferdam_proto::session::{StageRequest, ToAgent};

/// The messages of a decision; `signed` is what an operator signed of a rollout. Empty: it concerns the
/// coordinator alone.
pub(super) fn messages(
    command: CellCommand,
    signed: impl Fn(&RolloutId) -> Option<Signed>,
) -> Vec<(HostId, ToAgent)> {
    match command {
        CellCommand::Stage {
            rollout,
            host,
            lock_digest,
            content,
            conffiles,
            one_way,
            rate_kib,
            kernel_fallback,
        } => {
            let signed = signed(&rollout);
            let request = StageRequest {
                rollout,
                lock_digest,
                content,
                conffiles,
                one_way,
                rate_kib,
                kernel_fallback,
            };
            vec![(host, ToAgent::Stage(Box::new(request), signed))]
        }
        CellCommand::Order(order) | CellCommand::Resend(order) => {
            let signed = signed(&order.grant.rollout);
            vec![(order.host.clone(), ToAgent::Order(order, signed))]
        }
        CellCommand::AnswerClaim {
            host,
            key,
            point,
            answer,
            ..
        } => vec![(host, ToAgent::ClaimAnswer { key, point, answer })],
        CellCommand::Withdraw {
            host, key, reason, ..
        } => vec![(host, ToAgent::Withdraw { key, reason })],
        CellCommand::Release { rollout, hosts } => hosts
            .into_iter()
            .map(|host| {
                let rollout = rollout.clone();
                (host, ToAgent::Release { rollout })
            })
            .collect(),
        CellCommand::GiveUp { .. }
        | CellCommand::Brake { .. }
        | CellCommand::EndReservation { .. }
        | CellCommand::Summarise(_) => Vec::new(),
    }
}
