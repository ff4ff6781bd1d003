//! What a rollout would do.

use super::rollout::count;
use cofferdam_engine::{
    digest::Digest,
    id::{CellId, HostId, WaveIndex},
    plan::{self, GroupBlast, Impact, PackageChange, Plan, PlatformChange, Waived, WideGroup},
    time::millis,
};
use cofferdam_proto::operator::{
    Coverage, GroupView, ImpactView, NeededApproval, PackageChangeView, PlanView, PlannedRegion,
    PlannedSlice, PlannedStep, PlannedWave, PlatformChangeView, StratumView, WaivedView,
};
use std::collections::BTreeSet;

/// A plan as operators see it; `notes` were taken while its lock file was resolved.
pub(crate) fn plan(
    plan: &Plan,
    lock_digest: Digest,
    changes: &[PlatformChange],
    notes: &[String],
) -> PlanView {
    let warnings = plan.warnings.iter().map(ToString::to_string);
    PlanView {
        rollout: plan.rollout.clone(),
        digest: plan.rollout_digest,
        lock_digest,
        severity: plan.severity.to_string(),
        profile: plan.profile.to_string(),
        waves: plan.waves.iter().map(wave).collect(),
        warnings: notes.iter().cloned().chain(warnings).collect(),
        estimate_ms: millis(plan.estimate.least),
        coverage: Coverage {
            strata: strata(plan),
            groups: groups(plan),
            waived: plan.waived.iter().map(waived).collect(),
        },
        approvals: plan.approvals.iter().map(approval).collect(),
        impacts: plan.blast.impacts.iter().map(impact).collect(),
        changes: changes.iter().map(platform).collect(),
    }
}

fn platform(change: &PlatformChange) -> PlatformChangeView {
    PlatformChangeView {
        platform: change.platform.to_string(),
        advisory: change.advisory.clone(),
        hosts: count(change.hosts),
        unaffected: count(change.unaffected),
        packages: change.packages.iter().map(package).collect(),
    }
}

fn package(change: &PackageChange) -> PackageChangeView {
    PackageChangeView {
        name: change.name.clone(),
        from: change.from.iter().cloned().collect(),
        to: change.to.clone(),
        replaced: count(change.replaced),
        added: count(change.added),
    }
}

fn wave(planned: &plan::PlannedWave) -> PlannedWave {
    let slice = |(cell, hosts): (&CellId, &Vec<_>)| PlannedSlice {
        cell: cell.clone(),
        hosts: count(hosts.len()),
    };
    PlannedWave {
        name: planned.name.to_string(),
        bake_ms: millis(planned.bake),
        hosts: count(planned.slices.values().map(Vec::len).sum()),
        slices: planned.slices.iter().map(slice).collect(),
        steps: steps(planned),
        cells_at_once: count(planned.cells_at_once),
        gap_ms: millis(planned.gap),
        zone_bake_ms: millis(planned.zone_bake),
    }
}

/// What a wave takes at a time: hosts that go ahead, turn by turn all others, and those that go
/// behind, each alone.
fn steps(planned: &plan::PlannedWave) -> Vec<PlannedStep> {
    let ahead = planned.order.ahead.iter().cloned();
    let set_apart = planned.order.ahead.iter().flatten();
    let set_apart: BTreeSet<&HostId> = set_apart.chain(&planned.order.behind).collect();
    // A cell is shown where a host of it has its turn with it.
    let has_turn = |cell: &&CellId| {
        let slice = planned.slices.get(*cell).into_iter().flatten();
        slice.into_iter().any(|host| !set_apart.contains(host))
    };
    let region = |chain: &plan::Chain| {
        let cells = |zone: &Vec<CellId>| zone.iter().filter(has_turn).cloned().collect();
        let zones = chain.zones.iter().map(cells);
        let zones: Vec<Vec<CellId>> = zones.filter(|zone: &Vec<_>| !zone.is_empty()).collect();
        (!zones.is_empty()).then_some(PlannedRegion { zones })
    };
    let turn = |turn: &plan::Turn| {
        let regions: Vec<_> = turn.chains.iter().filter_map(region).collect();
        (!regions.is_empty()).then_some(PlannedStep::Regions(regions))
    };
    let behind = planned.order.behind.iter().map(|host| vec![host.clone()]);
    let ahead = ahead.map(PlannedStep::Hosts);
    let turns = planned.opening.turns.iter().filter_map(turn);
    ahead
        .chain(turns)
        .chain(behind.map(PlannedStep::Hosts))
        .collect()
}

fn strata(plan: &Plan) -> Vec<StratumView> {
    let mut views: Vec<StratumView> = plan
        .strata
        .iter()
        .map(|stratum| StratumView {
            stratum: stratum.to_string(),
            hosts: 0,
            in_canary: 0,
        })
        .collect();
    for host in plan.hosts.values() {
        for place in &host.strata {
            let place = usize::try_from(*place).unwrap_or(usize::MAX);
            let Some(view) = views.get_mut(place) else {
                continue;
            };
            view.hosts += 1;
            view.in_canary += u64::from(host.wave == WaveIndex(0));
        }
    }
    views
}

fn waived(waived: &Waived) -> WaivedView {
    WaivedView {
        stratum: waived.stratum.to_string(),
        hosts: count(waived.hosts),
        reason: waived.reason.clone(),
        expires: waived.expires.to_string(),
    }
}

fn approval((host, needed): (&HostId, &plan::NeededApproval)) -> NeededApproval {
    NeededApproval {
        host: host.clone(),
        group: needed.group.clone(),
        by: needed.by.iter().cloned().collect(),
    }
}

fn impact(impact: &Impact) -> ImpactView {
    ImpactView {
        service: impact.service.clone(),
        kind: impact.kind,
        tier: impact.tier.into(),
        owners: impact.owners.iter().cloned().collect(),
        hosts: count(impact.planned),
    }
}

/// Those of services and zones, then those that reach further.
fn groups(plan: &Plan) -> Vec<GroupView> {
    let wide = plan.blast.wide.iter();
    // Who names a region beside its group is a zone of it, and there already.
    let wide = wide.filter(|group| group.region.is_none()).map(wide_group);
    plan.blast.groups.iter().map(group).chain(wide).collect()
}

fn wide_group(group: &WideGroup) -> GroupView {
    GroupView {
        group: group.group.clone(),
        members: count(group.members),
        may_be_out: count(group.allowance),
        more_load_permille: group.more_load_permille().map(count),
    }
}

fn group(group: &GroupBlast) -> GroupView {
    let GroupBlast {
        region,
        zone,
        service,
        ..
    } = group;
    GroupView {
        group: format!("service={service} zone={region}/{zone}"),
        members: count(group.members),
        may_be_out: count(group.may_be_out()),
        more_load_permille: group.more_load_permille().map(count),
    }
}
