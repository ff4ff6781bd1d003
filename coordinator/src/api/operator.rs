//! The service for operators: each call needs an operator's certificate.

use super::{
    artefacts, calendar, call, change, cord,
    describe::{self, Standing},
    except, explain, forget,
    planner::Planner,
    query::{self, Desk},
    reserve,
    signing::Signing,
    watch,
};
use crate::{
    artefact::ArtefactStore,
    driver::DriverHandle,
    tasks::{Stop, Tasks},
    view,
};
use cofferdam_engine::{
    fleet::FleetEvent,
    id::{OperatorId, RolloutId},
    patch::LockedFile,
    rollout::RolloutEvent,
    services::Services,
};
use cofferdam_proto::{
    operator::{
        AmendRequest, ArtefactStored, ChangeRequest, DenyRequest, ExceptRequest, ExplainRequest,
        Findings, ForgetHostRequest, LiftDenialRequest, PlanReply, PlanRequest, RolloutRequest,
        RolloutView, ServicesView, SetServicesRequest, StartRequest,
    },
    status::{CallError, CallErrorKind},
    tls, v1,
};
use tokio_stream::{Iter, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming};

/// Serves operators.
#[derive(Debug)]
pub(crate) struct OperatorApi {
    pub(crate) driver: DriverHandle,
    pub(crate) artefacts: ArtefactStore,
    pub(crate) tasks: Tasks,
    pub(crate) stop: Stop,
    pub(crate) queries: Desk,
    pub(crate) standing: Standing,
    pub(crate) signing: Signing,
}

#[tonic::async_trait]
impl v1::operator_server::Operator for OperatorApi {
    type WatchStream = ReceiverStream<Result<v1::RolloutView, Status>>;
    type QueryStream = query::Answers;
    type ListArtefactsStream = Iter<std::vec::IntoIter<Result<v1::ArtefactView, Status>>>;
    type FetchArtefactStream = artefacts::Chunks;
    type HostsStream = Iter<std::vec::IntoIter<Result<v1::HostView, Status>>>;
    type PackageSetsStream = Iter<std::vec::IntoIter<Result<v1::Packages, Status>>>;

    async fn put_artefact(
        &self,
        request: Request<Streaming<v1::Chunk>>,
    ) -> Result<Response<v1::ArtefactStored>, Status> {
        tls::operator(&request)?;
        let chunks = request.into_inner();
        let LockedFile { sha256, size } =
            artefacts::put(&self.artefacts, &self.driver, chunks).await?;
        let digest = sha256;
        Ok(Response::new(ArtefactStored { digest, size }.into()))
    }

    async fn list_artefacts(
        &self,
        request: Request<v1::ListArtefactsRequest>,
    ) -> Result<Response<Self::ListArtefactsStream>, Status> {
        tls::operator(&request)?;
        let stored = artefacts::list(&self.artefacts, &self.driver).await?;
        let wire: Vec<_> = stored.into_iter().map(|one| Ok(one.into())).collect();
        Ok(Response::new(tokio_stream::iter(wire)))
    }

    async fn fetch_artefact(
        &self,
        request: Request<v1::FetchArtefactRequest>,
    ) -> Result<Response<Self::FetchArtefactStream>, Status> {
        tls::operator(&request)?;
        let wanted = request.into_inner().try_into()?;
        let (store, stop) = (&self.artefacts, self.stop.clone());
        let chunks = artefacts::send(store, wanted, &self.tasks, stop).await?;
        Ok(Response::new(chunks))
    }

    async fn plan(
        &self,
        request: Request<v1::PlanRequest>,
    ) -> Result<Response<v1::PlanReply>, Status> {
        tls::operator(&request)?;
        let asked = PlanRequest::try_from(request.into_inner())?;
        let planned = self.planner().plan(&asked).await?;
        if asked.lock_text.is_none() {
            let (store, lock) = (&self.artefacts, &planned.lock);
            let selection = planned.spec.selection();
            artefacts::fill(store, &self.driver, lock, selection).await?;
        }
        let reply = PlanReply {
            lock_text: planned.lock_text(),
            plan: view::plan(
                &planned.plan,
                planned.lock.digest(),
                &planned.changes,
                &planned.notes,
            ),
            findings: planned.findings,
        };
        Ok(Response::new(reply.into()))
    }

    async fn lint(
        &self,
        request: Request<v1::PlanRequest>,
    ) -> Result<Response<v1::LintReply>, Status> {
        tls::operator(&request)?;
        let asked = PlanRequest::try_from(request.into_inner())?;
        let findings = self.planner().lint(&asked).await?;
        Ok(Response::new(Findings(findings).into()))
    }

    async fn start(
        &self,
        request: Request<v1::StartRequest>,
    ) -> Result<Response<v1::RolloutView>, Status> {
        let by = tls::operator(&request)?;
        let asked = StartRequest::try_from(request.into_inner())?;
        let view = self.start_rollout(by, asked).await?;
        Ok(Response::new(view.into()))
    }

    async fn list(
        &self,
        request: Request<v1::ListRequest>,
    ) -> Result<Response<v1::ListReply>, Status> {
        tls::operator(&request)?;
        let look = |situation: view::Situation<'_>| {
            let rollouts = situation.fleet.rollouts().values();
            rollouts.map(view::rollout_line).collect::<Vec<_>>()
        };
        let mut lines = self.driver.ask(look).await.map_err(call::stopping)?;
        lines.sort_by_key(|line| std::cmp::Reverse(line.started_at_ms));
        Ok(Response::new(lines.into()))
    }

    async fn status(
        &self,
        request: Request<v1::StatusRequest>,
    ) -> Result<Response<v1::RolloutView>, Status> {
        tls::operator(&request)?;
        let asked = RolloutRequest::try_from(request.into_inner())?;
        let view = self.view(&asked.rollout).await?;
        Ok(Response::new(view.into()))
    }

    async fn evidence(
        &self,
        request: Request<v1::EvidenceRequest>,
    ) -> Result<Response<v1::RolloutEvidence>, Status> {
        tls::operator(&request)?;
        let RolloutRequest { rollout } = request.into_inner().try_into()?;
        let evidence = watch::evidence(&self.driver, &rollout).await?;
        Ok(Response::new(evidence.into()))
    }

    async fn watch(
        &self,
        request: Request<v1::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        tls::operator(&request)?;
        let RolloutRequest { rollout } = request.into_inner().try_into()?;
        let first = self.view(&rollout).await?;
        let (views, stream) = watch::channel();
        let driver = self.driver.clone();
        let stop = self.stop.clone();
        self.tasks
            .spawn(watch::follow(driver, rollout, first, views, stop));
        Ok(Response::new(stream))
    }

    async fn explain(
        &self,
        request: Request<v1::ExplainRequest>,
    ) -> Result<Response<v1::Explanation>, Status> {
        tls::operator(&request)?;
        let ExplainRequest { subject } = request.into_inner().try_into()?;
        let explanation = explain::explain(&self.driver, &self.artefacts, subject).await?;
        Ok(Response::new(explanation.into()))
    }

    async fn change(
        &self,
        request: Request<v1::ChangeRequest>,
    ) -> Result<Response<v1::RolloutView>, Status> {
        let by = tls::operator(&request)?;
        let asked = ChangeRequest::try_from(request.into_inner())?;
        tracing::info!(%by, rollout = %asked.rollout, action = %asked.action, reason = asked.reason, "operator");
        let event = change::event(&asked, by)?;
        let rollout = asked.rollout.clone();
        self.act(FleetEvent::Rollout { rollout, event }).await?;
        let view = self.view(&asked.rollout).await?;
        Ok(Response::new(view.into()))
    }

    async fn except(
        &self,
        request: Request<v1::ExceptRequest>,
    ) -> Result<Response<v1::RolloutView>, Status> {
        let by = tls::operator(&request)?;
        let asked = ExceptRequest::try_from(request.into_inner())?;
        let view = self.except_hosts(by, asked).await?;
        Ok(Response::new(view.into()))
    }

    async fn preview_rollback(
        &self,
        request: Request<v1::PreviewRollbackRequest>,
    ) -> Result<Response<v1::RollbackPreview>, Status> {
        let by = tls::operator(&request)?;
        let RolloutRequest { rollout } = request.into_inner().try_into()?;
        let look = move |situation: view::Situation<'_>| view::rollback(situation, &rollout, &by);
        let preview = self.driver.ask(look).await.map_err(call::stopping)?;
        Ok(Response::new(call::looked(preview)?.into()))
    }

    async fn amend(
        &self,
        request: Request<v1::AmendRequest>,
    ) -> Result<Response<v1::AmendReply>, Status> {
        let by = tls::operator(&request)?;
        let asked = AmendRequest::try_from(request.into_inner())?;
        let reply = self.amend_rollout(by, asked).await?;
        Ok(Response::new(reply.into()))
    }

    async fn hosts(
        &self,
        request: Request<v1::HostsRequest>,
    ) -> Result<Response<Self::HostsStream>, Status> {
        tls::operator(&request)?;
        let look = |situation: view::Situation<'_>| view::hosts(situation);
        let hosts = self.driver.ask(look).await.map_err(call::stopping)?;
        let wire: Vec<_> = hosts.into_iter().map(|host| Ok(host.into())).collect();
        Ok(Response::new(tokio_stream::iter(wire)))
    }

    async fn package_sets(
        &self,
        request: Request<v1::PackageSetsRequest>,
    ) -> Result<Response<Self::PackageSetsStream>, Status> {
        tls::operator(&request)?;
        let look = |situation: view::Situation<'_>| {
            let sets = situation.fleet.package_sets().values();
            sets.cloned().collect::<Vec<_>>()
        };
        let sets = self.driver.ask(look).await.map_err(call::stopping)?;
        let wire: Vec<_> = sets.into_iter().map(|set| Ok(set.into())).collect();
        Ok(Response::new(tokio_stream::iter(wire)))
    }

    async fn query(
        &self,
        request: Request<v1::QueryRequest>,
    ) -> Result<Response<Self::QueryStream>, Status> {
        let by = tls::operator(&request)?;
        let asked = request.into_inner().try_into()?;
        Ok(Response::new(self.queries.ask(by, asked).await?))
    }

    async fn forget_host(
        &self,
        request: Request<v1::ForgetHostRequest>,
    ) -> Result<Response<v1::ForgetHostReply>, Status> {
        let by = tls::operator(&request)?;
        let asked: ForgetHostRequest = request.into_inner().try_into()?;
        tracing::info!(%by, host = %asked.host, asked.force, "operator forgets a host");
        forget::forget(&self.driver, asked).await?;
        Ok(Response::new(v1::ForgetHostReply {}))
    }

    async fn reserve(
        &self,
        request: Request<v1::ReserveRequest>,
    ) -> Result<Response<v1::ReserveReply>, Status> {
        let by = tls::operator(&request)?;
        let asked = request.into_inner().try_into()?;
        let reply = reserve::take(&self.driver, by, asked).await?;
        Ok(Response::new(reply.into()))
    }

    async fn release_hosts(
        &self,
        request: Request<v1::ReleaseHostsRequest>,
    ) -> Result<Response<v1::ReleaseHostsReply>, Status> {
        let by = tls::operator(&request)?;
        let asked = request.into_inner().try_into()?;
        reserve::give_back(&self.driver, by, asked).await?;
        Ok(Response::new(v1::ReleaseHostsReply {}))
    }

    async fn set_services(
        &self,
        request: Request<v1::SetServicesRequest>,
    ) -> Result<Response<v1::ServicesView>, Status> {
        let by = tls::operator(&request)?;
        let asked = SetServicesRequest::try_from(request.into_inner())?;
        let services = Services::parse(&asked.file_name, &asked.services_text)
            .map_err(|mistakes| CallError::of(CallErrorKind::Invalid, &mistakes))?;
        tracing::info!(%by, services = services.all().len(), "operator declares the services");
        self.act(FleetEvent::ServicesDeclared { services, by })
            .await?;
        Ok(Response::new(self.declared().await?.into()))
    }

    async fn services(
        &self,
        request: Request<v1::ServicesRequest>,
    ) -> Result<Response<v1::ServicesView>, Status> {
        tls::operator(&request)?;
        Ok(Response::new(self.declared().await?.into()))
    }

    async fn set_calendar(
        &self,
        request: Request<v1::SetCalendarRequest>,
    ) -> Result<Response<v1::CalendarView>, Status> {
        let by = tls::operator(&request)?;
        let asked = request.into_inner().try_into()?;
        let view = calendar::set(&self.driver, by, &asked).await?;
        Ok(Response::new(view.into()))
    }

    async fn show_calendar(
        &self,
        request: Request<v1::ShowCalendarRequest>,
    ) -> Result<Response<v1::CalendarView>, Status> {
        tls::operator(&request)?;
        let view = calendar::show(&self.driver).await?;
        Ok(Response::new(view.into()))
    }

    async fn pull_cord(
        &self,
        request: Request<v1::PullCordRequest>,
    ) -> Result<Response<v1::CordView>, Status> {
        let by = tls::operator(&request)?;
        let asked = request.into_inner().try_into()?;
        let view = cord::pull(&self.driver, by, asked).await?;
        Ok(Response::new(view.into()))
    }

    async fn release_cord(
        &self,
        request: Request<v1::ReleaseCordRequest>,
    ) -> Result<Response<v1::CordView>, Status> {
        let by = tls::operator(&request)?;
        let asked = request.into_inner().try_into()?;
        let view = cord::release(&self.driver, by, asked).await?;
        Ok(Response::new(view.into()))
    }

    async fn show_cord(
        &self,
        request: Request<v1::ShowCordRequest>,
    ) -> Result<Response<v1::CordView>, Status> {
        tls::operator(&request)?;
        Ok(Response::new(cord::show(&self.driver).await?.into()))
    }

    async fn list_denials(
        &self,
        request: Request<v1::ListDenialsRequest>,
    ) -> Result<Response<v1::ListDenialsReply>, Status> {
        tls::operator(&request)?;
        let look = |situation: view::Situation<'_>| view::denials(situation);
        let denials = self.driver.ask(look).await.map_err(call::stopping)?;
        Ok(Response::new(denials.into()))
    }

    async fn deny(
        &self,
        request: Request<v1::DenyRequest>,
    ) -> Result<Response<v1::DenyReply>, Status> {
        let by = tls::operator(&request)?;
        let asked = DenyRequest::try_from(request.into_inner())?;
        tracing::info!(%by, bits = %asked.bits, place = %asked.place, reason = asked.reason, "operator denies bits");
        self.act(FleetEvent::Denied {
            named: asked.bits,
            place: asked.place,
            by,
            reason: asked.reason,
        })
        .await?;
        Ok(Response::new(v1::DenyReply {}))
    }

    async fn lift_denial(
        &self,
        request: Request<v1::LiftDenialRequest>,
    ) -> Result<Response<v1::LiftDenialReply>, Status> {
        let by = tls::operator(&request)?;
        let asked = LiftDenialRequest::try_from(request.into_inner())?;
        tracing::info!(%by, bits = %asked.bits, reason = asked.reason, "operator lifts a denial");
        self.act(FleetEvent::DenialLifted {
            named: asked.bits,
            only_at: asked.only_at,
            by,
            reason: asked.reason,
        })
        .await?;
        Ok(Response::new(v1::LiftDenialReply {}))
    }

    async fn describe(
        &self,
        request: Request<v1::DescribeRequest>,
    ) -> Result<Response<v1::Description>, Status> {
        tls::operator(&request)?;
        let standing = self.standing.clone();
        let look = move |situation: view::Situation<'_>| describe::description(situation, standing);
        let description = self.driver.ask(look).await.map_err(call::stopping)?;
        Ok(Response::new(description.into()))
    }
}

impl OperatorApi {
    pub(super) fn planner(&self) -> Planner<'_> {
        Planner {
            driver: &self.driver,
            artefacts: &self.artefacts,
        }
    }

    async fn start_rollout(
        &self,
        by: OperatorId,
        asked: StartRequest,
    ) -> Result<RolloutView, CallError> {
        let planned = self
            .planner()
            .plan(&PlanRequest {
                file_name: asked.file_name,
                spec_text: asked.spec_text,
                lock_text: Some(asked.lock_text),
                advisory: None,
            })
            .await?;
        let files = (&planned.spec, &planned.lock);
        let plan = self
            .signing
            .look(planned.plan, files, asked.signed.as_ref())?;
        let (rollout, digest, signer) = (plan.rollout.clone(), plan.rollout_digest, &plan.signer);
        tracing::info!(%by, %rollout, %digest, signer, "operator starts a rollout");
        let plan = Box::new(plan);
        self.act(FleetEvent::RolloutStarted { plan, by }).await?;
        self.view(&rollout).await
    }

    async fn declared(&self) -> Result<ServicesView, CallError> {
        let look = |situation: view::Situation<'_>| view::services(situation.fleet);
        self.driver.ask(look).await.map_err(call::stopping)
    }

    async fn except_hosts(
        &self,
        by: OperatorId,
        asked: ExceptRequest,
    ) -> Result<RolloutView, CallError> {
        let (rollout, word, reason) = (asked.rollout.clone(), asked.word, asked.reason.clone());
        let look = move |situation: view::Situation<'_>| except::hosts(situation.fleet, &asked);
        let hosts = self.driver.ask(look).await.map_err(call::stopping)??;
        tracing::info!(%by, %rollout, word = word.name(), hosts = hosts.len(), reason, "operator");
        let event = RolloutEvent::Excepted {
            word,
            hosts,
            by,
            reason,
        };
        let id = rollout.clone();
        self.act(FleetEvent::Rollout { rollout: id, event }).await?;
        self.view(&rollout).await
    }

    async fn act(&self, event: FleetEvent) -> Result<(), CallError> {
        call::act(&self.driver, event).await
    }

    async fn view(&self, rollout: &RolloutId) -> Result<RolloutView, CallError> {
        watch::look(&self.driver, rollout).await
    }
}
