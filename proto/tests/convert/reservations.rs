//! Reservations come as they went.

use crate::sample::{host, over_the_wire, text};
use cofferdam_engine::{
    policy::LONGEST_RESERVATION, reservation::ReservationLeft, time::Timestamp,
};
use cofferdam_proto::{
    operator::{ReleaseHostsRequest, ReserveReply, ReserveRequest},
    v1,
};
use std::time::Duration;

#[test]
pub(super) fn reservations_arrive_unchanged() {
    let reserve = ReserveRequest {
        hosts: vec![host()],
        reason: text("new disk"),
        lasts: Duration::from_secs(1800),
    };
    assert_eq!(
        over_the_wire::<v1::ReserveRequest, _>(reserve.clone()),
        Ok(reserve)
    );
    let reply = ReserveReply {
        until_ms: Timestamp(7),
    };
    assert_eq!(over_the_wire::<v1::ReserveReply, _>(reply), Ok(reply));
    for force in [false, true] {
        let release = ReleaseHostsRequest {
            hosts: vec![host()],
            force,
        };
        assert_eq!(
            over_the_wire::<v1::ReleaseHostsRequest, _>(release.clone()),
            Ok(release)
        );
    }
}

#[test]
fn what_a_host_is_told_of_its_reservation_is_whole_and_ends() {
    let longest = 7 * 24 * 3_600_000;
    let fits = v1::OperatorReservation {
        token: 3,
        by: text("ana"),
        reason: text("new disk"),
        left_ms: longest,
    };
    let wrong = |field, change: fn(&mut v1::OperatorReservation)| {
        let mut wire = fits.clone();
        change(&mut wire);
        let refused = ReservationLeft::try_from(wire).unwrap_err().to_string();
        assert!(refused.contains(field), "{refused}");
    };
    wrong("token", |wire| wire.token = 0);
    wrong("by", |wire| wire.by.clear());
    wrong("reason", |wire| wire.reason.clear());
    wrong("left_ms", |wire| wire.left_ms += 1);
    let read = ReservationLeft::try_from(fits).unwrap();
    assert_eq!(read.left, LONGEST_RESERVATION);
}

#[test]
fn a_reservation_without_hosts_or_reason_is_refused() {
    let fits = v1::ReserveRequest {
        hosts: vec![text("web-1")],
        reason: text("new disk"),
        lasts_ms: 1,
    };
    let hosts = Vec::new();
    let without_hosts = v1::ReserveRequest {
        hosts,
        ..fits.clone()
    };
    let without_reason = v1::ReserveRequest {
        reason: String::new(),
        ..fits.clone()
    };
    assert!(ReserveRequest::try_from(fits).is_ok());
    for (wire, field) in [(without_hosts, "hosts"), (without_reason, "reason")] {
        let refused = ReserveRequest::try_from(wire).unwrap_err().to_string();
        assert!(refused.contains(field), "{refused}");
    }
    let nothing = v1::ReleaseHostsRequest::default();
    assert!(ReleaseHostsRequest::try_from(nothing).is_err());
}
