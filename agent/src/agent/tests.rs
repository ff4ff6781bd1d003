//! Whole agents against a coordinator in memory, in paused time.

mod coordinator;
mod premise;
mod trust;
mod warrants;

use super::*;
use crate::{
    actions::{Effect, Flag, ScriptedActions, StageRequest, Step, Turn},
    clock::TokioClock,
    journal::{Crash, MemoryJournal},
    sample,
};
use cofferdam_engine::{
    digest::Digest,
    failure::FailureKind,
    id::{Incarnation, OperatorId, ReservationToken},
    inventory::{Labels, PackageSet},
    order::{Direction, Order},
    patch::{ConffilePolicies, Content, KernelFallback, RebootPolicy},
    report::{Refusal, ReportBody},
    reservation::ReservationLeft,
    run::{Ending, RunState},
    time::Timestamp,
};
use cofferdam_proto::dial::{Place, Ways};
use cofferdam_proto::session::{Papers, ToAgent};
use coordinator::{Answers, FakeCoordinator};
use std::path::PathBuf;

/// One host over the lives of its agents.
struct Stage {
    actions: ScriptedActions,
    journal: MemoryJournal,
    clock: TokioClock,
    coordinator: FakeCoordinator,
    signers: Option<PathBuf>,
    /// What the agent proves itself with, where it wants orders that the control plane granted.
    own: Option<warrants::Own>,
}

impl Stage {
    fn new() -> Self {
        Self {
            actions: ScriptedActions::new(Duration::from_secs(1)),
            journal: MemoryJournal::new(Incarnation(7)),
            clock: TokioClock::starting_at(Timestamp(1_000_000)),
            coordinator: FakeCoordinator::default(),
            signers: None,
            own: None,
        }
    }

    /// One life of the agent: until it dies of its journal or its host reboots.
    async fn life(&self) {
        let boot_id = self.actions.boot_id();
        let profile = Profile {
            host: sample::host(),
            labels: Labels::new(),
            boot_id: boot_id.clone(),
            version: "0".to_owned(),
            coordinators: vec![Place::Address("r1:7300".to_owned())],
            ways: Ways::default(),
        };
        let agent = Agent::new(
            profile,
            self.actions.clone(),
            self.journal.open(),
            self.clock.clone(),
            self.coordinator.connector(),
        );
        let trust = Trust::in_signers(self.signers.clone());
        let agent = agent.trusting(trust.demanding(warrants::demand(self.own.clone())));
        let rebooted = until(|| self.actions.boot_id() != boot_id);
        tokio::select! {
            biased;
            ended = agent.run(std::future::pending()) => assert!(ended.is_err(), "only a crash ends it"),
            () = rebooted => {}
        }
    }

    /// Lives, one after the other, until something is true.
    async fn live_until(&self, done: impl Fn(&Self) -> bool) {
        let lives = async {
            loop {
                self.life().await;
            }
        };
        let over = async {
            until(|| done(self)).await;
        };
        let served = self.coordinator.serve();
        let deadline = time::sleep(Duration::from_secs(3 * 3600));
        tokio::select! {
            biased;
            () = over => {}
            () = lives => {}
            () = served => {}
            () = deadline => panic!("not in three hours; said: {:?}", self.coordinator.bodies()),
        }
    }

    async fn run(&self, order: Order) -> Ending {
        let key = order.key;
        self.coordinator.order(order);
        self.live_until(|stage| stage.coordinator.ending(key).is_some())
            .await;
        self.coordinator.ending(key).unwrap()
    }
}

async fn until(done: impl Fn() -> bool) {
    while !done() {
        time::sleep(Duration::from_millis(100)).await;
    }
}

fn installed_once() -> Vec<Effect> {
    vec![
        Effect::FlagDown,
        Effect::Installed(sample::rollout()),
        Effect::FlagUp,
    ]
}

fn gone_and_come_back() -> Vec<Effect> {
    vec![
        Effect::FlagDown,
        Effect::Installed(sample::rollout()),
        Effect::WentBack(sample::rollout()),
        Effect::FlagUp,
    ]
}

#[tokio::test(start_paused = true)]
async fn a_run_patches_its_host_and_says_each_state() {
    let stage = Stage::new();

    let ending = stage.run(sample::order(1)).await;

    assert_eq!(ending, Ending::Patched);
    assert_eq!(stage.actions.effects(), installed_once());
    let states = stage.coordinator.states(sample::order(1).key);
    assert_eq!(
        states,
        [
            RunState::Claiming,
            RunState::Draining,
            RunState::Drained,
            RunState::Applying,
            RunState::Verifying,
            RunState::Readmitting(Ending::Patched),
            RunState::Ended(Ending::Patched),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_patch_that_makes_its_host_ill_is_rolled_back() {
    let stage = Stage::new();
    stage.actions.falls_ill_of(sample::rollout());

    let ending = stage.run(sample::order(1)).await;

    assert_eq!(ending, Ending::RolledBack);
    assert_eq!(stage.actions.effects(), gone_and_come_back());
}

#[tokio::test(start_paused = true)]
async fn an_agent_killed_at_any_write_of_its_journal_ends_its_run_right() {
    type Setting = (&'static str, fn(&Stage), Ending, Vec<Effect>);
    let with_reboot = vec![
        Effect::FlagDown,
        Effect::Installed(sample::rollout()),
        Effect::Rebooted,
        Effect::FlagUp,
    ];
    let settings: [Setting; 3] = [
        ("good", |_| {}, Ending::Patched, installed_once()),
        (
            "bad",
            |stage| stage.actions.falls_ill_of(sample::rollout()),
            Ending::RolledBack,
            gone_and_come_back(),
        ),
        (
            "reboot",
            |stage| stage.actions.reboots_for(sample::rollout()),
            Ending::Patched,
            with_reboot,
        ),
    ];
    for (name, set, expected, effects) in settings {
        for write in 1.. {
            let mut crashed = false;
            for crash in [Crash::Before(write), Crash::After(write)] {
                let stage = Stage::new();
                set(&stage);
                stage.journal.crash_at(crash);
                let ending = stage.run(sample::order(1)).await;
                crashed |= !stage.journal.crash_is_ahead();
                assert_eq!(ending, expected, "{name}, {crash:?}");
                assert_eq!(stage.actions.effects(), effects, "{name}, {crash:?}");
                stage.coordinator.assert_reports_are_whole();
            }
            if !crashed {
                assert!(write > 8, "{name}: the run made only {write} writes");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_claim_before_apply_undoes_the_run() {
    let stage = Stage::new();
    stage.coordinator.answers(Answers::FirstOnly);

    let ending = stage.run(sample::order(1)).await;

    assert_eq!(ending, Ending::Undone);
    assert_eq!(stage.actions.effects(), [Effect::FlagDown, Effect::FlagUp]);
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_claim_before_drain_touches_nothing() {
    let stage = Stage::new();
    stage.coordinator.answers(Answers::None);

    let ending = stage.run(sample::order(1)).await;

    assert_eq!(ending, Ending::Cancelled);
    assert_eq!(stage.actions.effects(), []);
}

#[tokio::test(start_paused = true)]
async fn an_agent_cut_off_after_apply_began_ends_its_run_and_reports_later() {
    let stage = Stage::new();
    stage
        .coordinator
        .cut_when(RunState::Applying, Duration::from_secs(600));

    let ending = stage.run(sample::order(1)).await;

    assert_eq!(ending, Ending::Patched);
    assert_eq!(stage.actions.effects(), installed_once());
    stage.coordinator.assert_reports_are_whole();
}

#[tokio::test(start_paused = true)]
async fn an_agent_cut_off_while_it_drains_undoes_and_reports_later() {
    let stage = Stage::new();
    stage
        .coordinator
        .cut_when(RunState::Draining, Duration::from_secs(600));

    let ending = stage.run(sample::order(1)).await;

    assert_eq!(ending, Ending::Undone);
}

#[tokio::test(start_paused = true)]
async fn a_step_past_its_deadline_is_cancelled_and_the_way_back_taken() {
    let stage = Stage::new();
    stage.actions.script(Step::Apply, Turn::hangs());

    let ending = stage.run(sample::order(1)).await;

    assert_eq!(ending, Ending::RolledBack);
    assert!(!stage.actions.has(&sample::rollout()));
}

#[tokio::test(start_paused = true)]
async fn a_host_without_a_way_back_stays_out_for_a_person() {
    let stage = Stage::new();
    stage.actions.falls_ill_of(sample::rollout());
    stage
        .actions
        .script(Step::Rollback, Turn::fails(FailureKind::NoWayBack));

    let ending = stage.run(sample::order(1)).await;

    assert_eq!(ending, Ending::Quarantined);
    assert_eq!(stage.actions.flag(), Flag::Down);
    let hellos = stage.coordinator.hellos().len();
    stage
        .live_until(|stage| stage.coordinator.hellos().len() > hellos)
        .await;
    assert_eq!(stage.coordinator.hellos().last(), Some(&false));
    assert_eq!(
        stage.actions.flag(),
        Flag::Down,
        "a restart does not raise it"
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_that_comes_twice_is_run_once() {
    let stage = Stage::new();
    let order = sample::order(1);
    stage.coordinator.repeat_orders();

    stage.run(order.clone()).await;
    stage.coordinator.drop_session();
    stage
        .live_until(|stage| {
            let over = RunState::Ended(Ending::Patched);
            let said = stage.coordinator.states(order.key);
            said.iter().filter(|state| **state == over).count() > 1
        })
        .await;

    assert_eq!(stage.actions.effects(), installed_once());
}

#[tokio::test(start_paused = true)]
async fn a_busy_host_refuses_another_order() {
    let stage = Stage::new();
    stage
        .actions
        .script(Step::Drain, Turn::takes(Duration::from_secs(100)));
    stage.coordinator.order(sample::order(1));
    stage.coordinator.order(sample::order(2));
    let with = sample::order(1).key;
    let expected = ReportBody::Refused {
        key: sample::order(2).key,
        refusal: Refusal::Busy { with },
    };

    stage
        .live_until(|stage| stage.coordinator.bodies().contains(&expected))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_before_apply_undoes_and_after_it_changes_nothing() {
    let cases = [
        (RunState::Draining, Ending::Undone),
        (RunState::Applying, Ending::Patched),
    ];
    for (state, expected) in cases {
        let stage = Stage::new();
        stage.coordinator.withdraw_when(state);
        assert_eq!(stage.run(sample::order(1)).await, expected, "{state}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_back_goes_back_and_denies_the_bits() {
    let stage = Stage::new();
    // Practice changes nothing, so its bits are never denied.
    let order = |sequence| sample::patch(sequence, "2");
    let mut back = order(2);
    back.direction = Direction::Rollback;

    assert_eq!(stage.run(order(1)).await, Ending::Patched);
    assert_eq!(stage.run(back).await, Ending::RolledBack);
    stage.coordinator.order(order(3));
    let refused = ReportBody::Refused {
        key: order(3).key,
        refusal: Refusal::Denied,
    };
    stage
        .live_until(|stage| stage.coordinator.bodies().contains(&refused))
        .await;

    assert!(!stage.actions.has(&sample::rollout()));
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_always_reboots_reboots_once() {
    let stage = Stage::new();
    let mut order = sample::order(1);
    order.reboot = RebootPolicy::Always;

    let ending = stage.run(order).await;

    assert_eq!(ending, Ending::Patched);
    let reboots = stage.actions.effects();
    let reboots = reboots.iter().filter(|e| **e == Effect::Rebooted).count();
    assert_eq!(reboots, 1);
}

#[tokio::test(start_paused = true)]
async fn staging_is_answered_once_it_is_over_and_again_when_it_is_asked_again() {
    let stage = Stage::new();
    let request = StageRequest {
        rollout: sample::rollout(),
        lock_digest: Digest::of("lock"),
        content: Content::Noop,
        conffiles: ConffilePolicies::new(),
        kernel_fallback: KernelFallback::None,
        one_way: false,
        rate_kib: None,
    };
    stage
        .coordinator
        .send(ToAgent::Stage(Box::new(request.clone()), None));
    let staged = |stage: &Stage| {
        let bodies = stage.coordinator.bodies();
        let is_staged =
            |body: &&ReportBody| matches!(body, ReportBody::Staged { failure: None, .. });
        bodies.iter().filter(is_staged).count()
    };
    stage.live_until(|stage| staged(stage) == 1).await;

    stage
        .coordinator
        .send(ToAgent::Stage(Box::new(request), None));
    stage.live_until(|stage| staged(stage) == 2).await;

    assert_eq!(
        stage.actions.effects(),
        [Effect::Staged(Digest::of("lock"))]
    );
}

#[tokio::test(start_paused = true)]
async fn a_host_that_falls_ill_by_itself_is_reported_once_each_way() {
    let stage = Stage::new();
    stage
        .live_until(|stage| {
            let changes = stage.coordinator.service_changes();
            let is_to_fall_ill = stage.coordinator.is_welcomed() && changes.is_empty();
            stage.actions.set_healthy(!is_to_fall_ill);
            changes == [false, true]
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn after_a_run_the_host_says_its_service_anew() {
    let stage = Stage::new();
    stage.coordinator.order(sample::order(1));
    stage
        .live_until(|stage| stage.coordinator.service_changes() == [true])
        .await;
}

#[tokio::test(start_paused = true)]
async fn what_a_run_changed_is_told_in_the_same_session_and_once() {
    let stage = Stage::new();
    let mut back = sample::patch(2, "2");
    back.direction = Direction::Rollback;
    let of_rollout = |set: &PackageSet| set.0.contains_key(sample::rollout().as_str());
    let told = |stage: &Stage| -> Vec<bool> {
        let sets = stage.coordinator.packages();
        sets.iter().map(of_rollout).collect()
    };

    assert_eq!(stage.run(sample::patch(1, "2")).await, Ending::Patched);
    assert_eq!(
        (told(&stage), stage.coordinator.hellos().len()),
        (vec![true], 1)
    );
    assert_eq!(stage.run(back).await, Ending::RolledBack);

    assert_eq!(told(&stage), [true, false]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_changed_nothing_tells_no_packages() {
    let stage = Stage::new();
    stage
        .actions
        .script(Step::Apply, Turn::fails(FailureKind::Dependency));

    let ending = stage.run(sample::patch(1, "2")).await;

    assert_eq!(ending, Ending::RolledBack);
    assert!(stage.coordinator.packages().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_has_the_host_is_known_from_what_the_coordinator_said_last() {
    let stage = Stage::new();
    let told = ReservationLeft {
        token: ReservationToken(3),
        by: OperatorId::new("ana").unwrap(),
        reason: "new disk".to_owned(),
        left: Duration::from_secs(1_800),
    };
    for reservation in [Some(told), None] {
        let expected = reservation.clone();
        stage.coordinator.send(ToAgent::Reserved { reservation });
        stage
            .live_until(|stage| stage.actions.reservation() == expected)
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_on_which_nothing_is_heard_is_dialled_again() {
    let stage = Stage::new();
    stage.coordinator.fall_silent();
    stage
        .live_until(|stage| stage.coordinator.hellos().len() >= 3)
        .await;
}
