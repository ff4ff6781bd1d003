//! Why something does not move: what the fleet's state says, and what staging waits for.

use super::call;
use crate::{artefact::ArtefactStore, driver::DriverHandle, view};
use cofferdam_proto::{
    operator::{Explanation, Fact},
    status::{CallError, CallErrorKind},
};

/// Explains a rollout, a cell or a host by its name.
pub(super) async fn explain(
    driver: &DriverHandle,
    artefacts: &ArtefactStore,
    subject: String,
) -> Result<Explanation, CallError> {
    let name = subject.clone();
    let look = move |situation: view::Situation<'_>| {
        let explanation = view::explain(situation, &name)?;
        let hosts = view::hosts_of(situation, explanation.kind, &name);
        Some((explanation, hosts))
    };
    let explained = driver.ask(look).await.map_err(call::stopping)?;
    let (mut explanation, hosts) = explained.ok_or_else(|| {
        let message = format!("there is no rollout, cell or host `{subject}`");
        CallError::new(CallErrorKind::NotFound, message)
    })?;
    for value in artefacts.waits(|host| hosts.contains(host)) {
        let key = "staging".to_owned();
        explanation.facts.push(Fact { key, value });
    }
    Ok(explanation)
}
