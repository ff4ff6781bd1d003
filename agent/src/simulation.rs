//! What an installation would bring.

use crate::{
    actions::{Actions, SimulatedPackage},
    inquiry::Question,
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    wish::Wish,
};
use cofferdam_proto::session::FromAgent;
use std::time::Duration;
use tokio::time;

/// How long one answer may take (measured: an `apt-get -s dist-upgrade` takes 2 s; a slow disk ten
/// times that).
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

impl Question for Wish {
    type Found = Vec<SimulatedPackage>;

    async fn answer<A: Actions>(self, actions: &A) -> Result<Self::Found, Failure> {
        let simulated = time::timeout(ANSWER_WITHIN, actions.simulate(&self)).await;
        simulated.unwrap_or_else(|_| {
            let detail = format!(
                "the simulation took longer than {} s",
                ANSWER_WITHIN.as_secs()
            );
            Err(Failure::new(FailureKind::TimedOut, detail))
        })
    }

    fn message(request: u64, result: Result<Self::Found, Failure>) -> FromAgent {
        FromAgent::Simulated { request, result }
    }
}
