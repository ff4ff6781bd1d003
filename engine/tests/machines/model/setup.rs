//! The fleet and the rollouts of a history.

use super::draw::Draw;
use crate::world::{CHAIN, World, file};
use cofferdam_engine::{id::HostId, policy::CELL_SIZE};
use std::{collections::BTreeSet, time::Duration};

/// Windows that close early in a history, which begins at 00:16:40 by universal time, or open a while
/// later. They are open for most of a day, so that every rollout ends.
const WINDOWS: [&str; 8] = [
    "",
    "",
    "",
    "",
    "",
    "[[window]]\nstart = \"00:30\"\nend = \"00:17\"\n",
    "[[window]]\nstart = \"00:25\"\nend = \"23:50\"\nlast_start = \"30m\"\nmatch = 'zone == \"a\"'\n",
    "[[window]]\nstart = \"01:00\"\nend = \"00:18\"\ntime_zone = \"UTC\"\n[[window]]\nstart = \"01:21\"\n\
     end = \"01:25\"\ntime_zone = \"Europe/Berlin\"\nmatch = 'instance_type == \"plain\"'\n",
];

/// Brakes: usual, hardly ever pulled for failures, and watching how fast even a few hosts are.
const BRAKES: [&str; 4] = [
    "",
    "",
    "brake = { cell_share = \"60%\", cell_least = 3 }\n",
    "brake = { cell_share = \"60%\", velocity_share = \"60%\", velocity_over = \"30s\", velocity_least = 1 }\n",
];

/// What a history begins with.
#[derive(Debug)]
pub(crate) struct Setup {
    /// Place, instance type, how many.
    hosts: Vec<(&'static str, &'static str, usize)>,
    /// Place and label of hosts that a label marks.
    marked: Vec<(&'static str, &'static str)>,
    /// Rollout files, by the rollout's name.
    pub(crate) files: Vec<(&'static str, String)>,
    /// Services beside web: their name, place, how many hosts.
    others: Vec<(&'static str, &'static str, usize)>,
    /// The most hosts of a cell.
    pub(crate) cell_size: usize,
    /// Whether the link delivers every message twice.
    repeats: bool,
    /// Whether what was stored is read back from text at the end.
    pub(crate) reads_back: bool,
}

impl Setup {
    pub(crate) fn draw(draw: &mut Draw) -> Self {
        let places = *draw.one(&[["r1/a", "r1/b"], ["r1/a", "r2/c"]]);
        let mut hosts = Vec::new();
        for (place, kind) in places.iter().zip(["rare", "large"]) {
            hosts.push((*place, "plain", 1 + draw.below(4)));
            if draw.percent(40) {
                hosts.push((*place, kind, 1 + draw.below(2)));
            }
            if draw.percent(40) {
                hosts.push((*place, "small", 1 + draw.below(2)));
            }
        }
        let others = draw_others(draw, &places);
        let mut marked = Vec::new();
        for label in ["validator", "patcher"] {
            if draw.percent(25) {
                marked.push((*draw.one(&places), label));
            }
        }
        let packages = if draw.percent(50) {
            ["openssl", "curl"]
        } else {
            ["openssl", "openssl"]
        };
        let files = ["one", "two"].iter().zip(packages);
        let files = files.map(|(name, package)| (*name, draw_file(draw, name, package)));
        Self {
            hosts,
            marked,
            others,
            files: files.collect(),
            cell_size: *draw.one(&[2, 3, CELL_SIZE, CELL_SIZE]),
            repeats: draw.percent(20),
            reads_back: draw.percent(4),
        }
    }

    /// The world that it is.
    pub(crate) fn world(&self) -> World {
        let mut world = World::with_cells_of(self.cell_size);
        world.repeats = self.repeats;
        for (place, kind, count) in &self.hosts {
            world.add_hosts("web", place, kind, *count);
        }
        for (service, place, count) in &self.others {
            world.add_hosts(service, place, "plain", *count);
        }
        if !self.others.is_empty() {
            world.declare(CHAIN);
        }
        for (place, label) in &self.marked {
            world.add_marked(label, place, 1);
        }
        world.advance(Duration::from_secs(1));
        world
    }

    /// Adds a host to each zone, so that a group of one, which may have none out, gets company.
    pub(crate) fn add_spares(&self, world: &mut World) {
        let places: BTreeSet<&str> = self.hosts.iter().map(|(place, _, _)| *place).collect();
        for place in places {
            world.add_hosts("web", place, "spare", 1);
        }
        for (service, place, _) in &self.others {
            world.add_hosts(service, place, &format!("spare{service}"), 1);
        }
    }

    /// The names of its hosts.
    pub(crate) fn names(&self) -> Vec<HostId> {
        self.world().agents.keys().cloned().collect()
    }
}

/// Sometimes the services that web depends on, and what they depend on.
fn draw_others(
    draw: &mut Draw,
    places: &[&'static str],
) -> Vec<(&'static str, &'static str, usize)> {
    let mut others = Vec::new();
    if draw.percent(40) {
        for service in ["api", "db"] {
            others.push((service, *draw.one(places), 1 + draw.below(3)));
        }
    }
    others
}

fn draw_file(draw: &mut Draw, name: &str, package: &str) -> String {
    let mut top = String::new();
    for (key, values) in [
        ("bake", ["\"0s\"", "\"1m\""]),
        ("at_once_per_cell", ["1", "50"]),
        ("cells_at_once", ["1", "10"]),
        ("cells_gap", ["\"0s\"", "\"30s\""]),
        ("start_spacing", ["\"0s\"", "\"3s\""]),
        ("slow_down", ["true", "false"]),
        ("grace", ["\"0s\"", "\"10s\""]),
        ("stage_within", ["\"0s\"", "\"5m\""]),
        ("retry", ["0", "1"]),
        ("settle", ["\"20s\"", "\"60s\""]),
        ("hosts_left_out", ["\"2%\"", "\"50%\""]),
        ("unknown_after", ["\"1m\"", "\"10m\""]),
        ("unknown_share", ["\"0%\"", "\"60%\""]),
        ("order", ["\"none\"", "\"fan-out\""]),
        ("zone_bake", ["\"0s\"", "\"40s\""]),
        ("approvers", ["[]", "[\"anna\"]"]),
        ("late_join", ["\"include\"", "\"skip\""]),
        ("standing", ["false", "true"]),
    ] {
        top += &format!("{key} = {}\n", draw.one(&values));
    }
    if draw.percent(30) {
        top += *draw.one(&[
            "coverage = [\"zone\"]\n",
            "coverage_pairs = [[\"instance_type\", \"zone\"]]\n",
        ]);
    }
    if name == "two" && draw.percent(30) {
        top += "repair = true\n";
    }
    // Neither takes hosts that come later, so nothing stands for them.
    if top.contains("late_join = \"skip\"") || top.contains("repair = true") {
        top = top.replace("standing = true\n", "");
    }
    top += *draw.one(&BRAKES);
    let mut tables = String::new();
    let waves = *draw.one(&["canary half full", "canary full", "full", "canary half"]);
    for wave in waves.split(' ') {
        let to = match wave {
            "canary" => "1%",
            "half" => "50%",
            _ => "100%",
        };
        tables += &format!("[[wave]]\nname = \"{wave}\"\nto = \"{to}\"\n");
    }
    tables += *draw.one(&WINDOWS);
    tables += &draw_limits(draw);
    let text = file(name, package, &top, &tables);
    let text = text.replace("service == \"web\"", "service != \"none\"");
    let named = format!("packages = {{ {package} = \"2\" }}");
    match draw.percent(15) {
        true => text.replace(&named, "security = \"all\""),
        false => text,
    }
}

/// The floors of a file: the default ones, or groups within a zone and wider ones.
fn draw_limits(draw: &mut Draw) -> String {
    const LABELS: [&[&str]; 5] = [
        &["\"service\", \"zone\""],
        &["\"service\", \"zone\""],
        &["\"service\", \"zone\"", "\"service\", \"region\""],
        &["\"service\""],
        &[],
    ];
    let labels = *draw.one(&LABELS);
    let rules = labels.iter().map(|labels| {
        let share = draw.one(&["0%", "50%", "75%", "90%"]);
        format!("{{ group_by = [{labels}], min_in_service = \"{share}\" }}")
    });
    let rules: Vec<String> = rules.collect();
    match rules.is_empty() {
        true => String::new(),
        false => format!("[[limits]]\nfloor = [{}]\n", rules.join(", ")),
    }
}
