//! A coordinator in memory: grants claims, acknowledges reports, and misbehaves when told to.

use crate::link::{Connector, Coordinator, Inbound, LINK_CAPACITY, Link, LinkError};
use cofferdam_engine::{
    id::{OrderKey, OwnerEpoch, ReportSequence},
    inventory::PackageSet,
    order::{ClaimAnswer, ClaimPoint, Order},
    report::{Report, ReportBody},
    run::{Ending, RunState},
};
use cofferdam_proto::session::{FromAgent, HEARTBEAT, Papers, ToAgent};
use std::{
    cell::{Cell, RefCell, RefMut},
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    time::Duration,
};
use tokio::{sync::mpsc, time};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

/// How often the coordinator looks up from its sessions.
const TICK: Duration = Duration::from_millis(100);

/// Which claims it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    All,
    FirstOnly,
    None,
}

/// What a test tells it and asks of it. Clones are the same coordinator.
#[derive(Clone, Default)]
pub(super) struct FakeCoordinator(Rc<State>);

#[derive(Default)]
struct State {
    dialled: RefCell<VecDeque<Peer>>,
    away_until: Cell<Option<time::Instant>>,
    silent: Cell<bool>,
    hang_up: Cell<bool>,
    repeats: Cell<bool>,
    answers: Cell<Option<Answers>>,
    cut: Cell<Option<(RunState, Duration)>>,
    withdraw: Cell<Option<RunState>>,
    orders: RefCell<Vec<Order>>,
    to_send: RefCell<VecDeque<ToAgent>>,
    reports: RefCell<BTreeMap<ReportSequence, Report>>,
    hellos: RefCell<Vec<bool>>,
    packages: RefCell<Vec<PackageSet>>,
}

struct Peer {
    from: mpsc::Receiver<FromAgent>,
    to: mpsc::Sender<ToAgent>,
}

/// Dials it.
pub(super) struct FakeConnector(FakeCoordinator);

impl Connector for FakeConnector {
    async fn connect(&self, coordinator: &Coordinator) -> Result<Link, LinkError> {
        let state = &self.0.0;
        if state
            .away_until
            .get()
            .is_some_and(|at| time::Instant::now() < at)
        {
            return Err(LinkError {
                coordinator: coordinator.clone(),
                source: "away".into(),
            });
        }
        let (outbound, from) = mpsc::channel(LINK_CAPACITY);
        let (to, inbound) = mpsc::channel(LINK_CAPACITY);
        state.dialled.borrow_mut().push_back(Peer { from, to });
        let inbound: Inbound = Box::pin(ReceiverStream::new(inbound).map(Ok));
        Ok(Link { outbound, inbound })
    }
}

impl FakeCoordinator {
    pub(super) fn connector(&self) -> FakeConnector {
        FakeConnector(self.clone())
    }

    pub(super) fn order(&self, order: Order) {
        self.order_with(order, Papers::default());
    }

    pub(super) fn order_with(&self, order: Order, papers: Papers) {
        self.send(ToAgent::Order(Box::new(order.clone()), papers));
        self.0.orders.borrow_mut().push(order);
    }

    pub(super) fn send(&self, message: ToAgent) {
        self.0.to_send.borrow_mut().push_back(message);
    }

    pub(super) fn answers(&self, answers: Answers) {
        self.0.answers.set(Some(answers));
    }

    /// Hangs up when a run enters a state, and cannot be reached for a while.
    pub(super) fn cut_when(&self, state: RunState, away: Duration) {
        self.0.cut.set(Some((state, away)));
    }

    pub(super) fn withdraw_when(&self, state: RunState) {
        self.0.withdraw.set(Some(state));
    }

    pub(super) fn fall_silent(&self) {
        self.0.silent.set(true);
    }

    pub(super) fn drop_session(&self) {
        self.0.hang_up.set(true);
    }

    /// Sends all orders again in each session, even those that are over.
    pub(super) fn repeat_orders(&self) {
        self.0.repeats.set(true);
    }

    pub(super) fn bodies(&self) -> Vec<ReportBody> {
        self.reports().values().map(|r| r.body.clone()).collect()
    }

    pub(super) fn states(&self, order: OrderKey) -> Vec<RunState> {
        let mut states = Vec::new();
        for body in self.bodies() {
            if let ReportBody::Entered { key, state, .. } = body
                && key == order
            {
                states.push(state);
            }
        }
        states
    }

    pub(super) fn ending(&self, order: OrderKey) -> Option<Ending> {
        let last = self.states(order).pop()?;
        let RunState::Ended(ending) = last else {
            return None;
        };
        Some(ending)
    }

    /// What was said of the host's health outside runs.
    pub(super) fn service_changes(&self) -> Vec<bool> {
        let mut changes = Vec::new();
        for body in self.bodies() {
            if let ReportBody::Service { in_service, .. } = body {
                changes.push(in_service);
            }
        }
        changes
    }

    /// The `in_service` of each first message.
    pub(super) fn hellos(&self) -> Vec<bool> {
        self.0.hellos.borrow().clone()
    }

    /// The package sets that it was told within sessions, in order.
    pub(super) fn packages(&self) -> Vec<PackageSet> {
        self.0.packages.borrow().clone()
    }

    pub(super) fn is_welcomed(&self) -> bool {
        !self.hellos().is_empty()
    }

    /// Every report arrived, none under two numbers or with two contents.
    pub(super) fn assert_reports_are_whole(&self) {
        let numbers: Vec<u64> = self.reports().keys().map(|s| s.0).collect();
        let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
        assert_eq!(numbers, expected);
    }

    /// Serves one session after the other.
    pub(super) async fn serve(&self) {
        loop {
            let dialled = self.0.dialled.borrow_mut().pop_front();
            match dialled {
                Some(peer) => self.talk(peer).await,
                None => time::sleep(TICK).await,
            }
        }
    }

    async fn talk(&self, mut peer: Peer) {
        let mut beat = time::interval_at(time::Instant::now() + HEARTBEAT, HEARTBEAT);
        loop {
            let waiting = self.0.to_send.borrow().is_empty();
            let next_dialled = !self.0.dialled.borrow().is_empty();
            if next_dialled || self.0.hang_up.take() {
                return;
            }
            tokio::select! {
                biased;
                message = peer.from.recv() => {
                    let Some(message) = message else { return };
                    if self.hear(message, &peer.to).await.is_none() {
                        return;
                    }
                }
                _ = beat.tick(), if !self.0.silent.get() => {
                    drop(peer.to.send(ToAgent::Heartbeat).await);
                }
                () = time::sleep(TICK) => {
                    if !waiting && self.is_welcomed() {
                        let message = self.0.to_send.borrow_mut().pop_front();
                        if let Some(message) = message {
                            peer.to.send(message).await.ok();
                        }
                    }
                }
            }
        }
    }

    /// Nothing when it hangs up.
    async fn hear(&self, message: FromAgent, to: &mpsc::Sender<ToAgent>) -> Option<()> {
        match message {
            FromAgent::Hello(hello) => {
                self.0.hellos.borrow_mut().push(hello.in_service);
                let welcome = ToAgent::Welcome {
                    epoch: OwnerEpoch(1),
                    heartbeat: HEARTBEAT,
                    want_packages: false,
                    heard: None,
                };
                to.send(welcome).await.ok()?;
                self.send_orders_again(to).await;
            }
            FromAgent::Report(report) => self.report(report, to).await?,
            FromAgent::Claim { key, point, .. } => {
                if self.grants(point) {
                    let answer = ClaimAnswer::Granted;
                    let answer = ToAgent::ClaimAnswer { key, point, answer };
                    to.send(answer).await.ok()?;
                }
            }
            FromAgent::PackagesChanged { .. } => {
                let want_packages = true;
                to.send(ToAgent::PackagesNoted { want_packages })
                    .await
                    .ok()?;
            }
            FromAgent::Packages(set) => self.0.packages.borrow_mut().push(set),
            FromAgent::Heartbeat
            | FromAgent::Simulated { .. }
            | FromAgent::Queried { .. }
            | FromAgent::GuardNews(_)
            | FromAgent::Drift(_)
            | FromAgent::Effect(_) => {}
        }
        Some(())
    }

    async fn report(&self, report: Report, to: &mpsc::Sender<ToAgent>) -> Option<()> {
        let up_to = report.sequence;
        let known = self.reports().insert(up_to, report.clone());
        assert!(
            known.is_none_or(|known| known == report),
            "said otherwise before: {report:?}"
        );
        to.send(ToAgent::Acknowledge { up_to }).await.ok()?;
        let ReportBody::Entered { key, state, .. } = report.body else {
            return Some(());
        };
        if self.0.withdraw.get() == Some(state) {
            let reason = "the operator said so".to_owned();
            to.send(ToAgent::Withdraw { key, reason }).await.ok()?;
        }
        if let Some((_, away)) = self.0.cut.get().filter(|(at, _)| *at == state) {
            self.0.cut.set(None);
            self.0.away_until.set(Some(time::Instant::now() + away));
            return None;
        }
        Some(())
    }

    fn grants(&self, point: ClaimPoint) -> bool {
        match self.0.answers.get().unwrap_or(Answers::All) {
            Answers::All => true,
            Answers::FirstOnly => point == ClaimPoint::BeforeDrain,
            Answers::None => false,
        }
    }

    /// What a coordinator does that does not know how its orders ended.
    async fn send_orders_again(&self, to: &mpsc::Sender<ToAgent>) {
        let orders = self.0.orders.borrow().clone();
        let pending = self.0.to_send.borrow().len();
        for order in orders {
            let open = self.ending(order.key).is_none() && pending == 0;
            if open || self.0.repeats.get() {
                drop(
                    to.send(ToAgent::Order(Box::new(order), Papers::default()))
                        .await,
                );
            }
        }
    }

    fn reports(&self) -> RefMut<'_, BTreeMap<ReportSequence, Report>> {
        self.0.reports.borrow_mut()
    }
}
