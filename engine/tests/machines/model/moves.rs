//! What goes wrong, and what people do.

use super::{draw::Draw, setup::Setup};
use crate::world::{Boots, CHAIN, Crash, Does, Skew, Step, World, file};
use cofferdam_engine::{
    denial::Scope, exception::Word, failure::FailureKind, id::HostId, rollout::Action,
};
use std::time::Duration;

/// Something that happens, and how long after what happened before.
pub(crate) type Move = (Duration, Deed);

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    Start(usize),
    Ask(&'static str, Action),
    Except(&'static str, Word, Vec<HostId>),
    RollBackWithin(&'static str, Scope),
    Lift(&'static str),
    Promote(&'static str),
    /// A host is born, or made a database host, or a web host again.
    Join(usize),
    Relabel(HostId, &'static str),
    Amend(&'static str, String),
    Approve(&'static str, &'static str),
    BreakSession(HostId),
    Cut(HostId),
    Mend(HostId),
    CrashAgent(HostId, Boots, Option<Duration>),
    StartAgent(HostId),
    MakeAnew(HostId),
    CrashOwner(Crash, Duration),
    Jump(Duration),
    /// The wall clock of a host, or of the coordinator's, is set so many milliseconds from the true time. Whoever
    /// goes by it starts anew.
    SetClock(Option<HostId>, i64),
    /// Somebody installs these versions of openssl and curl on a host.
    Install(HostId, [&'static str; 2]),
    Fall(HostId),
    Repair(HostId),
    Script(HostId, Step, Does, Option<u32>),
    Forget(HostId),
    /// An operator takes hosts for a time, or gives them back, by force or not.
    Reserve(&'static str, Vec<HostId>, Duration),
    Unreserve(&'static str, Vec<HostId>, bool),
    /// A person at a host opens a window for a time, or closes it.
    Window(HostId, Option<Duration>),
    /// The cell of a host is cut off from the rollouts, or comes back.
    CutCell(HostId),
    MendCell(HostId),
    /// A calendar is declared: freezes that begin and end so many minutes after the world's start.
    Freeze(Vec<(u64, u64)>),
    /// The cord is pulled, or released.
    Cord(bool),
    /// Services are declared: a chain, or none.
    Declare(bool),
}

/// Who may approve something: whom files name, and the owners of services.
pub(crate) const APPROVERS: [&str; 4] = ["anna", "wanda", "abel", "dora"];

const STEPS: [Step; 8] = [
    Step::Stage,
    Step::Drain,
    Step::Apply,
    Step::Reboot,
    Step::Verify,
    Step::RollBack,
    Step::VerifyRollback,
    Step::Readmit,
];

/// How much time lies between moves, in milliseconds: of messages, of steps, of deadlines.
const TEMPI: [&[usize]; 4] = [
    &[20, 200, 1_000],
    &[20, 2_000, 5_000, 10_000],
    &[1_000, 10_000, 60_000],
    &[200, 10_000, 120_000, 900_000],
];
/// How long something is away, in milliseconds.
const AWAY: [usize; 4] = [500, 10_000, 100_000, 900_000];
/// How long an operator has a host, in milliseconds.
const RESERVED: [usize; 4] = [10_000, 100_000, 900_000, 9_000_000];
/// What clocks are set to, in milliseconds from the true time: a little and two hours back, a little, ten minutes
/// and three days ahead, and right again.
const STEPS_OF_CLOCKS: [i64; 6] = [-3_000, -7_200_000, 3_000, 600_000, 259_200_000, 0];
/// Versions of openssl and curl on a host: those of all, of one other, and of what rollouts bring.
const VERSIONS: [[&str; 2]; 5] = [
    ["1", "1"],
    ["1.5", "1"],
    ["1", "1.5"],
    ["2", "1"],
    ["9", "9"],
];
/// How long a process is away that starts anew with another clock.
const RESTART: Duration = Duration::from_secs(10);

/// Draws the moves of a history.
pub(crate) fn draw_moves(draw: &mut Draw, setup: &Setup) -> Vec<Move> {
    let hosts = setup.names();
    let mut moves = Vec::new();
    for _ in 0..draw.below(4) {
        moves.push((Duration::ZERO, draw_script(draw, &hosts)));
    }
    if draw.percent(25) {
        bad_patch(draw, &hosts, &mut moves);
    }
    moves.push((Duration::from_millis(20), Deed::Start(0)));
    if draw.percent(30) {
        moves.push((draw.time(TEMPI[1]), Deed::Start(1)));
    }
    let tempo = *draw.one(&TEMPI);
    for _ in 0..4 + draw.below(36) {
        let wait = draw.time(tempo);
        moves.push((wait, draw_deed(draw, &hosts)));
    }
    moves
}

/// Every host of a type fails its checks, or every host does.
fn bad_patch(draw: &mut Draw, hosts: &[HostId], moves: &mut Vec<Move>) {
    let like = draw
        .one(hosts)
        .as_str()
        .split('-')
        .next()
        .unwrap_or_default();
    let all = draw.percent(30);
    for host in hosts
        .iter()
        .filter(|host| all || host.as_str().starts_with(like))
    {
        let fails = Does::Fails(Duration::from_secs(2), FailureKind::Unhealthy);
        let script = Deed::Script(host.clone(), Step::Verify, fails, None);
        moves.push((Duration::ZERO, script));
    }
}

fn draw_deed(draw: &mut Draw, hosts: &[HostId]) -> Deed {
    let host = draw.one(hosts).clone();
    let name = *draw.one(&["one", "one", "one", "two", "two", "fix"]);
    match draw.below(100) {
        0..4 => Deed::Start(1),
        4..9 => Deed::Ask(name, Action::Pause),
        9..20 => Deed::Ask(name, Action::Resume),
        20..22 => Deed::Ask(name, Action::Abort),
        22..24 => Deed::Ask(name, Action::Rollback),
        24 => Deed::RollBackWithin(name, *draw.one(&[Scope::Cell, Scope::Host])),
        25 => Deed::Lift(name),
        26..34 => Deed::BreakSession(host),
        34..39 => Deed::Cut(host),
        39..42 => Deed::Mend(host),
        42..48 => {
            let boots = *draw.one(&[Boots::Same, Boots::Anew]);
            Deed::CrashAgent(host, boots, Some(draw.time(&AWAY)))
        }
        48..50 => Deed::CrashAgent(host, Boots::Anew, None),
        50..52 => Deed::StartAgent(host),
        52..54 => Deed::MakeAnew(host),
        54..59 => Deed::CrashOwner(Crash::BeforeStore, draw.time(&AWAY)),
        59..64 => Deed::CrashOwner(Crash::BeforeSend, draw.time(&AWAY)),
        64..66 => Deed::Jump(draw.time(&AWAY)),
        66 => {
            let host = draw.percent(60).then_some(host);
            Deed::SetClock(host, *draw.one(&STEPS_OF_CLOCKS))
        }
        67..71 => Deed::Fall(host),
        71..73 => Deed::Repair(host),
        73 => Deed::Install(host, *draw.one(&VERSIONS)),
        74 => Deed::Forget(host),
        75 => draw_window(draw, hosts),
        76 => Deed::Join(draw.below(3)),
        77 => Deed::Relabel(host, draw.one::<&'static str>(&["db", "web"])),
        78..83 => draw_word(draw, name, hosts),
        83..85 => draw_freezes(draw),
        85..87 => Deed::Promote(name),
        87..89 => Deed::Amend(name, draw_variant(draw, host.as_str())),
        89..91 => {
            let by = *draw.one(&APPROVERS);
            Deed::Approve(name, by)
        }
        91..93 => Deed::CutCell(host),
        93 => draw_reservation(draw, hosts),
        94 => Deed::MendCell(host),
        95 => Deed::Declare(draw.percent(70)),
        96 => Deed::Cord(draw.percent(50)),
        _ => draw_script(draw, hosts),
    }
}

/// A variant for the hosts of a kind, or for one host: of the same packages or of another.
fn draw_variant(draw: &mut Draw, host: &str) -> String {
    let kind = host.split('-').next().unwrap_or_default();
    let package = *draw.one(&["openssl", "curl"]);
    let whom = match draw.percent(50) {
        true => format!("instance_type == \"{kind}\""),
        false => format!("host == \"{host}\""),
    };
    let canary = "[[wave]]\nname = \"canary\"\nto = \"1%\"\n";
    let all = "[[wave]]\nname = \"full\"\nto = \"100%\"\n";
    let waves = if draw.percent(50) { canary } else { "" };
    let floor =
        "[[limits]]\nfloor = [{ group_by = [\"service\", \"zone\"], min_in_service = \"50%\" }]\n";
    file("fix", package, "", &format!("{waves}{all}{floor}")).replace("service == \"web\"", &whom)
}

/// An operator says something of a host, of a kind of hosts, or of all.
fn draw_word(draw: &mut Draw, name: &'static str, hosts: &[HostId]) -> Deed {
    let word = *draw.one(&[Word::Exclude, Word::Skip, Word::Retry, Word::Retry]);
    let one = draw.one(hosts);
    let kind = one.as_str().split('-').next().unwrap_or_default();
    let named: Vec<HostId> = match draw.below(4) {
        0 => hosts.to_vec(),
        1 => {
            let alike = hosts.iter().filter(|host| host.as_str().starts_with(kind));
            alike.cloned().collect()
        }
        _ => vec![one.clone()],
    };
    Deed::Except(name, word, named)
}

/// An operator takes one host or two, or gives some back.
fn draw_reservation(draw: &mut Draw, hosts: &[HostId]) -> Deed {
    let by = *draw.one(&["anna", "olga"]);
    let named = vec![draw.one(hosts).clone(), draw.one(hosts).clone()];
    match draw.below(4) {
        0 => Deed::Unreserve(by, named, draw.percent(50)),
        1 => Deed::Reserve(by, named, draw.time(&RESERVED)),
        _ => Deed::Reserve(by, named[..1].to_vec(), draw.time(&RESERVED)),
    }
}

/// A person takes a host at its keyboard, or gives it back.
fn draw_window(draw: &mut Draw, hosts: &[HostId]) -> Deed {
    let lasts = draw.percent(70).then(|| draw.time(&AWAY));
    Deed::Window(draw.one(hosts).clone(), lasts)
}

fn draw_freezes(draw: &mut Draw) -> Deed {
    let mut freezes = Vec::new();
    for _ in 0..draw.below(3) {
        let from = u64::try_from(draw.below(40)).expect("it fits");
        let long = u64::try_from(draw.below(60)).expect("it fits");
        freezes.push((from, from + 1 + long));
    }
    Deed::Freeze(freezes)
}

fn draw_script(draw: &mut Draw, hosts: &[HostId]) -> Deed {
    let host = draw.one(hosts).clone();
    let step = *draw.one(&STEPS);
    let does = draw_does(draw);
    let times = *draw.one(&[Some(1), Some(1), Some(2), None]);
    Deed::Script(host, step, does, times)
}

fn draw_does(draw: &mut Draw) -> Does {
    let after = draw.time(TEMPI[1]);
    let kinds = [
        FailureKind::Unhealthy,
        FailureKind::Network,
        FailureKind::Io,
    ];
    match draw.below(10) {
        0..5 => Does::Fails(after, *draw.one(&kinds)),
        5..7 => Does::Hangs,
        7 => Does::Dies,
        8 => Does::NeedsReboot(after),
        _ => Does::Well(after * 10),
    }
}

/// Does a deed in a world.
pub(crate) fn carry_out(world: &mut World, setup: &Setup, deed: &Deed) {
    match deed {
        // Operators are refused what does not fit.
        Deed::Start(file) => {
            if world.owner.is_up {
                world.try_start(&setup.files[*file].1).ok();
            }
        }
        Deed::Ask(rollout, action) => agree(world, |world| world.try_ask(rollout, *action)),
        Deed::Except(rollout, word, hosts) => {
            if world.owner.is_up {
                // Those that may be retried are: a word is refused as a whole.
                let at_once = match word {
                    Word::Retry => 1,
                    Word::Exclude | Word::Skip => hosts.len(),
                };
                for hosts in hosts.chunks(at_once) {
                    world.try_except(rollout, *word, hosts).ok();
                }
            }
        }
        Deed::RollBackWithin(rollout, reach) => {
            if world.owner.is_up {
                let back = Action::Rollback;
                world.try_ask_within(rollout, back, *reach).ok();
            }
        }
        Deed::Join(number) => world.add_born(*number),
        Deed::Relabel(host, service) => world.relabel(host, service),
        Deed::Lift(rollout) => agree(world, |world| world.try_lift(rollout)),
        Deed::Approve(rollout, by) => agree(world, |world| world.try_approve(rollout, by)),
        Deed::Promote(rollout) => agree(world, |world| world.try_promote(rollout, "anna")),
        Deed::Amend(rollout, variant) => agree(world, |world| world.try_amend(rollout, variant)),
        Deed::BreakSession(host) => world.break_session(host),
        Deed::Cut(host) => world.cut(host),
        Deed::Mend(host) => world.mend(host),
        Deed::CrashAgent(host, boots, away) => world.crash_agent(host, *boots, *away),
        Deed::StartAgent(host) => world.start_agent(host),
        Deed::MakeAnew(host) => world.make_anew(host),
        Deed::CrashOwner(crash, away) => {
            if world.owner.is_up {
                world.crash_owner(*crash, *away);
            }
        }
        Deed::Jump(time) => world.jump(*time),
        Deed::SetClock(host, step) => set_clock(world, host.as_ref(), Skew(*step)),
        Deed::Install(host, versions) => world.installs(host.as_str(), *versions),
        Deed::Fall(host) => world.fall(host),
        Deed::Repair(host) => world.repair(host),
        Deed::Script(host, step, does, times) => world.model.set(host, *step, *does, *times),
        Deed::Forget(host) => world.forget(host),
        Deed::Reserve(by, hosts, lasts) => reserve(world, by, hosts, *lasts),
        Deed::Unreserve(by, hosts, force) => unreserve(world, by, hosts, *force),
        Deed::Window(host, lasts) => agree(world, |world| world.try_tell_window(host, *lasts)),
        Deed::CutCell(host) => world.cut_cell_of(host),
        Deed::MendCell(host) => world.mend_cell_of(host),
        Deed::Cord(pull) => agree(world, |world| world.try_cord(*pull)),
        Deed::Freeze(freezes) if world.owner.is_up => world.freeze(freezes),
        Deed::Declare(chain) if world.owner.is_up => world.declare(if *chain { CHAIN } else { "" }),
        Deed::Freeze(_) | Deed::Declare(_) => {}
    }
}

fn set_clock(world: &mut World, host: Option<&HostId>, skew: Skew) {
    match host {
        Some(host) => {
            world.set_clock(host, skew);
            world.crash_agent(host, Boots::Anew, Some(RESTART));
        }
        None => {
            world.set_owner_clock(skew);
            if world.owner.is_up {
                world.crash_owner(Crash::BeforeSend, RESTART);
            }
        }
    }
}

fn reserve(world: &mut World, by: &str, hosts: &[HostId], lasts: Duration) {
    agree(world, |world| world.try_reserve(by, hosts, lasts));
}

fn unreserve(world: &mut World, by: &str, hosts: &[HostId], force: bool) {
    agree(world, |world| world.try_unreserve(by, hosts, force));
}

/// Somebody says something, if the coordinator runs. It may refuse.
fn agree<E>(world: &mut World, says: impl FnOnce(&mut World) -> Result<(), E>) {
    if world.owner.is_up {
        says(world).ok();
    }
}
