//! Incidents: real stories of fleets as files, each with what a rehearsal of it must show.

mod read;

pub use read::{IncidentErrors, Refusal};

use super::{Rehearsal, made_up, report::Report, scenario::Scenario};
use crate::{
    calendar::Calendar, document, inventory::Host, modelled_fleet::ModelledFleet, patch::LockFile,
    plan::PlanErrors, services::Services, spec::Spec,
};
use std::time::Duration;

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

/// What must come of an incident. What is absent is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expected {
    /// Where the rollout stands at the end, as `status` names it.
    pub phase: String,
    /// At most so many hosts are harmed.
    pub harmed: usize,
    /// At most so many of them are out at the end.
    pub out_at_the_end: usize,
    /// At most so many things are left for a person, pauses among them.
    pub hands: usize,
    /// The waves in which the rollout pauses, in that order.
    pub pauses_in: Vec<String>,
    /// What a pause must name.
    pub pause_names: Option<String>,
    /// Whether each fault is noticed.
    pub all_noticed: bool,
    /// What an operator must be refused, in part.
    pub refused: Option<String>,
    /// How much longer than without its faults it may take.
    pub delay: Option<Duration>,
    /// Rules that must have held something.
    pub held_by: Vec<String>,
    /// At least so many hosts have the patch at the end.
    pub patched: Option<usize>,
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
    /// the numbers of hosts that they say.
    #[must_use]
    pub fn on(&self, hosts: usize) -> Self {
        let fleet = self.fleet.scaled(hosts);
        let (before, now) = (self.fleet.len(), fleet.len());
        let mut expected = self.expected.clone();
        let spared = expected
            .patched
            .map(|patched| before.saturating_sub(patched));
        expected.patched = spared.map(|spared| now.saturating_sub(spared));
        Self {
            fleet,
            expected,
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
        let report = self.rehearsal(&self.scenario, &hosts, &lock, seed)?;
        let mut unmet = self.expected.unmet(&report);
        if let Some(delay) = self.expected.delay {
            let well = Scenario {
                faults: Vec::new(),
                ..self.scenario.clone()
            };
            let without = self.rehearsal(&well, &hosts, &lock, seed)?.took_ms;
            let late = report.took_ms.saturating_sub(without);
            if u128::from(late) > delay.as_millis() {
                unmet.push(format!("it took {late} ms longer than without its faults"));
            }
        }
        Ok(Played { report, unmet })
    }

    fn rehearsal(
        &self,
        scenario: &Scenario,
        hosts: &[Host],
        lock: &LockFile,
        seed: u64,
    ) -> Result<Report, PlanErrors> {
        let rehearsal = Rehearsal {
            spec: &self.spec,
            lock,
            hosts,
            package_sets: &self.fleet.package_sets(),
            services: &Services::default(),
            calendar: &Calendar::default(),
            scenario,
            seed,
        };
        rehearsal.play()
    }
}

impl Expected {
    /// What is asked for and was not.
    fn unmet(&self, report: &Report) -> Vec<String> {
        let mut unmet = report.broken.clone();
        let mut at_most = |what: &str, is: usize, most: usize| {
            if is > most {
                unmet.push(format!("{is} {what}, and not at most {most}"));
            }
        };
        at_most("hosts are harmed", report.harmed.len(), self.harmed);
        at_most(
            "hosts are out at the end",
            report.out_at_the_end.len(),
            self.out_at_the_end,
        );
        at_most("things are left for a person", report.hands(), self.hands);
        if report.phase != self.phase {
            unmet.push(format!("it is {}, and not {}", report.phase, self.phase));
        }
        if let Some(least) = self.patched.filter(|least| report.patched < *least) {
            unmet.push(format!(
                "{} hosts are patched, and not {least}",
                report.patched
            ));
        }
        let waves: Vec<&String> = report.pauses.iter().map(|pause| &pause.wave).collect();
        if waves != self.pauses_in.iter().collect::<Vec<_>>() {
            unmet.push(format!(
                "it paused in {waves:?}, and not in {:?}",
                self.pauses_in
            ));
        }
        unmet.extend(self.unsaid(report));
        unmet
    }

    /// What is not said and must be.
    fn unsaid(&self, report: &Report) -> Vec<String> {
        let mut unsaid = Vec::new();
        if let Some(name) = &self.pause_names
            && !report.pauses.iter().any(|pause| pause.why.contains(name))
        {
            unsaid.push(format!("no pause names {name}"));
        }
        if let Some(part) = &self.refused
            && !report.refused.iter().any(|refusal| refusal.contains(part))
        {
            unsaid.push(format!("nobody was refused because of {part}"));
        }
        for rule in &self.held_by {
            if !report.holds.iter().any(|held| held.rule == *rule) {
                unsaid.push(format!("nothing was held by {rule}"));
            }
        }
        for fault in report.faults.iter().filter(|_| self.all_noticed) {
            if fault.noticed_ms.is_none() {
                unsaid.push(format!("{} was not noticed", fault.name));
            }
        }
        unsaid
    }
}
