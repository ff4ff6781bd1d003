//! The agent as a whole: a session and the driver's loop, on one thread.

#[cfg(test)]
mod tests;

use crate::{
    actions::Actions,
    clock::Clock,
    driver::{Driver, DriverError},
    journal::{Journal, Opened},
    link::Connector,
    profile::Profile,
    pulse::Pulse,
    session::Session,
    telling::Telling,
    trust::Trust,
};
use cofferdam_proto::dial::Turns;
use std::{future::Future, rc::Rc, time::Duration};
use tokio::{sync::mpsc, time};

/// The coordinator's messages that may wait for the driver (guess: it takes them as they come).
const INBOX_CAPACITY: usize = 32;

/// How long putting the flag back at start may take (guess: it is one small file).
const RESTORE_WITHIN: Duration = Duration::from_secs(30);

/// An agent that is ready to run.
pub struct Agent<A, J, C, K> {
    profile: Profile,
    actions: Rc<A>,
    opened: Opened<J>,
    clock: C,
    connector: K,
    telling: Telling,
    trust: Trust,
    pulse: Pulse,
}

impl<A: Actions, J: Journal, C: Clock, K: Connector> Agent<A, J, C, K> {
    /// Puts an agent together.
    pub fn new(profile: Profile, actions: A, opened: Opened<J>, clock: C, connector: K) -> Self {
        Self {
            profile,
            actions: Rc::new(actions),
            opened,
            clock,
            connector,
            telling: Telling::default(),
            trust: Trust::default(),
            pulse: Pulse::default(),
        }
    }

    /// The same, which tells its coordinator what those who watch over the host find.
    #[must_use]
    pub fn telling(self, telling: Telling) -> Self {
        Self { telling, ..self }
    }

    /// The same, which does only what somebody signed who is trusted.
    #[must_use]
    pub fn trusting(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// The same, which tells whoever started it that it lives.
    #[must_use]
    pub fn with_pulse(self, pulse: Pulse) -> Self {
        Self { pulse, ..self }
    }

    /// Runs until it is told to shut down. An open run stays in the journal, and the next start goes
    /// on with it. Dropping the future is the same as killing the agent.
    ///
    /// # Errors
    /// [`DriverError`] when the journal cannot be written.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), DriverError> {
        self.restore_flag().await;
        let (to_driver, inbox) = mpsc::channel(INBOX_CAPACITY);
        let session = Session {
            connector: self.connector,
            host: self.profile.host.clone(),
            turns: Turns::new(
                self.profile.coordinators.clone(),
                self.profile.ways.clone(),
                self.profile.host.as_str(),
            ),
            driver: to_driver,
        };
        let stored = (self.opened.journal, self.opened.history);
        let mut driver = Driver::new(self.profile, self.actions, stored, self.clock, inbox);
        driver.tell(self.telling);
        driver.trust(self.trust);
        driver.pulse(self.pulse);
        let ended = tokio::select! {
            biased;
            () = shutdown => Ok(()),
            ended = driver.drive() => ended,
            () = session.keep() => Ok(()),
        };
        driver.leave();
        ended
    }

    /// Puts the flag where the journal says it was.
    async fn restore_flag(&self) {
        if let Some(damage) = &self.opened.damage {
            tracing::error!("{damage}; a new one begins, and the flag stays as it is until a run");
        }
        let Some(flag) = self.opened.history.flag() else {
            return;
        };
        let restored = time::timeout(RESTORE_WITHIN, self.actions.restore(flag)).await;
        match restored {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => tracing::error!(%failure, "the flag could not be put back"),
            Err(_) => tracing::error!("the flag could not be put back in time"),
        }
    }
}
