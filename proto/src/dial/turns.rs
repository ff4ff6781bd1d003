//! Whom a process dials next.
//!
//! ```text
//!   places --round--> address, address, ...   each asked for once, in order
//!              ^ empty, or nobody asked for long: whoever asked had somebody, and begins with the first again
//! ```

use super::{
    Place, Ways,
    query::{self, LookupError},
    srv::{self, Target},
};
use crate::error_chain;
use cofferdam_engine::seed;
use std::{
    collections::{BTreeMap, VecDeque},
    ops::RangeInclusive,
    time::Duration,
};
use tokio::time::Instant;

/// For how long an answer of DNS is taken, whatever it says itself: less would ask with every try to dial, more
/// would keep those who were moved away from who they should dial (guess).
const HOLDS: RangeInclusive<Duration> = Duration::from_secs(30)..=Duration::from_secs(3600);

/// Whoever asks for the next one after so long had a session meanwhile (guess: above all waits between tries).
const HAD_ONE: Duration = Duration::from_secs(120);

/// Whom a process dials: its places in turn, each SRV record in the order of its targets.
#[derive(Debug)]
pub struct Turns {
    places: Vec<Place>,
    ways: Ways,
    seed: String,
    round: VecDeque<String>,
    rounds: u64,
    asked: Option<Instant>,
    known: BTreeMap<String, Known>,
}

/// What DNS said last of a name.
#[derive(Debug)]
struct Known {
    targets: Vec<Target>,
    until: Instant,
}

impl Turns {
    /// The turns of some places, not of none. The seed draws among targets of one priority: processes that have
    /// their own spread over them, and the same one always draws the same.
    pub fn new(places: Vec<Place>, ways: Ways, seed: impl Into<String>) -> Self {
        Self {
            places,
            ways,
            seed: seed.into(),
            round: VecDeque::new(),
            rounds: 0,
            asked: None,
            known: BTreeMap::new(),
        }
    }

    /// Whom to dial now, `HOST:PORT`. Dropped while it asks DNS, it has lost nothing.
    ///
    /// # Errors
    /// [`LookupError`] where only DNS knows and it says nothing, and has not before.
    pub async fn next(&mut self) -> Result<String, LookupError> {
        let now = Instant::now();
        let had_one = self.asked.is_some_and(|asked| now - asked > HAD_ONE);
        self.asked = Some(now);
        if had_one {
            self.round.clear();
        }
        if self.round.is_empty() {
            self.round = self.begin().await?;
            self.rounds += 1;
        }
        let next = self.round.pop_front();
        next.ok_or_else(|| LookupError::Missing(String::new()))
    }

    /// A round. What DNS does not know is left out as long as there is anything else.
    async fn begin(&mut self) -> Result<VecDeque<String>, LookupError> {
        let mut round = VecDeque::new();
        let mut failed = None;
        for place in self.places.clone() {
            match place {
                Place::Address(address) => round.push_back(address),
                Place::Service(name) => match self.targets(&name).await {
                    Ok(targets) => round.extend(srv::order(&targets, self.draws(&name))),
                    Err(error) => failed = Some(error),
                },
            }
        }
        match failed {
            Some(error) if round.is_empty() => Err(error),
            Some(error) => {
                tracing::warn!("left out of this round: {}", error_chain(&error));
                Ok(round)
            }
            None => Ok(round),
        }
    }

    /// The targets of a name: as DNS says, or as it said last where it says nothing.
    async fn targets(&mut self, name: &str) -> Result<Vec<Target>, LookupError> {
        let now = Instant::now();
        let known = self.known.get(name).filter(|known| now < known.until);
        if let Some(known) = known {
            return Ok(known.targets.clone());
        }
        let (targets, ttl) = match query::ask(name, &self.ways.dns_servers()).await {
            Ok(found) => (found.targets, found.ttl),
            Err(error) => {
                let Some(known) = self.known.get(name) else {
                    return Err(error);
                };
                tracing::warn!("what DNS said before holds on: {}", error_chain(&error));
                (known.targets.clone(), Duration::ZERO)
            }
        };
        let until = Instant::now() + ttl.clamp(*HOLDS.start(), *HOLDS.end());
        let kept = targets.clone();
        self.known.insert(name.to_owned(), Known { targets, until });
        Ok(kept)
    }

    /// Draws that are others in each round.
    fn draws(&self, name: &str) -> impl FnMut(u64) -> u64 + use<> {
        let seed = format!("{} {name} {}", self.seed, self.rounds);
        let mut draws = 0_u32;
        move |most| {
            draws += 1;
            seed::of(&[&seed, &draws.to_string()]) % (most + 1)
        }
    }
}
