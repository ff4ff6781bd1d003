//! How a rollout that the brake stopped is shown.

use super::*;
use cofferdam_engine::{
    failure::FailureKind,
    guard::{GuardEvent, Seen},
    id::{HostId, OperatorId, RolloutId},
};
use cofferdam_proto::operator::{ApprovalView, PromotionView, WaveState};

fn wave(name: &str, state: WaveState, failed: u64) -> WaveView {
    WaveView {
        name: name.to_owned(),
        state,
        hosts: 4,
        running: 0,
        passed: 0,
        failed,
        timed_out: 0,
        unreachable: 0,
        left_out: 0,
        skipped: 0,
        rolled_back: 0,
        bake_until_ms: None,
    }
}

fn hold(subject: &str, reason: &str, rule: &str) -> HoldView {
    HoldView {
        subject: subject.to_owned(),
        reason: reason.to_owned(),
        rule: rule.to_owned(),
        since_ms: Timestamp(9_000),
        hosts: 1,
        until_ms: None,
    }
}

pub(crate) fn stopped() -> RolloutView {
    let hosts = ["a-8", "c-8"]
        .map(|name| HostId::new(name).unwrap())
        .to_vec();
    RolloutView {
        name: RolloutId::new("demo-3").unwrap(),
        state: RolloutState::Paused,
        reason: "the brake stopped it: instance_type=x2.metal failed twice".to_owned(),
        waves: vec![
            wave("canary", WaveState::Running, 2),
            wave("full", WaveState::Pending, 0),
        ],
        failures: vec![FailureCluster {
            kind: FailureKind::Unhealthy,
            detail: "check abi: release 3 does not run on x2.metal".to_owned(),
            hosts,
        }],
        holds: vec![
            hold("rollout demo-3", "the brake stopped it", "braked"),
            hold(
                "rollout demo-3 host b-1",
                "the host is not connected",
                "unreachable",
            ),
        ],
        hosts: 24,
        slow_hosts: Vec::new(),
        warnings: vec!["no gate watches the patched hosts".to_owned()],
        started_at_ms: Some(Timestamp(1_000)),
        ended_at_ms: None,
        amends: None,
        amended_by: Vec::new(),
        approvals: Vec::new(),
        promotions: Vec::new(),
        alarms: Vec::new(),
        signed_by: None,
        effective: None,
        changed_hosts: 0,
    }
}

#[test]
fn a_stopped_rollout_says_what_failed_where_and_what_is_held() {
    insta::assert_snapshot!(Standing::new(&stopped(), Timestamp(14_000)).text(), @r"
    demo-3: paused, 24 hosts, started 13s ago
      the brake stopped it: instance_type=x2.metal failed twice

    WAVE    STATE    HOSTS  RUNNING  PASSED  FAILED  TIMED OUT  UNREACHABLE  LEFT OUT  SKIPPED  ROLLED BACK
    canary  running  4      0        0       2       0          0            0         0        0
    full    pending  4      0        0       0       0          0            0         0        0

    What failed
      unhealthy on 2: a-8, c-8
        check abi: release 3 does not run on x2.metal

    What does not move, and why
      WHAT                     HOSTS  FOR  WHY
      rollout demo-3 host b-1  1      5s   the host is not connected [unreachable]

    warning: no gate watches the patched hosts
    ");
}

#[test]
fn what_people_said_stands_under_the_headline() {
    let mut rollout = stopped();
    let by = OperatorId::new("ana").unwrap();
    rollout.approvals = vec![ApprovalView {
        by: by.clone(),
        reason: "the standby is warm".to_owned(),
        at_ms: Timestamp(2_000),
    }];
    rollout.promotions = vec![PromotionView {
        wave: "canary".to_owned(),
        by,
        reason: String::new(),
        at_ms: Timestamp(9_000),
    }];
    let text = Standing::new(&rollout, Timestamp(14_000)).text();
    let said: Vec<_> = text.lines().skip(2).take(2).collect();
    assert_eq!(
        said,
        [
            "  approved by ana 12s ago: the standby is warm",
            "  the bake of wave canary was ended early by ana 5s ago",
        ]
    );
}

#[test]
fn json_is_the_rollout_itself() {
    let rollout = stopped();
    let shown = serde_json::to_value(Standing::new(&rollout, Timestamp(0))).unwrap();
    assert_eq!(shown, serde_json::to_value(&rollout).unwrap());
    assert_eq!(shown["state"], "paused");
    assert_eq!(shown["started_at_ms"], 1_000);
}

#[test]
fn the_exit_follows_how_the_rollout_ended() {
    assert_eq!(exit_of(RolloutState::Done), Exit::Done);
    assert_eq!(exit_of(RolloutState::Running), Exit::Done);
    assert_eq!(exit_of(RolloutState::Aborted), Exit::Failed);
    assert_eq!(exit_of(RolloutState::RolledBack), Exit::Failed);
    assert_eq!(exit_of(RolloutState::Paused), Exit::Held);
}

#[test]
fn what_a_guard_saw_is_told_once_to_who_follows_and_listed_in_the_status() {
    let alarm = |number, files: &str| Alarm {
        host: HostId::new("a-1").unwrap(),
        event: GuardEvent {
            number,
            times: 1,
            at: Timestamp(10_000),
            seen: Seen::ControlLost {
                files: vec![files.to_owned()],
            },
        },
    };
    let mut alarms = NewAlarms::default();
    let mut rollout = stopped();
    rollout.alarms = vec![alarm(1, "/a")];
    let first = alarms.of(&rollout);
    assert_eq!(first, ["guard of a-1: control lost: /a"]);
    rollout.alarms.push(alarm(2, "/b"));
    let second = alarms.of(&rollout);
    assert_eq!(second, ["guard of a-1: control lost: /b"]);

    let text = Standing::new(&rollout, Timestamp(14_000)).text();
    let listed = "\nWhat guards of its hosts saw\n  a-1: control lost: /a, 4s ago\n";
    assert!(text.contains(listed), "{text}");
}

#[test]
fn hosts_that_are_not_what_was_planned_are_counted() {
    let mut rollout = stopped();
    let said = |rollout: &RolloutView| {
        let text = Standing::new(rollout, Timestamp(14_000)).text();
        let line = text.lines().find(|line| line.contains("since the plan"));
        line.map(str::to_owned)
    };
    assert_eq!(said(&rollout), None);
    rollout.changed_hosts = 2;
    assert_eq!(
        said(&rollout).as_deref(),
        Some(
            "packages changed since the plan was made on 2 of its hosts: each is tried as what it was found to be; \
             `cofferdam explain demo-3` names them"
        )
    );
}
