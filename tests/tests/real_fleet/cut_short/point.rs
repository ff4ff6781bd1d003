//! The steps of a run at which a host is hurt, and how it is known that one is there.

use cofferdam_engine::run::{Ending, RunState};
use cofferdam_tests::{evidence, real_fleet::host::Host};
use std::{fs, os::unix::fs::PermissionsExt as _};

/// Where the host's own programs look for the step that they stop at, ...
const STOP_AT: &str = "root/stop-at";

/// ... say that they are there, ...
const IS_THERE: &str = "root/is-there";

/// ... and see that they are let go. All of it survives a power cut.
const GO: &str = "root/go";

/// Says that the second version is not well.
const BAD: &str = "root/bad";

/// Stops until it is let go, where it is the host's step.
const STOP: &str = "#!/bin/sh\ntest \"$(cat /root/stop-at 2>/dev/null)\" = \"$1\" || exit 0\n\
                    touch /root/is-there\nwhile ! test -e /root/go; do sleep 0.1; done\n";

/// A session that ends when it is let go.
const SESSIONS: &str = "#!/bin/sh\n\
    if test \"$(cat /root/stop-at)\" = sessions && ! test -e /root/go; then\n\
    touch /root/is-there; echo 1; else echo 0; fi\n";

/// Passes for the first version, and for the second when it is let go and nothing else is wished for.
const CHECK: &str = "#!/bin/sh\ntest \"$(cat /usr/share/tea/version)\" = 2 || exit 0\n\
    test -e /root/bad && { echo the tea is bad; exit 1; }\n\
    test \"$(cat /root/stop-at)\" = check || exit 0\n\
    touch /root/is-there; test -e /root/go || { echo the tea draws; exit 1; }\n";

/// How it is known that a run is at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// A program of the host stopped there.
    Stopped,
    /// The agent's journal says that the run is in this state.
    State(RunState),
    /// A file of the agent's own has this part, or is there at all.
    File(&'static str, &'static str),
}

/// A step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    /// Its name, by which the host's own programs know it.
    pub(super) name: &'static str,
    sign: Sign,
    /// How the run ends when it is cut short there.
    pub(super) ends: Ending,
    /// Whether its rollout reboots hosts.
    pub(super) reboots: bool,
}

const fn forward(name: &'static str, sign: Sign) -> Point {
    Point {
        name,
        sign,
        ends: Ending::Patched,
        reboots: false,
    }
}

const fn back(name: &'static str, sign: Sign) -> Point {
    Point {
        ends: Ending::RolledBack,
        ..forward(name, sign)
    }
}

/// All steps, in the order of a run that is not well with what is new.
pub(super) const POINTS: [Point; 19] = [
    forward("stage", Sign::File("keep/incoming/{}", "")),
    forward("claim", Sign::State(RunState::Claiming)),
    forward("pre-drain", Sign::Stopped),
    forward("drain", Sign::State(RunState::Draining)),
    forward("sessions", Sign::Stopped),
    forward("post-drain", Sign::Stopped),
    forward("drained", Sign::State(RunState::Drained)),
    forward("pre-apply", Sign::Stopped),
    forward("preinst", Sign::Stopped),
    forward("postinst", Sign::Stopped),
    forward(
        "installed",
        Sign::File("transcripts/{}/apply.log", "[status 0]"),
    ),
    Point {
        reboots: true,
        ..forward("reboot", Sign::State(RunState::Rebooting))
    },
    forward("check", Sign::Stopped),
    forward("post-verify", Sign::Stopped),
    forward(
        "readmit",
        Sign::State(RunState::Readmitting(Ending::Patched)),
    ),
    back("back-preinst", Sign::Stopped),
    back("back-postinst", Sign::Stopped),
    back("back-verify", Sign::State(RunState::VerifyingRollback)),
    back(
        "back-readmit",
        Sign::State(RunState::Readmitting(Ending::RolledBack)),
    ),
];

impl Point {
    /// Lets a host's own programs stop at this step, and nothing be well that is to go back.
    pub(super) fn arrange(&self, host: &Host) {
        host.write(STOP_AT, self.name).unwrap();
        if self.ends == Ending::RolledBack {
            host.write(BAD, "").unwrap();
        }
    }

    /// Whether the host is at this step, or was.
    pub(super) fn is_reached(&self, host: &Host) -> bool {
        let agent = host.root().join("var/lib/cofferdam-agent");
        match self.sign {
            Sign::Stopped => host.root().join(IS_THERE).exists(),
            Sign::State(state) => {
                let orders = evidence::orders(&agent.join("journal"));
                orders.values().any(|told| told.states.contains(&state))
            }
            Sign::File(name, part) => {
                let path = agent.join(name.replace("{}", host.name().as_str()));
                let has = |text: String| text.contains(part);
                path.is_dir() || fs::read_to_string(path).is_ok_and(has)
            }
        }
    }
}

/// Gives a host the programs that stop at a step.
pub(super) fn furnish(host: &Host) {
    let mut programs = vec![
        ("usr/local/bin/stop".to_owned(), STOP.to_owned()),
        (
            "etc/cofferdam/sessions.d/guests".to_owned(),
            SESSIONS.to_owned(),
        ),
        ("etc/cofferdam/checks.d/taste".to_owned(), CHECK.to_owned()),
    ];
    for name in ["pre-drain", "post-drain", "pre-apply", "post-verify"] {
        let path = format!("etc/cofferdam/hooks/{name}.d/stop");
        programs.push((
            path,
            format!("#!/bin/sh\nexec /usr/local/bin/stop {name}\n"),
        ));
    }
    for (path, program) in programs {
        host.write(&path, program).unwrap();
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(host.root().join(path), executable).unwrap();
    }
}

/// Lets a host go on from its step.
pub(super) fn let_go(host: &Host) {
    host.write(GO, "").unwrap();
}
