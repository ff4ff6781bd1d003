//! Draws messages of every shape that the checked types allow.

mod config;
pub(crate) mod guard;
mod papers;
mod refusal;

use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
    id::{
        Generation, HostSequence, Incarnation, OrderKey, OwnerEpoch, ReportSequence,
        ReservationToken, WaveIndex,
    },
    inventory::{Facts, PackageSet, Platform},
    order::{ClaimAnswer, ClaimPoint, Direction, Grant, Order},
    patch::{
        ConffilePolicies, ConffilePolicy, Content, KernelFallback, LockedPackage, RebootPolicy,
        RestartPolicy, VersionWish,
    },
    policy::{Deadlines, LONGEST_RESERVATION},
    query::Answer,
    reach::Reach,
    report::{Report, ReportBody},
    reservation::ReservationLeft,
    run::{Ending, RunState},
    statement::Signed,
    time::millis,
    traffic::{OnExpiry, RampSteps, TrafficWish},
    wish::Wish,
};
use cofferdam_proto::{
    artefact::SupplyRequest,
    convert::bounds::MAX_SIZE,
    session::{FromAgent, Hello, SimulatedPackage, StageRequest, ToAgent},
};
use proptest::{
    collection::{btree_map, btree_set, vec},
    option,
    prelude::*,
    sample::select,
};
use refusal::{delta, refusal};
use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

pub(crate) fn from_agent() -> impl Strategy<Value = FromAgent> {
    prop_oneof![
        hello().prop_map(FromAgent::Hello),
        texts().prop_map(|packages| FromAgent::Packages(PackageSet(packages))),
        digest().prop_map(|packages| FromAgent::PackagesChanged { packages }),
        Just(FromAgent::Heartbeat),
        report().prop_map(FromAgent::Report),
        (key(), 1_u64.., point()).prop_map(|(key, token, point)| FromAgent::Claim {
            key,
            token: ReservationToken(token),
            point,
        }),
        (any::<u64>(), simulated())
            .prop_map(|(request, result)| FromAgent::Simulated { request, result }),
        (any::<u64>(), queried())
            .prop_map(|(request, result)| FromAgent::Queried { request, result }),
        guard::news().prop_map(|news| FromAgent::GuardNews(Box::new(news))),
        guard::drift().prop_map(|drift| FromAgent::Drift(Box::new(drift))),
        guard::effect().prop_map(|effect| FromAgent::Effect(Box::new(effect))),
    ]
}

fn welcome() -> impl Strategy<Value = ToAgent> {
    let terms = (1_u64.., 1..100_000_u64, any::<bool>());
    (terms, option::of(guard::heard())).prop_map(|((epoch, ms, want_packages), heard)| {
        ToAgent::Welcome {
            epoch: OwnerEpoch(epoch),
            heartbeat: Duration::from_millis(ms),
            want_packages,
            heard,
        }
    })
}

pub(crate) fn to_agent() -> impl Strategy<Value = ToAgent> {
    let reason = line;
    prop_oneof![
        welcome(),
        guard::position().prop_map(|up_to| ToAgent::GuardNoted { up_to }),
        option::of(reservation()).prop_map(|reservation| ToAgent::Reserved { reservation }),
        any::<bool>().prop_map(|want_packages| ToAgent::PackagesNoted { want_packages }),
        any::<u64>().prop_map(|up_to| ToAgent::Acknowledge {
            up_to: ReportSequence(up_to)
        }),
        Just(ToAgent::Heartbeat),
        (stage(), signed()).prop_map(|(stage, signed)| ToAgent::Stage(Box::new(stage), signed)),
        (order(), papers::papers())
            .prop_map(|(order, papers)| ToAgent::Order(Box::new(order), papers)),
        (key(), reason()).prop_map(|(key, reason)| ToAgent::Withdraw { key, reason }),
        (key(), point(), answer()).prop_map(|(key, point, answer)| ToAgent::ClaimAnswer {
            key,
            point,
            answer,
        }),
        (any::<u64>(), wish()).prop_map(|(request, wish)| ToAgent::Simulate { request, wish }),
        (any::<u64>(), line(), wait()).prop_map(|(request, text, within)| ToAgent::Query {
            request,
            text,
            within,
        }),
        (vec(locked_package(), 0..4), reach()).prop_map(|(packages, reach)| {
            ToAgent::Supply(Box::new(SupplyRequest { packages, reach }))
        }),
        name().prop_map(|rollout| ToAgent::Release { rollout }),
    ]
}

fn reservation() -> impl Strategy<Value = ReservationLeft> {
    let longest = millis(LONGEST_RESERVATION);
    (1_u64.., name(), word(), 0..=longest).prop_map(|(token, by, reason, left_ms)| {
        ReservationLeft {
            token: ReservationToken(token),
            by,
            reason,
            left: Duration::from_millis(left_ms),
        }
    })
}

fn hello() -> impl Strategy<Value = Hello> {
    let identity = (name(), any::<u64>(), word(), word());
    let state = (texts(), facts(), any::<bool>());
    let orders = (option::of((key(), run_state())), option::of(key()));
    (identity, state, orders).prop_map(|(identity, state, (open, newest))| {
        let (host, incarnation, boot_id, version) = identity;
        let (labels, facts, in_service) = state;
        Hello {
            host,
            incarnation: Incarnation(incarnation),
            boot_id,
            version,
            labels: labels.into(),
            facts,
            in_service,
            detail: String::new(),
            takes_reservations: in_service,
            open,
            newest,
        }
    })
}

fn facts() -> impl Strategy<Value = Facts> {
    (word(), word(), line(), digest()).prop_map(|(os_release, architecture, kernel, packages)| {
        Facts {
            platform: Platform {
                os_release,
                architecture,
            },
            kernel,
            packages,
        }
    })
}

fn report() -> impl Strategy<Value = Report> {
    (any::<u64>(), 1_u64.., body()).prop_map(|(incarnation, sequence, body)| Report {
        incarnation: Incarnation(incarnation),
        sequence: ReportSequence(sequence),
        body,
    })
}

fn body() -> impl Strategy<Value = ReportBody> {
    prop_oneof![
        (name(), digest(), option::of(failure())).prop_map(|(rollout, lock_digest, failure)| {
            ReportBody::Staged {
                rollout,
                lock_digest,
                failure,
            }
        }),
        (key(), refusal()).prop_map(|(key, refusal)| ReportBody::Refused { key, refusal }),
        (
            key(),
            run_state(),
            option::of(failure()),
            vec("\\PC{1,40}", 0..3)
        )
            .prop_map(|(key, state, failure, exceptions)| {
                ReportBody::Entered {
                    key,
                    state,
                    failure,
                    exceptions,
                }
            }),
        (any::<bool>(), line())
            .prop_map(|(in_service, detail)| ReportBody::Service { in_service, detail }),
    ]
}

fn simulated() -> impl Strategy<Value = Result<Vec<SimulatedPackage>, Failure>> {
    let needed_by = vec(package_word(), 0..3);
    let package = (option::of(word()), locked_package(), needed_by).prop_map(
        |(installed, locked, needed_by)| SimulatedPackage {
            installed,
            locked,
            needed_by,
        },
    );
    prop_oneof![vec(package, 0..4).prop_map(Ok), failure().prop_map(Err),]
}

fn queried() -> impl Strategy<Value = Result<Answer, Failure>> {
    let answer = (any::<bool>(), line()).prop_map(|(holds, evidence)| Answer { holds, evidence });
    prop_oneof![answer.prop_map(Ok), failure().prop_map(Err)]
}

pub(crate) fn order() -> impl Strategy<Value = Order> {
    let who = (key(), name(), 1_u64.., grant());
    let tries = (1_u32.., any::<bool>());
    let content = (content(), option::of(delta()));
    let what = (
        direction(),
        tries,
        content,
        (reboot(), restart(), kernel_fallback()),
        any::<bool>(),
    );
    let how = (conffiles(), deadlines(), wait(), wait(), traffic());
    (who, what, how).prop_map(|(who, what, how)| {
        let (key, host, token, grant) = who;
        let (
            direction,
            (attempt, asked_again),
            (content, delta),
            (reboot, restart, kernel_fallback),
            one_way,
        ) = what;
        let (conffiles, deadlines, stable_for, first_answer, traffic) = how;
        Order {
            key,
            host,
            token: ReservationToken(token),
            grant,
            direction,
            attempt,
            asked_again,
            content,
            delta,
            reboot,
            restart,
            kernel_fallback,
            conffiles,
            one_way,
            deadlines: deadlines.into(),
            stable_for,
            first_answer,
            traffic,
        }
    })
}

fn traffic() -> impl Strategy<Value = TrafficWish> {
    let on_expiry = select(vec![OnExpiry::Abort, OnExpiry::Force]);
    let steps = btree_set(1..100_u8, 1..=20).prop_map(|steps| {
        let steps = RampSteps::new(steps.into_iter().collect());
        steps.unwrap()
    });
    (option::of(on_expiry), option::of(wait()), option::of(steps)).prop_map(
        |(on_expiry, ramp, ramp_steps)| TrafficWish {
            on_expiry,
            ramp,
            ramp_steps,
        },
    )
}

fn grant() -> impl Strategy<Value = Grant> {
    let what = (name(), digest(), digest());
    let which = (any::<u32>(), name(), any::<u64>());
    (what, which).prop_map(|(what, (wave, cell, generation))| {
        let (rollout, rollout_digest, lock_digest) = what;
        Grant {
            rollout,
            rollout_digest,
            lock_digest,
            wave: WaveIndex(wave),
            cell,
            generation: Generation(generation),
        }
    })
}

fn stage() -> impl Strategy<Value = StageRequest> {
    let rate = any::<u32>().prop_map(NonZeroU32::new);
    let how = (conffiles(), kernel_fallback(), any::<bool>(), rate);
    (name(), digest(), content(), how).prop_map(
        |(rollout, lock_digest, content, (conffiles, kernel_fallback, one_way, rate_kib))| {
            StageRequest {
                rollout,
                lock_digest,
                content,
                conffiles,
                kernel_fallback,
                one_way,
                rate_kib,
            }
        },
    )
}

fn signed() -> impl Strategy<Value = Option<Signed>> {
    let signed = ("(?s).{0,40}", "(?s).{0,40}");
    option::of(signed.prop_map(|(statement, signature)| Signed {
        statement,
        signature,
    }))
}

fn conffiles() -> impl Strategy<Value = ConffilePolicies> {
    let policies = [
        ConffilePolicy::Keep,
        ConffilePolicy::Replace,
        ConffilePolicy::Fail,
    ];
    btree_map(
        "[a-z][a-z0-9+.-]{0,8}[a-z0-9]",
        select(policies.to_vec()),
        0..3,
    )
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        (vec(locked_package(), 0..4), reach())
            .prop_map(|(packages, reach)| Content::Packages { packages, reach }),
        config::config(),
        Just(Content::Noop),
    ]
}

fn locked_package() -> impl Strategy<Value = LockedPackage> {
    (package_word(), package_word(), digest(), 0..=MAX_SIZE).prop_map(
        |(name, version, sha256, size)| LockedPackage {
            name,
            version,
            sha256,
            size,
        },
    )
}

fn reach() -> impl Strategy<Value = Reach> {
    let by = btree_set(package_word(), 0..3);
    let upgrade = btree_map(package_word(), by, 0..3);
    prop_oneof![
        Just(Reach::Every),
        upgrade.prop_map(|needed_by| Reach::Upgrade { needed_by }),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        wishes().prop_map(Wish::Packages),
        Just(Wish::Security),
        btree_map(package_word(), package_word(), 1..4).prop_map(Wish::Fixes),
    ]
}

fn wishes() -> impl Strategy<Value = BTreeMap<String, VersionWish>> {
    let wish = option::of(package_word());
    let wish = wish.prop_map(|wish| wish.map_or(VersionWish::Latest, VersionWish::Exactly));
    btree_map(package_word(), wish, 1..4)
}

fn deadlines() -> impl Strategy<Value = Deadlines> {
    vec(wait(), 9).prop_map(|waits| Deadlines {
        start_by: waits[0],
        claim_wait: waits[1],
        drain: waits[2],
        apply: waits[3],
        script: waits[4],
        reboot: waits[5],
        verify: waits[6],
        late: waits[7],
        settle: waits[8],
    })
}

fn answer() -> impl Strategy<Value = ClaimAnswer> {
    prop_oneof![
        Just(ClaimAnswer::Granted),
        line().prop_map(|reason| ClaimAnswer::Refused { reason }),
    ]
}

fn run_state() -> impl Strategy<Value = RunState> {
    let ending = select(vec![
        Ending::Patched,
        Ending::RolledBack,
        Ending::Undone,
        Ending::Cancelled,
        Ending::Quarantined,
    ]);
    prop_oneof![
        Just(RunState::Claiming),
        Just(RunState::Draining),
        Just(RunState::Drained),
        Just(RunState::Applying),
        Just(RunState::Rebooting),
        Just(RunState::Verifying),
        Just(RunState::RollingBack),
        Just(RunState::VerifyingRollback),
        ending.clone().prop_map(RunState::Readmitting),
        ending.prop_map(RunState::Ended),
    ]
}

fn failure() -> impl Strategy<Value = Failure> {
    let kind = select(FailureKind::ALL.to_vec());
    (kind, line()).prop_map(|(kind, detail)| Failure { kind, detail })
}

fn key() -> impl Strategy<Value = OrderKey> {
    (1_u64.., 1_u64..).prop_map(|(epoch, sequence)| OrderKey {
        epoch: OwnerEpoch(epoch),
        sequence: HostSequence(sequence),
    })
}

fn point() -> impl Strategy<Value = ClaimPoint> {
    select(vec![ClaimPoint::BeforeDrain, ClaimPoint::BeforeApply])
}

fn direction() -> impl Strategy<Value = Direction> {
    select(vec![Direction::Patch, Direction::Rollback])
}

fn kernel_fallback() -> impl Strategy<Value = KernelFallback> {
    select(vec![KernelFallback::OneShot, KernelFallback::None])
}

fn restart() -> impl Strategy<Value = RestartPolicy> {
    select(vec![RestartPolicy::Never, RestartPolicy::IfRequired])
}

fn reboot() -> impl Strategy<Value = RebootPolicy> {
    select(vec![
        RebootPolicy::Never,
        RebootPolicy::IfRequired,
        RebootPolicy::Always,
    ])
}

fn wait() -> impl Strategy<Value = Duration> {
    (0..100_000_000_u64).prop_map(Duration::from_millis)
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest::from_bytes)
}

/// A name of any type.
fn name<T: TryFrom<String, Error: std::fmt::Debug> + std::fmt::Debug>() -> impl Strategy<Value = T>
{
    "[a-zA-Z0-9][a-zA-Z0-9._-]{0,30}".prop_map(|text| T::try_from(text).unwrap())
}

/// A line.
pub(crate) fn line() -> impl Strategy<Value = String> {
    "\\PC{0,40}"
}

/// A line that is not empty.
pub(crate) fn word() -> impl Strategy<Value = String> {
    "\\PC{1,20}"
}

/// What may be the name of a package, a version, and the name of a unit.
fn package_word() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9][a-zA-Z0-9._:-]{0,19}[a-z0-9]"
}

fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(word(), line(), 0..6)
}
