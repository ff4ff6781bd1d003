//! What operators declare for the whole fleet.

use crate::{
    bench::{Bench, host, name},
    plan_request, start,
};
use cofferdam_engine::{denial::Scope, identity::Identity};
use cofferdam_proto::{
    operator::{
        Action, CalendarRequest, CalendarView, ChangeRequest, PlanReply, RolloutView, ServicesView,
    },
    v1::{self, operator_client::OperatorClient},
};
use tonic::Code;

#[tokio::test]
async fn services_are_declared_for_the_fleet_and_replace_those_before() {
    let bench = Bench::start().await;
    let mut operator = bench.operator().await;
    let session = bench.session("web-1").await;
    let set = |services_text: &str| v1::SetServicesRequest {
        file_name: "services.toml".to_owned(),
        services_text: services_text.to_owned(),
    };
    let first = "[service.web]\nowners = [\"ana\"]\ntier = 1\ndepends_on = [\"db\"]\n\
                 [service.db]\nowners = [\"ben\"]\ntier = 1\n";
    operator.set_services(set(first)).await.unwrap();
    let shown = operator.services(v1::ServicesRequest {}).await.unwrap();
    let shown = ServicesView::try_from(shown.into_inner()).unwrap();
    let [db, web] = shown.services.as_slice() else {
        panic!("two services are expected: {shown:?}");
    };
    assert_eq!(db.dependants, std::slice::from_ref(&web.service));
    assert_eq!((web.hosts, db.hosts), (1, 0));
    assert!(shown.undeclared.is_empty());

    let second = "[service.db]\nowners = [\"ben\"]\ntier = 1\n";
    let replaced = operator.set_services(set(second)).await.unwrap();
    let replaced = ServicesView::try_from(replaced.into_inner()).unwrap();
    assert_eq!(replaced.services.len(), 1);
    assert_eq!(replaced.undeclared[0].service, "web");

    let refused = operator.set_services(set("[service.web]\n")).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    drop(session);
    bench.stop().await;
}

#[tokio::test]
async fn freezes_are_declared_as_a_whole_and_shown() {
    let bench = Bench::start().await;
    let mut operator = bench.operator().await;
    let mut set = async |calendar_text: &str| {
        let request = CalendarRequest {
            file_name: "calendar.toml".to_owned(),
            calendar_text: calendar_text.to_owned(),
        };
        let reply = operator
            .set_calendar(v1::SetCalendarRequest::from(request))
            .await?;
        Ok::<_, tonic::Status>(CalendarView::try_from(reply.into_inner()).unwrap())
    };

    let refused = set("[[freeze]]\nname = \"sale\"\n").await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let sale = "[[freeze]]\nname = \"sale\"\nfrom = \"2026-11-26T18:00\"\nuntil = \"2026-11-30\"\n";
    let declared = set(&format!("{sale}time_zone = \"America/New_York\"\n"))
        .await
        .unwrap();
    assert_eq!(declared.freezes[0].from, "2026-11-26 18:00");
    assert_eq!(declared.freezes[0].until, "2026-12-01 00:00");
    assert_eq!(declared.declared_by, Some(name("ana")));
    let shown = operator
        .show_calendar(v1::ShowCalendarRequest {})
        .await
        .unwrap();
    assert_eq!(CalendarView::try_from(shown.into_inner()), Ok(declared));
    bench.stop().await;
}

#[tokio::test]
async fn a_host_that_is_alone_is_listed_and_taken_once_an_approver_says_so() {
    let bench = Bench::start().await;
    let mut operator = bench.operator().await;
    let session = bench.session("web-1").await;
    let spec = |approvers: &str| {
        format!(
            "name = \"practice\"\napprovers = [{approvers}]\n[patch]\nkind = \"noop\"\n\
             [select]\nmatch = 'service == \"web\"'\n"
        )
    };
    let refused = operator.plan(plan_request(&spec(""))).await.unwrap_err();
    assert!(refused.message().contains("`approvers`"), "{refused}");
    let plan = operator.plan(plan_request(&spec("\"ben\""))).await;
    let plan = PlanReply::try_from(plan.unwrap().into_inner()).unwrap();
    assert_eq!(plan.plan.approvals[0].host, host("web-1"));
    start(&mut operator, &spec("\"ben\"")).await;

    let approve = ChangeRequest {
        rollout: name("practice"),
        action: Action::Approve,
        reason: String::new(),
        reach: Scope::default(),
    };
    let approve = v1::ChangeRequest::from(approve);
    let refused = operator.change(approve.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("ben may"), "{refused}");
    let as_ben = bench.channel(&Identity::Operator(name("ben"))).await;
    let approved = OperatorClient::new(as_ben).change(approve.clone()).await;
    let approved = RolloutView::try_from(approved.unwrap().into_inner()).unwrap();
    assert_eq!(approved.approvals[0].by, name("ben"));
    let late = operator.change(approve).await.unwrap_err();
    assert!(late.message().contains("awaits an approval"), "{late}");
    drop(session);
    bench.stop().await;
}

#[tokio::test]
async fn hosts_are_reserved_as_far_as_their_groups_allow_and_explained() {
    let bench = Bench::start().await;
    let mut operator = bench.operator().await;
    let sessions = [bench.session("web-1").await, bench.session("web-2").await];
    let reserve = |hosts: &[&str]| v1::ReserveRequest {
        hosts: hosts.iter().map(|name| (*name).to_owned()).collect(),
        reason: "new disk".to_owned(),
        lasts_ms: 600_000,
    };
    let refused = operator.reserve(reserve(&["web-1", "web-2"])).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(
        refused.message().contains("2 more would be, 1 may be"),
        "{refused}"
    );
    operator.reserve(reserve(&["web-1"])).await.unwrap();
    let explain = v1::ExplainRequest {
        subject: "web-1".to_owned(),
    };
    let explained = operator.explain(explain).await.unwrap().into_inner();
    assert_eq!(explained.headline, "out: reserved: new disk");
    let mut facts = explained.facts.iter();
    let out = &facts.find(|fact| fact.key == "out").unwrap().value;
    // Asked within a millisecond, it is the whole time still.
    let left = ["9m", "10m"].map(|left| format!("reserved: new disk, held by ana for {left}"));
    assert!(left.iter().any(|left| out.starts_with(left)), "{out}");

    let release = |force| v1::ReleaseHostsRequest {
        hosts: vec!["web-1".to_owned()],
        force,
    };
    let as_ben = bench.channel(&Identity::Operator(name("ben"))).await;
    let mut ben = OperatorClient::new(as_ben);
    let refused = ben.release_hosts(release(false)).await.unwrap_err();
    assert!(refused.message().contains("reserved by ana"), "{refused}");
    ben.release_hosts(release(true)).await.unwrap();
    operator.reserve(reserve(&["web-2"])).await.unwrap();
    drop(sessions);
    bench.stop().await;
}
