//! Declares freezes.

use super::{START, World, rollout::operator};
use cofferdam_engine::{
    calendar::{Calendar, Freeze},
    fleet::FleetEvent,
    policy::Profile,
    time_zone::TimeZone,
};
use std::time::Duration;

impl World {
    /// An operator declares a calendar: freezes of all hosts, each from and until so many minutes
    /// after the world's first moment, called `freeze 0` and so on.
    pub(crate) fn freeze(&mut self, freezes: &[(u64, u64)]) {
        self.freeze_but_for(freezes, &[]);
    }

    /// The same, of freezes that let rollouts of these profiles through.
    pub(crate) fn freeze_but_for(&mut self, freezes: &[(u64, u64)], profiles: &[Profile]) {
        let at = |minutes: u64| START.after(Duration::from_secs(60 * minutes));
        let named = freezes.iter().enumerate();
        let freezes = named.map(|(number, (from, until))| Freeze {
            name: format!("freeze {number}"),
            from: at(*from),
            until: at(*until),
            time_zone: TimeZone::UTC,
            selection: None,
            except_profiles: profiles.iter().copied().collect(),
            reason: String::new(),
            owner: String::new(),
        });
        let calendar = Calendar {
            freezes: freezes.collect(),
        };
        let by = operator();
        self.act(FleetEvent::CalendarDeclared { calendar, by });
        self.advance(Duration::ZERO);
    }
}
