//! From a variant of a rollout file to the plan that amends the rollout.

use super::{Inventory, Planner, refuse};
use crate::{api::call, view::Situation};
use cofferdam_engine::{
    document::Places,
    id::RolloutId,
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
    /// The variant's rollout file.
    pub(in crate::api) spec: Spec,
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
        let amended = amended.ok_or_else(|| call::no_rollout(&asked.rollout))?;
        if !amended.is_live() {
            return Err(over(&amended));
        }
        let staying = Staying::of(&spec, inventory.hosts.values(), &amended);
        if let Some(message) = staying.nobody(&asked.rollout) {
            return Err(CallError::new(CallErrorKind::Invalid, message));
        }
        let places = Places::of(file_name, spec_text);
        let input = inventory.input();
        let plan = Plan::amend(&spec, &lock, &input, &amended)
            .map_err(|errors| refuse(&lint::of_errors(&spec, &errors, &input, &places)))?;
        Ok(Amendment {
            changes: plan::changes(&spec, &lock, &input, &plan),
            plan,
            spec,
            lock,
            notes,
            passed: staying.passed,
            away: staying.away,
            before: amended.plan().clone(),
        })
    }
}

/// A rollout that is over gives nothing away.
fn over(amended: &Rollout) -> CallError {
    let (name, phase) = (&amended.plan().rollout, amended.phase().name());
    let message = format!(
        "rollout {name} is {phase}, and gives no hosts away any more: give the variant a name of its own, and start it"
    );
    CallError::new(CallErrorKind::NotNow, message)
}

/// How many of the hosts that match can be given away, and why the others cannot.
#[derive(Debug, Default)]
struct Staying {
    given: u64,
    /// They have passed.
    passed: u64,
    /// They were lost in their runs, or skipped.
    away: u64,
    /// They are in a run, left out, or back at what they had.
    others: u64,
    /// The rollout has nothing to do with them.
    strangers: u64,
}

impl Staying {
    fn of<'a>(spec: &Spec, hosts: impl Iterator<Item = &'a Host>, amended: &Rollout) -> Self {
        let mut staying = Self::default();
        for host in hosts.filter(|host| spec.selection().matches(host)) {
            let count = match amended.outcomes().get(&host.id) {
                _ if amended.may_be_amended(&host.id) => &mut staying.given,
                Some(Outcome::Passed) => &mut staying.passed,
                Some(Outcome::Failed { .. } | Outcome::Skipped { .. }) => &mut staying.away,
                Some(
                    Outcome::Waiting
                    | Outcome::Running
                    | Outcome::LeftOut { .. }
                    | Outcome::RolledBack
                    | Outcome::Gone,
                ) => &mut staying.others,
                None => &mut staying.strangers,
            };
            *count += 1;
        }
        staying
    }

    /// Why nobody can be given away, though hosts match. Nothing when somebody can, or none does.
    fn nobody(&self, rollout: &RolloutId) -> Option<String> {
        let Self {
            given,
            passed,
            away,
            others,
            strangers,
        } = self;
        let matched = passed + away + others + strangers;
        (*given == 0 && matched > 0).then(|| {
            format!(
                "{rollout} has no host left that this could be for; of those that match, {passed} have passed, {away} were lost or skipped, {others} are in a run, left out or taken back, and {strangers} are not of {rollout}"
            )
        })
    }
}
