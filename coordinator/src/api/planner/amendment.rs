//! From a variant of a rollout file to the plan that amends the rollout.

use super::{Inventory, Planner, refuse};
use crate::{api::call, view::Situation};
use cofferdam_engine::{
    document::Places,
    inventory::Host,
    lint,
    patch::LockFile,
    plan::{self, Plan, PlatformChange},
    rollout::Rollout,
    spec::Spec,
    warrant::Outcome,
};
use cofferdam_proto::{
    operator::AmendRequest,
    status::{CallError, CallErrorKind},
};

/// A plan that amends a rollout, and what that rollout is.
#[derive(Debug)]
pub(in crate::api) struct Amendment {
    pub(in crate::api) plan: Plan,
    pub(in crate::api) lock: LockFile,
    /// What becomes of the hosts' packages.
    pub(in crate::api) changes: Vec<PlatformChange>,
    /// What was found while the lock file was resolved, one line each.
    pub(in crate::api) notes: Vec<String>,
    /// How many hosts match and have passed.
    pub(in crate::api) passed: u64,
    /// How many hosts match and were lost in their runs.
    pub(in crate::api) away: u64,
    /// The plan that is amended.
    pub(in crate::api) before: Plan,
}

impl Planner<'_> {
    /// Plans a variant of a rollout file for hosts of that rollout.
    ///
    /// # Errors
    /// [`CallError`] with every mistake of the file, of the lock file, or of the plan, or that there
    /// is no such rollout.
    pub(in crate::api) async fn amend(&self, asked: &AmendRequest) -> Result<Amendment, CallError> {
        let (file_name, spec_text) = (&asked.file_name, &asked.spec_text);
        let lock_text = asked.lock_text.as_deref();
        let (spec, lock, notes) = self.read(file_name, spec_text, lock_text, None).await?;
        let name = asked.rollout.clone();
        let look = move |situation: Situation<'_>| {
            let amended = situation.fleet.rollouts().get(&name).cloned();
            (Inventory::of(situation.fleet, situation.now), amended)
        };
        let (inventory, amended) = self.driver.ask(look).await.map_err(call::stopping)?;
        let amended = amended.ok_or_else(|| {
            let message = format!("there is no rollout {}", asked.rollout);
            CallError::new(CallErrorKind::NotFound, message)
        })?;
        let places = Places::of(file_name, spec_text);
        let input = inventory.input();
        let plan = Plan::amend(&spec, &lock, &input, &amended)
            .map_err(|errors| refuse(&lint::of_errors(&spec, &errors, &input, &places)))?;
        let (passed, away) = staying(&spec, inventory.hosts.values(), &amended);
        Ok(Amendment {
            changes: plan::changes(&spec, &lock, &input, &plan),
            plan,
            lock,
            notes,
            passed,
            away,
            before: amended.plan().clone(),
        })
    }
}

/// How many hosts match and stay with the rollout: those that passed, and those lost in their runs.
fn staying<'a>(
    spec: &Spec,
    hosts: impl Iterator<Item = &'a Host>,
    amended: &Rollout,
) -> (u64, u64) {
    let stay =
        hosts.filter(|host| spec.selection().matches(host) && !amended.may_be_amended(&host.id));
    let (mut passed, mut away) = (0, 0);
    for host in stay {
        match amended.outcomes().get(&host.id) {
            Some(Outcome::Passed) => passed += 1,
            Some(Outcome::Failed { .. } | Outcome::Skipped { .. }) => away += 1,
            Some(
                Outcome::Waiting
                | Outcome::Running
                | Outcome::LeftOut { .. }
                | Outcome::RolledBack
                | Outcome::Gone,
            )
            | None => {}
        }
    }
    (passed, away)
}
