//! What `cofferdam-agent guard status` says.

use super::{
    decision::{AgentState, Decision},
    events::{Event, Try, What},
    manifest::Manifest,
    reserved::Reserved,
    settings::{DeadAgent, Mode},
    window::Window,
};
use cofferdam_engine::{
    duration,
    time::{Timestamp, millis},
};
use serde::Serialize;
use std::{fmt, time::Duration};

/// How many events are shown to people, the last first; and how many of the tries that nobody had asked for,
/// though others came since.
const SHOWN: usize = 10;

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// What is installed. Absent: nothing.
    pub installed: Option<Installed>,
    /// The drop-ins that are not what the guard wrote.
    pub lost: Vec<String>,
    /// The drop-ins that are so and hold nothing: what is read after them takes them back, or systemd does not
    /// know them.
    pub overridden: Vec<String>,
    /// The window that is open. Absent: none.
    pub window: Option<Open>,
    /// The reservation that an operator has of the host. Absent: none is known of.
    pub reserved: Option<Open>,
    /// The agent.
    pub agent: AgentState,
    /// How many tries that nobody had asked for are not kept any more.
    pub dropped: u64,
    /// The events that are kept, oldest first.
    pub events: Vec<Event>,
    /// The moment, by the clock of the events.
    #[serde(rename = "now_ms")]
    pub now: Timestamp,
}

/// What is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Installed {
    /// Whether it refuses.
    pub mode: Mode,
    /// What holds while the agent is dead.
    pub dead_agent: DeadAgent,
    /// How many drop-ins the guard wrote.
    pub drop_ins: usize,
}

/// A while in which every change passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Open {
    /// Who said so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// How long it still lasts, in milliseconds.
    pub left_ms: u64,
}

impl From<&Manifest> for Installed {
    fn from(manifest: &Manifest) -> Self {
        Self {
            mode: manifest.settings.mode,
            dead_agent: manifest.settings.dead_agent,
            drop_ins: manifest.files.len(),
        }
    }
}

impl From<Window> for Open {
    fn from(window: Window) -> Self {
        Self {
            left_ms: millis(window.span.left()),
            by: window.by,
            reason: window.reason,
        }
    }
}

impl From<Reserved> for Open {
    fn from(reserved: Reserved) -> Self {
        Self {
            left_ms: millis(reserved.span.left()),
            by: reserved.by.into(),
            reason: reserved.reason,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(installed) = &self.installed else {
            return writeln!(f, "guard: not installed: `cofferdam-agent guard install`");
        };
        let mode = match installed.mode {
            Mode::Observe => "observe: nothing is refused, what would be is written down",
            Mode::Enforce => {
                "enforce: changes of packages that no order or reservation covers are refused"
            }
        };
        writeln!(f, "mode      {mode}")?;
        self.show_agent(f, installed.dead_agent)?;
        let count = installed.drop_ins;
        if self.is_in_control() {
            writeln!(f, "control   all {count} drop-ins are as they should be")?;
        }
        if !self.lost.is_empty() {
            let lost = self.lost.join(", ");
            writeln!(f, "control   LOST, not as they should be: {lost}")?;
        }
        if !self.overridden.is_empty() {
            let overridden = self.overridden.join(", ");
            writeln!(
                f,
                "control   LOST, taken back by what is read later, or not known to systemd: {overridden}"
            )?;
        }
        match &self.window {
            Some(Open {
                reason, left_ms, ..
            }) => {
                let left = whole_seconds(Duration::from_millis(*left_ms));
                writeln!(f, "window    open for another {left}: {reason}")?;
            }
            None => writeln!(f, "window    closed")?,
        }
        if let Some(Open {
            by,
            reason,
            left_ms,
        }) = &self.reserved
        {
            let left = whole_seconds(Duration::from_millis(*left_ms));
            writeln!(f, "reserved  by {by} for another {left}: {reason}")?;
        }
        for event in self.last() {
            self.show(f, event)?;
        }
        match self.dropped {
            0 => Ok(()),
            dropped => writeln!(f, "and before these, {dropped} that nobody had ordered"),
        }
    }
}

impl Status {
    /// Whether nothing that it took was taken from it. One that was never installed has lost nothing.
    pub fn is_in_control(&self) -> bool {
        self.lost.is_empty() && self.overridden.is_empty()
    }

    fn show_agent(&self, f: &mut fmt::Formatter<'_>, policy: DeadAgent) -> fmt::Result {
        let agent = match self.agent {
            AgentState::Alive => return writeln!(f, "agent     runs"),
            AgentState::Awaited => {
                return writeln!(f, "agent     has not started yet since the boot");
            }
            AgentState::Dead => "does not run",
            AgentState::Hung => "hangs",
        };
        let policy = match policy {
            DeadAgent::Closed => "`closed`: no change passes",
            DeadAgent::Open => "`open`: changes pass",
        };
        writeln!(f, "agent     {agent}; the policy is {policy}")
    }

    /// The last events, and the last of those that nobody had asked for: the last one first.
    fn last(&self) -> impl Iterator<Item = &Event> {
        let (mut seen, mut unasked) = (0, 0);
        self.events.iter().rev().filter(move |event| {
            let is_unasked = event.what.is_unasked();
            seen += 1;
            unasked += usize::from(is_unasked);
            seen <= SHOWN || (is_unasked && unasked <= SHOWN)
        })
    }

    fn show(&self, f: &mut fmt::Formatter<'_>, event: &Event) -> fmt::Result {
        let ago = whole_seconds(self.now.since(event.at));
        write!(f, "#{} {ago} ago: ", event.number)?;
        match &event.what {
            What::Try(tried) => show_try(f, tried)?,
            What::Allowed { for_ms, reason, by } => {
                let lasts = duration::format(Duration::from_millis(*for_ms));
                write!(f, "window opened for {lasts} by {}: {reason}", by.short())?;
            }
            What::Denied { by } => write!(f, "window closed by {}", by.short())?,
            What::ControlLost { files } => write!(f, "control lost: {}", files.join(", "))?,
            What::ControlRegained => write!(f, "control regained")?,
        }
        if event.times > 1 {
            write!(f, " ({} times)", event.times)?;
        }
        writeln!(f)
    }
}

fn show_try(f: &mut fmt::Formatter<'_>, tried: &Try) -> fmt::Result {
    let word = match tried.decision {
        Decision::Covered => "covered",
        Decision::InWindow => "allowed",
        Decision::Reserved => "passed, the host being reserved",
        Decision::Observed => "would be refused",
        Decision::AgentDead => "passed, the agent being dead",
        Decision::Refused => "refused",
        Decision::Skipped => "not started",
        Decision::WouldSkip => "would not be started",
    };
    write!(f, "{word}: {} ({}", tried.by.short(), tried.channel)?;
    if !tried.by.unit.is_empty() {
        write!(f, ", {}", tried.by.unit)?;
    }
    write!(f, ")")?;
    let parents = tried.by.parents();
    if !parents.is_empty() {
        write!(f, ", started by {}", parents.join(" < "))?;
    }
    if !tried.packages.is_empty() {
        write!(f, ": {}", tried.packages.join("; "))?;
    }
    if tried.more > 0 {
        write!(f, "; and {} more", tried.more)?;
    }
    Ok(())
}

fn whole_seconds(lasts: Duration) -> String {
    duration::format(Duration::from_secs(lasts.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::asker::Asker;

    fn event(number: u64, what: What) -> Event {
        Event {
            number,
            at: Timestamp(1_000),
            times: 1,
            what,
        }
    }

    fn refused() -> What {
        let by = Asker::at_a_shell();
        let packages = vec!["tea 1 -> 2".to_owned()];
        What::Try(Try::new(Decision::Refused, "apt", by, packages))
    }

    fn status() -> Status {
        let others = (2..=13).map(|number| event(number, What::ControlRegained));
        Status {
            installed: Some(Installed {
                mode: Mode::Enforce,
                dead_agent: DeadAgent::Closed,
                drop_ins: 12,
            }),
            lost: Vec::new(),
            overridden: Vec::new(),
            window: None,
            reserved: Some(Open {
                by: "ana".to_owned(),
                reason: "new disk".to_owned(),
                left_ms: 1_740_500,
            }),
            agent: AgentState::Hung,
            dropped: 3,
            events: [event(1, refused())].into_iter().chain(others).collect(),
            now: Timestamp(61_000),
        }
    }

    #[test]
    fn who_was_refused_and_who_had_started_it_is_shown_though_others_came() {
        let text = status().to_string();
        for line in [
            "agent     hangs; the policy is `closed`: no change passes",
            "reserved  by ana for another 29m: new disk",
            "#1 1m ago: refused: apt full-upgrade (apt, session-3.scope), started by bash < sshd: tea 1 -> 2",
            "and before these, 3 that nobody had ordered",
        ] {
            assert!(text.lines().any(|said| said == line), "{line}\n{text}");
        }
        assert_eq!(text.matches("control regained").count(), SHOWN, "{text}");
    }

    #[test]
    fn a_drop_in_that_holds_nothing_is_no_control() {
        let overridden = Status {
            overridden: vec!["/etc/x".to_owned()],
            ..status()
        };
        let text = overridden.to_string();
        let line =
            "control   LOST, taken back by what is read later, or not known to systemd: /etc/x\n";
        assert!(
            text.contains(line) && !text.contains("control   all"),
            "{text}"
        );
        assert!(!overridden.is_in_control() && status().is_in_control());
    }

    #[test]
    fn programs_are_told_all_of_it() {
        let json = serde_json::to_value(status()).unwrap();
        assert_eq!(json["installed"]["mode"], "enforce");
        assert_eq!(json["agent"], "hung");
        assert_eq!(json["reserved"]["left_ms"], 1_740_500);
        assert_eq!(json["events"].as_array().unwrap().len(), 13);
        let tried = &json["events"][0]["what"];
        assert_eq!(
            (&tried["kind"], &tried["decision"]),
            (&"try".into(), &"refused".into())
        );
        assert_eq!(tried["by"]["processes"][1]["name"], "bash");
    }
}
