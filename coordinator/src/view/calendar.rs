//! The freeze calendar, as operators see it.

use super::Situation;
use cofferdam_engine::{calendar::Freeze, cell::Member};
use cofferdam_proto::operator::{CalendarView, FreezeView};

/// The calendar, with what it means now.
pub(crate) fn calendar(situation: Situation<'_>) -> CalendarView {
    let declared = situation.fleet.calendar();
    let freezes = declared.map(|declared| &declared.calendar.freezes);
    CalendarView {
        declared_by: declared.map(|declared| declared.by.clone()),
        declared_at_ms: declared.map(|declared| declared.at),
        freezes: freezes
            .into_iter()
            .flatten()
            .map(|freeze| view(situation, freeze))
            .collect(),
    }
}

fn view(situation: Situation<'_>, freeze: &Freeze) -> FreezeView {
    let cells = situation.fleet.cells().values();
    let members = cells.flat_map(|cell| cell.members().values());
    let bound = members.filter(|member: &&Member| freeze.is_for(&member.host));
    FreezeView {
        name: freeze.name.clone(),
        is_on: freeze.from <= situation.now && situation.now < freeze.until,
        from_ms: freeze.from,
        until_ms: freeze.until,
        from: freeze.time_zone.show(freeze.from),
        until: freeze.time_zone.show(freeze.until),
        time_zone: freeze.time_zone.to_string(),
        selection: freeze.selection.as_ref().map(ToString::to_string),
        hosts: bound.count() as u64,
        reason: freeze.reason.clone(),
        owner: freeze.owner.clone(),
        except_profiles: freeze
            .except_profiles
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}
