//! What the planner says, each with its rule and its key in the file.

use super::{Findings, Severity};
use crate::{
    id::WaveName,
    plan::{Cure, Plan, PlanError, PlanErrors, Warning},
    spec::Spec,
};

pub(super) fn errors(errors: &PlanErrors, found: &mut Findings<'_>) {
    for error in &errors.0 {
        let (rule, key) = of_error(error);
        found.note(Severity::Error, rule, &key, error);
    }
}

pub(super) fn warnings(spec: &Spec, plan: &Plan, found: &mut Findings<'_>) {
    for warning in &plan.warnings {
        let (rule, key) = of_warning(spec, warning);
        found.warn(rule, &key, warning);
    }
}

fn of_error(error: &PlanError) -> (&'static str, String) {
    let (rule, key) = match error {
        PlanError::OtherRollout { .. } => ("lock", "name"),
        PlanError::OtherPatch | PlanError::OtherFiles => ("lock", "patch.kind"),
        PlanError::OtherVersion { package, .. } => {
            return ("lock", format!("patch.packages.{package}"));
        }
        PlanError::NotLocked { .. } => ("lock", "select.match"),
        PlanError::NothingToRepair { .. } => ("repair", "repair"),
        PlanError::NothingToDo { .. } => ("patch", "patch"),
        PlanError::NothingSelected { .. } => ("selection", "select.match"),
        PlanError::NoCell { .. } => ("group", "select.match"),
        PlanError::NotCovered { .. } => ("coverage", "wave[0]"),
        PlanError::WaiverExpired { place, .. } => {
            return ("waiver", format!("waiver[{place}].expires"));
        }
        PlanError::NoRegion { wave, .. } | PlanError::NotInFan { wave, .. } => match wave {
            Some(place) => return ("fan", format!("wave[{place}].fan")),
            None => ("fan", "fan"),
        },
        PlanError::Denied { .. } | PlanError::AllDenied { .. } => ("denial", "patch"),
        PlanError::Stuck {
            cure: Cure::Lone, ..
        } => ("approval", "select.match"),
        PlanError::Stuck {
            cure: Cure::AllMustStay,
            ..
        } => ("floor", "limits"),
    };
    (rule, key.to_owned())
}

fn of_warning(spec: &Spec, warning: &Warning) -> (&'static str, String) {
    let (rule, key) = match warning {
        Warning::NoGate { .. } => ("gate", "wave".to_owned()),
        Warning::Moved { .. } => ("group", "select.match".to_owned()),
        Warning::Repair => ("repair", "repair".to_owned()),
        Warning::CanaryGrew { wave, .. } => ("coverage", key_of(spec, wave)),
        Warning::OnlyPatcher { wave, .. } => ("coverage", key_of(spec, wave)),
        Warning::DeltasNotCovered | Warning::DeltasNotKnown { .. } => {
            ("coverage", "coverage".to_owned())
        }
        Warning::LimitsMeet { .. } => ("limit", "limits".to_owned()),
        Warning::NotAffected { .. } => ("patch", "patch".to_owned()),
        Warning::EmptyWave { wave } => ("wave", key_of(spec, wave)),
        Warning::Undeclared { .. } => ("services", "select.match".to_owned()),
        Warning::Frozen { .. } | Warning::PassesFreeze { .. } => {
            ("calendar", "select.match".to_owned())
        }
        Warning::WindowsNotCounted { .. } | Warning::NoWindow { .. } => {
            ("window", "window[0]".to_owned())
        }
        Warning::NotAll { .. } => ("wave", "wave".to_owned()),
        Warning::Denied { .. } => ("denial", "patch".to_owned()),
        Warning::WaiverOfNobody { place, .. } | Warning::WaiverNotNeeded { place, .. } => {
            ("waiver", format!("waiver[{place}].stratum"))
        }
    };
    (rule, key)
}

fn key_of(spec: &Spec, name: &WaveName) -> String {
    let place = spec.waves().iter().position(|wave| wave.name == *name);
    format!("wave[{}]", place.unwrap_or(0))
}
