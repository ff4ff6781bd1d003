//! The `[[limits]]` tables of a rollout file.

use super::{Refusal, few_tables, settings::Settings, settings_keys};
use crate::{document::Table, inventory::Host, policy::FloorRule, select::Selection};
use serde::{Deserialize, Serialize};

/// What limits a rollout on some hosts. The first one whose selection matches a host is its limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Which hosts. Absent: all.
    pub selection: Option<Selection>,
    /// The most of their cell's hosts that the rollout has out at once. At least 1.
    pub at_once_per_cell: usize,
    /// Their floors, all of which hold. Not empty. Without any in the file, the default ones.
    pub floors: Vec<FloorRule>,
}

impl Limit {
    /// Whether a host is under it, unless an earlier one matches the host.
    pub fn matches(&self, host: &Host) -> bool {
        self.selection
            .as_ref()
            .is_none_or(|selection| selection.matches(host))
    }

    /// What limits the hosts that no limit of the file matches.
    pub(super) fn default_of(settings: &Settings) -> Self {
        Self {
            selection: None,
            at_once_per_cell: settings.pace.at_once_per_cell,
            floors: FloorRule::defaults().into(),
        }
    }
}

/// Reads limits in order.
pub(super) struct Limits<'s> {
    settings: &'s Settings,
    /// An earlier limit takes every host.
    closed: bool,
}

impl<'s> Limits<'s> {
    /// All limits of a file, ended by one for all hosts. Nothing when one is wrong.
    pub(super) fn read(top: &mut Table<'_, Refusal>, settings: &'s Settings) -> Option<Vec<Limit>> {
        let mut reader = Self {
            settings,
            closed: false,
        };
        let tables = few_tables(top, "limits").unwrap_or_default();
        let read: Vec<_> = tables
            .into_iter()
            .map(|table| reader.limit(table))
            .collect();
        let mut limits = read.into_iter().collect::<Option<Vec<_>>>()?;
        if !reader.closed {
            limits.push(Limit::default_of(settings));
        }
        Some(limits)
    }

    fn limit(&mut self, mut table: Table<'_, Refusal>) -> Option<Limit> {
        let is_for_all = !table.has("match");
        if self.closed {
            table.refuse_whole(Refusal::NeverReached);
        }
        if !table.has("at_once_per_cell") && !table.has("floor") {
            table.refuse_whole(Refusal::NoLimit);
        }
        let selection = table.selection("match");
        let default = Limit::default_of(self.settings);
        let at_once = table.count("at_once_per_cell", 1);
        let floors = floors(&mut table);
        table.finish(&["waiver", "window"], &settings_keys());
        self.closed |= is_for_all;
        (is_for_all || selection.is_some()).then(|| Limit {
            selection,
            at_once_per_cell: at_once.unwrap_or(default.at_once_per_cell),
            floors: floors.unwrap_or(default.floors),
        })
    }
}

/// The rules of a limit's floor. Nothing when it says none, and when one is wrong.
fn floors(table: &mut Table<'_, Refusal>) -> Option<Vec<FloorRule>> {
    let rules = table.tables("floor", "floor")?;
    if rules.is_empty() {
        table.refuse("floor", Refusal::NoFloor);
    }
    let read: Vec<_> = rules.into_iter().map(floor).collect();
    read.into_iter().collect()
}

fn floor(mut table: Table<'_, Refusal>) -> Option<FloorRule> {
    let [default, _] = FloorRule::defaults();
    table.require("min_in_service", "min_in_service = \"95%\"");
    let group_by = table.texts("group_by");
    let min_in_service = table.share("min_in_service");
    let refusal = group_by.as_deref().and_then(refuse_group);
    if let Some(why) = refusal.clone() {
        table.refuse("group_by", why);
    }
    table.finish(&["max_out"], &settings_keys());
    Some(FloorRule {
        group_by: group_by.unwrap_or(default.group_by),
        min_in_service: min_in_service?,
    })
}

/// Why hosts cannot be grouped by these labels. Nothing when they can.
fn refuse_group(labels: &[String]) -> Option<Refusal> {
    if labels.is_empty() {
        return Some(Refusal::NoLabels);
    }
    if labels.iter().any(String::is_empty) {
        return Some(Refusal::NoLabel);
    }
    let twice = (1..labels.len()).find(|i| labels[..*i].contains(&labels[*i]));
    twice.map(|i| Refusal::LabelTwice(labels[i].clone()))
}
