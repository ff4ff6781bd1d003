//! What is declared for the whole fleet, and what is shown of it.

use crate::sample::{over_the_wire, text};
use cofferdam_engine::{
    cord::Span,
    id::{HostId, OperatorId, Region, ServiceName},
    time::Timestamp,
};
use cofferdam_proto::{
    operator::{
        CalendarRequest, CalendarView, CordRequest, CordView, FreezeView, PulledCord, ServiceView,
        ServicesView, SetServicesRequest, UndeclaredService, UntoldRegion,
    },
    v1,
};

#[test]
pub(super) fn services_arrive_unchanged() {
    let set = SetServicesRequest {
        file_name: text("services.toml"),
        services_text: text("[service.web]\n"),
    };
    assert_eq!(
        over_the_wire::<v1::SetServicesRequest, _>(set.clone()),
        Ok(set)
    );
    let service = |name: &str| ServiceName::new(name).unwrap();
    let view = ServicesView {
        services: vec![ServiceView {
            service: service("web"),
            tier: 1,
            owners: vec![OperatorId::new("ana").unwrap()],
            depends_on: vec![service("db")],
            dependants: vec![service("shop")],
            hosts: 8,
            description: text("the shop"),
        }],
        undeclared: vec![UndeclaredService {
            service: text("old box"),
            hosts: 1,
        }],
    };
    assert_eq!(
        over_the_wire::<v1::ServicesView, _>(view.clone()),
        Ok(view.clone())
    );
    let mut wire = v1::ServicesView::from(view);
    wire.services[0].tier = 0;
    let refused = ServicesView::try_from(wire).unwrap_err();
    assert!(
        refused.to_string().starts_with("services[0].tier: "),
        "{refused}"
    );
}

#[test]
pub(super) fn how_the_cord_stands_arrives_unchanged() {
    let request = CordRequest {
        reason: text("smoke in r1"),
    };
    let pulled = over_the_wire::<v1::PullCordRequest, _>(request.clone());
    let released = over_the_wire::<v1::ReleaseCordRequest, _>(request.clone());
    assert_eq!((pulled, released), (Ok(request.clone()), Ok(request)));
    let region = Region::new("r1").unwrap();
    let whole = PulledCord {
        by: OperatorId::new("anna").unwrap(),
        at_ms: Timestamp(7),
        reason: text("smoke in r1"),
        span: Span::Fleet,
        region: None,
    };
    let own = PulledCord {
        reason: String::new(),
        span: Span::Region,
        region: Some(region.clone()),
        ..whole.clone()
    };
    let away = UntoldRegion {
        region,
        silent_since_ms: Some(Timestamp(3)),
        hosts_at_risk: 24,
        until_ms: Some(Timestamp(9)),
    };
    let late = UntoldRegion {
        silent_since_ms: None,
        hosts_at_risk: 0,
        until_ms: None,
        ..away.clone()
    };
    let view = CordView {
        pulled: vec![whole, own],
        untold: vec![away, late],
        away: vec![HostId::new("web-1").unwrap()],
        now_ms: Some(Timestamp(8)),
    };
    assert_eq!(over_the_wire::<v1::CordView, _>(view.clone()), Ok(view));
}

#[test]
pub(super) fn a_calendar_arrives_unchanged() {
    let request = CalendarRequest {
        file_name: text("calendar.toml"),
        calendar_text: String::new(),
    };
    assert_eq!(
        over_the_wire::<v1::SetCalendarRequest, _>(request.clone()),
        Ok(request)
    );
    let freeze = FreezeView {
        name: text("black friday"),
        is_on: true,
        from_ms: Timestamp(1),
        until_ms: Timestamp(2),
        from: text("2026-11-26 18:00"),
        until: text("2026-12-01 00:00"),
        time_zone: text("America/New_York"),
        selection: Some(text("service == \"shop\"")),
        hosts: 24,
        reason: text("sales"),
        owner: String::new(),
        except_profiles: vec![text("emergency")],
    };
    let declared = CalendarView {
        declared_by: Some(OperatorId::new("anna").unwrap()),
        declared_at_ms: Some(Timestamp(7)),
        freezes: vec![freeze],
    };
    let none = CalendarView {
        declared_by: None,
        declared_at_ms: None,
        freezes: Vec::new(),
    };
    for view in [declared, none] {
        assert_eq!(over_the_wire::<v1::CalendarView, _>(view.clone()), Ok(view));
    }
}
