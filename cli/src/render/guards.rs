//! The guards of hosts, one line each.

use crate::render::{
    View,
    ranked::{Ranked, Standing},
    table::{ago, short, table},
};
use clap::ValueEnum;
use cofferdam_engine::guard::{GuardEvent, GuardMode};
use cofferdam_proto::operator::{GuardView, GuardWindowView, HostView};
use serde::Serialize;

/// How the guard of a host stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum GuardIs {
    /// It is not in control of some channel
    Lost,
    /// Somebody changed packages, or tried to, and nobody had said yes
    Unasked,
    /// A person has opened a window
    Window,
    /// None is installed
    Off,
    /// The host has not told
    Unknown,
    /// It observes
    Observe,
    /// It enforces
    Enforce,
}

impl Standing for GuardIs {
    fn of(host: &HostView) -> Vec<Self> {
        let Some(guard) = &host.guard else {
            return vec![Self::Unknown];
        };
        let is_unasked = guard.events.iter().any(GuardEvent::is_unasked);
        let more = [
            (!guard.lost.is_empty()).then_some(Self::Lost),
            is_unasked.then_some(Self::Unasked),
            guard.window.is_some().then_some(Self::Window),
        ];
        let mode = match guard.mode {
            GuardMode::Off => Self::Off,
            GuardMode::Observe => Self::Observe,
            GuardMode::Enforce => Self::Enforce,
        };
        more.into_iter().flatten().chain([mode]).collect()
    }

    /// When it last saw a change that nobody had asked for.
    fn weight(host: &HostView) -> u64 {
        let events = host.guard.iter().flat_map(|guard| &guard.events);
        let unasked = events.filter(|event| event.is_unasked());
        unasked.map(|event| event.at.0).max().unwrap_or_default()
    }
}

/// What the guards of hosts do.
pub type GuardList = Ranked<GuardIs>;

impl View for GuardList {
    fn text(&self) -> String {
        self.shown(|| {
            let rows = self.hosts.iter().map(|host| self.row(host));
            let headings = [
                "host",
                "connected",
                "guard",
                "in control",
                "for",
                "last unasked change",
                "window",
            ];
            table(headings, rows.collect())
        })
    }
}

impl GuardList {
    fn row(&self, host: &HostView) -> [String; 7] {
        let is_connected = host.connected_since_ms.is_some();
        let connected = if is_connected { "yes" } else { "no" };
        let name = host.host.to_string();
        let Some(guard) = &host.guard else {
            let none = String::new;
            let mode = "unknown".to_owned();
            return [
                name,
                connected.to_owned(),
                mode,
                none(),
                none(),
                none(),
                none(),
            ];
        };
        let unasked = guard.events.iter().rev().find(|event| event.is_unasked());
        let window = guard.window.as_ref();
        [
            name,
            connected.to_owned(),
            guard.mode.to_string(),
            control(guard),
            short(self.now.since(guard.since_ms)),
            unasked
                .map(|event| self.told(event, guard))
                .unwrap_or_default(),
            window.map(|window| self.open(window)).unwrap_or_default(),
        ]
    }

    /// The last of them, and how many there were before it that are not like it.
    fn told(&self, event: &GuardEvent, guard: &GuardView) -> String {
        let others = guard
            .events
            .iter()
            .filter(|other| other.is_unasked())
            .count()
            - 1;
        let before = u64::try_from(others)
            .unwrap_or(u64::MAX)
            .saturating_add(guard.dropped);
        let last = format!("{event}, {}", ago(event.at, self.now));
        match before {
            0 => last,
            1 => format!("{last}; 1 other before it"),
            before => format!("{last}; {before} others before it"),
        }
    }

    fn open(&self, window: &GuardWindowView) -> String {
        let GuardWindowView {
            by,
            reason,
            until_ms,
        } = window;
        format!(
            "{} more, by {by}: {reason}",
            short(until_ms.since(self.now))
        )
    }
}

/// Whether a guard is in control, or of which channel it is not, and why.
fn control(guard: &GuardView) -> String {
    match (guard.mode, guard.lost.as_slice()) {
        (GuardMode::Off, []) => String::new(),
        (GuardMode::Observe | GuardMode::Enforce, []) => "yes".to_owned(),
        (_, [first]) => format!("NO: {first}"),
        (_, [first, more @ ..]) => format!("NO: {first}; and {} more", more.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::hosts::{NO_HOSTS, tests::host};
    use cofferdam_engine::{
        guard::{Fate, LostChannel, Seen, Tried},
        time::Timestamp,
    };

    fn tried(fate: Fate) -> GuardEvent {
        GuardEvent {
            number: 1,
            times: 3,
            at: Timestamp(1_000),
            seen: Seen::Tried(Tried {
                fate,
                channel: "apt".to_owned(),
                command: "apt full-upgrade".to_owned(),
                parents: vec!["bash".to_owned()],
                unit: "session-3.scope".to_owned(),
                login: "uid 1000".to_owned(),
                packages: vec!["tea 1 -> 2".to_owned(), "milk 1 -> 2".to_owned()],
                more: 0,
            }),
        }
    }

    fn guard(mode: GuardMode) -> GuardView {
        GuardView {
            mode,
            lost: Vec::new(),
            since_ms: Timestamp(1_000),
            events: Vec::new(),
            missed: 0,
            dropped: 0,
            window: None,
        }
    }

    #[test]
    fn a_guard_is_one_line_that_says_what_is_wrong_and_what_was_tried() {
        let of = |name: &str, guard| HostView {
            guard: Some(guard),
            ..host(name)
        };
        let refused = GuardView {
            events: vec![
                tried(Fate::Observed),
                tried(Fate::Refused),
                tried(Fate::InWindow),
                tried(Fate::Skipped),
            ],
            dropped: 2,
            ..guard(GuardMode::Enforce)
        };
        let lost = |channel: &str| LostChannel {
            channel: channel.to_owned(),
            why: "/etc/x is missing".to_owned(),
        };
        let taken = GuardView {
            lost: vec![lost("apt"), lost("dpkg")],
            window: Some(GuardWindowView {
                by: "uid 1000".to_owned(),
                reason: "disk".to_owned(),
                until_ms: Timestamp(1_861_000),
            }),
            ..guard(GuardMode::Observe)
        };
        let hosts = vec![
            host("a-1"),
            of("a-2", guard(GuardMode::Off)),
            of("a-3", refused),
            of("a-4", taken),
            of("a-5", guard(GuardMode::Enforce)),
        ];
        let list = |only: &[GuardIs]| GuardList::new(hosts.clone(), only, Timestamp(61_000));
        insta::assert_snapshot!(list(&[]).text(), @r"
    HOST  CONNECTED  GUARD    IN CONTROL                              FOR  LAST UNASKED CHANGE                                                                                      WINDOW
    a-4   yes        observe  NO: apt: /etc/x is missing; and 1 more  1m                                                                                                            30m more, by uid 1000: disk
    a-3   yes        enforce  yes                                     1m   refused: apt full-upgrade (tea 1 -> 2 and 1 more), started by bash, 3 times, 1m ago; 3 others before it
    a-2   yes        off                                              1m
    a-1   yes        unknown
    a-5   yes        enforce  yes                                     1m

    5 hosts: 1 lost, 1 unasked, 1 window, 1 off, 1 unknown, 1 observe, 2 enforce
    ");
        insta::assert_snapshot!(list(&[GuardIs::Off, GuardIs::Unasked]).text(), @r"
    HOST  CONNECTED  GUARD    IN CONTROL  FOR  LAST UNASKED CHANGE                                                                                      WINDOW
    a-3   yes        enforce  yes         1m   refused: apt full-upgrade (tea 1 -> 2 and 1 more), started by bash, 3 times, 1m ago; 3 others before it
    a-2   yes        off                  1m

    2 of 5 hosts: 1 lost, 1 unasked, 1 window, 1 off, 1 unknown, 1 observe, 2 enforce
    ");
        let json = serde_json::to_value(list(&[GuardIs::Window])).unwrap();
        assert_eq!(json["hosts"][0]["host"], "a-4");
        assert_eq!(
            (&json["all"], &json["counts"]["lost"]),
            (&5.into(), &1.into())
        );
        assert_eq!(
            GuardList::new(Vec::new(), &[], Timestamp(0)).text(),
            NO_HOSTS
        );
    }
}
