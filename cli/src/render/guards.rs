//! The guards of hosts, one line each.

use crate::render::{
    View,
    hosts::NO_HOSTS,
    table::{ago, short, table},
};
use cofferdam_engine::{
    guard::{GuardEvent, GuardMode},
    time::Timestamp,
};
use cofferdam_proto::operator::{GuardView, GuardWindowView, HostView};
use serde::Serialize;

/// What the guards of hosts do, in order of the hosts' names.
#[derive(Debug, Serialize)]
pub struct GuardList {
    /// The hosts.
    pub hosts: Vec<HostView>,
    /// The moment at which they are looked at.
    #[serde(skip)]
    pub now: Timestamp,
}

impl View for GuardList {
    fn text(&self) -> String {
        if self.hosts.is_empty() {
            return NO_HOSTS.to_owned();
        }
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
    use crate::render::hosts::tests::host;
    use cofferdam_engine::guard::{Fate, LostChannel, Seen, Tried};

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
        let list = GuardList {
            hosts: vec![
                host("a-1"),
                of("a-2", guard(GuardMode::Off)),
                of("a-3", refused),
                of("a-4", taken),
            ],
            now: Timestamp(61_000),
        };
        insta::assert_snapshot!(list.text(), @r"
    HOST  CONNECTED  GUARD    IN CONTROL                              FOR  LAST UNASKED CHANGE                                                                                      WINDOW
    a-1   yes        unknown
    a-2   yes        off                                              1m
    a-3   yes        enforce  yes                                     1m   refused: apt full-upgrade (tea 1 -> 2 and 1 more), started by bash, 3 times, 1m ago; 3 others before it
    a-4   yes        observe  NO: apt: /etc/x is missing; and 1 more  1m                                                                                                            30m more, by uid 1000: disk
    ");
    }
}
