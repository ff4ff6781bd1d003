//! A fleet that runs: one coordinator and its agents as processes, and an operator who looks on.

use crate::{
    deadly::Death, evidence, machine::Machine, patience::eventually, process::Process, site::Site,
};
use cofferdam::{
    client::Client,
    config::{Endpoint, Settings},
};
use cofferdam_engine::id::{HostId, RolloutId};
use cofferdam_proto::operator::{HostView, PlanRequest, RolloutView, StartRequest};
use std::{collections::BTreeMap, fs, path::Path, time::Duration};

/// How long a fleet may take to be connected: a hundred processes on two cores (guess).
pub const READY_WITHIN: Duration = Duration::from_secs(60);

/// A fleet that runs. [`Fleet::finish`] looks at what it left behind.
///
/// Whoever waits for it finds out at each look when one of its processes ended. That fails the
/// test, unless [`Fleet::restart_the_dead`] was asked for, which does what a unit does.
pub struct Fleet {
    /// What it is made of on disk.
    pub site: Site,
    coordinator: Option<Process>,
    agents: BTreeMap<HostId, Process>,
    machines: Vec<Machine>,
    announced: Vec<&'static str>,
    ended: Ended,
    deaths: usize,
}

/// What is done about a process that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Fails,
    IsRestarted,
}

impl Fleet {
    /// Makes a fleet and starts nothing.
    pub fn lay_out(machines: Vec<Machine>) -> Self {
        let fleet = Self::enrol(machines);
        for host in fleet.hosts() {
            Machine::lay_out(&fleet.site.agent_folder(&host, "root"));
        }
        fleet
    }

    /// Makes a fleet without root trees and starts nothing.
    pub fn enrol(machines: Vec<Machine>) -> Self {
        let site = Site::new();
        for machine in &machines {
            site.enrol(machine);
        }
        Self {
            site,
            coordinator: None,
            agents: BTreeMap::new(),
            machines,
            announced: Vec::new(),
            ended: Ended::Fails,
            deaths: 0,
        }
    }

    /// Makes a fleet, starts all of it, and waits until every host is in service.
    pub async fn start(machines: Vec<Machine>) -> Self {
        let mut fleet = Self::lay_out(machines);
        fleet.start_all().await;
        fleet
    }

    /// Starts all of it, and waits until every host is in service.
    pub async fn start_all(&mut self) {
        self.start_coordinator(None);
        for host in self.hosts() {
            self.start_agent(&host, None);
        }
        self.in_service().await;
    }

    /// Announces that an ERROR line with this part belongs to the test.
    pub fn expect_error(&mut self, part: &'static str) {
        self.announced.push(part);
    }

    /// From now on a process that ended is started again.
    pub fn restart_the_dead(&mut self) {
        self.ended = Ended::IsRestarted;
    }

    /// How many processes were started again.
    pub fn deaths(&self) -> usize {
        self.deaths
    }

    /// Its hosts, in the order in which they were given.
    pub fn hosts(&self) -> Vec<HostId> {
        let host = |machine: &Machine| machine.host.clone();
        self.machines.iter().map(host).collect()
    }

    /// Starts the coordinator, to die somewhere or not.
    pub fn start_coordinator(&mut self, death: Option<Death>) {
        let mut command = self.site.coordinator();
        if let Some(death) = death {
            death.arrange(&mut command);
        }
        let log = self.site.coordinator_log();
        self.coordinator = Some(Process::start(command, &log));
    }

    /// The coordinator's process.
    ///
    /// # Panics
    /// When it was not started.
    pub fn coordinator(&mut self) -> &mut Process {
        let started = self.coordinator.as_mut();
        started.expect("the coordinator was started")
    }

    /// Kills the coordinator as a power cut would.
    pub fn kill_coordinator(&mut self) {
        let started = self.coordinator.take();
        started.expect("the coordinator was started").kill();
    }

    /// Waits until a part stands in what an agent printed.
    pub async fn agent_says(&self, host: &HostId, part: &str) {
        let log = self.site.agent_log(host);
        says(&log, part).await;
    }

    /// Starts one agent, to die somewhere or not.
    pub fn start_agent(&mut self, host: &HostId, death: Option<Death>) {
        let mut command = self.site.agent(host);
        if let Some(death) = death {
            death.arrange(&mut command);
        }
        let process = Process::start(command, &self.site.agent_log(host));
        self.agents.insert(host.clone(), process);
    }

    /// An agent's process.
    ///
    /// # Panics
    /// When it was not started.
    pub fn agent(&mut self, host: &HostId) -> &mut Process {
        let started = self.agents.get_mut(host);
        started.expect("the agent was started")
    }

    /// Kills an agent as a power cut would.
    pub fn kill_agent(&mut self, host: &HostId) {
        let started = self.agents.remove(host);
        started.expect("the agent was started").kill();
    }

    /// An operator's connection, once the coordinator answers.
    pub async fn operator(&mut self) -> Client {
        let settings = self.operator_settings();
        eventually("the coordinator to answer", READY_WITHIN, async || {
            self.look_after();
            Client::connect(&settings).await.map_err(say)
        })
        .await
    }

    /// Waits until every host is connected and in service.
    pub async fn in_service(&mut self) {
        let wanted = self.machines.len();
        let operator = self.operator().await;
        eventually("every host to be in service", READY_WITHIN, async || {
            self.look_after();
            let hosts = operator.hosts().await.map_err(say)?;
            let serving = hosts.iter().filter(|host| serves(host)).count();
            let all = (serving == wanted).then_some(());
            all.ok_or_else(|| format!("{serving} of {wanted} are: {hosts:#?}"))
        })
        .await;
    }

    /// Plans and starts a rollout from its file's text, as often as it takes to hear that it runs.
    pub async fn start_rollout(&mut self, name: &str, text: &str) -> RolloutId {
        self.start_rollout_after(name, text, || {}).await
    }

    /// The same, with something that happens between plan and start.
    pub async fn start_rollout_after(
        &mut self,
        name: &str,
        text: &str,
        planned: impl Fn(),
    ) -> RolloutId {
        let rollout = RolloutId::new(name).expect("a good name");
        let operator = self.operator().await;
        eventually("the rollout to be started", READY_WITHIN, async || {
            self.look_after();
            if operator.status(&rollout).await.is_ok() {
                return Ok(());
            }
            let file_name = format!("{rollout}.toml");
            let plan = operator.plan(PlanRequest {
                file_name: file_name.clone(),
                spec_text: text.to_owned(),
                lock_text: None,
                advisory: None,
            });
            let lock_text = plan.await.map_err(say)?.lock_text;
            planned();
            let start = operator.start(StartRequest {
                file_name,
                spec_text: text.to_owned(),
                lock_text,
                signed: None,
            });
            start.await.map(|_| ()).map_err(say)
        })
        .await;
        rollout
    }

    /// Waits until a rollout stands as asked. A coordinator that is away is waited for too.
    pub async fn until(
        &mut self,
        what: &str,
        rollout: &RolloutId,
        within: Duration,
        stands: impl Fn(&RolloutView) -> bool,
    ) -> RolloutView {
        let operator = self.operator().await;
        eventually(what, within, async || {
            self.look_after();
            let view = operator.status(rollout).await.map_err(say)?;
            if stands(&view) {
                return Ok(view);
            }
            Err(format!("{view:#?}"))
        })
        .await
    }

    /// Waits for the end of a rollout.
    pub async fn end_of(&mut self, rollout: &RolloutId, within: Duration) -> RolloutView {
        let is_over = |view: &RolloutView| view.state.is_over();
        self.until("the rollout to be over", rollout, within, is_over)
            .await
    }

    /// Ends every process, then fails when one of them panicked or wrote an ERROR line that was not
    /// announced.
    ///
    /// # Panics
    /// When one did.
    pub fn finish(mut self) -> Site {
        self.agents.clear();
        self.coordinator = None;
        let mut logs = vec![self.site.coordinator_log()];
        logs.extend(self.hosts().iter().map(|host| self.site.agent_log(host)));
        evidence::assert_calm(&logs, &self.announced);
        self.site
    }

    /// Starts again who ended, or fails.
    fn look_after(&mut self) {
        let mut dead: Vec<HostId> = Vec::new();
        for (host, agent) in &mut self.agents {
            if agent.ended().is_some() {
                assert_eq!(self.ended, Ended::IsRestarted, "{}", agent.log());
                dead.push(host.clone());
            }
        }
        for host in dead {
            self.deaths += 1;
            self.start_agent(&host, None);
        }
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        if coordinator.ended().is_some() {
            assert_eq!(self.ended, Ended::IsRestarted, "{}", coordinator.log());
            self.deaths += 1;
            self.start_coordinator(None);
        }
    }

    fn operator_settings(&self) -> Settings {
        let own = self.site.operator();
        let host = self.site.operators.ip().to_string();
        Settings {
            server_name: host.clone(),
            endpoint: Endpoint {
                host,
                port: self.site.operators.port(),
            },
            cert: own.cert,
            key: own.key,
            ca: own.ca,
            trust_domain: None,
        }
    }
}

async fn says(log: &Path, part: &str) {
    eventually(part, READY_WITHIN, async || {
        let text = fs::read_to_string(log).unwrap_or_default();
        let found = text.contains(part).then_some(());
        found.ok_or_else(|| format!("not in {}:\n{text}", log.display()))
    })
    .await;
}

fn serves(host: &HostView) -> bool {
    host.connected_since_ms.is_some() && host.in_service && host.out.is_none()
}

/// An error of the operator's client with its causes.
fn say(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
