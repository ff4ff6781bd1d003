//! Maintainer scripts, each with its own deadline.
//!
//! dpkg and rpm wait for a script for ever. A watch beside it ends a script that is late, with all that the
//! script started: its children, and what left its group but still has the mark that dpkg puts into
//! the environment of a script. dpkg then fails as it does for any script that fails.

use super::waiting;
use crate::host::{leftover, process_table};
use cofferdam_engine::failure::{Failure, FailureKind};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use process_table::Entry;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    path::Path,
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// The wait between two looks at the processes (guess).
const POLL: Duration = Duration::from_secs(1);

/// Where dpkg keeps the scripts of installed packages, and of one that it unpacks.
const FOLDERS: [&str; 2] = ["/var/lib/dpkg/info/", "/var/lib/dpkg/tmp.ci/"];

/// Where rpm writes a script that it runs. It gives it neither a name nor a mark.
const OF_RPM: &str = "/var/tmp/rpm-tmp.";

/// The names of scripts, or their endings.
const NAMES: [&str; 4] = ["preinst", "postinst", "prerm", "postrm"];

/// What dpkg says in the environment of a script: of which package it is, and which one.
const PACKAGE: &str = "DPKG_MAINTSCRIPT_PACKAGE";
const NAME: &str = "DPKG_MAINTSCRIPT_NAME";

/// The scripts that were late, as in `the postinst of tea`.
pub type Ended = RefCell<BTreeSet<String>>;

/// Does a change of packages, with a watch over its scripts. One that fails by a late script says which.
///
/// # Errors
/// Those of the change.
pub(super) async fn watched<T>(
    change: impl Future<Output = Result<T, Failure>>,
    running: &Path,
    deadline: Duration,
) -> Result<T, Failure> {
    let ended = Ended::default();
    let done = beside_watch(change, running, deadline, &ended).await;
    done.map_err(|failure| explained(failure, &ended, deadline))
}

/// Waits, no longer than `limit`, for a change that an earlier agent began and did not see the end of, with a
/// watch over its scripts as if it were begun now.
///
/// # Errors
/// [`FailureKind::Locked`] when it is not over by then, and [`FailureKind::MaintainerScript`] when a script was
/// late: then it is over.
pub(super) async fn seen_out(
    running: &Path,
    limit: Duration,
    deadline: Duration,
) -> Result<(), Failure> {
    let ended = Ended::default();
    let over = waiting::until_free(|| Ok(leftover::find(running)?), limit);
    beside_watch(over, running, deadline, &ended).await?;
    if ended.borrow().is_empty() {
        return Ok(());
    }
    let left = Failure::new(
        FailureKind::MaintainerScript,
        "an earlier start of the agent had begun the change",
    );
    Err(explained(left, &ended, deadline))
}

/// Does something with a watch over the scripts that run meanwhile.
async fn beside_watch<T>(
    work: impl Future<Output = T>,
    running: &Path,
    deadline: Duration,
    ended: &Ended,
) -> T {
    tokio::select! {
        biased;
        done = work => done,
        never = watch(running, deadline, ended) => match never {},
    }
}

/// A failure that a late script is the cause of says which script it was.
fn explained(failure: Failure, ended: &Ended, deadline: Duration) -> Failure {
    let ended = ended.borrow();
    if ended.is_empty() {
        return failure;
    }
    let late: Vec<&str> = ended.iter().map(String::as_str).collect();
    let detail = format!(
        "{} ran longer than {} s and was ended with all that it started; {}",
        late.join(", "),
        deadline.as_secs_f64(),
        failure.detail
    );
    Failure::new(FailureKind::MaintainerScript, detail)
}

/// Ends scripts that run longer than `deadline`, in the group of the process that `running` names,
/// and writes down which they were. Never ends by itself.
pub async fn watch(running: &Path, deadline: Duration, ended: &Ended) -> Infallible {
    let mut seen: BTreeMap<(i32, u64), Instant> = BTreeMap::new();
    loop {
        sleep(POLL.min(deadline)).await;
        let Ok(Some(leader)) = leftover::find(running) else {
            continue;
        };
        // Without a table there is nothing to watch.
        let table = process_table::all().unwrap_or_default();
        let mut now = BTreeMap::new();
        for script in scripts(&table, leader.pid) {
            let key = (script.pid, script.started);
            let since = *seen.get(&key).unwrap_or(&Instant::now());
            if since.elapsed() >= deadline {
                let name = name_of(script);
                tracing::warn!(name, "a maintainer script is late and is ended");
                ended.borrow_mut().insert(name);
                end_all_of(&table, script);
            }
            now.insert(key, since);
        }
        seen = now;
    }
}

/// The processes of a group that are maintainer scripts.
fn scripts(table: &[Entry], group: i32) -> impl Iterator<Item = &Entry> {
    table.iter().filter(move |entry| {
        entry.group == group
            && process_table::arguments(entry.pid)
                .iter()
                .any(|a| is_script(a))
    })
}

fn is_script(argument: &str) -> bool {
    argument.starts_with(OF_RPM) || is_of_dpkg(argument)
}

fn is_of_dpkg(argument: &str) -> bool {
    FOLDERS.iter().any(|folder| argument.contains(folder))
        && NAMES.iter().any(|name| argument.ends_with(name))
}

fn name_of(script: &Entry) -> String {
    let of = |name| process_table::variable(script.pid, name);
    match (of(NAME), of(PACKAGE)) {
        (Some(name), Some(package)) => format!("the {name} of {package}"),
        _ => format!("the script {}", script.name),
    }
}

/// Ends a script, its children, and what else runs with the mark of its package since it began.
fn end_all_of(table: &[Entry], script: &Entry) {
    let package = process_table::variable(script.pid, PACKAGE);
    end(table, script.pid);
    let Some(package) = package else { return };
    // Once more from the start: what was ended may have been about to start another.
    for entry in process_table::all().unwrap_or_default() {
        let is_marked = || process_table::variable(entry.pid, PACKAGE).as_ref() == Some(&package);
        if entry.started >= script.started && is_marked() {
            kill(Pid::from_raw(entry.pid), Signal::SIGKILL).ok();
        }
    }
}

/// Ends a process and its children, the deepest first.
fn end(table: &[Entry], pid: i32) {
    for child in table.iter().filter(|entry| entry.parent == pid) {
        end(table, child.pid);
    }
    // It may have ended meanwhile.
    kill(Pid::from_raw(pid), Signal::SIGKILL).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_known_by_its_path() {
        for script in [
            "/var/lib/dpkg/info/libc6:amd64.postinst",
            "/srv/r1/var/lib/dpkg/info/tool.prerm",
            "/var/lib/dpkg/tmp.ci/preinst",
        ] {
            assert!(is_script(script), "{script}");
        }
        for other in ["/usr/bin/dpkg", "/var/lib/dpkg/info/tool.list", "postinst"] {
            assert!(!is_script(other), "{other}");
        }
    }
}
