use super::*;

fn signed() -> Signed {
    Signed {
        statement: "cofferdam-rollout 1\n".to_owned(),
        signature: "-----BEGIN SSH SIGNATURE-----\n".to_owned(),
    }
}

#[test]
fn each_cell_is_told_what_was_signed_and_so_is_one_that_gets_hosts_later() {
    let fleet = Fleet::default()
        .with("web", "r1/a", "t", 4)
        .with("web", "r1/b", "t", 4);
    let plan = fleet.plan(NOOP);
    assert!(!plan.is_signed());

    let plan = plan.signed(&signed(), Some("alice".to_owned()));

    let told = plan.assignments.values().map(|cell| cell.signed.as_ref());
    assert!(told.eq([Some(&signed()), Some(&signed())]));
    let later = plan.empty_assignment(&CellId::new("r1-c-1").unwrap());
    assert_eq!(later.unwrap().signed, Some(signed()));
    let stored = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&stored).unwrap(), plan);
}

#[test]
fn a_plan_of_a_release_without_signatures_is_read_as_unsigned() {
    let plan = Fleet::default().with("web", "r1/a", "t", 4).plan(NOOP);
    let mut stored = serde_json::to_value(&plan).unwrap();
    stored.as_object_mut().unwrap().remove("signer");
    for assignment in stored["assignments"].as_object_mut().unwrap().values_mut() {
        assignment["signature"] = serde_json::json!([]);
    }

    let read: Plan = serde_json::from_value(stored).unwrap();

    assert!(!read.is_signed());
    assert_eq!(read, plan);
}
