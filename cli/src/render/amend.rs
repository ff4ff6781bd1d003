//! What an amendment would change, or has begun to.

use crate::render::{
    View,
    plan::approvals,
    rollout::warnings,
    table::{brief, counted, indented},
};
use cofferdam_proto::operator::AmendReply;
use serde::Serialize;

/// How many lines are shown around each one that differs, as `diff -u` does.
const AROUND: usize = 3;

/// Stands for lines that are the same in both.
const LEFT_OUT: &str = "...";

/// An amendment of a rollout.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Amendment {
    /// What the coordinator says of it.
    pub reply: AmendReply,
    /// How far it is.
    #[serde(skip)]
    pub step: Step,
}

/// How far an amendment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It is looked at.
    Shown,
    /// It began.
    Begun,
}

impl View for Amendment {
    fn text(&self) -> String {
        let reply = &self.reply;
        let (name, amends, generation) = (&reply.plan.rollout, &reply.amends, reply.generation);
        if self.step == Step::Begun {
            return format!(
                "{name}: running, amends {amends} (generation {generation})\n\
                 follow it: cofferdam watch {name}\n"
            );
        }
        let hosts: u64 = reply.plan.waves.iter().map(|wave| wave.hosts).sum();
        let mut text = format!(
            "{name}: {} of {amends} in {}, generation {generation}, digest {}\n",
            counted(usize::try_from(hosts).unwrap_or(usize::MAX), "host"),
            counted(reply.plan.waves.len(), "wave"),
            brief(reply.plan.digest),
        );
        for (count, what) in [
            (reply.passed, "passed already and keep what they have"),
            (
                reply.away,
                "were lost in their runs and stay where they are",
            ),
        ] {
            if count > 0 {
                text += &format!("  {count} more match, but {what}\n");
            }
        }
        text += &difference("The rollout file", &reply.file_diff);
        text += &difference("The lock file", &reply.lock_diff);
        text += &approvals(&reply.plan);
        text + &warnings(&reply.plan.warnings)
    }
}

/// The lines that differ, each with a few around it; what lies between is left out.
fn difference(heading: &str, lines: &[String]) -> String {
    let others = lines.iter().enumerate();
    let others = others.filter(|(_, line)| !line.starts_with(' '));
    let others: Vec<usize> = others.map(|(place, _)| place).collect();
    if others.is_empty() {
        return format!("\n{heading} is the same\n");
    }
    let is_shown = |place: usize| others.iter().any(|other| other.abs_diff(place) <= AROUND);
    let mut shown = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        match (
            is_shown(place),
            shown.last().is_some_and(|last| *last == LEFT_OUT),
        ) {
            (true, _) => shown.push(line.as_str()),
            (false, false) => shown.push(LEFT_OUT),
            (false, true) => {}
        }
    }
    format!("\n{heading}\n{}", indented(&shown.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_shown_line_by_line_and_none_in_one_line() {
        let lines = [" a", "-b", "+c"].map(ToOwned::to_owned);
        assert_eq!(difference("It", &lines), "\nIt\n   a\n  -b\n  +c\n");
        assert_eq!(difference("It", &lines[..1]), "\nIt is the same\n");
    }

    #[test]
    fn of_long_files_only_what_is_around_a_difference_is_shown() {
        let mut lines = vec![" x".to_owned(); 20];
        lines[10] = "+y".to_owned();
        assert_eq!(
            difference("It", &lines),
            "\nIt\n  ...\n   x\n   x\n   x\n  +y\n   x\n   x\n   x\n  ...\n"
        );
    }
}
