//! Proves that the host is well, by its own checks, the probes of its application, and the signals of
//! the machine that are worse than before the run.

use super::Steps;
use crate::checks::{
    stability::{Judgement, Stability},
    verdict::{self, Verdict},
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    order::Order,
    policy::FAILED_VERDICTS,
};
use tokio::time::{Instant, sleep};

impl Steps {
    /// Waits until the host is well for long enough, and lets the hooks have the last word.
    pub(super) async fn verify_health(&self, order: &Order) -> Result<(), Failure> {
        let step = (Instant::now(), order.deadlines.verify);
        self.require_new_kernel(order)?;
        self.wait_for_agreement(order, step.0).await?;
        self.run_post_verify_hooks(order, step).await?;
        self.prove_kernel(order).await?;
        Ok(self.state.prove()?)
    }

    /// Reads all checks and signals over and over until they agree for long enough, or fail too often.
    async fn wait_for_agreement(&self, order: &Order, begin: Instant) -> Result<(), Failure> {
        let baseline = self.baseline(order)?;
        let mut stability = Stability::new(order.stable_for, order.first_answer);
        loop {
            let now = begin.elapsed();
            let (mut readings, signals) =
                tokio::join!(self.read_checks(), self.read_signals(baseline.as_ref()));
            readings.extend(signals);
            let together = verdict::of_all(&readings);
            let troubles = verdict::troubles(&readings);
            match stability.observe(now, together) {
                Judgement::Stable => return Ok(()),
                Judgement::Failing => {
                    let detail = format!("{FAILED_VERDICTS} times in a row: {troubles}");
                    return Err(Failure::new(FailureKind::Unhealthy, detail));
                }
                Judgement::Open => {}
            }
            // Just before the caller gives up, since only here the reason is known.
            if begin.elapsed() + 2 * stability.interval() >= order.deadlines.verify {
                return Err(too_late(together, &troubles));
            }
            sleep(stability.interval()).await;
        }
    }
}

fn too_late(together: Verdict, troubles: &str) -> Failure {
    let (kind, what) = match together {
        Verdict::Pass => (FailureKind::TimedOut, "not stable for long enough"),
        Verdict::Fail => (FailureKind::Unhealthy, "failing"),
        Verdict::NoData => (FailureKind::NoData, "without an answer"),
    };
    let detail = format!("at the end of verify the host is {what}: {troubles}");
    Failure::new(kind, detail.trim_end_matches(": "))
}
