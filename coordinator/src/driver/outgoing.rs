//! What a cell's decision says to which agents.

use cofferdam_engine::{
    cell::{Cell, CellCommand, Work},
    id::{HostId, RolloutId},
    order::{Direction, Order},
    statement::Signed,
};
use cofferdam_proto::session::{Papers, StageRequest, ToAgent};

/// What others than the coordinator signed, as a cell has it.
pub(super) struct Archive<'a>(pub(super) Option<&'a Cell>);

impl Archive<'_> {
    fn work(&self, rollout: &RolloutId) -> Option<&Work> {
        self.0?.work().get(rollout)
    }

    fn signed(&self, rollout: &RolloutId) -> Option<Signed> {
        self.work(rollout)?.assignment.signed.clone()
    }

    fn papers(&self, order: &Order) -> Papers {
        let rollout = &order.grant.rollout;
        let granted = |work: &Work| work.proof(&order.host).map(Box::new);
        let is_forward = order.direction == Direction::Patch;
        Papers {
            signed: self.signed(rollout),
            warrant: self.work(rollout).filter(|_| is_forward).and_then(granted),
        }
    }
}

/// The messages of a decision. Empty: it concerns the coordinator alone.
pub(super) fn messages(command: CellCommand, archive: &Archive<'_>) -> Vec<(HostId, ToAgent)> {
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
            let signed = archive.signed(&rollout);
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
            let papers = archive.papers(&order);
            vec![(order.host.clone(), ToAgent::Order(order, papers))]
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
