//! Tells systemd that the agent is ready, and for as long as its loop turns that it lives (`WatchdogSec=`).
//!
//! The driver's loop has the pulse in hand while it waits for what comes next: a loop that does not come back
//! to that has none, and systemd starts the agent again. A step that takes half an hour is waited for there, too.

use crate::host::manager::Manager;
use std::{convert::Infallible, env, io, time::Duration};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How many times it beats in the time after which systemd gives it up (`sd_watchdog_enabled(3)` wants two).
const BEATS: u32 = 3;

/// The agent's pulse. By default nobody feels it.
#[derive(Debug, Default)]
pub struct Pulse {
    manager: Option<Manager>,
    /// Absent: nobody waits for it.
    beats: Option<Interval>,
}

impl Pulse {
    /// The pulse as whoever started this process wants it.
    ///
    /// # Errors
    /// The system's error when they cannot be spoken to.
    pub(crate) fn of_this_process() -> io::Result<Self> {
        let micros = env::var("WATCHDOG_USEC").ok();
        let micros = micros.and_then(|micros| micros.parse().ok());
        let given_up = micros.map(Duration::from_micros);
        Ok(Self::new(Manager::of_this_process()?, given_up))
    }

    /// A pulse that a manager feels, who gives the agent up after so long without. Absent: never.
    fn new(manager: Option<Manager>, given_up: Option<Duration>) -> Self {
        let every = given_up.map(|given_up| given_up / BEATS);
        let beats = every.filter(|every| !every.is_zero()).map(|every| {
            let mut beats = interval(every);
            beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
            beats
        });
        Self { manager, beats }
    }

    /// Says that the agent does its work from here on.
    pub(crate) fn begin(&self) {
        self.say("READY=1");
    }

    /// Beats for as long as it is waited for. May be cancelled and called again.
    pub(crate) async fn beat(&mut self) -> Infallible {
        loop {
            match &mut self.beats {
                Some(beats) => drop(beats.tick().await),
                None => std::future::pending().await,
            }
            self.say("WATCHDOG=1");
        }
    }

    fn say(&self, text: &str) {
        let said = self.manager.as_ref().map(|manager| manager.say(text, &[]));
        if let Some(Err(error)) = said {
            tracing::warn!(%error, "systemd does not hear of the agent");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;
    use tokio::time::sleep;

    fn heard(manager: &UnixDatagram) -> Vec<String> {
        let mut texts = Vec::new();
        let mut part = [0; 64];
        while let Ok(length) = manager.recv(&mut part) {
            texts.push(String::from_utf8_lossy(&part[..length]).into_owned());
        }
        texts
    }

    #[tokio::test(start_paused = true)]
    async fn it_beats_while_it_is_waited_for_and_not_while_something_else_keeps_the_loop() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        manager.set_nonblocking(true).unwrap();
        let told = Manager::at(path.as_os_str()).unwrap();
        let mut pulse = Pulse::new(Some(told), Some(Duration::from_secs(180)));
        pulse.begin();
        assert_eq!(heard(&manager), ["READY=1"]);
        // A loop that is woken every minute and a half, four times.
        for _ in 0..4 {
            tokio::select! {
                biased;
                never = pulse.beat() => match never {},
                () = sleep(Duration::from_secs(90)) => {}
            }
        }
        let beats = heard(&manager);
        assert_eq!(
            beats,
            vec!["WATCHDOG=1"; 7],
            "one at once, and one a minute"
        );
        sleep(Duration::from_secs(600)).await;
        assert_eq!(heard(&manager), Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_manager_there_is_nothing_to_say() {
        let mut pulse = Pulse::default();
        pulse.begin();
        tokio::select! {
            biased;
            never = pulse.beat() => match never {},
            () = sleep(Duration::from_secs(600)) => {}
        }
    }
}
