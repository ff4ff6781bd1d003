//! What is told of the guard: how it stands, and what it saw, in the words of the coordinator.

use super::{
    asker::{Asker, printable},
    decision::Decision,
    events::{Event, EventsError, Log, Try, What},
    manifest::Manifest,
    settings::Mode,
    window::Window,
};
use crate::host::root::Root;
use cofferdam_engine::guard::{
    Fate, GuardEvent, GuardMode, GuardState, LostChannel, Seen, Tried, WindowLeft,
};
use std::path::Path;

/// How the guard stands, and what it saw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    /// How it stands.
    pub state: GuardState,
    /// The window that was open when it was looked at. Absent: none.
    pub window: Option<Window>,
    /// Which record the events are of.
    pub log: u64,
    /// What it saw and still keeps, oldest first.
    pub events: Vec<GuardEvent>,
}

impl Word {
    /// The window as it is told now. Absent: none is open.
    pub fn window_left(&self) -> Option<WindowLeft> {
        let window = self.window.as_ref()?;
        let left = window.span.left();
        (!left.is_zero()).then(|| WindowLeft {
            opened: window.span.opened,
            by: filled(window.by.clone(), "somebody"),
            reason: window.reason.clone(),
            left,
        })
    }

    /// Takes in what is kept of what the guard saw. A record that cannot be read is begun anew by what
    /// happens next, and says nothing until then.
    pub(crate) fn take_in(&mut self, log: Result<Log, EventsError>) -> Result<(), EventsError> {
        let Log { log, events, .. } = log?;
        self.log = log;
        self.events = events.iter().filter_map(told).collect();
        Ok(())
    }
}

/// How a guard stands of which this is installed, these drop-ins are not what it wrote, and those hold nothing.
pub fn state(
    root: &Root,
    manifest: Option<&Manifest>,
    lost: &[String],
    overridden: &[String],
) -> GuardState {
    let Some(manifest) = manifest else {
        return GuardState::default();
    };
    let mode = match manifest.settings.mode {
        Mode::Observe => GuardMode::Observe,
        Mode::Enforce => GuardMode::Enforce,
    };
    let of = |file: &String, how: &str| {
        let written = manifest.written(Path::new(file));
        LostChannel {
            channel: written.map_or_else(|| "?".to_owned(), |written| written.channel.clone()),
            why: printable(&format!("{file} {how}")),
        }
    };
    let lost = lost.iter().map(|file| {
        let is_there = root.join(file).symlink_metadata().is_ok();
        let how = match is_there {
            true => "is not what the guard wrote",
            false => "is missing",
        };
        of(file, how)
    });
    let overridden = overridden.iter().map(|file| of(file, "holds nothing"));
    GuardState {
        mode,
        lost: lost.chain(overridden).collect(),
    }
}

/// An event, as it is told. Absent: nobody needs to hear of it.
pub fn told(event: &Event) -> Option<GuardEvent> {
    let seen = match &event.what {
        What::Try(tried) => Seen::Tried(of_try(tried)?),
        What::Allowed { for_ms, reason, by } => Seen::Opened {
            lasts_ms: *for_ms,
            by: by.person(),
            reason: reason.clone(),
        },
        What::Denied { by } => Seen::Closed { by: by.person() },
        What::ControlLost { files } => Seen::ControlLost {
            files: files.iter().map(|file| printable(file)).collect(),
        },
        What::ControlRegained => Seen::ControlRegained,
    };
    Some(GuardEvent {
        number: event.number,
        times: event.times,
        at: event.at,
        seen,
    })
}

fn of_try(tried: &Try) -> Option<Tried> {
    let fate = match tried.decision {
        Decision::Covered => return None,
        Decision::InWindow => Fate::InWindow,
        Decision::Reserved => Fate::Reserved,
        Decision::Observed => Fate::Observed,
        Decision::AgentDead => Fate::AgentDead,
        Decision::Refused => Fate::Refused,
        Decision::Skipped => Fate::Skipped,
        Decision::WouldSkip => Fate::WouldSkip,
    };
    let by: &Asker = &tried.by;
    Some(Tried {
        fate,
        channel: filled(tried.channel.clone(), "?"),
        command: by.short(),
        parents: by.parents(),
        unit: by.unit.clone(),
        login: by
            .login
            .map_or_else(String::new, |login| format!("uid {login}")),
        packages: tried.packages.iter().map(|text| printable(text)).collect(),
        more: u64::try_from(tried.more).unwrap_or(u64::MAX),
    })
}

fn filled(text: String, otherwise: &str) -> String {
    if text.is_empty() {
        return otherwise.to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{
        manifest::{FORMAT, Written},
        settings::GuardSettings,
    };
    use cofferdam_engine::{digest::Digest, time::Timestamp};
    use std::fs;

    fn event(what: What) -> Event {
        Event {
            number: 3,
            at: Timestamp(5),
            times: 2,
            what,
        }
    }

    #[test]
    fn a_try_names_who_started_what_and_which_packages() {
        let by = Asker::at_a_shell();
        let packages = vec!["tea 1 -> 2\nx".to_owned()];
        for (decision, fate) in [
            (Decision::Refused, Some(Fate::Refused)),
            (Decision::Observed, Some(Fate::Observed)),
            (Decision::AgentDead, Some(Fate::AgentDead)),
            (Decision::InWindow, Some(Fate::InWindow)),
            (Decision::Reserved, Some(Fate::Reserved)),
            (Decision::Skipped, Some(Fate::Skipped)),
            (Decision::WouldSkip, Some(Fate::WouldSkip)),
            (Decision::Covered, None),
        ] {
            let tried = Try::new(decision, "apt", by.clone(), packages.clone());
            let told = told(&event(What::Try(tried)));
            let expected = fate.map(|fate| GuardEvent {
                number: 3,
                times: 2,
                at: Timestamp(5),
                seen: Seen::Tried(Tried {
                    fate,
                    channel: "apt".to_owned(),
                    command: "apt full-upgrade".to_owned(),
                    parents: vec!["bash".to_owned(), "sshd".to_owned()],
                    unit: "session-3.scope".to_owned(),
                    login: "uid 1000".to_owned(),
                    packages: vec!["tea 1 -> 2 x".to_owned()],
                    more: 0,
                }),
            });
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn windows_and_control_are_told_as_they_were_seen() {
        let by = Asker {
            login: Some(0),
            ..Asker::default()
        };
        let allowed = What::Allowed {
            for_ms: 60_000,
            reason: "disk".to_owned(),
            by: by.clone(),
        };
        let files = vec!["/a".to_owned()];
        for (what, text) in [
            (allowed, "window opened by uid 0: disk, 2 times"),
            (What::Denied { by }, "window closed by uid 0, 2 times"),
            (What::ControlLost { files }, "control lost: /a, 2 times"),
            (What::ControlRegained, "control regained, 2 times"),
        ] {
            assert_eq!(told(&event(what)).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_channel_that_is_lost_is_named_with_its_file_and_why() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path()).unwrap();
        let written = |name: &str| Written {
            channel: "apt".to_owned(),
            path: format!("/{name}").into(),
            sha256: vec![Digest::of(name)],
        };
        let manifest = Manifest {
            format: FORMAT,
            settings: GuardSettings {
                mode: Mode::Enforce,
                ..GuardSettings::default()
            },
            run_dir: folder.path().to_owned(),
            files: vec![written("a"), written("b")],
            folders: Vec::new(),
        };
        fs::write(root.join("a"), "x").unwrap();
        let lost = ["/a".to_owned(), "/b".to_owned()];
        let overridden = ["/b".to_owned()];
        let state = state(&root, Some(&manifest), &lost, &overridden);
        assert_eq!(state.mode, GuardMode::Enforce);
        let said: Vec<String> = state.lost.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "apt: /a is not what the guard wrote",
                "apt: /b is missing",
                "apt: /b holds nothing"
            ]
        );
        let none = super::state(&root, None, &[], &[]);
        assert_eq!(none, GuardState::default());
    }
}
