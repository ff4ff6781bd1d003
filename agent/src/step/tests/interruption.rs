//! Steps that are cut short, as by kill -9.

use super::{
    tool::{Tool, both, tool},
    *,
};
use crate::{
    host::{
        command::{Command, LocalFuture, Output, RunError},
        leftover,
    },
    packages::{RUNNING, lab::Deb},
    patience::eventually,
};
use std::{
    cell::Cell,
    os::unix::process::CommandExt,
    process::{Child, Stdio},
    time::Duration,
};
use tokio::sync::Notify;

/// Cuts apply off after ever more of its outside programs, as a kill would, and ends it each time
/// by another start of the agent: forward with even counts, back with odd ones.
#[tokio::test]
async fn an_apply_that_is_cut_short_anywhere_can_be_ended_or_undone() {
    let host = Tool::new();
    let order = host.order();
    steps(&host.lab).stage(&request(&order)).await.unwrap();
    for cut_after in 0..40 {
        let apply = async |steps: &Steps| assert!(steps.apply(&order).await.is_ok());
        let ended = cut_short(&host.lab, cut_after, apply).await;
        if cut_after % 2 == 0 {
            steps(&host.lab).apply(&order).await.unwrap();
            assert_eq!(host.versions(), both("2"), "cut after {cut_after}");
        }
        steps(&host.lab).rollback(&order).await.unwrap();
        assert_eq!(host.versions(), both("1"), "cut after {cut_after}");
        if ended {
            assert!(cut_after > 5, "apply runs more programs than {cut_after}");
            return;
        }
    }
    panic!("apply never ends");
}

/// Lets one life of the agent do something, and ends it after so many of its outside programs.
/// Whether it came to its end.
pub(super) async fn cut_short(lab: &Lab, after: usize, act: impl AsyncFnOnce(&Steps)) -> bool {
    let cut = Rc::new(CutShort::after(after));
    let steps = steps_by(lab, cut.clone());
    tokio::select! {
        biased;
        () = act(&steps) => true,
        () = cut.reached() => false,
    }
}

pub(super) fn steps_by(lab: &Lab, runner: Rc<dyn Runner>) -> Steps {
    let outside = Outside {
        found: telling::channel().0,
        gates: Vec::new(),
        drift: undrifted(&lab.settings()),
        runner,
        space: Rc::new(space::Kernel),
        artefacts: Rc::new(scripted::Scripted::default()),
    };
    Steps::open(lab.settings(), outside).unwrap()
}

/// Runs some programs and then none for ever, but begins each last one: as if the agent had died
/// while it ran.
struct CutShort {
    left: Cell<usize>,
    reached: Notify,
}

impl CutShort {
    fn after(count: usize) -> Self {
        Self {
            left: Cell::new(count),
            reached: Notify::new(),
        }
    }

    async fn reached(&self) {
        self.reached.notified().await;
    }
}

impl Runner for CutShort {
    fn run<'a>(&'a self, command: &'a Command) -> LocalFuture<'a, Result<Output, RunError>> {
        Box::pin(async move {
            if let Some(left) = self.left.get().checked_sub(1) {
                self.left.set(left);
                return Processes.run(command).await;
            }
            // Half of the time a program has for its work, it gets.
            let brief = command.clone().deadline(Duration::from_millis(30));
            drop(Processes.run(&brief).await);
            self.reached.notify_one();
            std::future::pending().await
        })
    }
}

#[tokio::test]
async fn what_an_interrupted_dpkg_left_is_put_right_first() {
    let host = Tool::new();
    host.lab.install(&[Deb::new("other", "1")]);
    set_state(&host.lab, "other", "half-configured");
    let order = host.order();
    let steps = steps(&host.lab);
    steps.stage(&request(&order)).await.unwrap();
    assert_eq!(host.versions(), both("1"), "staging changes nothing");
    fs::write(host.lab.path("root/var/lib/dpkg/updates/0001"), "").unwrap();
    steps.apply(&order).await.unwrap();
    assert_eq!(host.versions(), both("2"));
    let database = host.lab.apt().database().await.unwrap();
    assert_eq!(database.version("other"), Some("1"));
}

/// `tool` needs `data` of its own version, and dpkg changes one of them first.
#[tokio::test]
async fn a_dpkg_that_died_between_two_packages_that_need_each_other_is_ended_by_the_apply() {
    let data = |version| Deb::new("data", version);
    for (unpacked, tool_too) in [(data("2"), false), (data("2"), true), (tool("2"), false)] {
        let host = Tool::new();
        let order = host.order();
        let steps = steps(&host.lab);
        steps.stage(&request(&order)).await.unwrap();
        // It begins, and dies.
        let begun = steps_by(&host.lab, Rc::new(Lazy)).apply(&order).await;
        begun.unwrap_err();
        host.lab.unpack(&[unpacked]);
        if tool_too {
            // As in the script of the new one that runs before it is unpacked.
            set_state(&host.lab, "tool", "unpacked");
        }
        steps.apply(&order).await.unwrap();
        assert_eq!(host.versions(), both("2"), "{} {tool_too}", unpacked.name);
        steps.rollback(&order).await.unwrap();
        assert_eq!(host.versions(), both("1"), "{} {tool_too}", unpacked.name);
    }
}

/// Writes into dpkg's database that an installed package is in another state.
fn set_state(lab: &Lab, package: &str, state: &str) {
    let path = lab.path("root/var/lib/dpkg/status");
    let status = fs::read_to_string(&path).unwrap();
    let line = |state: &str| format!("Package: {package}\nStatus: install ok {state}\n");
    let changed = status.replace(&line("installed"), &line(state));
    assert_ne!(changed, status, "{package} was installed");
    fs::write(path, changed).unwrap();
}

#[tokio::test]
async fn an_apt_that_says_it_did_and_did_not_is_not_believed() {
    let host = Tool::new();
    let steps = steps_by(&host.lab, Rc::new(Lazy));
    let failure = steps.apply(&host.order()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::PackageManager, "{failure}");
    assert!(
        failure.detail.contains("tool is at 1 instead of 2"),
        "{failure}"
    );
}

/// The agent is killed while a script hangs, and dpkg with the script lives on.
#[tokio::test]
async fn a_script_that_hangs_and_outlives_its_agent_is_ended_at_its_deadline() {
    for goes_back_at_once in [false, true] {
        let lab = Lab::new();
        lab.run_scripts_without_chroot();
        let one = Deb::new("tea", "1");
        lab.install(&[one]);
        lab.publish(one);
        let hangs = Deb::new("tea", "2").with_postinst("touch $DPKG_ROOT/began; sleep 600");
        let mut order = order("r2", packages(&[lab.publish(hangs)]));
        order.deadlines.script = Duration::from_secs(1);
        steps(&lab).stage(&request(&order)).await.unwrap();
        let begun = steps_by(&lab, Rc::new(Lazy)).apply(&order).await;
        begun.unwrap_err();
        let mut dpkg = lab.dpkg();
        dpkg.arg("--install").arg(lab.path("repo/tea_2_all.deb"));
        let mut dpkg = left_at_work(&lab, &mut dpkg);
        eventually("the script to begin", || lab.path("root/began").exists());
        if !goes_back_at_once {
            let failure = steps(&lab).apply(&order).await.unwrap_err();
            assert_eq!(failure.kind, FailureKind::MaintainerScript, "{failure}");
            let said = "the postinst of tea ran longer than 1 s";
            assert!(failure.detail.starts_with(said), "{failure}");
        }
        steps(&lab).rollback(&order).await.unwrap();
        assert!(!dpkg.wait().unwrap().success());
        assert_eq!(lab.installed_file("tea").as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn a_dpkg_that_outlives_its_agent_for_ever_is_ended_on_the_way_back() {
    let host = Tool::new();
    let mut order = host.order();
    order.deadlines.apply = Duration::from_secs(4);
    steps(&host.lab).apply(&order).await.unwrap();
    let mut sleep = std::process::Command::new("sleep");
    let mut left = left_at_work(&host.lab, sleep.arg("600"));
    steps(&host.lab).rollback(&order).await.unwrap();
    assert!(!left.wait().unwrap().success());
    assert_eq!(host.versions(), both("1"));
}

/// Starts a program as if an agent had, which has died since.
fn left_at_work(lab: &Lab, program: &mut std::process::Command) -> Child {
    let program = program.stdout(Stdio::null()).stderr(Stdio::null());
    let child = program.process_group(0).spawn().unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    leftover::write_down(&lab.path("state").join(RUNNING), pid).unwrap();
    child
}

/// Runs `true` in place of every installation.
struct Lazy;

impl Runner for Lazy {
    fn run<'a>(&'a self, command: &'a Command) -> LocalFuture<'a, Result<Output, RunError>> {
        Box::pin(async move {
            if command.args.iter().any(|arg| arg == "--yes") {
                return Processes.run(&Command::new("true")).await;
            }
            Processes.run(command).await
        })
    }
}
