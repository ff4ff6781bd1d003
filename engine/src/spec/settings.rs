//! The keys at the top of a rollout file: one table of names, values and defaults.

use super::{Fan, Refusal, coverage, traffic};
use crate::{
    coverage::Coverage,
    document::{Table, quote},
    duration,
    id::OperatorId,
    policy::{
        BrakeRule, CellOrder, Deadlines, HOSTS_LEFT_OUT, Health, LateJoin, OnHostFailure, Pace,
        Profile, Retry, RollbackPace, Severity, UNKNOWN_AFTER, UNKNOWN_SHARE, WARRANT, ZONE_BAKE,
    },
    share::Share,
    traffic::TrafficWish,
};
use std::{collections::BTreeSet, num::NonZeroU32, time::Duration};

const ORDERS: [(&str, CellOrder); 3] = [
    ("fan-out", CellOrder::FanOut),
    ("regions", CellOrder::Regions),
    ("none", CellOrder::None),
];
const HOST_FAILURES: [(&str, OnHostFailure); 1] = [("rollback", OnHostFailure::Rollback)];

const LATE_JOINS: [(&str, LateJoin); 2] =
    [("include", LateJoin::Include), ("skip", LateJoin::Skip)];

/// What governs a rollout beside its patch, selection, waves and limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) severity: Severity,
    /// Which waves and bakes the rollout has where its file says none.
    pub(super) profile: Profile,
    pub(super) pace: Pace,
    pub(super) fan: Fan,
    pub(super) deadlines: Deadlines,
    pub(super) health: Health,
    pub(super) traffic: TrafficWish,
    pub(super) retry: Retry,
    pub(super) rollback: RollbackPace,
    pub(super) brake: BrakeRule,
    pub(super) hosts_left_out: Share,
    /// How long a warrant allows starts without being renewed.
    pub(super) warrant: Duration,
    pub(super) unknown_after: Duration,
    pub(super) unknown_share: Share,
    pub(super) on_host_failure: OnHostFailure,
    pub(super) coverage: Coverage,
    pub(super) late_join: LateJoin,
    pub(super) standing: bool,
    /// Whether it takes casualties too.
    pub(super) repair: bool,
    /// The bake of every wave but the last.
    pub(super) bake: Duration,
    pub(super) zone_bake: Duration,
    /// Who may approve what needs it.
    pub(super) approvers: BTreeSet<OperatorId>,
}

impl Default for Settings {
    fn default() -> Self {
        let severity = Severity::default();
        let profile = severity.profile();
        Self {
            severity,
            profile,
            pace: Pace::default(),
            fan: Fan::default(),
            deadlines: Deadlines::default(),
            health: Health::default(),
            traffic: TrafficWish::default(),
            retry: Retry::default(),
            rollback: RollbackPace::default(),
            brake: BrakeRule::default(),
            hosts_left_out: HOSTS_LEFT_OUT,
            warrant: WARRANT,
            unknown_after: UNKNOWN_AFTER,
            unknown_share: UNKNOWN_SHARE,
            on_host_failure: OnHostFailure::default(),
            coverage: Coverage::default(),
            late_join: LateJoin::default(),
            standing: false,
            repair: false,
            bake: profile.bake(),
            zone_bake: ZONE_BAKE,
            approvers: BTreeSet::new(),
        }
    }
}

impl Settings {
    /// Reads them from the top of a file; what is absent or wrong there has its default.
    pub(super) fn read(top: &mut Table<'_, Refusal>) -> Self {
        let default = Self::default();
        let severity = top.choice("severity", &Severity::WORDS);
        let severity = severity.unwrap_or(default.severity);
        let profile = top.choice("profile", &Profile::WORDS);
        let profile = profile.unwrap_or(severity.profile());
        let deadlines = deadlines(top, default.deadlines);
        let settings = Self {
            severity,
            profile,
            pace: pace(top, default.pace),
            fan: Fan::read(top).unwrap_or(default.fan),
            health: health(top, default.health),
            traffic: traffic::read(top, &deadlines),
            deadlines,
            retry: Retry {
                more: top.count("retry", 0).unwrap_or(default.retry.more),
                backoff: top
                    .duration("retry_backoff")
                    .unwrap_or(default.retry.backoff),
            },
            rollback: rollback(top, default.rollback),
            brake: brake(top, default.brake),
            hosts_left_out: top
                .share("hosts_left_out")
                .unwrap_or(default.hosts_left_out),
            warrant: some_time(top, "warrant").unwrap_or(default.warrant),
            unknown_after: some_time(top, "unknown_after").unwrap_or(default.unknown_after),
            unknown_share: top.share("unknown_share").unwrap_or(default.unknown_share),
            on_host_failure: top
                .choice("on_host_failure", &HOST_FAILURES)
                .unwrap_or(default.on_host_failure),
            coverage: coverage::read(top, default.coverage),
            late_join: top
                .choice("late_join", &LATE_JOINS)
                .unwrap_or(default.late_join),
            standing: top.flag("standing").unwrap_or(default.standing),
            repair: top.flag("repair").unwrap_or(default.repair),
            bake: top.duration("bake").unwrap_or(profile.bake()),
            zone_bake: top.duration("zone_bake").unwrap_or(default.zone_bake),
            approvers: top
                .names("approvers", |text| OperatorId::new(text))
                .unwrap_or(default.approvers),
        };
        settings.check_stable(top);
        settings.check_standing(top);
        if settings.pace.order != CellOrder::FanOut && settings.fan != Fan::default() {
            top.refuse("fan", Refusal::FanUnused);
        }
        settings
    }

    /// A host can stay healthy for `stable_for` before verify ends.
    fn check_stable(&self, top: &Table<'_, Refusal>) {
        let verify = self.deadlines.verify;
        let Health {
            stable_for,
            stable_for_canary,
            ..
        } = self.health;
        for (key, stable) in [
            ("stable_for", stable_for),
            ("stable_for_canary", stable_for_canary),
        ] {
            let is_said_already = key != "stable_for" && stable == stable_for;
            if stable < verify || is_said_already {
                continue;
            }
            let written = if top.has(key) { key } else { "verify_deadline" };
            let why = Refusal::NeverStable {
                stable_for: key,
                stable: duration::format(stable),
                verify: duration::format(verify),
            };
            top.refuse(written, why);
        }
    }

    /// A rollout that stands takes the hosts that it stands for.
    fn check_standing(&self, top: &Table<'_, Refusal>) {
        let against = match (self.late_join, self.repair) {
            (LateJoin::Skip, _) => "late_join = \"skip\"",
            (LateJoin::Include, true) => "repair = true",
            (LateJoin::Include, false) => return,
        };
        if self.standing {
            top.refuse("standing", Refusal::StandsForNobody { against });
        }
    }

    /// Every key with its value, as a file says it, in the order of the table.
    pub(super) fn entries(&self) -> Vec<(&'static str, String)> {
        let Self {
            pace,
            deadlines,
            health,
            retry,
            ..
        } = self;
        let span = |duration| quote(&duration::format(duration));
        vec![
            ("severity", quote(&self.severity.to_string())),
            ("profile", quote(&self.profile.to_string())),
            ("at_once_per_cell", pace.at_once_per_cell.to_string()),
            ("cells_at_once", pace.cells_at_once.to_string()),
            ("cells_gap", span(pace.cells_gap)),
            ("start_spacing", span(pace.start_spacing)),
            ("slow_down", pace.slow_down.to_string()),
            ("grace", span(pace.grace)),
            ("stage_within", span(pace.stage_within)),
            (
                "stage_rate_kib",
                pace.stage_rate_kib.map_or(0, NonZeroU32::get).to_string(),
            ),
            ("order", quote(word(&ORDERS, pace.order))),
            ("fan", self.fan.to_string()),
            ("start_by", span(deadlines.start_by)),
            ("claim_wait", span(deadlines.claim_wait)),
            ("drain_deadline", span(deadlines.drain)),
            ("apply_deadline", span(deadlines.apply)),
            ("script_deadline", span(deadlines.script)),
            ("reboot_deadline", span(deadlines.reboot)),
            ("verify_deadline", span(deadlines.verify)),
            ("late_deadline", span(deadlines.late)),
            ("settle", span(deadlines.settle)),
            ("stable_for", span(health.stable_for)),
            ("stable_for_canary", span(health.stable_for_canary)),
            ("first_answer", span(health.first_answer)),
            ("traffic", traffic::entry(&self.traffic)),
            ("retry", retry.more.to_string()),
            ("retry_backoff", span(retry.backoff)),
            ("rollback", self.rollback_entry()),
            ("brake", self.brake_entry()),
            ("hosts_left_out", quote(&self.hosts_left_out.to_string())),
            ("warrant", span(self.warrant)),
            ("unknown_after", span(self.unknown_after)),
            ("unknown_share", quote(&self.unknown_share.to_string())),
            (
                "on_host_failure",
                quote(word(&HOST_FAILURES, self.on_host_failure)),
            ),
            ("coverage", coverage::labels(&self.coverage)),
            ("coverage_pairs", coverage::pairs(&self.coverage)),
            ("late_join", quote(word(&LATE_JOINS, self.late_join))),
            ("standing", self.standing.to_string()),
            ("repair", self.repair.to_string()),
            ("bake", span(self.bake)),
            ("zone_bake", span(self.zone_bake)),
            ("approvers", self.approvers_entry()),
        ]
    }

    fn rollback_entry(&self) -> String {
        let RollbackPace {
            at_once_per_cell,
            start_spacing,
        } = &self.rollback;
        let at_once = at_once_per_cell.map(|most| format!("at_once_per_cell = {most}, "));
        format!(
            "{{ {}start_spacing = {} }}",
            at_once.unwrap_or_default(),
            quote(&duration::format(*start_spacing))
        )
    }

    fn approvers_entry(&self) -> String {
        let names = self.approvers.iter().map(|name| quote(name.as_str()));
        format!("[{}]", names.collect::<Vec<_>>().join(", "))
    }

    fn brake_entry(&self) -> String {
        let BrakeRule {
            cell_share,
            cell_least,
            fleet_share,
            fleet_least,
            velocity_share,
            velocity_over,
            velocity_least,
        } = &self.brake;
        let velocity_over = duration::format(*velocity_over);
        format!(
            "{{ cell_share = \"{cell_share}\", cell_least = {cell_least}, fleet_share = \"{fleet_share}\", fleet_least = {fleet_least}, velocity_share = \"{velocity_share}\", velocity_over = \"{velocity_over}\", velocity_least = {velocity_least} }}"
        )
    }
}

fn pace(top: &mut Table<'_, Refusal>, default: Pace) -> Pace {
    Pace {
        at_once_per_cell: top
            .count("at_once_per_cell", 1)
            .unwrap_or(default.at_once_per_cell),
        cells_at_once: top
            .count("cells_at_once", 1)
            .unwrap_or(default.cells_at_once),
        cells_gap: top.duration("cells_gap").unwrap_or(default.cells_gap),
        start_spacing: top
            .duration("start_spacing")
            .unwrap_or(default.start_spacing),
        slow_down: top.flag("slow_down").unwrap_or(default.slow_down),
        grace: top.duration("grace").unwrap_or(default.grace),
        stage_within: top.duration("stage_within").unwrap_or(default.stage_within),
        stage_rate_kib: top.count("stage_rate_kib", 0).and_then(NonZeroU32::new),
        order: top.choice("order", &ORDERS).unwrap_or(default.order),
    }
}

fn deadlines(top: &mut Table<'_, Refusal>, default: Deadlines) -> Deadlines {
    Deadlines {
        start_by: some_time(top, "start_by").unwrap_or(default.start_by),
        claim_wait: some_time(top, "claim_wait").unwrap_or(default.claim_wait),
        drain: some_time(top, "drain_deadline").unwrap_or(default.drain),
        apply: some_time(top, "apply_deadline").unwrap_or(default.apply),
        script: some_time(top, "script_deadline").unwrap_or(default.script),
        reboot: some_time(top, "reboot_deadline").unwrap_or(default.reboot),
        verify: some_time(top, "verify_deadline").unwrap_or(default.verify),
        late: some_time(top, "late_deadline").unwrap_or(default.late),
        settle: top.duration("settle").unwrap_or(default.settle),
    }
}

/// Who sets `stable_for` alone means the canary too.
fn health(top: &mut Table<'_, Refusal>, default: Health) -> Health {
    let stable_for = top.duration("stable_for");
    Health {
        stable_for: stable_for.unwrap_or(default.stable_for),
        stable_for_canary: top
            .duration("stable_for_canary")
            .or(stable_for)
            .unwrap_or(default.stable_for_canary),
        first_answer: top.duration("first_answer").unwrap_or(default.first_answer),
    }
}

fn rollback(top: &mut Table<'_, Refusal>, default: RollbackPace) -> RollbackPace {
    let Some(mut table) = top.table("rollback", "[rollback]") else {
        return default;
    };
    let pace = RollbackPace {
        at_once_per_cell: table.count("at_once_per_cell", 1),
        start_spacing: table
            .duration("start_spacing")
            .unwrap_or(default.start_spacing),
    };
    table.finish(&[], &[]);
    pace
}

fn brake(top: &mut Table<'_, Refusal>, default: BrakeRule) -> BrakeRule {
    let Some(mut table) = top.table("brake", "brake") else {
        return default;
    };
    let rule = BrakeRule {
        cell_share: table.share("cell_share").unwrap_or(default.cell_share),
        cell_least: table.count("cell_least", 1).unwrap_or(default.cell_least),
        fleet_share: table.share("fleet_share").unwrap_or(default.fleet_share),
        fleet_least: table.count("fleet_least", 1).unwrap_or(default.fleet_least),
        velocity_share: table
            .share("velocity_share")
            .unwrap_or(default.velocity_share),
        velocity_over: some_time(&mut table, "velocity_over").unwrap_or(default.velocity_over),
        velocity_least: table
            .count("velocity_least", 1)
            .unwrap_or(default.velocity_least),
    };
    table.finish(&[], &[]);
    rule
}

/// A duration that must not be nothing: a deadline of 0s would be missed by everybody.
fn some_time(table: &mut Table<'_, Refusal>, key: &'static str) -> Option<Duration> {
    let duration = table.duration(key)?;
    if duration.is_zero() {
        table.refuse(key, Refusal::Zero);
        return None;
    }
    Some(duration)
}

fn word<T: PartialEq>(words: &[(&'static str, T)], meaning: T) -> &'static str {
    words
        .iter()
        .find(|(_, known)| *known == meaning)
        .map(|(word, _)| *word)
        .expect("every meaning has its word")
}
