//! Everything that is wrong with a rollout, or may be, in one list: each finding with its place in
//! the file and with what to do.
//!
//! An error is what keeps the rollout from being planned. A warning does not: it is what a careful
//! reader of the file would ask about. What a file alone shows needs no fleet; the rest needs one.

mod brake;
mod deadline;
mod planned;
mod selection;
mod slip;
#[cfg(test)]
mod tests;
mod wave;
mod window;

use crate::{
    digest::Digest,
    document::Places,
    inventory::Platform,
    patch::{LockFile, Locked, LockedFile, LockedPackage, LockedPlatform, LockedSource, Patch},
    plan::{Plan, PlanErrors, PlanInput},
    reach::Reach,
    spec::{Spec, SpecErrors},
};
use serde::Serialize;
use std::{collections::BTreeSet, fmt};

/// One thing that is wrong with a rollout, or may be. Displays as `FILE:LINE:COLUMN: message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rollout file.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// How bad it is.
    pub severity: Severity,
    /// The name of the rule that found it, as in `brake`.
    pub rule: String,
    /// What is wrong, and what to do.
    pub message: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The rollout cannot be planned.
    Error,
    /// It can, but it may not do what is meant.
    Warning,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            message,
            ..
        } = self;
        write!(f, "{file}:{line}:{column}: {message}")
    }
}

/// The findings so far.
#[derive(Debug)]
struct Findings<'p> {
    places: &'p Places,
    all: Vec<Finding>,
}

impl<'p> Findings<'p> {
    fn new(places: &'p Places) -> Self {
        let all = Vec::new();
        Self { places, all }
    }

    /// Notes something about a key, by its way from the top of the file.
    fn note(&mut self, severity: Severity, rule: &str, key: &str, message: impl fmt::Display) {
        let (line, column) = self.places.find(key);
        self.all.push(Finding {
            file: self.places.file().to_owned(),
            line,
            column,
            severity,
            rule: rule.to_owned(),
            message: message.to_string(),
        });
    }

    fn warn(&mut self, rule: &str, key: &str, message: impl fmt::Display) {
        self.note(Severity::Warning, rule, key, message);
    }

    /// All of them, in order of their places; errors first where one place has both.
    fn sorted(mut self) -> Vec<Finding> {
        self.all
            .sort_by_key(|found| (found.line, found.column, found.severity));
        self.all
    }
}

/// The mistakes of a file that cannot be read as a rollout.
pub fn mistakes(errors: &SpecErrors) -> Vec<Finding> {
    let found = errors.mistakes.iter().map(|mistake| Finding {
        file: errors.file.clone(),
        line: mistake.line,
        column: mistake.column,
        severity: Severity::Error,
        rule: "file".to_owned(),
        message: mistake.problem.to_string(),
    });
    found.collect()
}

/// What a file alone shows.
pub fn alone(spec: &Spec, places: &Places) -> Vec<Finding> {
    let mut found = Findings::new(places);
    of_file(spec, &mut found);
    wave::never_all(spec, &mut found);
    found.sorted()
}

fn of_file(spec: &Spec, found: &mut Findings<'_>) {
    brake::alone(spec, found);
    deadline::alone(spec, found);
    window::alone(spec, found);
    slip::alone(spec, found);
}

/// What a file and a fleet show. Without a lock file the locked bits are taken to be what the file
/// wishes, for the platform of every host; of upgrades, which only hosts can resolve, a plan is made then as if
/// there were no bits, and a warning says what that cannot show.
pub fn with_fleet(
    spec: &Spec,
    lock: Option<&LockFile>,
    input: &PlanInput<'_>,
    places: &Places,
) -> Vec<Finding> {
    let planned = match (lock, assumed(spec, input)) {
        (Some(lock), _) => Plan::make(spec, lock, input),
        (None, Some(assumed)) => Plan::make(spec, &assumed, input),
        (None, None) => return unresolved(spec, input, places),
    };
    match planned {
        Ok(plan) => of_plan(spec, &plan, input, places),
        Err(errors) => of_errors(spec, &errors, input, places),
    }
}

/// What is said of an upgrade before hosts have resolved it.
fn unresolved(spec: &Spec, input: &PlanInput<'_>, places: &Places) -> Vec<Finding> {
    let without = spec.without_patch();
    let lock = LockFile {
        rollout: spec.name().to_string(),
        content: Locked::Noop,
    };
    let mut found = Findings::new(places);
    match Plan::make(&without, &lock, input) {
        Ok(plan) => found.all = of_plan(spec, &plan, input, places),
        Err(errors) => found.all = of_errors(spec, &errors, input, places),
    }
    found.warn(
        "unresolved",
        "patch",
        "which packages this is, and which hosts need them, is not resolved yet: hosts with nothing to upgrade, package deltas and denied bits are looked at by `cofferdam plan`",
    );
    found.sorted()
}

/// What is said of a rollout that was planned.
pub fn of_plan(spec: &Spec, plan: &Plan, input: &PlanInput<'_>, places: &Places) -> Vec<Finding> {
    let mut found = Findings::new(places);
    planned::warnings(spec, plan, &mut found);
    brake::of_plan(plan, &mut found);
    of_file(spec, &mut found);
    selection::of_fleet(spec, input, &mut found);
    found.sorted()
}

/// What is said of a rollout that cannot be planned.
pub fn of_errors(
    spec: &Spec,
    errors: &PlanErrors,
    input: &PlanInput<'_>,
    places: &Places,
) -> Vec<Finding> {
    let mut found = Findings::new(places);
    planned::errors(errors, &mut found);
    of_file(spec, &mut found);
    selection::of_fleet(spec, input, &mut found);
    found.sorted()
}

/// A lock file that holds what a rollout wishes, by name alone. Nothing when the file names no bits.
fn assumed(spec: &Spec, input: &PlanInput<'_>) -> Option<LockFile> {
    let bits = Digest::of("");
    let content = match spec.patch() {
        Patch::Packages { packages } => {
            let packages: Vec<_> = packages
                .iter()
                .map(|(name, wish)| LockedPackage {
                    name: name.clone(),
                    version: wish.to_string(),
                    sha256: bits,
                    size: 0,
                })
                .collect();
            let platforms: BTreeSet<&Platform> = input
                .hosts
                .values()
                .map(|host| &host.facts.platform)
                .collect();
            let locked = platforms.into_iter().map(|platform| LockedPlatform {
                platform: platform.clone(),
                packages: packages.clone(),
                reach: Reach::Every,
                fixes: None,
            });
            Locked::Packages {
                platforms: locked.collect(),
            }
        }
        Patch::Config(config) => Locked::Config(config.files.map(|file| {
            let bits = LockedFile {
                sha256: bits,
                size: 0,
            };
            LockedSource::named(file, bits, None)
        })),
        Patch::Noop => Locked::Noop,
        Patch::Security | Patch::Advisory(_) => return None,
    };
    Some(LockFile {
        rollout: spec.name().to_string(),
        content,
    })
}
