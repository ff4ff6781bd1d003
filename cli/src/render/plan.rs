//! What a rollout would do.

mod approvals;
mod waves;

pub(crate) use approvals::approvals;

use crate::render::{
    View, change, lint,
    rollout::warnings,
    table::{brief, counted, indented, short, table},
};
use cofferdam_engine::{id::OperatorId, lint::Finding, plan::ImpactKind};
use cofferdam_proto::operator::{GroupView, PlanView};
use serde::Serialize;
use std::{path::PathBuf, time::Duration};

/// A plan, and the lock file that was written for it.
#[derive(Debug, Serialize)]
pub struct Planned {
    /// Where the lock file is.
    pub lock_file: PathBuf,
    /// Whether the lock file is new.
    pub lock: Lock,
    /// The plan.
    #[serde(flatten)]
    pub plan: PlanView,
    /// What may be wrong with the rollout. Holds the plan's warnings, each with its place.
    pub findings: Vec<Finding>,
}

/// What became of the lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lock {
    /// It was resolved now, and written.
    Written,
    /// It was there, and stays as it is.
    Kept,
}

/// The most strata that are shown; JSON has all.
const SHOWN_STRATA: usize = 20;

impl View for Planned {
    fn text(&self) -> String {
        let plan = &self.plan;
        let hosts: u64 = plan.waves.iter().map(|wave| wave.hosts).sum();
        let mut text = format!(
            "{}: {hosts} hosts in {}, about {} if nothing goes wrong\n",
            plan.rollout,
            counted(plan.waves.len(), "wave"),
            short(Duration::from_millis(plan.estimate_ms)),
        );
        let lock = match self.lock {
            Lock::Written => "written",
            Lock::Kept => "kept as it is; --relock resolves anew",
        };
        let (file, digest) = (self.lock_file.display(), brief(plan.lock_digest));
        text += &format!("lock file {file} ({digest}, {lock})\n");
        let PlanView {
            severity, profile, ..
        } = plan;
        text += &format!("profile {profile} (severity {severity})\n\n");
        text += &waves::table_of(&plan.waves);
        text += &waves::order_of(&plan.waves);
        text += &change::text(&plan.changes);
        text += &self.strata();
        text += &self.groups();
        text += &self.impacts();
        text += &approvals(plan);
        text += &self.waived();
        let found = lint::lines(&self.findings);
        if !found.is_empty() {
            text += &format!("\n{found}");
        }
        text + &warnings(&self.notes())
    }
}

impl Planned {
    fn strata(&self) -> String {
        let strata = &self.plan.coverage.strata;
        let rows = strata.iter().take(SHOWN_STRATA).map(|stratum| {
            let counts = [stratum.hosts, stratum.in_canary].map(|count| count.to_string());
            let [hosts, in_canary] = counts;
            [stratum.stratum.clone(), hosts, in_canary]
        });
        let shown = table(["stratum", "hosts", "in canary"], rows.collect());
        let more = strata.len().saturating_sub(SHOWN_STRATA);
        match (shown.is_empty(), more) {
            (true, _) => String::new(),
            (false, 0) => format!("\nWhat the canary proves\n{}", indented(&shown)),
            (false, more) => {
                format!(
                    "\nWhat the canary proves\n{}  and {more} more\n",
                    indented(&shown)
                )
            }
        }
    }

    /// Warnings that have no place in the file: no finding says the same.
    fn notes(&self) -> Vec<String> {
        let is_found = |warning: &&String| self.findings.iter().any(|f| f.message == **warning);
        let warnings = self.plan.warnings.iter();
        warnings.filter(|w| !is_found(w)).cloned().collect()
    }

    fn waived(&self) -> String {
        let rows = self.plan.coverage.waived.iter().map(|waived| {
            let hosts = waived.hosts.to_string();
            [
                waived.stratum.clone(),
                hosts,
                waived.expires.clone(),
                waived.reason.clone(),
            ]
        });
        let shown = table(["stratum", "hosts", "until", "why"], rows.collect());
        if shown.is_empty() {
            return shown;
        }
        format!("\nWhat is waived in the canary\n{}", indented(&shown))
    }

    fn impacts(&self) -> String {
        let rows = self.plan.impacts.iter().map(|impact| {
            let owners: Vec<&str> = impact.owners.iter().map(OperatorId::as_str).collect();
            [
                impact.service.to_string(),
                impact.tier.to_string(),
                owners.join(", "),
                kind(impact.kind).to_owned(),
                impact.hosts.to_string(),
            ]
        });
        let headings = ["service", "tier", "owners", "why", "hosts taken"];
        let shown = table(headings, rows.collect());
        if shown.is_empty() {
            return shown;
        }
        format!("\nWho may feel it\n{}", indented(&shown))
    }

    fn groups(&self) -> String {
        let rows = self.plan.coverage.groups.iter().map(|group| {
            let counts = [group.members, group.may_be_out].map(|count| count.to_string());
            let [members, may_be_out] = counts;
            [group.group.clone(), members, may_be_out, more_load(group)]
        });
        let headings = ["capacity group", "hosts", "may be out", "load on the rest"];
        let shown = table(headings, rows.collect());
        if shown.is_empty() {
            return shown;
        }
        format!("\nWhat the floors allow\n{}", indented(&shown))
    }
}

/// As in `+5.3 %`.
fn more_load(group: &GroupView) -> String {
    match group.more_load_permille {
        Some(permille) => format!("+{}.{} %", permille / 10, permille % 10),
        None => "nobody is left".to_owned(),
    }
}

fn kind(kind: ImpactKind) -> &'static str {
    match kind {
        ImpactKind::Patched => "patched",
        ImpactKind::Direct => "depends on it",
        ImpactKind::Indirect => "depends on a dependant",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::{
        digest::Digest,
        id::{CellId, HostId, RolloutId, ServiceName},
        lint::Severity,
    };
    use cofferdam_proto::operator::{
        Coverage, ImpactView, NeededApproval, PlannedRegion, PlannedSlice, PlannedStep,
        PlannedWave, StratumView, WaivedView,
    };

    fn cell(name: &str) -> CellId {
        CellId::new(name).unwrap()
    }

    fn host(name: &str) -> HostId {
        HostId::new(name).unwrap()
    }

    fn steps() -> Vec<PlannedStep> {
        let one = vec![vec![cell("r1-a-1"), cell("r1-a-2")], vec![cell("r1-b-1")]];
        let other = vec![vec![cell("r2-a-1")]];
        vec![
            PlannedStep::Hosts(vec![host("trial-1"), host("trial-2")]),
            PlannedStep::Regions([one, other].map(|zones| PlannedRegion { zones }).into()),
            PlannedStep::Hosts(vec![host("patcher-1")]),
        ]
    }

    fn wave(name: &str, hosts: u64, bake_ms: u64) -> PlannedWave {
        PlannedWave {
            name: name.to_owned(),
            bake_ms,
            hosts,
            slices: vec![PlannedSlice {
                cell: cell("r1-a-1"),
                hosts,
            }],
            steps: steps(),
            cells_at_once: 10,
            gap_ms: 0,
            zone_bake_ms: 60_000,
        }
    }

    fn coverage() -> Coverage {
        let stratum = StratumView {
            stratum: "instance_type=x2.metal".to_owned(),
            hosts: 2,
            in_canary: 1,
        };
        let group = GroupView {
            group: "service=web zone=a".to_owned(),
            members: 8,
            may_be_out: 2,
            more_load_permille: Some(334),
        };
        let waived = WaivedView {
            stratum: "zone=r1/b".to_owned(),
            hosts: 3,
            reason: "moved by hand".to_owned(),
            expires: "2026-12-31".to_owned(),
        };
        Coverage {
            strata: vec![stratum],
            groups: vec![group],
            waived: vec![waived],
        }
    }

    fn planned() -> Planned {
        let impact = |service: &str, kind: ImpactKind, hosts: u64| ImpactView {
            service: ServiceName::new(service).unwrap(),
            kind,
            tier: 1,
            owners: vec![OperatorId::new("ana").unwrap()],
            hosts,
        };
        let finding = Finding {
            file: "openssl.toml".to_owned(),
            line: 7,
            column: 1,
            severity: Severity::Warning,
            rule: "gate".to_owned(),
            message: "no gate watches the patched hosts".to_owned(),
        };
        Planned {
            findings: vec![finding],
            lock_file: PathBuf::from("openssl-2026-11.lock"),
            lock: Lock::Written,
            plan: PlanView {
                rollout: RolloutId::new("openssl-2026-11").unwrap(),
                digest: Digest::of("rollout"),
                lock_digest: Digest::of("lock"),
                severity: "critical".to_owned(),
                profile: "emergency".to_owned(),
                waves: vec![wave("canary", 4, 900_000), wave("full", 20, 0)],
                warnings: vec!["no gate watches the patched hosts".to_owned()],
                estimate_ms: 1_234_567,
                coverage: coverage(),
                changes: Vec::new(),
                impacts: vec![
                    impact("web", ImpactKind::Patched, 8),
                    impact("shop", ImpactKind::Direct, 0),
                ],
                approvals: vec![NeededApproval {
                    host: HostId::new("web-b-1").unwrap(),
                    group: "service=web zone=b in r1-b-1".to_owned(),
                    by: vec![OperatorId::new("ana").unwrap()],
                }],
            },
        }
    }

    #[test]
    fn a_plan_shows_waves_coverage_allowances_and_warnings() {
        insta::assert_snapshot!(planned().text(), @r"
    openssl-2026-11: 24 hosts in 2 waves, about 20m34s if nothing goes wrong
    lock file openssl-2026-11.lock (0c030586945f, written)
    profile emergency (severity critical)

    Waves
      WAVE    HOSTS  BAKE  ZONE BAKE  CELLS AT ONCE  GAP  CELLS (HOSTS)
      canary  4      15m   1m         10             0s   r1-a-1 (4)
      full    20     0s    1m         10             0s   r1-a-1 (20)

    In which order
      WAVE    STEP  WHAT
      canary  1     trial-1, trial-2
              2     r1-a-1 + r1-a-2, then r1-b-1 | r2-a-1
              3     patcher-1
      full    1     trial-1, trial-2
              2     r1-a-1 + r1-a-2, then r1-b-1 | r2-a-1
              3     patcher-1

    What the canary proves
      STRATUM                 HOSTS  IN CANARY
      instance_type=x2.metal  2      1

    What the floors allow
      CAPACITY GROUP      HOSTS  MAY BE OUT  LOAD ON THE REST
      service=web zone=a  8      2           +33.4 %

    Who may feel it
      SERVICE  TIER  OWNERS  WHY            HOSTS TAKEN
      web      1     ana     patched        8
      shop     1     ana     depends on it  0

    What needs `cofferdam approve openssl-2026-11` before it is taken
      HOST     THE ONLY ONE OF               ONE OF THESE APPROVES
      web-b-1  service=web zone=b in r1-b-1  ana

    What is waived in the canary
      STRATUM    HOSTS  UNTIL       WHY
      zone=r1/b  3      2026-12-31  moved by hand

    openssl.toml:7:1: warning: no gate watches the patched hosts [gate]
    ");
    }

    #[test]
    fn a_wave_without_hosts_is_shown_to_pass_at_once() {
        let mut planned = planned();
        planned.plan.waves = vec![wave("regional", 0, 900_000)];
        let text = planned.text();
        let line = text.lines().find(|line| line.contains("regional  0"));
        let words: Vec<&str> = line.unwrap().split_whitespace().collect();
        assert_eq!(words[..3], ["regional", "0", "-"], "{text}");
        assert!(words.ends_with(&["passes", "at", "once"]), "{text}");
    }

    #[test]
    fn the_json_of_a_plan_has_the_lock_file_beside_the_plans_own_fields() {
        let json = serde_json::to_value(planned()).unwrap();
        assert_eq!(json["lock_file"], "openssl-2026-11.lock");
        assert_eq!(json["lock"], "written");
        assert_eq!(json["waves"][0]["hosts"], 4);
        assert_eq!(json["coverage"]["groups"][0]["may_be_out"], 2);
    }
}
