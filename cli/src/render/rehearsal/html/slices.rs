//! Which cells were worked on when.

use super::{
    axis::{LEFT, RIGHT, SHEET, TimeAxis},
    events::{self, end_of},
    lane::{self, Item, Lane, Spacing, cut},
    legend, none, time, wide,
};
use crate::render::table::counted;
use cofferdam_engine::rehearse::report::{Report, Slice};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// The most rows of cells that are drawn. With more cells, neighbours in time share a row.
const MOST_ROWS: usize = 120;

/// Up to how many rows of cells have room to breathe.
const FEW_ROWS: usize = 40;

/// How high the name of a group of lanes is.
const HEADING: u64 = 22;

const EVENTS: Spacing = Spacing {
    pitch: 18,
    bar: 8,
    class: "label",
};

const FEW_CELLS: Spacing = Spacing {
    pitch: 16,
    bar: 10,
    class: "label",
};

const MANY_CELLS: Spacing = Spacing {
    pitch: 11,
    bar: 8,
    class: "label small",
};

/// Lanes under a common name, with their place on the sheet.
struct Group {
    name: String,
    lanes: Vec<Lane>,
    spacing: Spacing,
    top: u64,
}

/// The section of the slices.
pub(super) fn section(report: &Report, axis: &TimeAxis) -> Markup {
    let inside = match report.slices.is_empty() {
        true => none("No slice began."),
        false => html! {
            (key()) (picture(report, axis))
            @let not_drawn = events::not_drawn(report);
            @if !not_drawn.is_empty() { (none(&not_drawn)) }
        },
    };
    super::section("Slices over time", inside)
}

fn key() -> Markup {
    legend(&[
        ("wave", "a wave".to_owned()),
        ("well", "a slice, all patched".to_owned()),
        ("unfinished", "not all patched at the end".to_owned()),
        ("ill", "a slice with failed hosts".to_owned()),
        ("pause", "a pause".to_owned()),
        ("strike", "a fault strikes".to_owned()),
        ("unseen", "nobody saw it yet".to_owned()),
        ("sight", "it is noticed".to_owned()),
    ])
}

fn picture(report: &Report, axis: &TimeAxis) -> Markup {
    let (groups, bottom) = layout(report);
    let first = groups.first().map_or(0, |group| group.top);
    html! {
        svg role="img" aria-label=(described(report)) viewBox={ "0 0 " (SHEET) " " (bottom + 24) } {
            (axis.draw(first, bottom))
            @for group in &groups {
                text.heading x=(LEFT - 10) y=(group.top - 7) text-anchor="end" { (group.name) }
                path.rule d={ "M" (LEFT) " " (group.top - 1) "H" (RIGHT) } {}
            }
            (axis.pauses(report, first, bottom))
            @for group in &groups { (lane::draw(&group.lanes, axis, group.top, group.spacing)) }
        }
    }
}

/// The groups that have lanes, below each other, and where the last one ends.
fn layout(report: &Report) -> (Vec<Group>, u64) {
    let (name, cells) = cells(&report.slices);
    let of_cells = match cells.len() > FEW_ROWS {
        true => MANY_CELLS,
        false => FEW_CELLS,
    };
    let groups = [
        ("Waves".to_owned(), events::waves(report), EVENTS),
        ("Pauses".to_owned(), events::pauses(report), EVENTS),
        ("Faults".to_owned(), events::faults(report), EVENTS),
        (name, cells, of_cells),
    ];
    let mut bottom = 0;
    let mut laid = Vec::new();
    for (name, lanes, spacing) in groups {
        if lanes.is_empty() {
            continue;
        }
        let top = bottom + HEADING;
        bottom = top + wide(lanes.len()) * spacing.pitch + 4;
        laid.push(Group {
            name,
            lanes,
            spacing,
            top,
        });
    }
    (laid, bottom)
}

/// A lane for each cell, in the order in which they began, and what a lane is.
fn cells(slices: &[Slice]) -> (String, Vec<Lane>) {
    let mut order: BTreeMap<&str, usize> = BTreeMap::new();
    for slice in slices {
        let next = order.len();
        order.entry(slice.cell.as_str()).or_insert(next);
    }
    let together = order.len().div_ceil(MOST_ROWS).max(1);
    let mut rows: BTreeMap<usize, Vec<&Slice>> = BTreeMap::new();
    for slice in slices {
        let place = order.get(slice.cell.as_str()).copied().unwrap_or_default();
        rows.entry(place / together).or_default().push(slice);
    }
    let lanes = rows.values().map(|row| cells_lane(row)).collect();
    match together {
        1 => (counted(order.len(), "cell"), lanes),
        _ => (format!("{} cells, {together} a row", order.len()), lanes),
    }
}

/// A lane of cells that began after each other, with a bar for each of their waves.
fn cells_lane(slices: &[&Slice]) -> Lane {
    let mut cells: Vec<&str> = slices.iter().map(|slice| slice.cell.as_str()).collect();
    cells.sort_unstable();
    cells.dedup();
    let label = match cells.as_slice() {
        [] => String::new(),
        [cell] => (*cell).to_owned(),
        [cell, rest @ ..] => format!("{} +{}", cut(cell, 20), rest.len()),
    };
    let mut waves: BTreeMap<&str, Vec<&Slice>> = BTreeMap::new();
    for slice in slices {
        waves.entry(&slice.wave).or_default().push(slice);
    }
    let bars = waves.iter().map(|(wave, slices)| bar(&label, wave, slices));
    let mut bars: Vec<(usize, Item)> = bars.collect();
    bars.sort_by_key(|(failed, _)| *failed);
    Lane {
        items: bars.into_iter().map(|(_, bar)| bar).collect(),
        label,
    }
}

/// How many hosts failed in slices, and their common bar.
fn bar(cells: &str, wave: &str, slices: &[&Slice]) -> (usize, Item) {
    let from_ms = slices.iter().map(|slice| slice.began_ms).min();
    let to_ms = slices.iter().map(|slice| end_of(slice)).max();
    let (from_ms, to_ms) = (from_ms.unwrap_or(0), to_ms.unwrap_or(0));
    let hosts: usize = slices.iter().map(|slice| slice.hosts).sum();
    let failed: usize = slices.iter().map(|slice| slice.failed).sum();
    let patched: usize = slices.iter().map(|slice| slice.patched).sum();
    let class = match failed > 0 {
        true => "ill",
        false if patched < hosts => "unfinished",
        false => "well",
    };
    let (hosts, from, to) = (counted(hosts, "host"), time(from_ms), time(to_ms));
    let bar = Item::Bar {
        from_ms,
        to_ms,
        class,
        says: format!(
            "{cells}, wave {wave}: {hosts}, {from} to {to}, {patched} patched at the end, {failed} failed"
        ),
    };
    (failed, bar)
}

fn described(report: &Report) -> String {
    let failed = report.slices.iter().filter(|slice| slice.failed > 0);
    format!(
        "Slices over time: {} in {}, of which {} with failed hosts; {}; {}",
        counted(report.slices.len(), "slice"),
        time(report.took_ms),
        failed.count(),
        counted(report.pauses.len(), "pause"),
        counted(report.faults.len(), "fault"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::id::CellId;

    fn slice(cell: usize, wave: &str, began_ms: u64, failed: usize) -> Slice {
        Slice {
            cell: CellId::new(format!("c-{cell:04}")).unwrap(),
            wave: wave.to_owned(),
            hosts: 5,
            began_ms,
            ended_ms: began_ms + 10,
            patched: 5 - failed,
            open: 0,
            failed,
        }
    }

    #[test]
    fn each_cell_has_a_lane_with_a_bar_for_each_wave() {
        let slices = [
            slice(1, "canary", 0, 0),
            slice(2, "full", 5, 0),
            slice(1, "full", 20, 0),
        ];
        let (name, lanes) = cells(&slices);
        assert_eq!(name, "2 cells");
        let bars = lanes
            .iter()
            .map(|lane| (lane.label.as_str(), lane.items.len()));
        assert_eq!(bars.collect::<Vec<_>>(), [("c-0001", 2), ("c-0002", 1)]);
    }

    #[test]
    fn more_cells_than_there_are_rows_share_rows_and_none_is_lost() {
        let slices: Vec<Slice> = (0..500)
            .map(|cell| slice(cell, "full", 0, cell / 499))
            .collect();
        let (name, lanes) = cells(&slices);
        assert_eq!(name, "500 cells, 5 a row");
        assert_eq!(lanes.len(), 100);
        assert_eq!(lanes[0].label, "c-0000 +4");
        let is_ill = |lane: &&Lane| format!("{:?}", lane.items).contains("\"ill\"");
        assert_eq!(lanes.iter().filter(is_ill).count(), 1);
    }

    #[test]
    fn a_slice_of_which_hosts_are_without_the_patch_looks_unfinished() {
        let mut slice = slice(1, "full", 30, 0);
        slice.patched = 4;
        let (_, bar) = bar("c-0001", "full", &[&slice]);
        assert!(matches!(
            bar,
            Item::Bar {
                class: "unfinished",
                ..
            }
        ));
    }

    #[test]
    fn a_slice_that_never_ended_has_a_bar_at_its_beginning() {
        let mut slice = slice(1, "full", 30, 0);
        slice.ended_ms = 0;
        let (_, bar) = bar("c-0001", "full", &[&slice]);
        assert!(matches!(
            bar,
            Item::Bar {
                from_ms: 30,
                to_ms: 30,
                ..
            }
        ));
    }
}
