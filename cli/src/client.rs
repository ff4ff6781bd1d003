//! The coordinator's operator API, as the commands call it: every call has a deadline, every
//! answer is checked.

mod artefact;
mod cord;
mod query;

use crate::{channel, config::Settings, http_date};
use anyhow::{Context as _, Result};
use cofferdam_engine::{
    id::{HostId, RolloutId},
    inventory::PackageSet,
    lint::Finding,
};
use cofferdam_proto::{
    convert::FieldError,
    operator::{
        Action, AmendReply, AmendRequest, CalendarRequest, CalendarView, ChangeRequest, DenialView,
        DenyRequest, Description, ExceptRequest, ExplainRequest, Explanation, Findings,
        ForgetHostRequest, HostView, LiftDenialRequest, PlanReply, PlanRequest,
        ReleaseHostsRequest, ReserveReply, ReserveRequest, RollbackPreview, RolloutEvidence,
        RolloutLine, RolloutRequest, RolloutView, ServicesView, SetServicesRequest, StartRequest,
    },
    status::{CallError, CallErrorKind},
    v1::{self, operator_client::OperatorClient},
};
use std::{error::Error as _, future::Future, time::Duration};
use tokio::time::timeout;
use tonic::{Response, Status, Streaming, transport::Channel};

/// For what the coordinator answers from memory (guess).
const ANSWER: Duration = Duration::from_secs(30);

/// For what hosts or the disk have a part in: agents simulate a plan, artefacts are stored (guess).
const WORK: Duration = Duration::from_secs(300);

/// A connection to one coordinator.
#[derive(Clone)]
pub struct Client {
    api: OperatorClient<Channel>,
    endpoint: String,
}

/// The other side's clock, as whole seconds since 1970. Nothing when it did not say.
pub type PeerDate = Option<u64>;

fn named(hosts: &[HostId]) -> String {
    let names: Vec<&str> = hosts.iter().map(HostId::as_str).collect();
    names.join(", ")
}

impl Client {
    /// Dials a coordinator and proves who both are.
    ///
    /// # Errors
    /// When a certificate cannot be read, or the coordinator cannot be reached or is another.
    pub async fn connect(settings: &Settings) -> Result<Self> {
        let endpoint = settings.endpoint.to_string();
        let channel = channel::open(settings).await?;
        Ok(Self {
            api: OperatorClient::new(channel),
            endpoint,
        })
    }

    /// Resolves a rollout file to its lock file and plan.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn plan(&self, request: PlanRequest) -> Result<PlanReply> {
        let what = format!("plan {}", request.file_name);
        let mut api = self.api.clone();
        let call = api.plan(v1::PlanRequest::from(request));
        self.answer(&what, WORK, call).await
    }

    /// What is wrong with a rollout file beside the hosts as they are, or may be.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn lint(&self, request: PlanRequest) -> Result<Vec<Finding>> {
        let what = format!("lint {}", request.file_name);
        let mut api = self.api.clone();
        let call = api.lint(v1::PlanRequest::from(request));
        let Findings(findings) = self.answer(&what, ANSWER, call).await?;
        Ok(findings)
    }

    /// Starts a rollout.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn start(&self, request: StartRequest) -> Result<RolloutView> {
        let what = format!("start {}", request.file_name);
        let mut api = self.api.clone();
        let call = api.start(v1::StartRequest::from(request));
        self.answer(&what, WORK, call).await
    }

    /// Lists the rollouts, newest first.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn list(&self) -> Result<Vec<RolloutLine>> {
        let mut api = self.api.clone();
        let call = api.list(v1::ListRequest {});
        let reply = self.reply("list the rollouts", ANSWER, call).await?;
        let lines = reply.into_inner().rollouts.into_iter();
        self.checked(
            "list the rollouts",
            lines.map(RolloutLine::try_from).collect(),
        )
    }

    /// Declares the freeze calendar in place of the one before.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn set_calendar(&self, request: CalendarRequest) -> Result<CalendarView> {
        let what = format!("declare the freezes of {}", request.file_name);
        let mut api = self.api.clone();
        let call = api.set_calendar(v1::SetCalendarRequest::from(request));
        self.answer(&what, ANSWER, call).await
    }

    /// The freeze calendar.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn calendar(&self) -> Result<CalendarView> {
        let mut api = self.api.clone();
        let call = api.show_calendar(v1::ShowCalendarRequest {});
        self.answer("show the freezes", ANSWER, call).await
    }

    /// How a rollout stands.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn status(&self, rollout: &RolloutId) -> Result<RolloutView> {
        let what = format!("show rollout {rollout}");
        let mut api = self.api.clone();
        let call = api.status(v1::StatusRequest::from(request(rollout)));
        self.answer(&what, ANSWER, call).await
    }

    /// What a rollout proved so far.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn evidence(&self, rollout: &RolloutId) -> Result<RolloutEvidence> {
        let what = format!("show what rollout {rollout} proved");
        let mut api = self.api.clone();
        let call = api.evidence(v1::EvidenceRequest::from(request(rollout)));
        self.answer(&what, ANSWER, call).await
    }

    /// Follows a rollout: how it stands now, then after each change.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn watch(&self, rollout: &RolloutId) -> Result<Watch> {
        let what = format!("watch rollout {rollout}");
        let mut api = self.api.clone();
        let call = api.watch(v1::WatchRequest::from(request(rollout)));
        let stream = self.reply(&what, ANSWER, call).await?.into_inner();
        let client = self.clone();
        Ok(Watch {
            stream,
            client,
            what,
        })
    }

    /// Why a rollout, a cell or a host is as it is.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn explain(&self, subject: &str) -> Result<Explanation> {
        let what = format!("explain {subject}");
        let subject = subject.to_owned();
        let mut api = self.api.clone();
        let call = api.explain(v1::ExplainRequest::from(ExplainRequest { subject }));
        self.answer(&what, ANSWER, call).await
    }

    /// Changes how a rollout goes on.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn change(&self, request: ChangeRequest) -> Result<RolloutView> {
        let what = format!("{} {}", verb(request.action), request.rollout);
        let mut api = self.api.clone();
        let call = api.change(v1::ChangeRequest::from(request));
        self.answer(&what, ANSWER, call).await
    }

    /// Says something of single hosts of a rollout.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn except(&self, request: ExceptRequest) -> Result<RolloutView> {
        let what = format!("{} hosts of {}", request.word.name(), request.rollout);
        let mut api = self.api.clone();
        let call = api.except(v1::ExceptRequest::from(request));
        self.answer(&what, ANSWER, call).await
    }

    /// Amends a rollout, or shows what that would change.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn amend(&self, request: AmendRequest) -> Result<AmendReply> {
        let what = format!("amend {} by {}", request.rollout, request.file_name);
        let mut api = self.api.clone();
        let call = api.amend(v1::AmendRequest::from(request));
        self.answer(&what, WORK, call).await
    }

    /// All hosts, in order of their names.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn hosts(&self) -> Result<Vec<HostView>> {
        let what = "list the hosts";
        let mut api = self.api.clone();
        let call = api.hosts(v1::HostsRequest {});
        let stream = self.reply(what, ANSWER, call).await?.into_inner();
        self.all(what, stream, HostView::try_from).await
    }

    /// What is installed on hosts, each set once.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn package_sets(&self) -> Result<Vec<PackageSet>> {
        let what = "ask what is installed on the hosts";
        let mut api = self.api.clone();
        let call = api.package_sets(v1::PackageSetsRequest {});
        let stream = self.reply(what, ANSWER, call).await?.into_inner();
        self.all(what, stream, PackageSet::try_from).await
    }

    /// All of a stream, each message checked.
    async fn all<W, T>(
        &self,
        what: &str,
        mut stream: Streaming<W>,
        check: impl Fn(W) -> Result<T, FieldError>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        loop {
            let next = timeout(ANSWER, stream.message()).await;
            let next = next.map_err(|_| self.silent(what, ANSWER))?;
            let Some(one) = next.map_err(|status| self.failed(what, status))? else {
                return Ok(all);
            };
            all.push(self.checked(what, check(one))?);
        }
    }

    /// Deletes a host from the inventory, if `force` also where a rollback still wants it.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn forget_host(&self, host: HostId, force: bool) -> Result<()> {
        let what = format!("forget host {host}");
        let mut api = self.api.clone();
        let call = api.forget_host(v1::ForgetHostRequest::from(ForgetHostRequest {
            host,
            force,
        }));
        self.reply(&what, ANSWER, call).await?;
        Ok(())
    }

    /// Takes hosts, all or none.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn reserve(&self, request: ReserveRequest) -> Result<ReserveReply> {
        let what = format!("reserve {}", named(&request.hosts));
        let mut api = self.api.clone();
        let call = api.reserve(v1::ReserveRequest::from(request));
        self.answer(&what, ANSWER, call).await
    }

    /// Gives hosts back, all or none.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn release_hosts(&self, request: ReleaseHostsRequest) -> Result<()> {
        let what = format!("release {}", named(&request.hosts));
        let mut api = self.api.clone();
        let call = api.release_hosts(v1::ReleaseHostsRequest::from(request));
        self.reply(&what, ANSWER, call).await?;
        Ok(())
    }

    /// Declares the services of the fleet.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn set_services(&self, request: SetServicesRequest) -> Result<ServicesView> {
        let mut api = self.api.clone();
        let call = api.set_services(v1::SetServicesRequest::from(request));
        self.answer("declare the services", ANSWER, call).await
    }

    /// The services of the fleet.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn services(&self) -> Result<ServicesView> {
        let mut api = self.api.clone();
        let call = api.services(v1::ServicesRequest {});
        self.answer("show the services", ANSWER, call).await
    }

    /// What taking a rollout back would do now.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn preview_rollback(&self, rollout: RolloutId) -> Result<RollbackPreview> {
        let what = format!("preview the rollback of {rollout}");
        let mut api = self.api.clone();
        let request = v1::PreviewRollbackRequest::from(RolloutRequest { rollout });
        let call = api.preview_rollback(request);
        self.answer(&what, ANSWER, call).await
    }

    /// What is denied, and what was.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn denials(&self) -> Result<Vec<DenialView>> {
        let mut api = self.api.clone();
        let call = api.list_denials(v1::ListDenialsRequest {});
        self.answer("list what is denied", ANSWER, call).await
    }

    /// Denies bits.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn deny(&self, request: DenyRequest) -> Result<()> {
        let what = format!("deny {}", request.bits);
        let mut api = self.api.clone();
        let call = api.deny(v1::DenyRequest::from(request));
        self.reply(&what, ANSWER, call).await?;
        Ok(())
    }

    /// Lifts denials.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn lift_denial(&self, request: LiftDenialRequest) -> Result<()> {
        let what = format!("lift what denies {}", request.bits);
        let mut api = self.api.clone();
        let call = api.lift_denial(v1::LiftDenialRequest::from(request));
        self.reply(&what, ANSWER, call).await?;
        Ok(())
    }

    /// What the coordinator is, and what its clock says.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn describe(&self) -> Result<(Description, PeerDate)> {
        let what = "ask the coordinator what it is";
        let mut api = self.api.clone();
        let call = api.describe(v1::DescribeRequest {});
        let reply = self.reply(what, ANSWER, call).await?;
        let date = reply
            .metadata()
            .get("date")
            .and_then(|date| date.to_str().ok());
        let date = date.and_then(http_date::parse);
        let description = Description::try_from(reply.into_inner());
        Ok((self.checked(what, description)?, date))
    }

    /// Waits for an answer, within its deadline, and checks it.
    async fn answer<W, T>(
        &self,
        what: &str,
        deadline: Duration,
        call: impl Future<Output = Result<Response<W>, Status>>,
    ) -> Result<T>
    where
        T: TryFrom<W, Error = FieldError>,
    {
        let reply = self.reply(what, deadline, call).await?;
        self.checked(what, T::try_from(reply.into_inner()))
    }

    async fn reply<W>(
        &self,
        what: &str,
        deadline: Duration,
        call: impl Future<Output = Result<Response<W>, Status>>,
    ) -> Result<Response<W>> {
        let reply = timeout(deadline, call).await;
        let reply = reply.map_err(|_| self.silent(what, deadline))?;
        reply.map_err(|status| self.failed(what, status))
    }

    fn failed(&self, what: &str, status: Status) -> anyhow::Error {
        // A coordinator that answered may itself miss something, as a host's repository; only what
        // never came over the wire has a source.
        let broke = status.source().is_some();
        let error = CallError::from(status);
        let away = broke && error.kind() == CallErrorKind::Unavailable;
        let error = anyhow::Error::from(error);
        if away {
            return error.context(format!(
                "cannot {what}: no connection to {}; `cofferdam doctor` looks for the cause",
                self.endpoint
            ));
        }
        error.context(format!("cannot {what}"))
    }

    fn silent(&self, what: &str, deadline: Duration) -> anyhow::Error {
        let (endpoint, secs) = (&self.endpoint, deadline.as_secs());
        let error = format!("{endpoint} did not answer within {secs} s");
        anyhow::Error::from(CallError::new(CallErrorKind::TooLate, error))
            .context(format!("cannot {what}"))
    }

    fn checked<T>(&self, what: &str, answer: Result<T, FieldError>) -> Result<T> {
        answer.with_context(|| {
            let endpoint = &self.endpoint;
            format!("cannot {what}: {endpoint} answered what this version does not understand")
        })
    }
}

/// A rollout that is followed.
pub struct Watch {
    stream: Streaming<v1::RolloutView>,
    client: Client,
    what: String,
}

impl Watch {
    /// How the rollout stands after its next change. Nothing when it is over.
    ///
    /// # Errors
    /// When the connection breaks or the answer cannot be understood. It has no deadline of its
    /// own, as a rollout may bake for hours: the connection proves that it lives.
    pub async fn next(&mut self) -> Result<Option<RolloutView>> {
        let next = self.stream.message().await;
        let next = next.map_err(|status| self.client.failed(&self.what, status))?;
        let next = next.map(|view| self.client.checked(&self.what, RolloutView::try_from(view)));
        next.transpose()
    }
}

/// As in "cannot pause rollout".
fn verb(action: Action) -> &'static str {
    match action {
        Action::Pause => "pause rollout",
        Action::Resume => "resume rollout",
        Action::Abort => "abort rollout",
        Action::Rollback => "roll back rollout",
        Action::Promote => "promote rollout",
        Action::Approve => "approve rollout",
    }
}

fn request(rollout: &RolloutId) -> RolloutRequest {
    let rollout = rollout.clone();
    RolloutRequest { rollout }
}
