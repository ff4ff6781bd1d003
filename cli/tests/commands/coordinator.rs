//! A coordinator that answers by a script, over real mutual TLS.

use cofferdam::pki::Pair;
use cofferdam_engine::{
    id::RolloutId,
    inventory::PackageSet,
    lint::{Finding, Severity},
    time::Timestamp,
};
use cofferdam_proto::{
    operator::{
        AmendReply, ArtefactStored, ArtefactView, CalendarView, CordView, DenialView, DenyRequest,
        Description, Explanation, Findings, HostView, LiftDenialRequest, PlanReply, QueryAnswer,
        ReleaseHostsRequest, ReserveReply, ReserveRequest, RolloutEvidence, RolloutLine,
        RolloutView, ServicesView,
    },
    status::{CallError, CallErrorKind},
    tls::{self, CredentialFiles, Credentials, Server},
    v1::{
        self,
        operator_server::{Operator, OperatorServer},
    },
};
use std::{
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex, mpsc},
    thread,
};
use tokio::net::TcpListener;
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

/// What the coordinator answers. What is absent is refused as not found.
#[derive(Default, Clone)]
pub(crate) struct Script {
    pub(crate) plan: Option<PlanReply>,
    pub(crate) rollout: Option<RolloutView>,
    pub(crate) changes: Vec<RolloutView>,
    pub(crate) list: Vec<RolloutLine>,
    pub(crate) hosts: Vec<HostView>,
    pub(crate) package_sets: Vec<PackageSet>,
    pub(crate) denials: Vec<DenialView>,
    pub(crate) evidence: Option<RolloutEvidence>,
    pub(crate) explanation: Option<Explanation>,
    pub(crate) description: Option<Description>,
    pub(crate) calendar: Option<CalendarView>,
    pub(crate) cord: Option<CordView>,
    pub(crate) services: Option<ServicesView>,
    pub(crate) answers: Vec<QueryAnswer>,
    /// What was asked, one line a call.
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

type Answer<T> = Result<Response<T>, Status>;
type Flow<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Starts a coordinator that lives as long as the test's process, and says where.
pub(crate) fn start(script: Script, pair: Pair, authority: &Path) -> SocketAddr {
    let credentials = Credentials::load(&CredentialFiles {
        certificate: pair.certificate,
        key: pair.key,
        authority: authority.to_owned(),
    })
    .unwrap();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            let server = Server::new(&credentials).unwrap();
            let connections = tls::incoming(tls::sockets(listener), server);
            tonic::transport::Server::builder()
                .add_service(OperatorServer::new(script))
                .serve_with_incoming(connections)
                .await
                .unwrap();
        });
    });
    told.recv().unwrap()
}

impl Script {
    fn note(&self, call: String) {
        self.asked.lock().unwrap().push(call);
    }
}

fn answer<T, W: From<T>>(scripted: Option<T>) -> Answer<W> {
    let missing = || CallError::new(CallErrorKind::NotFound, "there is none of that name");
    let found = scripted.ok_or_else(missing)?;
    Ok(Response::new(found.into()))
}

#[tonic::async_trait]
impl Operator for Script {
    type WatchStream = Flow<v1::RolloutView>;
    type QueryStream = Flow<v1::QueryAnswer>;
    type HostsStream = Flow<v1::HostView>;
    type PackageSetsStream = Flow<v1::Packages>;
    type ListArtefactsStream = Flow<v1::ArtefactView>;
    type FetchArtefactStream = Flow<v1::Chunk>;

    async fn fetch_artefact(
        &self,
        _: Request<v1::FetchArtefactRequest>,
    ) -> Answer<Self::FetchArtefactStream> {
        let chunks = vec![Ok(v1::Chunk {
            data: b"bits".to_vec(),
        })];
        Ok(Response::new(Box::pin(tokio_stream::iter(chunks))))
    }

    async fn evidence(&self, _: Request<v1::EvidenceRequest>) -> Answer<v1::RolloutEvidence> {
        answer(self.evidence.clone())
    }

    async fn list_artefacts(
        &self,
        _request: Request<v1::ListArtefactsRequest>,
    ) -> Answer<Self::ListArtefactsStream> {
        let view = ArtefactView {
            digest: cofferdam_engine::digest::Digest::of("bits"),
            size: 4,
            stored_at_ms: Timestamp(5),
            package: Some("tool 1 (debian-12/amd64)".to_owned()),
            needed: true,
        };
        let views = vec![Ok(view.into())];
        Ok(Response::new(Box::pin(tokio_stream::iter(views))))
    }

    async fn query(&self, request: Request<v1::QueryRequest>) -> Answer<Self::QueryStream> {
        let request = request.into_inner();
        self.note(format!(
            "query {} in {} ms",
            request.text, request.within_ms
        ));
        let answers = self.answers.iter().cloned();
        let answers: Vec<_> = answers.map(|answer| Ok(answer.into())).collect();
        Ok(Response::new(Box::pin(tokio_stream::iter(answers))))
    }

    async fn put_artefact(
        &self,
        request: Request<Streaming<v1::Chunk>>,
    ) -> Answer<v1::ArtefactStored> {
        let mut chunks = request.into_inner();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.message().await? {
            bytes.extend(chunk.data);
        }
        self.note(format!("put {}", String::from_utf8_lossy(&bytes)));
        answer(Some(ArtefactStored {
            digest: cofferdam_engine::digest::Digest::of(&bytes),
            size: bytes.len() as u64,
        }))
    }

    async fn plan(&self, request: Request<v1::PlanRequest>) -> Answer<v1::PlanReply> {
        let lock = request.into_inner().lock_text;
        self.note(format!("plan with {lock:?}"));
        answer(self.plan.clone())
    }

    async fn lint(&self, request: Request<v1::PlanRequest>) -> Answer<v1::LintReply> {
        let finding = Finding {
            file: request.into_inner().file_name,
            line: 5,
            column: 9,
            severity: Severity::Error,
            rule: "selection".to_owned(),
            message: "no host of 0 matches".to_owned(),
        };
        answer(Some(Findings(vec![finding])))
    }

    async fn start(&self, request: Request<v1::StartRequest>) -> Answer<v1::RolloutView> {
        self.note(format!("start with {:?}", request.into_inner().lock_text));
        answer(self.rollout.clone())
    }

    async fn list(&self, _: Request<v1::ListRequest>) -> Answer<v1::ListReply> {
        let rollouts = self.list.iter().cloned().map(Into::into).collect();
        Ok(Response::new(v1::ListReply { rollouts }))
    }

    async fn status(&self, _: Request<v1::StatusRequest>) -> Answer<v1::RolloutView> {
        answer(self.rollout.clone())
    }

    async fn watch(&self, _: Request<v1::WatchRequest>) -> Answer<Self::WatchStream> {
        let changes: Vec<_> = self
            .changes
            .iter()
            .cloned()
            .map(|view| Ok(view.into()))
            .collect();
        Ok(Response::new(Box::pin(tokio_stream::iter(changes))))
    }

    async fn explain(&self, _: Request<v1::ExplainRequest>) -> Answer<v1::Explanation> {
        answer(self.explanation.clone())
    }

    async fn change(&self, request: Request<v1::ChangeRequest>) -> Answer<v1::RolloutView> {
        let request = request.into_inner();
        let reach = match request.reach() {
            v1::DenialReach::Unspecified | v1::DenialReach::Fleet => String::new(),
            reach @ (v1::DenialReach::Cell | v1::DenialReach::Host) => format!(", {reach:?}"),
        };
        self.note(format!("{:?}: {}{reach}", request.action(), request.reason));
        answer(self.rollout.clone())
    }

    async fn except(&self, request: Request<v1::ExceptRequest>) -> Answer<v1::RolloutView> {
        let request = request.into_inner();
        let whom = format!("{:?}", request.whom);
        self.note(format!("{:?}: {}, {whom}", request.word(), request.reason));
        answer(self.rollout.clone())
    }

    async fn preview_rollback(
        &self,
        request: Request<v1::PreviewRollbackRequest>,
    ) -> Answer<v1::RollbackPreview> {
        let rollout = request.into_inner().rollout;
        self.note(format!("preview {rollout}"));
        let (cells, not_now) = (Vec::new(), Vec::new());
        Ok(Response::new(v1::RollbackPreview {
            rollout,
            cells,
            not_now,
            at_most_ms: 60_000,
        }))
    }

    async fn amend(&self, request: Request<v1::AmendRequest>) -> Answer<v1::AmendReply> {
        let request = request.into_inner();
        let seen = request.seen.is_some();
        self.note(format!("amend {}, seen: {seen}", request.rollout));
        let plan = self.plan.clone();
        answer(plan.map(|reply| AmendReply {
            amended_digest: None,
            started: seen,
            amends: RolloutId::new("openssl").unwrap(),
            generation: 2,
            plan: reply.plan,
            passed: 3,
            away: 0,
            file_diff: vec!["-one".to_owned(), "+other".to_owned()],
            lock_diff: Vec::new(),
            lock_text: reply.lock_text,
        }))
    }

    async fn hosts(&self, _: Request<v1::HostsRequest>) -> Answer<Self::HostsStream> {
        let hosts: Vec<_> = self
            .hosts
            .iter()
            .cloned()
            .map(|host| Ok(host.into()))
            .collect();
        Ok(Response::new(Box::pin(tokio_stream::iter(hosts))))
    }

    async fn package_sets(
        &self,
        _: Request<v1::PackageSetsRequest>,
    ) -> Answer<Self::PackageSetsStream> {
        let sets = self.package_sets.iter().cloned();
        let sets: Vec<_> = sets.map(|set| Ok(set.into())).collect();
        Ok(Response::new(Box::pin(tokio_stream::iter(sets))))
    }

    async fn forget_host(
        &self,
        request: Request<v1::ForgetHostRequest>,
    ) -> Answer<v1::ForgetHostReply> {
        self.note(format!("forget {}", request.into_inner().host));
        Ok(Response::new(v1::ForgetHostReply {}))
    }

    async fn reserve(&self, request: Request<v1::ReserveRequest>) -> Answer<v1::ReserveReply> {
        let asked = ReserveRequest::try_from(request.into_inner())?;
        let (hosts, lasts) = (asked.hosts, asked.lasts);
        self.note(format!("reserve {hosts:?} for {lasts:?}: {}", asked.reason));
        let until_ms = Timestamp(1_000);
        Ok(Response::new(ReserveReply { until_ms }.into()))
    }

    async fn release_hosts(
        &self,
        request: Request<v1::ReleaseHostsRequest>,
    ) -> Answer<v1::ReleaseHostsReply> {
        let asked = ReleaseHostsRequest::try_from(request.into_inner())?;
        let (hosts, force) = (asked.hosts, asked.force);
        self.note(format!("release {hosts:?}, force {force}"));
        Ok(Response::new(v1::ReleaseHostsReply {}))
    }

    async fn set_services(
        &self,
        request: Request<v1::SetServicesRequest>,
    ) -> Answer<v1::ServicesView> {
        let request = request.into_inner();
        self.note(format!(
            "set {}: {}",
            request.file_name, request.services_text
        ));
        answer(self.services.clone())
    }

    async fn services(&self, _: Request<v1::ServicesRequest>) -> Answer<v1::ServicesView> {
        answer(self.services.clone())
    }

    async fn set_calendar(
        &self,
        request: Request<v1::SetCalendarRequest>,
    ) -> Answer<v1::CalendarView> {
        self.note(format!("freezes {}", request.into_inner().calendar_text));
        answer(self.calendar.clone())
    }

    async fn show_calendar(&self, _: Request<v1::ShowCalendarRequest>) -> Answer<v1::CalendarView> {
        answer(self.calendar.clone())
    }

    async fn pull_cord(&self, request: Request<v1::PullCordRequest>) -> Answer<v1::CordView> {
        self.note(format!("pulls the cord: {}", request.into_inner().reason));
        answer(self.cord.clone())
    }

    async fn release_cord(&self, request: Request<v1::ReleaseCordRequest>) -> Answer<v1::CordView> {
        self.note(format!("releases it: {}", request.into_inner().reason));
        answer(self.cord.clone())
    }

    async fn show_cord(&self, _: Request<v1::ShowCordRequest>) -> Answer<v1::CordView> {
        answer(self.cord.clone())
    }

    async fn list_denials(
        &self,
        _: Request<v1::ListDenialsRequest>,
    ) -> Answer<v1::ListDenialsReply> {
        let denials = self.denials.iter().cloned().map(Into::into).collect();
        Ok(Response::new(v1::ListDenialsReply { denials }))
    }

    async fn deny(&self, request: Request<v1::DenyRequest>) -> Answer<v1::DenyReply> {
        let asked = DenyRequest::try_from(request.into_inner())?;
        let (bits, place) = (asked.bits, asked.place);
        self.note(format!("deny {bits} to {place}: {}", asked.reason));
        Ok(Response::new(v1::DenyReply {}))
    }

    async fn lift_denial(
        &self,
        request: Request<v1::LiftDenialRequest>,
    ) -> Answer<v1::LiftDenialReply> {
        let asked = LiftDenialRequest::try_from(request.into_inner())?;
        let (bits, at) = (asked.bits, asked.only_at);
        self.note(format!("lift {bits} at {at:?}: {}", asked.reason));
        Ok(Response::new(v1::LiftDenialReply {}))
    }

    async fn describe(&self, _: Request<v1::DescribeRequest>) -> Answer<v1::Description> {
        answer(self.description.clone())
    }
}
