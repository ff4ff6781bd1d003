//! The agent's one loop, sole owner of what it knows.
//!
//! Duty: to take what happens (a message, a step's outcome, time), have the change of its history
//! stored, and then let the run, the session and the rest follow the history. In: [`Input`]s of the
//! session, outcomes of the work that it started. Out: messages, steps.
//!
//! ```text
//!   session --Input--> +--------+ --record--> journal   (stored first)
//!   runner --outcome-> | driver | --follow--> runner    (acted on second)
//!   staging, watch --> +--------+ --send----> uplink    (said third)
//! ```
//!
//! A step's state is journalled before the step acts and its outcome afterwards, in one unit with
//! the report of it, so a transition costs one sync.

mod orders;

use crate::{
    actions::{Actions, Flag, StageRequest},
    admission::Admission,
    clock::Clock,
    greeting::{Greeting, greeting},
    inquiry::Inquiry,
    inventory::Inventory,
    journal::{Durability, History, HistoryError, Journal, JournalError, Record},
    premise::{Premise, Weighed},
    profile::Profile,
    pulse::Pulse,
    query::Asked,
    runner::Runner,
    service::ServiceWatch,
    session::Input,
    staging::Staging,
    task::Task,
    telling::Telling,
    trust::Trust,
    uplink::Uplink,
};
use cofferdam_engine::{
    failure::Failure,
    id::{OrderKey, ReportSequence},
    inventory::{Host, PackageSet},
    order::{ClaimAnswer, ClaimPoint},
    report::ReportBody,
    reservation::ReservationLeft,
    run::RunEvent,
    statement::Signed,
    time::Timestamp,
    wish::Wish,
};
use cofferdam_proto::{
    error_chain,
    session::{FromAgent, Hello, ToAgent},
};
use std::{mem, rc::Rc, time::Duration};
use tokio::{sync::mpsc, time};

/// The agent's one loop.
pub(crate) struct Driver<A, J, C> {
    profile: Profile,
    actions: Rc<A>,
    journal: J,
    history: History,
    clock: C,
    inbox: mpsc::Receiver<Input>,
    uplink: Uplink,
    greeting: Task<Result<Greeting, Failure>>,
    runner: Runner<A>,
    staging: Staging<A>,
    /// Whether its session was welcomed and nothing was acknowledged in it yet.
    is_just_welcome: bool,
    simulation: Inquiry<A, Wish>,
    query: Inquiry<A, Asked>,
    service: ServiceWatch<A>,
    admission: Admission<A>,
    inventory: Inventory<A>,
    premise: Premise<A>,
    telling: Telling,
    trust: Trust,
    pulse: Pulse,
}

/// Why the loop cannot go on. The next start goes on from the journal.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The journal cannot be written, so nothing may be done.
    #[error("the journal cannot be written")]
    Journal(#[from] JournalError),
}

/// What woke the loop.
enum Wake {
    Deadline,
    Stepped(RunEvent),
    Staged(Option<ReportBody>),
    Answered(FromAgent),
    Looked(Option<ReportBody>),
    Admitted,
    Inventoried(Option<PackageSet>),
    Weighed(Box<Weighed>),
    Greeted(Result<Greeting, Failure>),
    Found,
    CanSend,
    Input(Input),
}

impl<A: Actions, J: Journal, C: Clock> Driver<A, J, C> {
    /// A loop at rest.
    pub(crate) fn new(
        profile: Profile,
        actions: Rc<A>,
        (journal, history): (J, History),
        clock: C,
        inbox: mpsc::Receiver<Input>,
    ) -> Self {
        Self {
            profile,
            journal,
            history,
            clock,
            inbox,
            uplink: Uplink::default(),
            greeting: Task::idle(),
            runner: Runner::new(Rc::clone(&actions)),
            staging: Staging::new(Rc::clone(&actions)),
            is_just_welcome: false,
            simulation: Inquiry::new(Rc::clone(&actions)),
            query: Inquiry::new(Rc::clone(&actions)),
            service: ServiceWatch::new(Rc::clone(&actions)),
            admission: Admission::new(Rc::clone(&actions)),
            inventory: Inventory::new(Rc::clone(&actions)),
            premise: Premise::new(Rc::clone(&actions)),
            telling: Telling::default(),
            trust: Trust::default(),
            pulse: Pulse::default(),
            actions,
        }
    }

    /// Tells the coordinator what those who watch over the host find.
    pub(crate) fn tell(&mut self, telling: Telling) {
        self.telling = telling;
    }

    /// Takes only what somebody signed who is trusted.
    pub(crate) fn trust(&mut self, trust: Trust) {
        self.trust = trust;
    }

    /// Tells whoever started the agent that it lives.
    pub(crate) fn pulse(&mut self, pulse: Pulse) {
        self.pulse = pulse;
    }

    /// Goes on from the journal, for ever.
    pub(crate) async fn drive(&mut self) -> Result<(), DriverError> {
        self.pulse.begin();
        if let Some(event) = self.history.resumption(&self.profile.boot_id) {
            self.happen(event)?;
        }
        loop {
            self.follow();
            let wake = self.next().await;
            self.take(wake)?;
        }
    }

    /// Stops, and leaves what the open run started to itself: the journal knows where it was, and
    /// half a package installed is worse than one that nobody waits for.
    pub(crate) fn leave(&mut self) {
        self.runner.abandon();
    }

    async fn next(&mut self) -> Wake {
        let now = self.clock.now();
        let deadline = self.deadline(now);
        let has_something = self.uplink.has_something(&self.history);
        tokio::select! {
            biased;
            never = self.pulse.beat() => match never {},
            () = sleep(deadline) => Wake::Deadline,
            event = self.runner.outcome() => Wake::Stepped(event),
            said = self.staging.outcome() => Wake::Staged(said),
            answer = self.simulation.outcome() => Wake::Answered(answer),
            answer = self.query.outcome() => Wake::Answered(answer),
            said = self.service.outcome() => Wake::Looked(said),
            () = self.admission.outcome() => Wake::Admitted,
            others = self.inventory.outcome() => Wake::Inventoried(others),
            weighed = self.premise.outcome() => Wake::Weighed(Box::new(weighed)),
            greeting = self.greeting.outcome() => Wake::Greeted(greeting),
            () = self.uplink.ready(), if has_something => Wake::CanSend,
            () = self.telling.due() => Wake::Found,
            Some(input) = self.inbox.recv() => Wake::Input(input),
        }
    }

    fn take(&mut self, wake: Wake) -> Result<(), DriverError> {
        match wake {
            Wake::Deadline => self.happen(RunEvent::DeadlinePassed),
            Wake::Stepped(event) => self.happen(event),
            Wake::Staged(said) => self.say(said),
            Wake::Looked(said) => self.say(said),
            Wake::Admitted => Ok(()),
            Wake::Answered(answer) => {
                self.uplink.answer(answer);
                Ok(())
            }
            Wake::Inventoried(others) => {
                if let Some(packages) = others {
                    self.uplink.tell_packages(packages);
                }
                Ok(())
            }
            Wake::Weighed(weighed) => self.weighed(*weighed),
            Wake::Greeted(greeting) => {
                self.greet(greeting);
                Ok(())
            }
            Wake::Found => {
                for message in self.telling.take() {
                    self.uplink.tell(message);
                }
                Ok(())
            }
            Wake::CanSend => {
                self.uplink.send(&self.history);
                Ok(())
            }
            Wake::Input(Input::Up(link)) => {
                self.uplink.open(link);
                self.greeting.start(greeting(Rc::clone(&self.actions)));
                Ok(())
            }
            Wake::Input(Input::Down) => {
                self.uplink.close();
                self.telling.close();
                self.greeting.cancel();
                self.simulation.forget();
                self.query.forget();
                Ok(())
            }
            Wake::Input(Input::Message(message)) => self.hear(message),
        }
    }

    fn hear(&mut self, message: ToAgent) -> Result<(), DriverError> {
        match message {
            ToAgent::Welcome {
                want_packages,
                heard,
                ..
            } => {
                self.uplink.welcomed(want_packages);
                self.telling.open(heard);
                self.is_just_welcome = true;
            }
            ToAgent::GuardNoted { up_to } => self.telling.noted(up_to),
            ToAgent::Reserved { reservation } => self.reserved(reservation),
            ToAgent::PackagesNoted { want_packages } => {
                self.uplink.hand_over_packages(want_packages);
            }
            ToAgent::Heartbeat => {}
            ToAgent::Acknowledge { up_to } => self.acknowledged(up_to)?,
            ToAgent::Stage(request, signed) => self.stage(*request, signed.as_ref())?,
            ToAgent::Release { rollout } => self.staging.release(rollout),
            ToAgent::Supply(request) => self.staging.supply(*request),
            ToAgent::Order(order, papers) => self.order(*order, &papers)?,
            ToAgent::Withdraw { key, reason } => {
                if self.runs(key) {
                    self.happen(RunEvent::Withdrawn { reason })?;
                }
            }
            ToAgent::ClaimAnswer { key, point, answer } => self.answered(key, point, answer)?,
            ToAgent::Simulate { request, wish } => {
                let refused = self.simulation.ask(request, wish);
                self.answer(refused);
            }
            ToAgent::Query {
                request,
                text,
                within,
            } => {
                let refused = self.query.ask(request, Asked::now(text, within));
                self.answer(refused);
            }
        }
        Ok(())
    }

    /// What cannot be written down covers nothing, and is said again in the next session.
    fn reserved(&self, reservation: Option<ReservationLeft>) {
        match &reservation {
            Some(ReservationLeft { by, reason, .. }) => {
                tracing::info!(%by, reason, "an operator has the host")
            }
            None => tracing::debug!("no operator has the host"),
        }
        if let Err(failure) = self.actions.reserved(reservation) {
            tracing::error!(%failure, "a reservation is not known to the guard");
        }
    }

    fn answer(&mut self, answer: Option<FromAgent>) {
        if let Some(answer) = answer {
            self.uplink.answer(answer);
        }
    }

    fn stage(&mut self, request: StageRequest, signed: Option<&Signed>) -> Result<(), DriverError> {
        let now = self.clock.now();
        let said = self.trust.refuses_to_stage(&request, signed, now);
        if said.is_none() {
            self.staging.stage(request);
        }
        self.say(said)
    }

    /// Takes the answer to the question that the run is asking; any other is out of date.
    fn answered(
        &mut self,
        key: OrderKey,
        point: ClaimPoint,
        answer: ClaimAnswer,
    ) -> Result<(), DriverError> {
        let asked = self.runs(key) && self.history.open().and_then(|r| r.awaits()) == Some(point);
        if !asked {
            tracing::debug!(order = %key, "an answer to a claim that is not being made");
            return Ok(());
        }
        self.happen(match answer {
            ClaimAnswer::Granted => RunEvent::ClaimGranted,
            ClaimAnswer::Refused { reason } => RunEvent::ClaimRefused { reason },
        })
    }

    fn runs(&self, key: OrderKey) -> bool {
        self.history
            .open()
            .is_some_and(|run| run.order().key == key)
    }

    /// Moves the open run. The move is stored before anything follows it.
    fn happen(&mut self, event: RunEvent) -> Result<(), DriverError> {
        let name = event.name();
        let record = Record::Moved {
            event,
            at: self.clock.now(),
            boot_id: self.profile.boot_id.clone(),
        };
        self.commit(&record, Durability::Synced)?;
        if let Some(run) = self.history.run() {
            if run.state().is_over() {
                // The coordinator takes a run's end for the host's service.
                self.service.doubt();
            }
            let failure = run.failure().map(ToString::to_string);
            let state = run.state().to_string();
            tracing::info!(order = %run.order().key, state, failure, "run moved: {name}");
        }
        Ok(())
    }

    /// Forgets what is stored. A coordinator that welcomes it and does not have what it said to have stored was set
    /// back, as by a backup: it is told again how the newest run ended.
    fn acknowledged(&mut self, up_to: ReportSequence) -> Result<(), DriverError> {
        if mem::take(&mut self.is_just_welcome) && up_to < self.history.outbox().acknowledged() {
            tracing::warn!(
                "the coordinator does not have what was told: its store was set back, or another had the host"
            );
            self.say(self.history.ended())?;
        }
        match self.history.outbox().holds_up_to(up_to) {
            true => self.note(Record::Acknowledged { up_to }, Durability::Lazy),
            false => Ok(()),
        }
    }

    /// Says something that is said again later if it is lost now.
    fn say(&mut self, body: Option<ReportBody>) -> Result<(), DriverError> {
        let Some(body) = body else { return Ok(()) };
        if self.history.outbox().is_full() {
            return Ok(());
        }
        if let ReportBody::Service { in_service, .. } = body {
            self.service.told(in_service);
        }
        self.note(Record::Said { body }, Durability::Synced)
    }

    /// Stores what may be lost for lack of room: nothing has been done yet that depends on it.
    fn note(&mut self, record: Record, durability: Durability) -> Result<(), DriverError> {
        match self.commit(&record, durability) {
            Err(DriverError::Journal(error @ JournalError::Full { .. })) => {
                tracing::error!("not taken: {}", error_chain(&error));
                Ok(())
            }
            other => other,
        }
    }

    /// Learns a record on a copy, stores it, and only then believes the copy. A record that does not
    /// follow from what is known is passed over.
    fn commit(&mut self, record: &Record, durability: Durability) -> Result<(), DriverError> {
        let mut history = self.history.clone();
        if let Err(error) = history.apply(record) {
            let error: HistoryError = error;
            tracing::warn!("passed over: {}", error_chain(&error));
            return Ok(());
        }
        let records = std::slice::from_ref(record);
        self.journal.append(records, durability)?;
        self.history = history;
        if self.history.open().is_none() {
            self.journal.compact(&self.history)?;
        }
        Ok(())
    }

    /// Lets everything follow the history.
    fn follow(&mut self) {
        if let Some(run) = self.history.run() {
            self.runner.follow(run, self.clock.now());
        }
        let run = self.history.open();
        self.staging
            .proceed(run.map(|run| &run.order().grant.rollout));
        let belongs_up = self.history.flag() == Some(Flag::Up);
        self.admission.follow(run.is_none() && belongs_up);
        self.service.watch(run.is_none() && self.uplink.is_open());
        self.inventory.follow(run, self.uplink.is_open());
    }

    fn deadline(&self, now: Timestamp) -> Option<Duration> {
        let wake = self.history.open()?.decide(now).wake?;
        Some(wake.since(now))
    }

    fn greet(&mut self, greeting: Result<Greeting, Failure>) {
        let (facts, packages, service) = match greeting {
            Ok(greeting) => greeting,
            Err(failure) => {
                tracing::error!(%failure, "cannot say hello: the host's facts are not to be had");
                return;
            }
        };
        // Reports that still wait are heard after the hello, and may say otherwise.
        match self.history.outbox().is_empty() {
            true => self.service.told(service.in_service),
            false => self.service.doubt(),
        }
        self.inventory.told(facts.packages);
        let profile = &self.profile;
        self.trust.know(Host {
            id: profile.host.clone(),
            labels: profile.labels.clone(),
            facts: facts.clone().into(),
        });
        let open = self.history.open();
        let hello = Hello {
            host: profile.host.clone(),
            incarnation: self.history.incarnation(),
            boot_id: profile.boot_id.clone(),
            version: profile.version.clone(),
            labels: profile.labels.clone(),
            facts,
            in_service: service.in_service,
            detail: service.detail,
            takes_reservations: true,
            open: open.map(|run| (run.order().key, run.state())),
            newest: self.history.newest(),
        };
        self.uplink.greet(hello, packages);
    }
}

/// Sleeps this long; for ever when there is nothing to wait for.
async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
