//! Frames of operators' messages as an earlier release wrote them: what a command of that release asks means what it
//! meant, and what it is told is said as it was, so that it can be older than its coordinator.
//!
//! `operator.txt` is as `frames.txt`, and updated as that is. Frames of a kind that is new are those that other tests
//! send.

use super::{Frame, bytes, golden, hex};
use crate::{amend, artefacts, declared, denials, hosts, operator, queries, reservations, sample};
use cofferdam_engine::inventory::PackageSet;
use cofferdam_proto::{
    artefact::FetchArtefact,
    convert::FieldError,
    operator::{
        AmendReply, AmendRequest, ArtefactStored, ArtefactView, CalendarRequest, CalendarView,
        ChangeRequest, CordRequest, CordView, DenialView, DenyRequest, Description, ExceptRequest,
        ExplainRequest, Explanation, Findings, ForgetHostRequest, HostView, LiftDenialRequest,
        PlanReply, PlanRequest, QueryAnswer, QueryRequest, ReleaseHostsRequest, ReserveReply,
        ReserveRequest, RollbackPreview, RolloutEvidence, RolloutLine, RolloutRequest, RolloutView,
        ServicesView, SetServicesRequest, StartRequest,
    },
    v1,
};
use prost::Message;
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Debug,
    fs,
};

const GOLDEN: &str = "tests/convert/golden/operator.txt";

/// Frames of each kind at most: some have so many alternatives.
const OF_EACH: usize = 4;

const PROTO: &str = include_str!("../../../proto/cofferdam/v1/operator.proto");

/// The messages of all calls that have fields, but for pieces of files, which are bytes.
fn kinds() -> BTreeSet<&'static str> {
    let calls = PROTO
        .lines()
        .filter_map(|line| line.trim().strip_prefix("rpc "));
    let names = calls.flat_map(|call| call.split(['(', ')']).skip(1).step_by(2));
    let names = names.map(|name| name.trim_start_matches("stream "));
    names
        .filter(|name| has_fields(name) && *name != "Chunk")
        .collect()
}

fn has_fields(message: &str) -> bool {
    let fields = [format!("{message}: "), format!("{message}.")];
    let mut lines = include_str!("../numbers.txt").lines();
    lines.any(|line| fields.iter().any(|field| line.starts_with(field)))
}

/// What a frame means to this release, which would write it the same.
fn meaning(kind: &str, bytes: &[u8]) -> String {
    fn checked<W, T>(bytes: &[u8]) -> String
    where
        W: Message + Default + From<T> + PartialEq + Debug,
        T: TryFrom<W, Error = FieldError> + Debug,
    {
        let wire = || W::decode(bytes).unwrap();
        let value = T::try_from(wire()).unwrap();
        let meaning = format!("{value:?}");
        assert_eq!(W::from(value), wire(), "it is written as it was");
        meaning
    }
    match kind {
        "AmendReply" => checked::<v1::AmendReply, AmendReply>(bytes),
        "AmendRequest" => checked::<v1::AmendRequest, AmendRequest>(bytes),
        "ArtefactStored" => checked::<v1::ArtefactStored, ArtefactStored>(bytes),
        "ArtefactView" => checked::<v1::ArtefactView, ArtefactView>(bytes),
        "CalendarView" => checked::<v1::CalendarView, CalendarView>(bytes),
        "ChangeRequest" => checked::<v1::ChangeRequest, ChangeRequest>(bytes),
        "CordView" => checked::<v1::CordView, CordView>(bytes),
        "DenyRequest" => checked::<v1::DenyRequest, DenyRequest>(bytes),
        "Description" => checked::<v1::Description, Description>(bytes),
        "EvidenceRequest" => checked::<v1::EvidenceRequest, RolloutRequest>(bytes),
        "ExceptRequest" => checked::<v1::ExceptRequest, ExceptRequest>(bytes),
        "ExplainRequest" => checked::<v1::ExplainRequest, ExplainRequest>(bytes),
        "Explanation" => checked::<v1::Explanation, Explanation>(bytes),
        "FetchArtefactRequest" => checked::<v1::FetchArtefactRequest, FetchArtefact>(bytes),
        "ForgetHostRequest" => checked::<v1::ForgetHostRequest, ForgetHostRequest>(bytes),
        "HostView" => checked::<v1::HostView, HostView>(bytes),
        "LiftDenialRequest" => checked::<v1::LiftDenialRequest, LiftDenialRequest>(bytes),
        "LintReply" => checked::<v1::LintReply, Findings>(bytes),
        "ListDenialsReply" => checked::<v1::ListDenialsReply, Vec<DenialView>>(bytes),
        "ListReply" => checked::<v1::ListReply, Vec<RolloutLine>>(bytes),
        "Packages" => checked::<v1::Packages, PackageSet>(bytes),
        "PlanReply" => checked::<v1::PlanReply, PlanReply>(bytes),
        "PlanRequest" => checked::<v1::PlanRequest, PlanRequest>(bytes),
        "PreviewRollbackRequest" => checked::<v1::PreviewRollbackRequest, RolloutRequest>(bytes),
        "PullCordRequest" => checked::<v1::PullCordRequest, CordRequest>(bytes),
        "QueryAnswer" => checked::<v1::QueryAnswer, QueryAnswer>(bytes),
        "QueryRequest" => checked::<v1::QueryRequest, QueryRequest>(bytes),
        "ReleaseCordRequest" => checked::<v1::ReleaseCordRequest, CordRequest>(bytes),
        "ReleaseHostsRequest" => checked::<v1::ReleaseHostsRequest, ReleaseHostsRequest>(bytes),
        "ReserveReply" => checked::<v1::ReserveReply, ReserveReply>(bytes),
        "ReserveRequest" => checked::<v1::ReserveRequest, ReserveRequest>(bytes),
        "RollbackPreview" => checked::<v1::RollbackPreview, RollbackPreview>(bytes),
        "RolloutEvidence" => checked::<v1::RolloutEvidence, RolloutEvidence>(bytes),
        "RolloutView" => checked::<v1::RolloutView, RolloutView>(bytes),
        "ServicesView" => checked::<v1::ServicesView, ServicesView>(bytes),
        "SetCalendarRequest" => checked::<v1::SetCalendarRequest, CalendarRequest>(bytes),
        "SetServicesRequest" => checked::<v1::SetServicesRequest, SetServicesRequest>(bytes),
        "StartRequest" => checked::<v1::StartRequest, StartRequest>(bytes),
        "StatusRequest" => checked::<v1::StatusRequest, RolloutRequest>(bytes),
        "WatchRequest" => checked::<v1::WatchRequest, RolloutRequest>(bytes),
        other => panic!("{other} is no message of operators"),
    }
}

/// Writes what each frame means now, and frames of the kinds that have none.
fn update() {
    let mut frames: Vec<Frame> = golden(GOLDEN).into_iter().map(|(frame, _)| frame).collect();
    let mut have: BTreeMap<String, usize> = BTreeMap::new();
    for (kind, _) in &frames {
        have.insert(kind.clone(), OF_EACH);
    }
    let sent = sample::going_over_the_wire(|| {
        amend::an_amendment_arrives_unchanged();
        artefacts::what_agents_ask_and_supply_arrives_unchanged();
        declared::services_arrive_unchanged();
        declared::how_the_cord_stands_arrives_unchanged();
        declared::a_calendar_arrives_unchanged();
        denials::every_way_to_deny_and_to_lift_arrives_unchanged();
        denials::a_list_of_denials_arrives_unchanged();
        denials::a_preview_of_a_rollback_arrives_unchanged();
        denials::what_a_rollout_proved_arrives_unchanged();
        operator::requests_arrive_unchanged();
        operator::every_action_arrives_unchanged();
        operator::every_word_on_hosts_arrives_unchanged();
        operator::a_plan_arrives_unchanged();
        operator::findings_arrive_unchanged_and_have_a_place();
        operator::a_rollout_arrives_unchanged_in_every_state();
        hosts::a_host_arrives_unchanged();
        hosts::what_is_installed_arrives_unchanged();
        operator::explanations_descriptions_and_artefacts_arrive_unchanged();
        queries::queries_arrive_unchanged();
        reservations::reservations_arrive_unchanged();
    });
    let kinds = kinds();
    for (kind, bytes) in sent
        .into_iter()
        .filter(|(kind, _)| kinds.contains(kind.as_str()))
    {
        let have = have.entry(kind.clone()).or_default();
        if *have < OF_EACH {
            *have += 1;
            frames.push((kind, hex(&bytes)));
        }
    }
    let line =
        |(kind, hex): &Frame| format!("{kind} {hex}\n    {}\n\n", meaning(kind, &bytes(hex)));
    fs::write(GOLDEN, frames.iter().map(line).collect::<String>()).unwrap();
}

#[test]
fn what_a_command_of_an_earlier_release_asks_and_is_told_means_what_it_meant() {
    if env::var_os("UPDATE").is_some() {
        update();
    }
    let golden = golden(GOLDEN);
    // Field 1000 of five bytes, of a later release.
    let later = [&[0xc2, 0x3e, 5][..], b"later"].concat();
    for ((kind, hex), meant) in &golden {
        let frame = bytes(hex);
        assert_eq!(meaning(kind, &frame), *meant, "{kind} {hex}");
        let with = [frame, later.clone()].concat();
        assert_eq!(meaning(kind, &with), *meant, "{kind} with a field more");
    }
    let have: BTreeSet<&str> = golden.iter().map(|((kind, _), _)| kind.as_str()).collect();
    let kinds = kinds();
    let without: Vec<_> = kinds.difference(&have).collect();
    assert!(without.is_empty(), "without a golden frame: {without:?}");
    assert!(kinds.len() > 30, "the calls are found: {kinds:?}");
}
