//! Hooks, at each of their points.

use super::*;
use crate::flag::{FILE_NAME, FlagState, State};
use std::{path::Path, time::Duration};

/// A host with hooks, which write down what they were told.
struct Host {
    lab: Lab,
    order: Order,
}

impl Host {
    fn new() -> Self {
        let mut order = order("practice", Content::Noop);
        order.stable_for = Duration::from_millis(100);
        order.first_answer = Duration::ZERO;
        let host = Self {
            lab: Lab::new(),
            order,
        };
        for point in ["pre-drain", "post-drain", "pre-apply", "post-verify"] {
            host.hook(point, "50-note", "");
        }
        host
    }

    /// A hook that notes its step, and then does something.
    fn hook(&self, point: &str, name: &str, then: &str) {
        let folder = self.lab.path("hooks").join(format!("{point}.d"));
        fs::create_dir_all(&folder).unwrap();
        let noted = self.lab.path("noted");
        let script = format!(
            "#!/bin/sh\necho \"$COFFERDAM_STEP {name}\" >>{}\n{then}\n",
            noted.display()
        );
        let path = folder.join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    fn steps(&self) -> Steps {
        steps(&self.lab)
    }

    /// Goes through a run until a step fails.
    async fn run(&self) -> Result<(), Failure> {
        let steps = self.steps();
        steps.stage(&request(&self.order)).await?;
        steps.drain(&self.order).await?;
        steps.apply(&self.order).await?;
        steps.verify(&self.order).await?;
        steps.readmit(&self.order).await
    }

    fn noted(&self) -> Vec<String> {
        let noted = fs::read_to_string(self.lab.path("noted")).unwrap_or_default();
        noted.lines().map(str::to_owned).collect()
    }

    fn transcript(&self, step: &str) -> String {
        let folder = self.lab.path("state/transcripts/practice");
        fs::read_to_string(folder.join(format!("{step}.log"))).unwrap()
    }

    fn flag(&self) -> FlagState {
        State::read(&self.lab.path("run").join(FILE_NAME))
            .unwrap()
            .flag
    }
}

#[tokio::test]
async fn the_hooks_of_a_run_come_at_their_points_in_order_of_names() {
    let host = Host::new();
    host.hook("pre-drain", "10-first", "");
    host.hook("pre-drain", "90-last~", "exit 1");
    host.run().await.unwrap();
    assert_eq!(
        host.noted(),
        [
            "pre-drain 10-first",
            "pre-drain 50-note",
            "post-drain 50-note",
            "pre-apply 50-note",
            "post-verify 50-note",
        ]
    );
    assert_eq!(host.flag(), FlagState::Up);
}

#[tokio::test]
async fn a_hook_that_ends_badly_ends_its_step_and_says_why() {
    for (point, runs_before) in [
        ("pre-drain", 1),
        ("post-drain", 2),
        ("pre-apply", 3),
        ("post-verify", 4),
    ] {
        let host = Host::new();
        host.hook(
            point,
            "60-no",
            "echo starting; echo the queue is full >&2; exit 3",
        );
        host.hook(point, "70-after", "");
        let failure = host.run().await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Hook);
        let says = format!("{point}.d/60-no ended with status 3: the queue is full");
        assert!(failure.detail.ends_with(&says), "{failure}");
        assert_eq!(host.noted().len(), runs_before + 1, "{point}");
        let transcript = host.transcript(point);
        assert!(
            transcript.ends_with("starting\nthe queue is full\n[status 3]\n"),
            "{transcript}"
        );
    }
}

#[tokio::test]
async fn a_hook_that_stops_a_run_leaves_the_host_as_it_was() {
    let host = Host::new();
    host.steps().restore(Flag::Up).await.unwrap();
    host.steps().admit().await;
    host.hook("pre-drain", "60-no", "exit 1");
    host.run().await.unwrap_err();
    assert_eq!(host.flag(), FlagState::Up, "it was not even drained");
    host.hook("pre-drain", "60-no", "");
    host.hook("pre-apply", "60-no", "exit 1");
    host.run().await.unwrap_err();
    assert_eq!(host.flag(), FlagState::Draining, "nothing was cut off");
    host.steps().rollback(&host.order).await.unwrap();
    assert_eq!(
        host.steps().records.before(&rollout("practice")).unwrap(),
        None
    );
}

#[tokio::test]
async fn a_host_that_went_back_or_was_changed_already_is_not_stopped() {
    let host = Host::new();
    host.steps().apply(&host.order).await.unwrap();
    // The agent died behind the point of no return: apply goes on, whatever hooks say.
    host.hook("pre-apply", "60-no", "exit 1");
    host.steps().apply(&host.order).await.unwrap();
    host.steps().rollback(&host.order).await.unwrap();
    host.hook("post-verify", "60-no", "exit 1");
    host.steps().verify(&host.order).await.unwrap();
    assert_eq!(host.noted(), ["pre-apply 50-note"]);
}

#[tokio::test]
async fn only_what_root_alone_can_change_is_run() {
    for (mode, folder_mode, hooks_mode, why) in [
        (
            0o775,
            0o755,
            0o755,
            "can be written by its group or by others",
        ),
        (0o644, 0o755, 0o755, "is not executable"),
        (0o755, 0o777, 0o755, "stands in"),
        (0o755, 0o755, 0o777, "stands in"),
    ] {
        let host = Host::new();
        let hooks = host.lab.path("hooks");
        let set = |path: &Path, mode| {
            fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        };
        set(&hooks.join("pre-drain.d/50-note"), mode);
        set(&hooks.join("pre-drain.d"), folder_mode);
        set(&hooks, hooks_mode);
        let failure = host.run().await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Hook, "{failure}");
        assert!(failure.detail.contains("pre-drain.d/50-note"), "{failure}");
        assert!(failure.detail.contains(why), "{failure}");
        assert!(host.noted().is_empty());
    }
}

#[tokio::test]
async fn a_hook_is_killed_at_its_deadline_and_at_that_of_its_step() {
    for (hook_deadline, drain) in [(1, 300), (300, 2)] {
        let mut host = Host::new();
        host.hook("pre-drain", "60-hang", "echo begun; sleep 600 & wait");
        host.order.deadlines.drain = Duration::from_secs(drain);
        let mut settings = host.lab.settings();
        settings.hook_deadline = Duration::from_secs(hook_deadline);
        let artefacts = scripted::Scripted::default();
        let steps = steps_with(settings, Rc::new(space::Kernel), artefacts);
        let failure = steps.drain(&host.order).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Hook, "{failure}");
        assert!(failure.detail.contains("60-hang"), "{failure}");
        let transcript = host.transcript("pre-drain");
        assert!(transcript.contains("begun\n[`"), "{transcript}");
    }
}

#[tokio::test]
async fn what_a_hook_says_is_kept_by_its_ends() {
    let host = Host::new();
    host.hook(
        "pre-drain",
        "60-chatty",
        "yes | head -c 3000000; echo the end",
    );
    host.steps().drain(&host.order).await.unwrap();
    let transcript = host.transcript("pre-drain");
    assert!(transcript.len() < 100_000, "{}", transcript.len());
    assert!(transcript.contains("bytes left out") && transcript.ends_with("the end\n[status 0]\n"));
}

#[tokio::test]
async fn a_hook_that_a_dead_agent_left_is_ended_before_it_runs_again() {
    let host = Host::new();
    let begun = host.lab.path("begun");
    let hang = format!(
        "test -e {0} && exit 0; echo $$ >{0}; sleep 600",
        begun.display()
    );
    host.hook("pre-drain", "60-hang", &hang);
    let steps = host.steps();
    // Not dropped: nobody kills what an agent leaves that dies.
    let mut drain = Box::pin(steps.drain(&host.order));
    let until_begun = async {
        while !fs::read_to_string(&begun).is_ok_and(|pid| pid.ends_with('\n')) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        biased;
        ended = &mut drain => panic!("{ended:?}"),
        begun = tokio::time::timeout(Duration::from_secs(30), until_begun) => begun.unwrap(),
    }
    let again = host.steps();
    again.drain(&host.order).await.unwrap();
    drain.await.unwrap_err();
    assert_eq!(host.noted().len(), 5);
}
