use super::*;
use crate::{
    digest::Digest,
    failure::FailureKind,
    id::{
        CellId, Generation, HostId, HostSequence, OrderKey, OwnerEpoch, ReservationToken,
        RolloutId, WaveIndex,
    },
    order::{ClaimPoint, Direction, Grant},
    patch::{ConffilePolicies, Content, KernelFallback, RebootPolicy, RestartPolicy},
    policy::Deadlines,
    traffic::TrafficWish,
};
use proptest::prelude::*;
use std::time::Duration;

const START: Timestamp = Timestamp(1_000_000);

/// Every state (row) and event (column); `-` is an illegal pair, `.` leaves the state as it is, `~`
/// too but begins its deadline anew.
const TABLE: &str = "
              granted   refused      done               done+reboot        failed      withdrawn    deadline    rebooted  resumed
claiming      draining  cancelled    -                  -                  -           cancelled    cancelled   -         .
draining      -         -            drained            drained            to-undone   to-undone    to-undone   -         .
drained       applying  to-undone    -                  -                  -           to-undone    to-undone   -         .
applying      -         -            verifying          rebooting          rollback    .            rollback    -         ~
rebooting     -         -            .                  .                  rollback    .            rollback    verifying ~
verifying     -         -            to-patched         to-patched         rollback    .            rollback    -         ~
rollback      -         -            verifying-rollback verifying-rollback quarantined .            quarantined -         ~
verifying-rollback - -  to-rolled-back to-rolled-back quarantined . quarantined - ~
to-patched    -         -            patched            patched            rollback    .            quarantined -         ~
to-rolled-back - -      rolled-back  rolled-back        quarantined        .           quarantined  -           ~
to-undone     -         -            undone             undone             quarantined .            quarantined -         ~
patched       -         -            -                  -                  -           -            -           -         -
rolled-back   -         -            -                  -                  -           -            -           -         -
undone        -         -            -                  -                  -           -            -           -         -
cancelled     -         -            -                  -                  -           -            -           -         -
quarantined   -         -            -                  -                  -           -            -           -         -
";

#[test]
fn every_event_does_to_every_state_what_the_table_says() {
    let rows: Vec<Vec<&str>> = TABLE
        .lines()
        .map(|line| line.split_whitespace().collect())
        .filter(|row: &Vec<&str>| !row.is_empty())
        .collect();
    let (events, rows) = rows.split_first().unwrap();
    assert_eq!(rows.len(), 16);
    for row in rows {
        let (state, cells) = row.split_first().unwrap();
        assert_eq!(cells.len(), events.len(), "row {state}");
        for (name, cell) in events.iter().zip(cells) {
            let mut run = run_in(state_named(state));
            let before = run.clone();
            let result = run.apply(event_named(name), START.after(Duration::from_secs(1)));
            let became = match result {
                Err(_) => "-",
                Ok(()) if run.state != before.state => name_of(run.state),
                Ok(()) if run.entered_at != before.entered_at => "~",
                Ok(()) => ".",
            };
            assert_eq!(became, *cell, "{name} while {state}");
            if became == "-" {
                assert_eq!(
                    run, before,
                    "a refused event must change nothing: {name} while {state}"
                );
            }
        }
    }
}

#[test]
fn an_order_back_rolls_back_where_an_order_forward_applies() {
    let mut run = run_in(RunState::Drained);
    run.order.direction = Direction::Rollback;

    run.apply(RunEvent::ClaimGranted, START).unwrap();

    assert_eq!(run.state(), RunState::RollingBack);
    assert_eq!(run.failure(), None);
}

#[test]
fn the_reboot_policy_decides_what_follows_apply() {
    let cases = [
        (RebootPolicy::Never, true, RunState::Verifying),
        (RebootPolicy::IfRequired, false, RunState::Verifying),
        (RebootPolicy::IfRequired, true, RunState::Rebooting),
        (RebootPolicy::Always, false, RunState::Rebooting),
    ];
    for (policy, needs_reboot, expected) in cases {
        let mut run = run_in(RunState::Applying);
        run.order.reboot = policy;
        run.apply(RunEvent::done(needs_reboot), START).unwrap();
        assert_eq!(run.state(), expected, "{policy:?} {needs_reboot}");
    }
}

#[test]
fn a_stop_that_comes_after_apply_began_is_kept_and_the_run_goes_on() {
    let mut run = run_in(RunState::Applying);
    let reason = "the cord".to_owned();

    run.apply(RunEvent::Withdrawn { reason }, START).unwrap();
    run.apply(done(), START).unwrap();

    assert_eq!(run.state(), RunState::Verifying);
    assert_eq!(run.stop(), Some("the cord"));
}

#[test]
fn the_first_failure_stays_the_cause_and_the_second_is_added() {
    let mut run = run_in(RunState::Verifying);
    let failed = |kind, detail: &str| RunEvent::Failed(Failure::new(kind, detail));

    run.apply(failed(FailureKind::Unhealthy, "port 80"), START)
        .unwrap();
    run.apply(failed(FailureKind::NoWayBack, "no bits"), START)
        .unwrap();

    assert_eq!(run.state(), RunState::Ended(Ending::Quarantined));
    let failure = run.failure().unwrap();
    assert_eq!(failure.kind, FailureKind::Unhealthy);
    assert_eq!(failure.detail, "port 80; then no-way-back: no bits");
}

#[test]
fn a_decision_carries_the_command_until_the_deadline_and_none_from_there_on() {
    let run = run_in(RunState::Applying);
    let deadline = START.after(Deadlines::default().apply);

    let before = run.decide(Timestamp(deadline.0 - 1));
    let after = run.decide(deadline);

    assert_eq!(before.command, Some(RunCommand::Apply));
    assert_eq!((after.command, after.wake), (None, Some(deadline)));
}

#[test]
fn an_order_not_begun_by_its_start_by_is_void() {
    let mut run = run_in(RunState::Claiming);
    run.order.deadlines.start_by = Duration::from_secs(5);

    let decision = run.decide(START);

    assert_eq!(decision.wake, Some(START.after(Duration::from_secs(5))));
}

#[test]
fn a_run_that_waits_for_an_answer_says_so() {
    for (state, point) in [
        (RunState::Claiming, ClaimPoint::BeforeDrain),
        (RunState::Drained, ClaimPoint::BeforeApply),
    ] {
        let run = run_in(state);
        assert_eq!(run.awaits(), Some(point));
        assert!(run.decide(START).hold.is_some());
    }
    assert_eq!(run_in(RunState::Draining).decide(START).hold, None);
}

#[test]
fn restarts_give_a_step_its_time_again_only_so_often() {
    let mut run = run_in(RunState::RollingBack);
    for restart in 1..=u64::from(MAX_RESUMED) + 3 {
        run.apply(RunEvent::Resumed, Timestamp(START.0 + restart))
            .unwrap();
    }
    assert_eq!(
        run.entered_at(),
        Timestamp(START.0 + u64::from(MAX_RESUMED))
    );
}

#[test]
fn a_stored_run_reads_back_as_it_was() {
    let mut run = run_in(RunState::Readmitting(Ending::Undone));
    run.failure = Some(Failure::new(FailureKind::TimedOut, "late"));
    let text = serde_json::to_string(&run).unwrap();
    assert_eq!(serde_json::from_str::<Run>(&text).unwrap(), run);
}

fn any_event() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "granted",
        "refused",
        "done",
        "done+reboot",
        "failed",
        "withdrawn",
        "deadline",
        "rebooted",
        "resumed",
    ])
}

proptest! {
    #[test]
    fn no_run_enters_a_state_twice_or_ends_drained_in_silence(
        names in prop::collection::vec(any_event(), 0..60),
        back in any::<bool>(),
    ) {
        let mut run = run_in(RunState::Claiming);
        if back {
            run.order.direction = Direction::Rollback;
        }
        let mut entered = vec![run.state()];
        // Whatever happens, deadlines alone end what is left.
        let names = names.into_iter().chain(["deadline"; 10]);
        for name in names {
            if run.apply(event_named(name), START).is_err() || entered.last() == Some(&run.state()) {
                continue;
            }
            prop_assert!(!entered.contains(&run.state()), "{entered:?} then {}", run.state());
            entered.push(run.state());
        }
        let RunState::Ended(ending) = run.state() else {
            return Err(TestCaseError::fail(format!("not over: {entered:?}")));
        };
        let before = entered.iter().rev().nth(1).copied();
        let drained = entered.contains(&RunState::Draining);
        let readmitted = before == Some(RunState::Readmitting(ending));
        prop_assert!(!drained || readmitted || ending == Ending::Quarantined, "{entered:?}");
        prop_assert!(drained || ending == Ending::Cancelled, "{entered:?}");
        let changed = entered.contains(&RunState::Applying) || entered.contains(&RunState::RollingBack);
        prop_assert!(changed || matches!(ending, Ending::Cancelled | Ending::Undone | Ending::Quarantined));
    }
}

fn done() -> RunEvent {
    RunEvent::done(false)
}

fn event_named(name: &str) -> RunEvent {
    let reason = "a reason".to_owned();
    match name {
        "granted" => RunEvent::ClaimGranted,
        "refused" => RunEvent::ClaimRefused { reason },
        "done" => done(),
        "done+reboot" => RunEvent::done(true),
        "failed" => RunEvent::Failed(Failure::new(FailureKind::Io, "a disk")),
        "withdrawn" => RunEvent::Withdrawn { reason },
        "deadline" => RunEvent::DeadlinePassed,
        "rebooted" => RunEvent::Rebooted,
        "resumed" => RunEvent::Resumed,
        other => panic!("no event {other}"),
    }
}

const STATES: [(&str, RunState); 16] = [
    ("claiming", RunState::Claiming),
    ("draining", RunState::Draining),
    ("drained", RunState::Drained),
    ("applying", RunState::Applying),
    ("rebooting", RunState::Rebooting),
    ("verifying", RunState::Verifying),
    ("rollback", RunState::RollingBack),
    ("verifying-rollback", RunState::VerifyingRollback),
    ("to-patched", RunState::Readmitting(Ending::Patched)),
    ("to-rolled-back", RunState::Readmitting(Ending::RolledBack)),
    ("to-undone", RunState::Readmitting(Ending::Undone)),
    ("patched", RunState::Ended(Ending::Patched)),
    ("rolled-back", RunState::Ended(Ending::RolledBack)),
    ("undone", RunState::Ended(Ending::Undone)),
    ("cancelled", RunState::Ended(Ending::Cancelled)),
    ("quarantined", RunState::Ended(Ending::Quarantined)),
];

fn state_named(name: &str) -> RunState {
    STATES.iter().find(|(n, _)| *n == name).unwrap().1
}

fn name_of(state: RunState) -> &'static str {
    STATES.iter().find(|(_, s)| *s == state).unwrap().0
}

fn run_in(state: RunState) -> Run {
    let mut run = Run::accept(order(), START);
    run.state = state;
    run
}

fn order() -> Order {
    Order {
        key: OrderKey {
            epoch: OwnerEpoch(1),
            sequence: HostSequence(1),
        },
        host: HostId::new("web-1").unwrap(),
        token: ReservationToken(1),
        grant: Grant {
            rollout: RolloutId::new("practice").unwrap(),
            rollout_digest: Digest::of("rollout"),
            lock_digest: Digest::of("lock"),
            wave: WaveIndex(0),
            cell: CellId::new("r1-a-0").unwrap(),
            generation: Generation(1),
        },
        direction: Direction::Patch,
        attempt: 1,
        asked_again: false,
        delta: None,
        content: Content::Noop,
        reboot: RebootPolicy::IfRequired,
        restart: RestartPolicy::IfRequired,
        conffiles: ConffilePolicies::new(),
        kernel_fallback: KernelFallback::None,
        one_way: false,
        deadlines: Deadlines::default().into(),
        stable_for: Duration::from_secs(10),
        first_answer: Duration::from_secs(60),
        traffic: TrafficWish::default(),
    }
}

#[test]
fn a_run_that_is_stopped_before_its_change_leaves_a_quarantined_host_as_it_was() {
    let cases = [
        ("claiming", "refused"),
        ("claiming", "withdrawn"),
        ("claiming", "deadline"),
        ("draining", "failed"),
        ("draining", "withdrawn"),
        ("drained", "refused"),
        ("drained", "deadline"),
    ];
    for (state, event) in cases {
        let mut run = Run::accept_by(Standing::Quarantined, order(), START);
        assert!(run.is_drained(), "the flag is down while it claims");
        run.state = state_named(state);
        run.apply(event_named(event), START).unwrap();
        assert_eq!(
            run.state(),
            RunState::Ended(Ending::Quarantined),
            "{state} {event}"
        );
        assert_eq!(run.leaves(), Standing::Quarantined);
        assert!(run.is_drained());
    }
    let mut run = Run::accept_by(Standing::Quarantined, order(), START);
    run.state = RunState::Readmitting(Ending::Patched);
    run.apply(event_named("done"), START).unwrap();
    assert!(!run.is_drained(), "what passed serves again");
    assert_eq!(run.leaves(), Standing::Free);
}
