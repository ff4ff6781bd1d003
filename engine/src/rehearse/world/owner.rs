//! The coordinator's process: the fleet, the log that it is stored in, and its sessions.
//!
//! It does what the driver does: apply, decide until nothing is left, store, and only then send.

use super::{
    ByNumber, Number,
    checked::HeldTo,
    message::{Down, Up},
    region::CutCell,
    skew::Skew,
};
use crate::{
    cell::{CellCommand, CellError, CellEvent, Hello},
    check,
    digest::Digest,
    fleet::{Fleet, FleetCommand, FleetDecision, FleetError, FleetEvent, Memory},
    id::{CellId, HostId},
    inventory::PackageSet,
    order::ClaimAnswer,
    time::Timestamp,
};
use std::{collections::BTreeMap, time::Duration};

/// More rounds of decisions than any event can need, beside those in which groups come together, of which
/// there are as many as groups: past it, they never end.
const MAX_ROUNDS: usize = 60;

/// When a process dies in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// What the turn did is lost.
    BeforeStore,
    /// What the turn did is stored, and nothing of it was sent.
    BeforeSend,
}

/// One thing that reaches the coordinator.
#[derive(Debug, Clone)]
pub enum Input {
    /// A message of an agent.
    Said {
        /// Whose.
        host: HostId,
        /// Its number.
        agent: Number,
        /// In which session.
        session: u64,
        /// The message.
        up: Up,
    },
    /// The end of a session.
    Closed {
        /// Whose.
        host: HostId,
        /// Its number.
        agent: Number,
        /// Which.
        session: u64,
    },
    /// Something that an operator does.
    Act {
        /// What.
        event: Box<FleetEvent>,
        /// The agent whose host that deletes from the inventory. Nothing: none.
        forgets: Option<Number>,
    },
    /// The time that the last decision named.
    Wake,
}

/// The coordinator.
#[derive(Debug, Default)]
pub struct Owner {
    /// What it decides by.
    pub fleet: Fleet,
    /// Whether every step is checked against the promises, and the log is kept and replayed at each
    /// start. Costs a multiple of what is checked.
    pub(super) is_checked: bool,
    /// How closely it is held against the promises where it is not checked.
    pub held: HeldTo,
    /// The most hosts of a cell.
    pub(super) cell_size: usize,
    /// What is kept of the last decision.
    pub(super) memory: Memory,
    /// Everything that it took in, where it is checked.
    pub log: Vec<(Timestamp, FleetEvent)>,
    /// The moment of the last thing that it took in, by its own clock.
    pub(super) stored_at: Timestamp,
    /// How far its clock stands from the world's time.
    pub(super) skew: Skew,
    /// The session of each agent that has one.
    pub sessions: ByNumber<u64>,
    /// Whether its process runs.
    pub is_up: bool,
    /// When its process was last started. Nothing: never.
    pub started_at: Option<Timestamp>,
    /// How it dies in its next turn, and for how long.
    pub crash: Option<(Crash, Duration)>,
    /// The last decision, which had no commands.
    pub rest: FleetDecision,
    /// What broke a promise, and what was refused that must not be.
    pub broken: Vec<String>,
    /// What operators were refused.
    pub refusals: Vec<FleetError>,
    /// What held things back, each time it changed, as lines of text. Kept where `keeps_holds`.
    pub holds: Vec<(Timestamp, String)>,
    /// Whether `holds` is kept.
    pub keeps_holds: bool,
    /// Cells between which and the rollouts nothing comes through.
    pub(super) cut_cells: BTreeMap<CellId, CutCell>,
    /// What is installed on the hosts, by digest: agents are asked for what is not known.
    pub package_sets: BTreeMap<Digest, PackageSet>,
    /// Whether decisions never end: then nothing happens any more.
    pub is_stuck: bool,
}

/// The coordinator died in a turn.
pub struct Died {
    /// For how long.
    pub away: Duration,
}

/// What one turn sends, in this order.
#[derive(Debug, Default)]
pub struct Outbound {
    /// To those who said something.
    pub(super) answers: Vec<(Number, Down)>,
    /// By commands.
    pub(super) commands: Vec<(HostId, Down)>,
}

/// What a turn began with, which is what is stored until its end.
struct Begun {
    fleet: Fleet,
    cut_cells: BTreeMap<CellId, CutCell>,
    logged: usize,
    stored_at: Timestamp,
}

impl Begun {
    fn of(owner: &Owner) -> Self {
        Self {
            fleet: owner.fleet.clone(),
            cut_cells: owner.cut_cells.clone(),
            logged: owner.log.len(),
            stored_at: owner.stored_at,
        }
    }
}

impl Owner {
    /// One whose fleet has cells of at most so many hosts.
    pub fn with_cells_of(size: usize) -> Self {
        Self {
            fleet: Fleet::with_cells_of(size),
            cell_size: size,
            ..Self::default()
        }
    }

    /// The same, checked against the promises at every step.
    pub fn checked(self) -> Self {
        Self {
            is_checked: true,
            ..self
        }
    }

    /// The same, held against the promises so closely.
    pub fn held_to(self, held: HeldTo) -> Self {
        Self { held, ..self }
    }

    /// Becomes the owner: replays what was stored, under the next epoch.
    pub fn start(&mut self, now: Timestamp) {
        if self.is_checked {
            let replayed = self.replayed();
            if replayed != self.fleet {
                self.broken.push("the replayed fleet is another".to_owned());
            }
            self.fleet = replayed;
        }
        self.sessions.clear();
        self.memory = Memory::default();
        self.is_up = true;
        self.started_at = Some(now);
        self.hears_none_before(now);
        let epoch = self.fleet.epoch().next();
        let event = FleetEvent::OwnerStarted { epoch };
        self.take(&event, now, "a start");
        self.decide(now);
    }

    /// Takes inputs in, in one turn. What is to be sent.
    pub fn turn(&mut self, inputs: Vec<Input>, now: Timestamp) -> Result<Outbound, Died> {
        let begun = self.crash.map(|_| Begun::of(self));
        let mut outbound = Outbound::default();
        let mut heard = Vec::new();
        for input in inputs {
            self.input(input, now, &mut outbound.answers, &mut heard);
        }
        for (agent, host) in heard {
            if let Some((_, member)) = self.fleet.host(&host) {
                let acknowledges = Down::Acknowledge(member.reported);
                outbound.answers.push((agent, acknowledges));
            }
        }
        outbound.commands = self.decide(now);
        let Some((crash, away)) = self.crash.take() else {
            return Ok(outbound);
        };
        self.is_up = false;
        if let (Crash::BeforeStore, Some(begun)) = (crash, begun) {
            self.fleet = begun.fleet;
            self.memory = Memory::default();
            self.cut_cells = begun.cut_cells;
            self.log.truncate(begun.logged);
            self.stored_at = begun.stored_at;
        }
        Err(Died { away })
    }

    fn input(
        &mut self,
        input: Input,
        now: Timestamp,
        answers: &mut Vec<(Number, Down)>,
        heard: &mut Vec<(Number, HostId)>,
    ) {
        match input {
            Input::Said {
                host,
                agent,
                session,
                up,
            } => {
                let is_live = self.sessions.get(agent) == Some(&session);
                match up {
                    Up::Hello(hello) => {
                        self.hello(hello, now);
                        self.sessions.insert(agent, session);
                        answers.push((agent, Down::Welcome));
                        heard.push((agent, host));
                    }
                    Up::Packages(packages) if is_live => {
                        let event = CellEvent::PackagesChanged {
                            host: host.clone(),
                            packages,
                        };
                        self.take(&of_host(&host, event), now, "other packages");
                        self.want_packages(packages, now);
                    }
                    Up::Report(report) if is_live => {
                        let event = CellEvent::Reported {
                            host: host.clone(),
                            report,
                        };
                        self.take(&of_host(&host, event), now, "a report");
                        heard.push((agent, host));
                    }
                    Up::Claim { key, token, point } if is_live => {
                        let event = CellEvent::Claimed {
                            host: host.clone(),
                            key,
                            token,
                            point,
                        };
                        let answer = self.claim(&host, event, now);
                        let answer = answer.map(|answer| Down::Answer { key, point, answer });
                        answers.extend(answer.map(|answer| (agent, answer)));
                    }
                    Up::Packages(_) | Up::Report(_) | Up::Claim { .. } => {}
                }
            }
            Input::Closed {
                host,
                agent,
                session,
            } => {
                if self.sessions.get(agent) == Some(&session) {
                    self.sessions.remove(agent);
                    let event = CellEvent::HostDisconnected { host: host.clone() };
                    self.take(&of_host(&host, event), now, "the end of a session");
                }
            }
            Input::Act { event, forgets } => self.act(&event, forgets, now),
            Input::Wake => {}
        }
    }

    fn hello(&mut self, hello: Box<Hello>, now: Timestamp) {
        let packages = hello.host.facts.packages;
        let event = FleetEvent::HostConnected { hello };
        self.take(&event, now, "a hello");
        self.want_packages(packages, now);
    }

    /// Asks an agent for its packages, which it knows, where nobody told them before.
    fn want_packages(&mut self, digest: Digest, now: Timestamp) {
        if self.fleet.package_sets().contains_key(&digest) {
            return;
        }
        if let Some(packages) = self.package_sets.get(&digest).cloned() {
            let event = FleetEvent::Packages {
                digest,
                part: 0,
                of: 1,
                packages,
            };
            self.take(&event, now, "packages");
        }
    }

    /// Takes a claim in. The answer that needs no decision. Nothing: it needs one.
    fn claim(&mut self, host: &HostId, event: CellEvent, now: Timestamp) -> Option<ClaimAnswer> {
        match self.apply(&of_host(host, event), now) {
            Ok(()) => None,
            Err(FleetError::Cell {
                source: CellError::NoOrder { .. },
                ..
            }) => {
                let reason = "the order is not good".to_owned();
                Some(ClaimAnswer::Refused { reason })
            }
            Err(error) => {
                self.broken.push(format!("a claim is refused: {error:?}"));
                None
            }
        }
    }

    fn act(&mut self, event: &FleetEvent, forgets: Option<Number>, now: Timestamp) {
        let mut granted = Vec::new();
        if let FleetEvent::Reserved { hosts, by, .. } = event
            && self.is_checked
        {
            granted = check::broken_by_reserving(&self.fleet, hosts, by, now);
        }
        if let Err(refusal) = self.apply(event, now) {
            self.refusals.push(refusal);
            return;
        }
        self.broken.extend(granted.iter().map(ToString::to_string));
        if let Some(agent) = forgets {
            self.sessions.remove(agent);
        }
    }

    /// Applies what must not be refused.
    pub(super) fn take(&mut self, event: &FleetEvent, now: Timestamp, what: &str) {
        if let Err(error) = self.apply(event, now) {
            self.broken.push(format!("{what} is refused: {error:?}"));
        }
    }

    fn apply(&mut self, event: &FleetEvent, now: Timestamp) -> Result<(), FleetError> {
        self.fleet.apply(event, now)?;
        self.stored_at = now;
        if self.is_checked {
            self.log.push((now, event.clone()));
        }
        self.check_state();
        Ok(())
    }

    /// Decides and applies until nothing is left to do.
    fn decide(&mut self, now: Timestamp) -> Vec<(HostId, Down)> {
        let mut outbound = Vec::new();
        let mut rounds = 0;
        while rounds < MAX_ROUNDS {
            let decision = self.decided(now);
            let gathers = |command: &FleetCommand| matches!(command, FleetCommand::Gather { .. });
            rounds += usize::from(!decision.commands.iter().any(gathers));
            if decision.commands.is_empty() {
                let decision = self.at_rest(decision, now);
                self.note_holds(&decision, now);
                self.rest = decision;
                return outbound;
            }
            for command in decision.commands {
                self.command(command, now, &mut outbound);
            }
        }
        let last = self.fleet.decide(now).commands;
        self.broken
            .push(format!("decisions that never end: {last:?}"));
        self.is_stuck = true;
        outbound
    }

    fn note_holds(&mut self, decision: &FleetDecision, now: Timestamp) {
        if !self.keeps_holds || decision.holds == self.rest.holds {
            return;
        }
        for hold in &decision.holds {
            // Waves and rollouts count their hosts: that changes with every one.
            let is_news = !self.rest.holds.contains(hold);
            if is_news && hold.reason.rule() != "slices" {
                let line = format!("    held: {}, {}", hold.subject, hold.reason);
                self.holds.push((now, line));
            }
        }
    }

    fn command(
        &mut self,
        command: FleetCommand,
        now: Timestamp,
        outbound: &mut Vec<(HostId, Down)>,
    ) {
        self.check_command(&command, now);
        let mut events = command.events().into_iter();
        if let Some(own) = events.next() {
            self.take(&own, now, "an own decision");
        }
        for told in events {
            self.pass_on(told, &command, now);
        }
        if let FleetCommand::Cell { command, .. } = command {
            outbound.extend(messages(command));
        }
    }
}

fn of_host(host: &HostId, event: CellEvent) -> FleetEvent {
    FleetEvent::Host {
        host: host.clone(),
        event,
    }
}

/// What carrying a command out sends.
fn messages(command: CellCommand) -> Vec<(HostId, Down)> {
    let (host, down) = match command {
        CellCommand::Stage {
            rollout,
            host,
            lock_digest,
            ..
        } => (
            host,
            Down::Stage {
                rollout,
                lock_digest,
            },
        ),
        CellCommand::Order(order) | CellCommand::Resend(order) => {
            (order.host.clone(), Down::Order(order))
        }
        CellCommand::AnswerClaim {
            host,
            key,
            point,
            answer,
            ..
        } => (host, Down::Answer { key, point, answer }),
        CellCommand::Withdraw {
            host, key, reason, ..
        } => (host, Down::Withdraw { key, reason }),
        CellCommand::Release { rollout, hosts } => {
            let release = |host| (host, Down::Release(rollout.clone()));
            return hosts.into_iter().map(release).collect();
        }
        CellCommand::GiveUp { .. }
        | CellCommand::Brake { .. }
        | CellCommand::EndReservation { .. }
        | CellCommand::Summarise(_) => return Vec::new(),
    };
    vec![(host, down)]
}
