//! A modelled agent: a journal that outlives it, a process that does not, and the real `Run`.

use super::{
    few::Few,
    journal::Journal,
    message::{Down, Up},
    skew::Skew,
};
use crate::{
    cell::Hello,
    digest::Digest,
    id::{Incarnation, OrderKey, ReportSequence, RolloutId},
    inventory::Host,
    order::{ClaimAnswer, ClaimPoint, Direction, Order},
    report::{Refusal, Report, ReportBody},
    run::{Ending, Run, RunEvent, RunState},
    time::Timestamp,
};

/// One host with its agent.
#[derive(Debug)]
pub struct Agent {
    /// Labels and facts.
    pub host: Host,
    /// What outlives its process.
    pub journal: Journal,
    /// Whose patches are on its disk.
    pub installed: Few<RolloutId>,
    /// Whether one rollout patched it twice, with nothing taken back in between.
    pub is_doubled: bool,
    /// Whose bits are on its disk.
    pub staged: Few<RolloutId>,
    /// Counts its boots.
    pub boot: u64,
    /// The boot in which it last took the time from its host.
    pub(super) anchored: u64,
    /// How far its clock stands from the world's time.
    pub(super) skew: Skew,
    /// What of its service fails by itself. Empty: nothing.
    pub fallen: String,
    /// Its process. Nothing: it does not run.
    pub process: Option<Process>,
    /// Whether it had fallen when it took its order: what passes its checks then has risen.
    fell_before: bool,
    /// Whether it says what it has installed where it said something else before.
    doubts_packages: bool,
    /// Whether it was patched as something that it was not: with another package delta than its order's.
    pub is_mistaken: bool,
    /// Its newest session in which nothing comes through any more. 0: there was none.
    pub(super) hung_up: u64,
}

/// What a crash takes away.
#[derive(Debug, Default)]
pub struct Process {
    /// Tells this process from those before it.
    pub life: u64,
    /// Its session. Nothing: it has none.
    pub session: Option<Session>,
    /// The state whose step was begun.
    pub begun: Option<(OrderKey, RunState)>,
    /// When the run is looked at next.
    pub looks_at: Option<Timestamp>,
}

/// What is said once a session.
#[derive(Debug)]
pub struct Session {
    /// Tells it from all others.
    pub number: u64,
    /// Whether its hello was answered.
    pub is_welcome: bool,
    sent: ReportSequence,
    claimed: Option<(OrderKey, ClaimPoint)>,
    /// The packages that it said it has.
    packages: Digest,
    /// What the coordinator believes of its service, once it has heard all. Absent: nobody knows, for
    /// a run ended since.
    told: Option<bool>,
}

impl Agent {
    /// A host that was just made, with its agent not started.
    pub fn new(host: Host) -> Self {
        Self {
            host,
            journal: Journal::new(Incarnation(1)),
            installed: Few::default(),
            is_doubled: false,
            staged: Few::default(),
            boot: 1,
            anchored: 0,
            skew: Skew::default(),
            fallen: String::new(),
            process: None,
            fell_before: false,
            doubts_packages: false,
            is_mistaken: false,
            hung_up: 0,
        }
    }

    /// Starts the process, and goes on from the journal.
    pub fn wake_up(&mut self, life: u64, now: Timestamp) {
        let process = Process {
            life,
            ..Process::default()
        };
        self.process = Some(process);
        let Some(run) = self.open() else { return };
        let came_back = run.state() == RunState::Rebooting && self.boot != self.journal.boot;
        self.happen(
            match came_back {
                true => RunEvent::Rebooted,
                false => RunEvent::Resumed,
            },
            now,
        );
    }

    /// Tells its process from those before it. Nothing: it does not run.
    pub(super) fn life(&self) -> Option<u64> {
        Some(self.process.as_ref()?.life)
    }

    /// Loses everything and begins as another.
    pub fn make_anew(&mut self) {
        let next = Incarnation(self.journal.incarnation.0 + 1);
        self.journal = Journal::new(next);
        self.installed.clear();
        self.staged.clear();
        self.fallen.clear();
        self.boot += 1;
        self.process = None;
    }

    /// The run that is not over.
    pub fn open(&self) -> Option<&Run> {
        self.journal.open()
    }

    /// Whether a run has taken it out of traffic.
    pub fn is_drained(&self) -> bool {
        let run = self.journal.run.as_ref();
        !self.journal.is_put_back && run.is_some_and(Run::is_drained)
    }

    /// Whether it serves.
    pub fn in_service(&self) -> bool {
        self.fallen.is_empty() && !self.is_drained()
    }

    /// Lets a person put a quarantined or fallen host back.
    pub fn repair(&mut self) {
        self.fallen.clear();
        self.journal.is_put_back = self.open().is_none();
    }

    /// Opens a session: the hello that is said on it.
    pub fn dial(&mut self, number: u64) -> Option<Up> {
        let open = self.open().map(|run| (run.order().key, run.state()));
        let (newest, in_service) = (self.journal.newest(), self.in_service());
        // What still waits to be said is heard after the hello, and may say otherwise.
        let told = self.journal.outbox.is_empty().then_some(in_service);
        let packages = self.host.facts.packages;
        let process = self.process.as_mut()?;
        process.session = Some(Session {
            number,
            is_welcome: false,
            sent: ReportSequence(0),
            claimed: None,
            packages,
            told,
        });
        Some(Up::Hello(Box::new(Hello {
            host: self.host.clone(),
            incarnation: self.journal.incarnation,
            boot_id: format!("boot-{}", self.boot),
            version: "0.1.0".to_owned(),
            in_service,
            detail: self.fallen.clone(),
            open,
            newest,
        })))
    }

    /// Takes in a message; a request to stage is the caller's to carry out. `unfit` is why an order is not for
    /// what is installed.
    pub fn hear(&mut self, down: Down, unfit: Option<Refusal>, now: Timestamp) {
        match down {
            Down::Welcome => {
                if let Some(session) = self.session() {
                    session.is_welcome = true;
                }
            }
            Down::Acknowledge(up_to) => self.journal.acknowledged(up_to),
            Down::Order(order) => self.judge(*order, unfit, now),
            Down::Withdraw { key, reason } => {
                if self.open().is_some_and(|run| run.order().key == key) {
                    self.happen(RunEvent::Withdrawn { reason }, now);
                }
            }
            Down::Answer { key, point, answer } => {
                let run = self.open().filter(|run| run.order().key == key);
                if run.and_then(Run::awaits) == Some(point) {
                    let event = match answer {
                        ClaimAnswer::Granted => RunEvent::ClaimGranted,
                        ClaimAnswer::Refused { reason } => RunEvent::ClaimRefused { reason },
                    };
                    self.happen(event, now);
                }
            }
            Down::Release(rollout) => {
                self.staged.remove(&rollout);
            }
            Down::Stage { .. } => {}
        }
    }

    /// Accepts an order or refuses it: `unfit` is why the host cannot take it.
    fn judge(&mut self, order: Order, unfit: Option<Refusal>, now: Timestamp) {
        self.doubts_packages |= matches!(unfit, Some(Refusal::OtherDelta { .. }));
        let accepted = self.journal.accepted.len();
        self.journal.judge(order, unfit, now);
        if self.journal.accepted.len() > accepted {
            self.fell_before = !self.fallen.is_empty();
        }
    }

    /// Moves the open run, and reports what it became.
    pub fn happen(&mut self, event: RunEvent, now: Timestamp) {
        let is_done = matches!(event, RunEvent::Done { .. });
        let Some(run) = self.journal.run.as_mut() else {
            return;
        };
        let before = run.state();
        if run.apply(event, now).is_err() {
            return;
        }
        self.journal.boot = self.boot;
        if run.state() == before {
            return;
        }
        let after = run.state();
        let order = run.order();
        if is_done && before == RunState::Applying {
            let is_new = self.installed.insert(order.grant.rollout.clone());
            self.is_doubled |= !is_new && order.direction == Direction::Patch;
        }
        if is_done && before == RunState::RollingBack {
            self.installed.remove(&order.grant.rollout);
        }
        let went_back = after == RunState::Ended(Ending::RolledBack);
        if went_back && order.direction == Direction::Rollback {
            self.journal.denied.extend(order.content.bits());
        }
        let is_proved = matches!(before, RunState::Verifying | RunState::VerifyingRollback);
        if is_done && is_proved && self.fell_before {
            self.fallen.clear();
        }
        if after.is_over()
            && let Some(session) = self.session()
        {
            session.told = None;
        }
        self.journal.say_state();
    }

    /// The next message of the session. Nothing when all is said.
    pub fn next_up(&mut self) -> Option<Up> {
        let (in_service, fallen) = (self.in_service(), self.fallen.clone());
        let claim = self
            .open()
            .and_then(|run| Some((run.order().key, run.order().token, run.awaits()?)));
        let is_open = self.open().is_some();
        let (doubts, packages) = (self.doubts_packages, self.host.facts.packages);
        let session = self.process.as_mut()?.session.as_mut()?;
        if !session.is_welcome {
            return None;
        }
        if doubts && session.packages != packages {
            session.packages = packages;
            self.doubts_packages = false;
            return Some(Up::Packages(packages));
        }
        if !is_open && session.told != Some(in_service) {
            session.told = Some(in_service);
            self.journal.say(ReportBody::Service {
                in_service,
                detail: fallen,
            });
        }
        let unsent = |report: &&Report| report.sequence > session.sent;
        if let Some(report) = self.journal.outbox.iter().find(unsent) {
            session.sent = report.sequence;
            return Some(Up::Report(report.clone()));
        }
        let (key, token, point) = claim?;
        if session.claimed == Some((key, point)) {
            return None;
        }
        session.claimed = Some((key, point));
        Some(Up::Claim { key, token, point })
    }

    /// Its session. Nothing: it has none.
    pub fn session(&mut self) -> Option<&mut Session> {
        self.process.as_mut()?.session.as_mut()
    }

    /// The bits of a rollout are there, or are not.
    pub fn staged(&mut self, body: ReportBody) {
        if let ReportBody::Staged {
            rollout,
            failure: None,
            ..
        } = &body
        {
            self.staged.insert(rollout.clone());
        }
        self.journal.say(body);
    }
}
