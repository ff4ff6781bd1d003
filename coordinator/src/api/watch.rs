//! How an operator follows a rollout.

use super::call;
use crate::{driver::DriverHandle, tasks::Stop, view};
use cofferdam_engine::id::RolloutId;
use cofferdam_proto::{
    operator::{RolloutEvidence, RolloutView},
    status::CallError,
    v1,
};
use std::time::Duration;
use tokio::{sync::mpsc, time::sleep};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// The least time between two views: five a second, as many as people can follow.
const SPACING: Duration = Duration::from_millis(200);

/// Views that wait for a slow operator at most; then the watch waits too.
const QUEUE: usize = 2;

type Views = mpsc::Sender<Result<v1::RolloutView, Status>>;

/// Where views go, and come from.
pub(super) fn channel() -> (Views, ReceiverStream<Result<v1::RolloutView, Status>>) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    (sender, ReceiverStream::new(receiver))
}

/// How a rollout stands now.
pub(super) async fn look(
    driver: &DriverHandle,
    rollout: &RolloutId,
) -> Result<RolloutView, CallError> {
    let name = rollout.clone();
    let look = move |situation: view::Situation<'_>| view::rollout(situation, &name);
    let view = driver.ask(look).await.map_err(call::stopping)?;
    view.ok_or_else(|| call::no_rollout(rollout))
}

/// What a rollout proved so far.
pub(super) async fn evidence(
    driver: &DriverHandle,
    rollout: &RolloutId,
) -> Result<RolloutEvidence, CallError> {
    let name = rollout.clone();
    let look = move |situation: view::Situation<'_>| view::evidence(situation, &name);
    let evidence = driver.ask(look).await.map_err(call::stopping)?;
    evidence.ok_or_else(|| call::no_rollout(rollout))
}

/// Sends the first view, then each that differs from the one before, until the rollout is over,
/// the operator goes away, or the process stops.
pub(super) async fn follow(
    driver: DriverHandle,
    rollout: RolloutId,
    first: RolloutView,
    views: Views,
    mut stop: Stop,
) {
    let mut changes = driver.changes();
    let mut shown = first.clone();
    let mut next = Some(Ok(first));
    loop {
        if let Some(view) = next.take() {
            let is_last = view.as_ref().map_or(true, |view| view.state.is_over());
            let wire = view.map(Into::into).map_err(CallError::into);
            if views.send(wire).await.is_err() || is_last {
                return;
            }
        }
        tokio::select! {
            biased;
            () = stop.asked() => return,
            () = views.closed() => return,
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
        sleep(SPACING).await;
        changes.mark_unchanged();
        next = match look(&driver, &rollout).await {
            Ok(view) if view == shown => None,
            Ok(view) => {
                shown = view.clone();
                Some(Ok(view))
            }
            Err(error) => Some(Err(error)),
        };
    }
}
