//! What must come of an incident.

use crate::{inventory::Host, rehearse::report::Report, select::Selection, share::Share};
use std::{collections::BTreeSet, time::Duration};

/// What must come of an incident. That every promise is kept, and that nobody is patched twice, is asked of each.
/// What is absent is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expected {
    /// Where the rollout stands at the end, as `status` names it.
    pub phase: String,
    /// At most so many hosts are without the patch that some wave takes, where the rollout is done; or have it,
    /// where it was taken back.
    pub spared: usize,
    /// Hosts of which that is not asked.
    pub but_for: Option<Selection>,
    /// At most so many hosts are harmed.
    pub harmed: usize,
    /// At most so many of them are out at the end.
    pub out_at_the_end: usize,
    /// At most so many things are left for a person, pauses among them.
    pub hands: usize,
    /// The waves in which the rollout pauses, in that order.
    pub pauses_in: Vec<String>,
    /// What a pause must name.
    pub pause_names: Option<String>,
    /// Whether each fault strikes, and is noticed.
    pub all_noticed: bool,
    /// How soon each fault that is noticed must be.
    pub noticed_within: Option<Duration>,
    /// What is said where faults are noticed, each of some fault.
    pub noticed_by: Vec<String>,
    /// What an operator must be refused, in part.
    pub refused: Option<String>,
    /// How much longer than without its faults it may take.
    pub delay: Option<Duration>,
    /// How much of the time that the way there took the way back may take.
    pub back_within: Option<Share>,
    /// Rules that must have held something.
    pub held_by: Vec<String>,
    /// Rules that must have held nothing.
    pub not_held_by: Vec<String>,
    /// Causes of which each must be left for a person, in part.
    pub left: Vec<String>,
}

impl Expected {
    /// What is asked for and was not.
    pub(super) fn unmet(&self, report: &Report, hosts: &[Host]) -> Vec<String> {
        let mut unmet = report.broken.clone();
        unmet.extend(self.too_many(report, hosts));
        if report.phase != self.phase {
            unmet.push(format!("it is {}, and not {}", report.phase, self.phase));
        }
        let waves: Vec<&String> = report.pauses.iter().map(|pause| &pause.wave).collect();
        if waves != self.pauses_in.iter().collect::<Vec<_>>() {
            let asked = &self.pauses_in;
            unmet.push(format!("it paused in {waves:?}, and not in {asked:?}"));
        }
        unmet.extend(self.unsaid(report));
        unmet.extend(self.unseen(report));
        unmet.extend(self.too_slow(report));
        unmet
    }

    /// Of what there is more than may be.
    fn too_many(&self, report: &Report, hosts: &[Host]) -> Vec<String> {
        let asked_of = |host: &&Host| {
            let is_spared = |selection: &Selection| selection.matches(host);
            !self.but_for.as_ref().is_some_and(is_spared)
        };
        let without: BTreeSet<_> = report.unpatched.iter().collect();
        let is_without = |host: &&Host| without.contains(&host.id);
        let lacking = hosts.iter().filter(asked_of).filter(is_without).count();
        let (spared, what) = match report.phase.as_str() {
            "rolled-back" => (report.patched, "hosts have still the patch"),
            _ => (lacking, "hosts are without the patch"),
        };
        let counts = [
            (what, spared, self.spared),
            ("hosts are harmed", report.harmed.len(), self.harmed),
            (
                "hosts are out at the end",
                report.out_at_the_end.len(),
                self.out_at_the_end,
            ),
            ("things are left for a person", report.hands(), self.hands),
        ];
        let more = counts.into_iter().filter(|(_, is, most)| is > most);
        more.map(|(what, is, most)| format!("{is} {what}, and not at most {most}"))
            .collect()
    }

    /// What is not said and must be, and what is and must not.
    fn unsaid(&self, report: &Report) -> Vec<String> {
        let mut unsaid = Vec::new();
        let is_held = |rule: &String| report.holds.iter().any(|held| held.rule == *rule);
        let pauses = |name: &String| report.pauses.iter().any(|pause| pause.why.contains(name));
        let refuses = |part: &String| report.refused.iter().any(|said| said.contains(part));
        let is_left = |part: &String| report.left.iter().any(|left| left.cause.contains(part));
        if let Some(name) = self.pause_names.as_ref().filter(|name| !pauses(name)) {
            unsaid.push(format!("no pause names {name}"));
        }
        if let Some(part) = self.refused.as_ref().filter(|part| !refuses(part)) {
            unsaid.push(format!("nobody was refused because of {part}"));
        }
        let held = self.held_by.iter().filter(|rule| !is_held(rule));
        unsaid.extend(held.map(|rule| format!("nothing was held by {rule}")));
        let held = self.not_held_by.iter().filter(|rule| is_held(rule));
        unsaid.extend(held.map(|rule| format!("something was held by {rule}")));
        let left = self.left.iter().filter(|part| !is_left(part));
        unsaid.extend(left.map(|part| format!("nothing is left because of {part}")));
        unsaid
    }

    /// What was not noticed, or not as it must be.
    fn unseen(&self, report: &Report) -> Vec<String> {
        let mut unseen = Vec::new();
        for fault in report.faults.iter().filter(|_| self.all_noticed) {
            let name = &fault.name;
            let Some(struck) = fault.struck_ms else {
                unseen.push(format!("{name} never struck"));
                continue;
            };
            let Some(noticed) = fault.noticed_ms else {
                unseen.push(format!("{name} was not noticed"));
                continue;
            };
            let after = Duration::from_millis(noticed.saturating_sub(struck));
            if self.noticed_within.is_some_and(|most| after > most) {
                unseen.push(format!("{name} was noticed after {} s", after.as_secs()));
            }
        }
        let says = |part: &&String| report.faults.iter().any(|fault| fault.by.contains(*part));
        let unsaid = self.noticed_by.iter().filter(|part| !says(part));
        unseen.extend(unsaid.map(|part| format!("nothing was noticed by: {part}")));
        unseen
    }

    /// Whether the way back took too long.
    fn too_slow(&self, report: &Report) -> Option<String> {
        let share = self.back_within?;
        let Some(back) = report.went_back_ms else {
            return Some("it was not taken back".to_owned());
        };
        let there = report.took_ms.saturating_sub(back);
        let there = usize::try_from(there).unwrap_or(usize::MAX);
        let most = share.of_rounded_up(there);
        (usize::try_from(back).is_ok_and(|back| back > most))
            .then(|| format!("the way back took {back} ms, and not at most {most}"))
    }
}
