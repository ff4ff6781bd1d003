//! A fleet without processes, for benchmarks: the engine alone, and agents that do at once what they are told.

use cofferdam_engine::{
    by_name::ByHost,
    calendar::Calendar,
    cell::{CellCommand, CellEvent, Hello},
    denial::Denials,
    fleet::{Fleet, FleetCommand, FleetEvent},
    id::{
        CellId, HostId, Incarnation, OperatorId, OrderKey, OwnerEpoch, ReportSequence,
        ReservationToken,
    },
    inventory::{Facts, Host, PackageSet, Platform},
    order::ClaimPoint,
    patch::{LockFile, Locked},
    plan::{Plan, PlanInput},
    report::{Report, ReportBody},
    run::{Ending, RunState},
    services::Services,
    spec::Spec,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

const SPEC: &str = r#"
name = "bench"
grace = "0s"
start_spacing = "0s"
stage_within = "0s"
[patch]
kind = "noop"
[select]
match = 'service != "none"'
"#;

/// One wave of all.
pub const ONE_WAVE: &str = "[[wave]]\nname = \"full\"\nto = \"100%\"\n";

/// A canary, a tenth, all.
pub const THREE_WAVES: &str = r#"
[[wave]]
name = "canary"
to = "1%"
[[wave]]
name = "regional"
to = "10%"
[[wave]]
name = "full"
to = "100%"
"#;

/// `count` hosts in zones of `per_zone`, five services in each zone, eight instance types.
pub fn inventory(count: usize, per_zone: usize) -> BTreeMap<HostId, Host> {
    let host = |number: usize| {
        let id = HostId::new(format!("host-{number:05}")).expect("a good name");
        let labels = [
            ("service", format!("service-{}", number % 5)),
            ("region", format!("r{}", number / per_zone / 3)),
            ("zone", format!("z{}", number / per_zone)),
            ("instance_type", format!("m{}", number / 5 % 8)),
        ];
        let host = Host {
            id: id.clone(),
            labels: labels.map(|(name, value)| (name.to_owned(), value)).into(),
            facts: Facts {
                platform: Platform {
                    os_release: "debian-12".to_owned(),
                    architecture: "amd64".to_owned(),
                },
                kernel: "6.1.0-38-amd64".to_owned(),
                packages: PackageSet::default().digest(),
            }
            .into(),
        };
        (id, host)
    };
    (0..count).map(host).collect()
}

/// The cells of hosts.
///
/// # Panics
/// When one can be in none.
pub fn cells_of(hosts: &BTreeMap<HostId, Host>) -> ByHost<CellId> {
    OnPaper::new(hosts).fleet.homes().clone()
}

/// What a rollout of all that changes nothing would do in such waves.
///
/// # Panics
/// When it cannot be planned.
pub fn plan(hosts: &BTreeMap<HostId, Host>, cells: &ByHost<CellId>, waves: &str) -> Plan {
    let spec = Spec::parse("bench.toml", &format!("{SPEC}{waves}")).expect("a good rollout file");
    let lock = LockFile {
        rollout: "bench".to_owned(),
        content: Locked::Noop,
    };
    let input = PlanInput {
        hosts,
        cells,
        package_sets: &BTreeMap::new(),
        denials: &Denials::default(),
        casualties: &BTreeSet::new(),
        unready: &BTreeSet::new(),
        now: Timestamp(0),
        services: &Services::default(),
        calendar: &Calendar::default(),
    };
    Plan::make(&spec, &lock, &input).expect("a plan")
}

/// A fleet whose agents do at once what they are told.
#[derive(Debug)]
pub struct OnPaper {
    fleet: Fleet,
    now: Timestamp,
    said: BTreeMap<HostId, ReportSequence>,
    ended: usize,
    applied: usize,
}

impl OnPaper {
    /// All of them are connected.
    ///
    /// # Panics
    /// When the state refuses one, as below whatever it is told.
    pub fn new(hosts: &BTreeMap<HostId, Host>) -> Self {
        let mut bench = Self {
            fleet: Fleet::default(),
            now: Timestamp(1_800_000_000_000),
            said: BTreeMap::new(),
            ended: 0,
            applied: 0,
        };
        bench.apply(&FleetEvent::OwnerStarted {
            epoch: OwnerEpoch(1),
        });
        for host in hosts.values() {
            let hello = Box::new(Hello {
                host: host.clone(),
                incarnation: Incarnation(1),
                boot_id: "boot".to_owned(),
                version: "0".to_owned(),
                in_service: true,
                detail: String::new(),
                open: None,
                newest: None,
            });
            bench.apply(&FleetEvent::HostConnected { hello });
        }
        bench
    }

    /// Its state.
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// The moment.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// How many events were applied.
    pub fn applied(&self) -> usize {
        self.applied
    }

    /// Starts a rollout.
    pub fn start(&mut self, plan: Plan) {
        let by = OperatorId::new("bench").expect("a good name");
        let plan = Box::new(plan);
        self.apply(&FleetEvent::RolloutStarted { plan, by });
    }

    /// Goes on until so many runs are over and as many as may be are under way.
    pub fn run_until_ended(&mut self, enough: usize) {
        loop {
            self.now = Timestamp(self.now.0 + 1);
            let commands = self.fleet.decide(self.now).commands;
            if commands.is_empty() && self.ended >= enough {
                return;
            }
            for command in commands {
                for event in command.events() {
                    self.apply(&event);
                }
                if let FleetCommand::Cell { command, .. } = command {
                    self.obey(command, enough);
                }
            }
        }
    }

    /// What an agent does about a command. Once enough runs are over they stay where they are.
    fn obey(&mut self, command: CellCommand, enough: usize) {
        match command {
            CellCommand::Stage {
                rollout,
                host,
                lock_digest,
                ..
            } => {
                let body = ReportBody::Staged {
                    rollout,
                    lock_digest,
                    failure: None,
                };
                self.say(&host, body);
            }
            CellCommand::Order(order) => {
                self.enter(&order.host, order.key, RunState::Claiming);
                self.claim(&order.host, order.key, order.token, ClaimPoint::BeforeDrain);
            }
            CellCommand::AnswerClaim {
                host, key, point, ..
            } => {
                self.go_on(&host, key, point, enough);
            }
            CellCommand::Resend(_)
            | CellCommand::Withdraw { .. }
            | CellCommand::GiveUp { .. }
            | CellCommand::Brake { .. }
            | CellCommand::EndReservation { .. }
            | CellCommand::Summarise(_)
            | CellCommand::Release { .. } => {}
        }
    }

    fn go_on(&mut self, host: &HostId, key: OrderKey, point: ClaimPoint, enough: usize) {
        match point {
            ClaimPoint::BeforeDrain => {
                self.enter(host, key, RunState::Draining);
                self.enter(host, key, RunState::Drained);
                self.claim(host, key, self.token(host), ClaimPoint::BeforeApply);
            }
            ClaimPoint::BeforeApply => {
                self.enter(host, key, RunState::Applying);
                if self.ended >= enough {
                    return;
                }
                self.enter(host, key, RunState::Verifying);
                self.enter(host, key, RunState::Readmitting(Ending::Patched));
                self.enter(host, key, RunState::Ended(Ending::Patched));
                self.ended += 1;
            }
        }
    }

    fn token(&self, host: &HostId) -> ReservationToken {
        let (cell, _) = self.fleet.host(host).expect("a known host");
        cell.ledger().entry(host).expect("it is reserved").token
    }

    fn enter(&mut self, host: &HostId, key: OrderKey, state: RunState) {
        let failure = None;
        self.say(
            host,
            ReportBody::Entered {
                key,
                state,
                failure,
                exceptions: Vec::new(),
            },
        );
    }

    fn claim(&mut self, host: &HostId, key: OrderKey, token: ReservationToken, point: ClaimPoint) {
        let host = host.clone();
        let event = CellEvent::Claimed {
            host: host.clone(),
            key,
            token,
            point,
        };
        self.apply(&FleetEvent::Host { host, event });
    }

    fn say(&mut self, host: &HostId, body: ReportBody) {
        let sequence = self.said.entry(host.clone()).or_default();
        *sequence = sequence.next();
        let report = Report {
            incarnation: Incarnation(1),
            sequence: *sequence,
            body,
        };
        let host = host.clone();
        let event = CellEvent::Reported {
            host: host.clone(),
            report,
        };
        self.apply(&FleetEvent::Host { host, event });
    }

    fn apply(&mut self, event: &FleetEvent) {
        self.fleet.apply(event, self.now).expect("the event fits");
        self.applied += 1;
    }
}
