//! Whether a first boot has come to rest: systemd has started what it was to start, and nobody else is at work
//! on packages.
//!
//! An image that was unused for months upgrades itself just then, by cloud-init, a unit of the boot or a
//! timer. A host that was compared before that is not what it was compared as.

use crate::{
    host::{command::Runner, root::Root, unit::systemctl, unit_state::DEADLINE},
    packages::at_work,
};
use std::{rc::Rc, time::Duration};
use tokio::time::Instant;

/// How long an agent waits for it (guess: the upgrades of months take minutes). A unit that never ends must not
/// keep a host away for ever.
const WITHIN: Duration = Duration::from_secs(30 * 60);

/// What is asked about a boot.
pub(super) struct Rest {
    root: Root,
    /// Absent: nobody is there to ask systemd, and it is not asked.
    runner: Option<Rc<dyn Runner>>,
    until: Instant,
}

impl Rest {
    /// What is asked about the boot of a host, without asking systemd.
    pub(super) fn of(root: Root) -> Self {
        Self {
            root,
            runner: None,
            until: Instant::now() + WITHIN,
        }
    }

    /// The same, with somebody who asks systemd.
    pub(super) fn asking(self, runner: Rc<dyn Runner>) -> Self {
        let runner = Some(runner);
        Self { runner, ..self }
    }

    /// What is still under way and waited for. Absent: nothing.
    pub(super) async fn unrest(&self) -> Option<String> {
        let found = match self.package_manager() {
            Some(holder) => Some(holder),
            None => self.boot().await,
        };
        found.filter(|_| self.is_waited_for())
    }

    /// Who works on packages and is waited for. A lock that cannot be asked about keeps no host away.
    pub(super) fn package_manager(&self) -> Option<String> {
        let holder = at_work::holder(&self.root)?;
        let found = format!("packages are being changed: {holder}");
        self.is_waited_for().then_some(found)
    }

    fn is_waited_for(&self) -> bool {
        Instant::now() < self.until
    }

    /// What systemd is still starting. Without systemd, nothing is.
    async fn boot(&self) -> Option<String> {
        let runner = self.runner.as_ref().filter(|_| self.root.is_machine())?;
        let said = async |args: &[&str]| {
            let asked = systemctl(args).deadline(DEADLINE);
            let output = runner.run(&asked).await;
            output.map(|output| output.text()).unwrap_or_default()
        };
        let state = said(&["is-system-running"]).await;
        if !matches!(state.trim(), "initializing" | "starting") {
            return None;
        }
        let units = starting(&said(&["list-jobs", "--no-legend", "--no-pager"]).await);
        let units = if units.is_empty() { "units" } else { &units };
        Some(format!("the boot is not over: systemd is starting {units}"))
    }
}

/// The units that are being started, of what `systemctl list-jobs` prints.
fn starting(jobs: &str) -> String {
    let running = jobs.lines().filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        match columns[..] {
            [_, unit, "start", "running"] => Some(unit),
            _ => None,
        }
    });
    running.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{
        command::{Command, scripted::Scripted},
        locks::samples::Locker,
    };
    use std::{fs, process};

    /// As Debian 12 prints it.
    const JOBS: &str = "\
        143 cloud-final.service               start running\n\
        120 multi-user.target                 start waiting\n\
        133 upgrade-at-boot.service           start running\n\
        201 stopped.service                   stop  running\n";

    type Answer = fn(&Command) -> (i32, &'static str);

    async fn of_machine(answer: Answer) -> Option<String> {
        let rest = Rest::of(Root::machine()).asking(Rc::new(Scripted::new(answer)));
        rest.boot().await
    }

    #[tokio::test(start_paused = true)]
    async fn who_works_on_packages_is_waited_for_and_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path()).unwrap();
        let rest = Rest::of(root.clone());
        assert_eq!(rest.unrest().await, None);
        for lock in [
            "var/lib/dpkg/lock-frontend",
            "var/lib/apt/lists/lock",
            "usr/lib/sysimage/rpm/.rpm.lock",
            "var/lib/rpm/.rpm.lock",
        ] {
            fs::create_dir_all(root.join(lock).parent().unwrap()).unwrap();
            let upgrade = Locker::on(&root.join(lock));
            let said = rest.unrest().await.unwrap();
            assert!(said.starts_with("packages are being changed: "), "{said}");
            assert!(said.contains(lock) && said.contains("(perl)"), "{said}");
            drop(upgrade);
            assert_eq!(rest.unrest().await, None);
        }
        // dnf locks nothing: it writes down its process, and leaves that when it is killed.
        for file in [
            "var/lib/dnf/rpmdb_lock.pid",
            "var/cache/dnf/metadata_lock.pid",
        ] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), process::id().to_string()).unwrap();
            let said = rest.unrest().await.unwrap();
            assert!(said.contains(file), "{said}");
            fs::write(root.join(file), "garbage").unwrap();
            assert_eq!(rest.unrest().await, None);
        }
        let _upgrade = Locker::on(&root.join("var/lib/rpm/.rpm.lock"));
        tokio::time::advance(WITHIN - Duration::from_secs(1)).await;
        assert!(rest.unrest().await.is_some());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((rest.unrest().await, rest.package_manager()), (None, None));
    }

    #[tokio::test]
    async fn a_boot_is_over_once_systemd_says_so_and_what_it_starts_is_named() {
        let starting: Answer = |command| match command.to_string() {
            line if line.contains("list-jobs") => (0, JOBS),
            _ => (1, "starting\n"),
        };
        let said = of_machine(starting).await.unwrap();
        let named = "systemd is starting cloud-final.service, upgrade-at-boot.service";
        assert!(said.ends_with(named), "{said}");
        let over: [Answer; 3] = [
            |_| (0, "running\n"),
            |_| (1, "degraded\n"),
            |_| (1, "offline\n"),
        ];
        for answer in over {
            assert_eq!(of_machine(answer).await, None);
        }
    }
}
