//! What the agent says first in a session, looked up beside the loop.

use crate::actions::{Actions, Service};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    inventory::{Facts, PackageSet},
};
use std::{future::Future, rc::Rc, time::Duration};
use tokio::time;

/// How long the host's facts may take (guess: a package database on a slow disk).
const FACTS_WITHIN: Duration = Duration::from_secs(20);

/// What the agent says first in a session.
pub(crate) type Greeting = (Facts, PackageSet, Service);

/// Looks it up.
pub(crate) async fn greeting<A: Actions>(actions: Rc<A>) -> Result<Greeting, Failure> {
    let found = within(async {
        let (facts, packages) = actions.facts().await?;
        Ok((facts, packages, actions.in_service().await))
    });
    found.await
}

/// Looks up the host's facts alone.
pub(crate) async fn facts<A: Actions>(actions: Rc<A>) -> Result<(Facts, PackageSet), Failure> {
    within(actions.facts()).await
}

async fn within<T>(found: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    time::timeout(FACTS_WITHIN, found)
        .await
        .unwrap_or_else(|_| {
            Err(Failure::new(
                FailureKind::TimedOut,
                format!(
                    "the host's facts took longer than {} s",
                    FACTS_WITHIN.as_secs()
                ),
            ))
        })
}
