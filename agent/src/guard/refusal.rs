//! What a person reads whose change of packages was refused, or would have been.

use super::{decision::Decision, events::Try};
use std::fmt::Write as _;

/// How many packages a message names; the record has more.
const NAMED: usize = 8;

/// The message to whoever tried: lines that end. Empty: nothing needs to be said.
pub fn message(tried: &Try) -> String {
    match tried.decision {
        Decision::Refused => refused(tried),
        Decision::Observed => format!(
            "cofferdam-agent: no order or reservation covers this ({}); the guard only observes, and lets it pass\n",
            tried.by.short()
        ),
        Decision::AgentDead => {
            "cofferdam-agent: no order or reservation covers this; the agent does not run or hangs, and \
             `dead_agent = \"open\"` lets it pass\n"
                .to_owned()
        }
        Decision::Skipped => format!(
            "cofferdam-agent: {} is not started: packages of this host change by rollouts only\n",
            tried.by.short()
        ),
        Decision::InWindow | Decision::Reserved | Decision::Covered | Decision::WouldSkip => {
            String::new()
        }
    }
}

fn refused(tried: &Try) -> String {
    let mut text = String::from(
        "\ncofferdam-agent: REFUSED: packages of this host change by rollouts only, and no order or \
         reservation covers this\n",
    );
    let mut line = |name: &str, value: &str| {
        // Writing to text cannot fail.
        writeln!(text, "  {name:<10} {value}").ok();
    };
    line("tried by", &tried.by.short());
    let parents = tried.by.parents();
    if !parents.is_empty() {
        line("started by", &parents.join(" < "));
    }
    if !tried.by.unit.is_empty() {
        line("unit", &tried.by.unit);
    }
    if !tried.packages.is_empty() {
        line("packages", &packages(tried));
    }
    line(
        "do this",
        "let a rollout do it: `cofferdam plan` on an operator's machine",
    );
    line(
        "or",
        "have the host for yourself: `cofferdam reserve` there, then try again",
    );
    line(
        "or",
        "cofferdam-agent guard allow --for 30m --reason \"why it cannot wait\", then try again",
    );
    text
}

fn packages(tried: &Try) -> String {
    let named: Vec<&str> = tried.packages.iter().take(NAMED).map(|p| &**p).collect();
    let more = tried
        .packages
        .len()
        .saturating_sub(NAMED)
        .saturating_add(tried.more);
    let named = named.join("; ");
    if more == 0 {
        return named;
    }
    format!("{named}; and {more} more")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::asker::Asker;

    #[test]
    fn a_refusal_says_what_by_whom_and_what_to_do() {
        let by = Asker::at_a_shell();
        let packages = (0..10).map(|n| format!("tea{n} 1 -> 2")).collect();
        let text = message(&Try::new(Decision::Refused, "apt", by, packages));
        insta::assert_snapshot!(text);
    }
}
