//! The simulated operator: plans, starts and watches one rollout, and asks again when nobody
//! answers.

use super::{PORT, Scene, authority::Authority, network};
use cofferdam_engine::{
    id::{HostId, OperatorId},
    identity::Identity,
};
use cofferdam_proto::{
    operator::{
        CordRequest, Explanation, PlanReply, PlanRequest, ReleaseHostsRequest, ReserveRequest,
        RolloutState, RolloutView, StartRequest,
    },
    tls::{self, Credentials},
    v1::{self, operator_client::OperatorClient},
};
use std::{cell::RefCell, future::Future, ops::Range, rc::Rc, time::Duration};
use tonic::{
    Response, Status,
    transport::{Channel, Endpoint},
};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(500);

/// How long one question may take.
const ANSWER: Duration = Duration::from_secs(5);

/// How long after the last fault everybody has been heard: longer than any agent waits before it
/// dials again.
const HEALED: Duration = Duration::from_secs(45);

/// What the operator saw. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(Rc<RefCell<Sights>>);

/// What it is.
#[derive(Debug, Default)]
pub(super) struct Sights {
    /// How the rollout was when the operator saw it end or stop.
    pub(super) rollout: Option<RolloutView>,
    /// What was explained, as it was asked for.
    pub(super) explained: Vec<Vec<Explanation>>,
}

impl Seen {
    /// Takes what was seen.
    pub(super) fn take(&self) -> Sights {
        self.0.take()
    }
}

/// Puts the operator on the network; the simulation ends when it has seen the end.
pub(super) fn client(sim: &mut turmoil::Sim<'_>, authority: &Authority, scene: &Scene, seen: Seen) {
    let named = |name: &str| {
        let identity = Identity::Operator(OperatorId::new(name).expect("a good name"));
        Operator {
            credentials: authority.issue(&identity, None),
            dials: scene.layout.of_operators().host(),
        }
    };
    let (operator, other) = (named("ana"), named("ben"));
    let hosts = scene.racks * scene.seats;
    let rollout = scene.rollout.clone();
    let last_fault = scene.faults.last().map(|(at, _)| *at + HEALED);
    let not_before = last_fault.unwrap_or_default();
    let (cord, taken, asks) = (scene.cord.clone(), scene.taken.clone(), scene.asks.clone());
    sim.client("operator", async move {
        let planned = operator.plan_when_all_are_there(hosts, &rollout).await;
        let request = StartRequest {
            file_name: "rollout.toml".to_owned(),
            spec_text: rollout,
            lock_text: planned.lock_text,
            signed: None,
        };
        let name = planned.plan.rollout.to_string();
        operator.start(&name, request).await;
        if let Some(cord) = cord {
            operator.hold_cord(cord).await;
        }
        if let Some((host, held)) = taken {
            operator.hold_host(&other, host, held).await;
        }
        for (at, subjects) in asks {
            let explained = operator.explain(at, subjects).await;
            seen.0.borrow_mut().explained.push(explained);
        }
        let rollout = operator.watch(&name, not_before).await;
        seen.0.borrow_mut().rollout = Some(rollout);
        Ok(())
    });
}

struct Operator {
    credentials: Credentials,
    dials: &'static str,
}

impl Operator {
    async fn plan_when_all_are_there(&self, hosts: usize, rollout: &str) -> PlanReply {
        loop {
            let request = PlanRequest {
                file_name: "rollout.toml".to_owned(),
                spec_text: rollout.to_owned(),
                lock_text: None,
                advisory: None,
            };
            let reply = self
                .ask(|mut api| {
                    let request = v1::PlanRequest::from(request.clone());
                    async move { api.plan(request).await }
                })
                .await;
            let reply = reply.map(|reply| PlanReply::try_from(reply).expect("a checked reply"));
            if let Some(reply) = reply.filter(|reply| planned_hosts(reply) == hosts) {
                return reply;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Starts it, until it is known to be started: an answer may be lost.
    async fn start(&self, name: &str, request: StartRequest) {
        while self.status(name).await.is_none() {
            let request = v1::StartRequest::from(request.clone());
            self.ask(|mut api| async move { api.start(request).await })
                .await;
        }
    }

    /// Pulls the cord at its time and releases it at its time, each until it is known to be.
    async fn hold_cord(&self, cord: Range<Duration>) {
        tokio::time::sleep(cord.start.saturating_sub(turmoil::elapsed())).await;
        let request = || v1::PullCordRequest::from(why());
        let pull = || self.ask(|mut api| async move { api.pull_cord(request()).await });
        while pull().await.is_none() {}
        tokio::time::sleep(cord.end.saturating_sub(turmoil::elapsed())).await;
        let request = || v1::ReleaseCordRequest::from(why());
        let release = || self.ask(|mut api| async move { api.release_cord(request()).await });
        while release().await.is_none() {}
    }

    /// Takes a host at its time, which nobody else can take then, and gives it back at its time.
    async fn hold_host(&self, other: &Self, host: HostId, held: Range<Duration>) {
        tokio::time::sleep(held.start.saturating_sub(turmoil::elapsed())).await;
        while self.reserve(&host).await.is_none() {}
        assert!(
            other.reserve(&host).await.is_none(),
            "{host} has one holder"
        );
        tokio::time::sleep(held.end.saturating_sub(turmoil::elapsed())).await;
        let request = ReleaseHostsRequest {
            hosts: vec![host],
            force: false,
        };
        let request = || v1::ReleaseHostsRequest::from(request.clone());
        let release = || self.ask(|mut api| async move { api.release_hosts(request()).await });
        while release().await.is_none() {}
    }

    async fn reserve(&self, host: &HostId) -> Option<v1::ReserveReply> {
        let request = v1::ReserveRequest::from(ReserveRequest {
            hosts: vec![host.clone()],
            reason: "a new disk".to_owned(),
            lasts: Duration::from_secs(3_600),
        });
        self.ask(|mut api| async move { api.reserve(request).await })
            .await
    }

    /// Asks for explanations at a time, of each until it is answered.
    async fn explain(&self, at: Duration, subjects: Vec<String>) -> Vec<Explanation> {
        tokio::time::sleep(at.saturating_sub(turmoil::elapsed())).await;
        let mut explained = Vec::new();
        for subject in subjects {
            let request = || v1::ExplainRequest {
                subject: subject.clone(),
            };
            let ask = || self.ask(|mut api| async move { api.explain(request()).await });
            let answer = loop {
                if let Some(answer) = ask().await {
                    break answer;
                }
            };
            explained.push(Explanation::try_from(answer).expect("a checked reply"));
        }
        explained
    }

    /// Watches until it is over or stopped, and everybody could say what became of it.
    async fn watch(&self, name: &str, not_before: Duration) -> RolloutView {
        loop {
            let view = self.status(name).await;
            let is_over = |view: &RolloutView| {
                !matches!(view.state, RolloutState::Planned | RolloutState::Running)
            };
            if let Some(view) = view
                .filter(is_over)
                .filter(|_| turmoil::elapsed() >= not_before)
            {
                return view;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn status(&self, name: &str) -> Option<RolloutView> {
        let request = v1::StatusRequest {
            rollout: name.to_owned(),
        };
        let view = self
            .ask(|mut api| async move { api.status(request).await })
            .await?;
        Some(RolloutView::try_from(view).expect("a checked reply"))
    }

    /// One call on a connection of its own. Nothing when it failed: the network may be cut.
    async fn ask<T, F>(&self, call: impl FnOnce(OperatorClient<Channel>) -> F) -> Option<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let uri = tls::uri(&format!("{}:{PORT}", self.dials)).expect("a good address");
        let answer = async {
            let channel = network::dial(self.credentials.clone(), Endpoint::from(uri))
                .await
                .ok()?;
            call(OperatorClient::new(channel)).await.ok()
        };
        let answer = tokio::time::timeout(ANSWER, answer).await.ok()??;
        Some(answer.into_inner())
    }
}

fn why() -> CordRequest {
    CordRequest {
        reason: "smoke".to_owned(),
    }
}

fn planned_hosts(reply: &PlanReply) -> usize {
    reply
        .plan
        .waves
        .iter()
        .map(|wave| wave.hosts as usize)
        .sum()
}
