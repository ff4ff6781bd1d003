//! Denials arrive as they were sent, and what names nothing is refused.

use crate::sample::{over_the_wire, rollout};
use cofferdam_engine::{
    denial::{Named, Place, Scope},
    digest::Digest,
    id::{CellId, HostId, OperatorId},
    time::Timestamp,
};
use cofferdam_proto::{
    operator::{
        Action, ChangeRequest, DenialView, DenyRequest, LiftDenialRequest, LiftView, NotTakenBack,
        PlannedSlice, RollbackPreview, RolloutEvidence, RolloutRequest, StratumEvidence,
    },
    v1,
};

#[test]
pub(super) fn every_way_to_deny_and_to_lift_arrives_unchanged() {
    let digest = Digest::of("bits");
    let rollout = rollout();
    let cell = CellId::new("r1-a-1").unwrap();
    let host = HostId::new("web-1").unwrap();
    for bits in [Named::Digest { digest }, Named::Rollout { rollout }] {
        for place in [
            Place::Fleet,
            Place::Cell { cell: cell.clone() },
            Place::Host { host: host.clone() },
        ] {
            let deny = DenyRequest {
                bits: bits.clone(),
                place: place.clone(),
                reason: "slow queries".to_owned(),
            };
            assert_eq!(over_the_wire::<v1::DenyRequest, _>(deny.clone()), Ok(deny));
            for only_at in [None, Some(place)] {
                let lift = LiftDenialRequest {
                    bits: bits.clone(),
                    only_at,
                    reason: String::new(),
                };
                assert_eq!(
                    over_the_wire::<v1::LiftDenialRequest, _>(lift.clone()),
                    Ok(lift)
                );
            }
        }
    }
}

#[test]
pub(super) fn a_list_of_denials_arrives_unchanged() {
    let held = DenialView {
        bits: Digest::of("bits"),
        place: Place::Fleet,
        by: None,
        rollout: None,
        reason: String::new(),
        at_ms: Timestamp(5),
        lifted: None,
    };
    let anna = OperatorId::new("anna").unwrap();
    let lifted = DenialView {
        by: Some(anna.clone()),
        rollout: Some(rollout()),
        lifted: Some(LiftView {
            by: anna,
            reason: "fixed".to_owned(),
            at_ms: Timestamp(6),
        }),
        ..held.clone()
    };
    let list = vec![held, lifted];
    assert_eq!(
        over_the_wire::<v1::ListDenialsReply, _>(list.clone()),
        Ok(list)
    );
}

#[test]
pub(super) fn a_preview_of_a_rollback_arrives_unchanged() {
    let preview = RollbackPreview {
        rollout: rollout(),
        cells: vec![PlannedSlice {
            cell: CellId::new("r1-a-1").unwrap(),
            hosts: 5,
        }],
        not_now: vec![NotTakenBack {
            host: HostId::new("web-1").unwrap(),
            why: "not connected".to_owned(),
        }],
        at_most_ms: 5,
    };
    assert_eq!(
        over_the_wire::<v1::RollbackPreview, _>(preview.clone()),
        Ok(preview)
    );
    let which = RolloutRequest { rollout: rollout() };
    assert_eq!(
        over_the_wire::<v1::PreviewRollbackRequest, _>(which.clone()),
        Ok(which)
    );
}

#[test]
pub(super) fn what_a_rollout_proved_arrives_unchanged() {
    let evidence = RolloutEvidence {
        rollout_digest: Digest::of("rollout"),
        strata: vec![StratumEvidence {
            stratum: "delta=26cc7931841b".to_owned(),
            hosts: 9,
            passed: 3,
            failed: 1,
        }],
    };
    assert_eq!(
        over_the_wire::<v1::RolloutEvidence, _>(evidence.clone()),
        Ok(evidence.clone())
    );
    let mut nameless = v1::RolloutEvidence::from(evidence);
    nameless.strata[0].stratum.clear();
    let refused = RolloutEvidence::try_from(nameless).unwrap_err();
    assert!(refused.to_string().starts_with("strata"), "{refused}");
    let which = RolloutRequest { rollout: rollout() };
    assert_eq!(
        over_the_wire::<v1::EvidenceRequest, _>(which.clone()),
        Ok(which)
    );
}

#[test]
fn what_names_no_bits_or_no_place_is_refused() {
    let named = v1::BitsName::from(Named::Rollout { rollout: rollout() });
    let whole = v1::DenyRequest {
        bits: Some(named),
        place: Some(Place::Fleet.into()),
        reason: String::new(),
    };
    let read = |wire: v1::DenyRequest| DenyRequest::try_from(wire).map_err(|e| e.to_string());
    assert!(read(whole.clone()).is_ok());
    let nothing = v1::DenyRequest {
        bits: Some(v1::BitsName { name: None }),
        ..whole.clone()
    };
    assert!(read(nothing).unwrap_err().starts_with("bits.name"));
    let nowhere = v1::DenyRequest {
        place: None,
        ..whole
    };
    assert!(read(nowhere).unwrap_err().starts_with("place"));
}

#[test]
fn a_rollback_without_a_reach_denies_to_the_fleet() {
    let asked = ChangeRequest {
        rollout: rollout(),
        action: Action::Rollback,
        reason: String::new(),
        reach: Scope::Host,
    };
    let wire = v1::ChangeRequest {
        reach: None,
        ..asked.into()
    };
    assert_eq!(
        ChangeRequest::try_from(wire).map(|asked| asked.reach),
        Ok(Scope::Fleet)
    );
}
