//! Signals that the agent reads of the machine itself, beside checks and probes.
//!
//! ```text
//! /proc, /dev/kmsg ---+
//! systemctl, stat ----+--> parsers, pure ---> Reading (value, threshold) --+
//! getent, NTP --------+                                                    |
//!                              baseline of the run ---> what was bad before it is set aside
//! ```
//!
//! Checks and probes say what a host must be: they count as they are. Signals say what a patch must
//! not make worse: they count in a run's verify, against a [`baseline`] taken before its drain, and
//! outside runs they are shown and change nothing.
//!
//! What a host cannot have is no signal there: no systemd, no failed units. What is named in the
//! config and cannot be told is no data. What HAProxy sees ([`balancer`]) counts only once the flag is
//! up again: before that it rightly sees a host that is down.

pub mod balancer;
pub mod baseline;
pub mod clock_offset;
pub mod disk;
#[cfg(test)]
mod fuzz;
pub mod kernel_log;
pub mod load;
pub mod memory;
pub mod name;
pub mod port;
pub mod route;
pub mod settings;
pub mod systemd;

use crate::{
    checks::{side_by_side, verdict::Reading},
    host::command::{LocalFuture, Runner},
};
use cofferdam_engine::id::HostId;
use settings::{Signals, Watched};
use std::rc::Rc;

/// Reads the signals of one host.
pub struct Senses {
    host: HostId,
    settings: Signals,
    runner: Rc<dyn Runner>,
    clock: clock_offset::Memory,
}

impl Senses {
    /// Reads what the settings say.
    pub fn new(host: HostId, settings: Signals, runner: Rc<dyn Runner>) -> Self {
        Self {
            host,
            settings,
            runner,
            clock: clock_offset::Memory::default(),
        }
    }

    /// Reads every signal once, all at the same time, each with its own deadline. The kernel's log
    /// counts only from a mark on: without one it is not read.
    pub async fn read(&self, since: Option<&kernel_log::Mark>) -> Vec<Reading> {
        let settings = &self.settings;
        let runner = &*self.runner;
        let is_watched = |signal| settings.watched.contains(&signal);
        let mut asked: Vec<LocalFuture<'_, Vec<Reading>>> = Vec::new();
        if is_watched(Watched::FailedUnits) {
            asked.push(Box::pin(systemd::read_failed(runner, &settings.units)));
        }
        asked.push(Box::pin(self.read_named()));
        asked.push(Box::pin(disk::read(runner, settings)));
        asked.push(Box::pin(name::read_all(runner, settings)));
        if let Some(source) = &settings.clock {
            asked.push(Box::pin(self.clock.read(source)));
        }
        let mut readings = side_by_side(asked).await.concat();
        if is_watched(Watched::Load) {
            readings.push(load::read(settings.load_per_core));
        }
        if is_watched(Watched::Memory) {
            readings.push(memory::read(settings.memory_available));
        }
        if is_watched(Watched::Route) {
            readings.push(route::read());
        }
        if let Some(since) = since
            && is_watched(Watched::KernelLog)
        {
            readings.extend(kernel_log::read(since));
        }
        readings
    }

    /// Reads what the host must have by name, whatever was before: units that must be active, and ports on
    /// which something must listen.
    pub async fn read_named(&self) -> Vec<Reading> {
        let mut readings = systemd::read_named(&*self.runner, &self.settings.units).await;
        readings.extend(port::read(&self.settings.ports));
        readings
    }

    /// The end of the kernel's log as it stands. Absent: it is not watched, or there is none.
    pub fn mark_kernel_log(&self) -> Option<kernel_log::Mark> {
        if !self.settings.watched.contains(&Watched::KernelLog) {
            return None;
        }
        kernel_log::mark()
    }

    /// What each load balancer sees of the host.
    pub async fn read_balancers(&self) -> Vec<Reading> {
        let balancers = self.settings.balancers.iter();
        let asked = balancers.map(|balancer| balancer::read(balancer, &self.host));
        side_by_side(asked.collect()).await
    }
}
