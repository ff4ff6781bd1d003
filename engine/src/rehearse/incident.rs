//! Incidents: real stories of fleets as files, each with what a rehearsal of it must show.

mod expected;
mod read;

pub use expected::Expected;
pub use read::{IncidentErrors, Refusal};

use super::{Rehearsal, made_up, report::Report, scenario::Scenario};
use crate::{
    calendar::Calendar, document, inventory::Host, modelled_fleet::ModelledFleet, plan::PlanErrors,
    services::Services, spec::Spec,
};
/// The incidents that are built in, by their numbers.
const FILES: [(u32, &str); 11] = [
    (1, include_str!("../../scenarios/01-timeout-cascade.toml")),
    (2, include_str!("../../scenarios/02-one-instance-type.toml")),
    (3, include_str!("../../scenarios/03-zone-cut-off.toml")),
    (4, include_str!("../../scenarios/04-coordinator-crash.toml")),
    (7, include_str!("../../scenarios/07-terminated-hosts.toml")),
    (
        10,
        include_str!("../../scenarios/10-running-not-healthy.toml"),
    ),
    (15, include_str!("../../scenarios/15-large-rollback.toml")),
    (16, include_str!("../../scenarios/16-installed-again.toml")),
    (17, include_str!("../../scenarios/17-ghost-holder.toml")),
    (19, include_str!("../../scenarios/19-many-failures.toml")),
    (20, include_str!("../../scenarios/20-stuck-hosts.toml")),
];

/// An incident.
#[derive(Debug, Clone)]
pub struct Incident {
    /// Its number among the incidents.
    pub number: u32,
    /// What it is called.
    pub title: String,
    /// What happened, in a few sentences.
    pub story: String,
    /// What is played. Its bits can be made up.
    pub spec: Spec,
    /// Where.
    pub fleet: ModelledFleet,
    /// What goes wrong, and what operators do.
    pub scenario: Scenario,
    /// What must come of it.
    pub expected: Expected,
}

/// What came of an incident.
#[derive(Debug, Clone)]
pub struct Played {
    /// What the rehearsal came to.
    pub report: Report,
    /// What should have come of it and did not. Empty: it is no incident any more.
    pub unmet: Vec<String>,
}

impl Incident {
    /// The numbers of those that are built in, rising.
    pub fn numbers() -> impl Iterator<Item = u32> {
        FILES.iter().map(|(number, _)| *number)
    }

    /// One that is built in. Nothing: no such one is.
    ///
    /// # Errors
    /// Every mistake of its file.
    pub fn built_in(number: u32) -> Option<Result<Self, IncidentErrors>> {
        let (_, text) = FILES.iter().find(|(known, _)| *known == number)?;
        Some(Self::parse(&format!("incident {number}"), text))
    }

    /// Reads one; `file` is what its mistakes call it.
    ///
    /// # Errors
    /// Every mistake of the file.
    pub fn parse(file: &str, text: &str) -> Result<Self, IncidentErrors> {
        document::read(file, text, read::incident)
    }

    /// The same on another number of hosts, each kind of them as large a part as before. The faults keep
    /// the numbers of hosts that they say, and what must come of it stays the same.
    #[must_use]
    pub fn on(&self, hosts: usize) -> Self {
        Self {
            fleet: self.fleet.scaled(hosts),
            ..self.clone()
        }
    }

    /// Plays it, and holds what came of it against what must.
    ///
    /// # Errors
    /// Every reason why there is no plan.
    pub fn play(&self, seed: u64) -> Result<Played, PlanErrors> {
        let hosts: Vec<Host> = self.fleet.hosts().collect();
        let lock = made_up::lock_file(&self.spec, &hosts)
            .expect("a file whose bits cannot be made up is refused");
        let rehearsal = Rehearsal {
            spec: &self.spec,
            lock: &lock,
            hosts: &hosts,
            beginning: &self.fleet.beginning(),
            package_sets: &self.fleet.package_sets(),
            services: &Services::default(),
            calendar: &Calendar::default(),
            scenario: &self.scenario,
            seed,
        };
        let report = rehearsal.play()?;
        let mut unmet = self.expected.unmet(&report, &hosts);
        if let Some(delay) = self.expected.delay {
            let without = rehearsal.took_ms_in(&Scenario {
                faults: Vec::new(),
                ..self.scenario.clone()
            })?;
            let late = report.took_ms.saturating_sub(without);
            if u128::from(late) > delay.as_millis() {
                unmet.push(format!("it took {late} ms longer than without its faults"));
            }
        }
        Ok(Played { report, unmet })
    }
}
