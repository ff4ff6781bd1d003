//! What `cofferdam-agent guard status` says.

use super::{
    decision::{AgentState, Decision},
    events::{Event, Try, What},
    manifest::Manifest,
    reserved::Reserved,
    settings::{DeadAgent, Mode},
    window::Window,
};
use cofferdam_engine::{duration, time::Timestamp};
use std::{fmt, time::Duration};

/// How many events are shown, the last first.
const SHOWN: usize = 10;

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What is installed. Absent: nothing.
    pub manifest: Option<Manifest>,
    /// The drop-ins that are not what the guard wrote.
    pub lost: Vec<String>,
    /// The window that is open. Absent: none.
    pub window: Option<Window>,
    /// The reservation that an operator has of the host. Absent: none is known of.
    pub reserved: Option<Reserved>,
    /// The agent.
    pub agent: AgentState,
    /// The events that are kept, oldest first.
    pub events: Vec<Event>,
    /// The moment, by the clock of the events.
    pub now: Timestamp,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(manifest) = &self.manifest else {
            return writeln!(f, "guard: not installed: `cofferdam-agent guard install`");
        };
        let mode = match manifest.settings.mode {
            Mode::Observe => "observe: nothing is refused, what would be is written down",
            Mode::Enforce => "enforce: changes of packages that no order covers are refused",
        };
        writeln!(f, "mode      {mode}")?;
        let agent = match self.agent {
            AgentState::Alive => "runs",
            AgentState::Awaited => "has not started yet since the boot",
            AgentState::Dead => "does not run",
            AgentState::Hung => "hangs: `systemctl restart cofferdam-agent`",
        };
        let policy = match (self.agent, manifest.settings.dead_agent) {
            (AgentState::Alive | AgentState::Awaited, _) => "",
            (AgentState::Dead | AgentState::Hung, DeadAgent::Closed) => {
                "; the policy is `closed`: no change passes"
            }
            (AgentState::Dead | AgentState::Hung, DeadAgent::Open) => {
                "; the policy is `open`: changes pass"
            }
        };
        writeln!(f, "agent     {agent}{policy}")?;
        let count = manifest.files.len();
        if self.lost.is_empty() {
            writeln!(f, "control   all {count} drop-ins are as they should be")?;
        } else {
            let lost = self.lost.join(", ");
            writeln!(f, "control   LOST, not as they should be: {lost}")?;
        }
        match &self.window {
            Some(window) => {
                let left = duration::format(whole_seconds(window.span.left()));
                writeln!(f, "window    open for another {left}: {}", window.reason)?;
            }
            None => writeln!(f, "window    closed")?,
        }
        if let Some(Reserved {
            span, by, reason, ..
        }) = &self.reserved
        {
            let left = duration::format(whole_seconds(span.left()));
            writeln!(f, "reserved  by {by} for another {left}: {reason}")?;
        }
        for event in self.events.iter().rev().take(SHOWN) {
            self.show(f, event)?;
        }
        Ok(())
    }
}

impl Status {
    fn show(&self, f: &mut fmt::Formatter<'_>, event: &Event) -> fmt::Result {
        let ago = duration::format(whole_seconds(self.now.since(event.at)));
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
    };
    write!(f, "{word}: {} ({}", tried.by.short(), tried.channel)?;
    if !tried.by.unit.is_empty() {
        write!(f, ", {}", tried.by.unit)?;
    }
    write!(f, ")")?;
    if !tried.packages.is_empty() {
        write!(f, ": {}", tried.packages.join("; "))?;
    }
    if tried.more > 0 {
        write!(f, "; and {} more", tried.more)?;
    }
    Ok(())
}

fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs())
}
