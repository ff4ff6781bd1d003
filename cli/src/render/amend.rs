//! What an amendment would change, or has begun to.

use crate::render::{
    View,
    rollout::warnings,
    table::{brief, counted, indented},
};
use cofferdam_proto::operator::AmendReply;
use serde::Serialize;

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
        text + &warnings(&reply.plan.warnings)
    }
}

fn difference(heading: &str, lines: &[String]) -> String {
    let is_other = |line: &&String| !line.starts_with(' ');
    match lines.iter().any(|line| is_other(&line)) {
        false => format!("\n{heading} is the same\n"),
        true => format!("\n{heading}\n{}", indented(&lines.join("\n"))),
    }
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
}
