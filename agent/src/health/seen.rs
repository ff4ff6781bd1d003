//! What every answer is made of: the state file, and what the application said last.

use super::application::Folded;
use crate::{
    checks::verdict::{Reading, Verdict},
    config::Basis,
    flag::{FlagState, State, StateError, weight},
};
use cofferdam_engine::time::Timestamp;
use cofferdam_proto::error_chain;
use std::net::IpAddr;

/// What one answer is made of.
#[derive(Debug)]
pub struct Seen {
    /// The state file as it is now.
    pub state: Result<State, StateError>,
    /// What the responder's config was read from.
    pub basis: Basis,
    /// What the application answered, one entry a probe of the config, in its order.
    pub application: Vec<Answer>,
    /// The host's address that the client connected to.
    pub address: IpAddr,
    /// The boot-time clock: how long the host has been up, in milliseconds.
    pub uptime_ms: u64,
    /// The wall clock at the same moment.
    pub wall: Timestamp,
}

/// Why a host gets nothing new though its flag is up.
const NOBODY_VOUCHES: &str =
    "it was not well on its way back to traffic, and its agent is silent since";

/// What one probe found.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its verdict.
    pub reading: Reading,
    /// The application's own health page. Absent: the answer had none that is understood.
    pub page: Option<Folded>,
}

/// What load balancers are to do with the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Send traffic: so much of its full share, in percent.
    Serves(u64),
    /// Send nothing new, and let end what has begun. With the reason.
    Drains(String),
    /// Send nothing, since the host is worked on, or nobody vouches for it. With the reason.
    Stopped(String),
    /// Send nothing, since the application is not well. With what it says.
    Ails(String),
}

impl Seen {
    /// The wall clock as it is set now, when the boot-time clock was so.
    pub fn wall_at(&self, uptime_ms: u64) -> Timestamp {
        let ago = self.uptime_ms.saturating_sub(uptime_ms);
        Timestamp(self.wall.0.saturating_sub(ago))
    }

    /// Why the state file says nothing. An agent that has a config file of no use writes none.
    pub fn why_unknown(&self, error: &StateError) -> String {
        match &self.basis {
            Basis::File => error_chain(error),
            Basis::Copy(why) | Basis::Nothing(why) => format!("{why}; {}", error_chain(error)),
        }
    }

    /// What load balancers are to do with the host: the flag decides, then the application. The checks
    /// in the state file are reported and change nothing.
    pub fn standing(&self) -> Standing {
        let state = match (&self.state, &self.basis) {
            (_, Basis::Nothing(why)) => return Standing::Stopped(why.clone()),
            (Err(error), _) => return Standing::Stopped(self.why_unknown(error)),
            (Ok(state), Basis::File | Basis::Copy(_)) => state,
        };
        match state.flag {
            FlagState::Draining => Standing::Drains(state.reason.clone()),
            FlagState::Down => Standing::Stopped(state.reason.clone()),
            FlagState::Up => {
                let ailing = |answer: &&Answer| answer.reading.verdict != Verdict::Pass;
                match self.application.iter().find(ailing) {
                    Some(answer) => Standing::Ails(answer.reading.to_string()),
                    None => match weight::at(&state.weights, self.uptime_ms) {
                        0 => Standing::Drains(NOBODY_VOUCHES.to_owned()),
                        percent => Standing::Serves(percent),
                    },
                }
            }
        }
    }
}
