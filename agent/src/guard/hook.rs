//! What a package manager's hook does: a short process that asks nobody and decides from a few files.
//!
//! ```text
//! apt    DPkg::Pre-Install-Pkgs   packages on its input     an apt that passes lets its dpkg pass too
//! dpkg   pre-invoke               its parent's command line
//! dnf    a plugin, or dnf5's      names on its input
//! unit   ExecCondition            the unit's name
//! ```
//!
//! It ends with 0 to let pass, 1 to refuse, 2 when it cannot tell. Drop-ins of a guard that must never
//! block (`observe`, `open`) let everything pass but 1.

pub mod apt;
pub mod dpkg;
pub mod transaction;

use super::{
    asker::Asker,
    decision::{Decision, Found},
    events::{self, Try, What},
    life,
    manifest::{Manifest, ManifestError},
    places::Places,
    refusal,
    reserved::Reserved,
    window::Window,
};
use crate::host::{leftover, process_table};
use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
    thread,
    time::Duration,
};
use transaction::{Target, Transaction};

/// The most bytes that are read of what a package manager says: apt's configuration has 60 KB (measured).
const MOST_INPUT: u64 = 8 << 20;

/// How long a change of the agent's own may take to be written down: it is started first (guess).
const WRITTEN_DOWN_WITHIN: Duration = Duration::from_secs(1);

/// The wait between two looks for it.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The agent's program, as the kernel shows its name.
const AGENT: &str = "cofferdam-agent";

/// The way by which a hook is called.
#[derive(Debug, Clone, PartialEq, Eq, clap::Subcommand)]
pub enum Channel {
    /// By apt, with packages on the input.
    Apt,
    /// By dpkg.
    Dpkg,
    /// By dnf 4, with names of packages on the input.
    Dnf,
    /// By dnf 5.
    Dnf5,
    /// By systemd, before a unit starts.
    Unit {
        /// The unit, as in `apt-daily-upgrade.service`.
        name: String,
    },
}

/// Decides about what called this process, writes it down, and says a refusal on the standard error.
///
/// # Errors
/// [`ManifestError`] when the guard's settings cannot be read: only what the agent itself does can be told
/// then, and passes.
pub fn decide(channel: &Channel, state_dir: &Path) -> Result<Decision, ManifestError> {
    let (asker, transaction) = hear(channel);
    // Neither asks for the manifest: where that is lost, what was ordered still passes.
    let own_change = Places::new(state_dir, Path::new("")).own_change();
    if transaction.target == Target::Elsewhere || is_own(&own_change, &asker) {
        return Ok(Decision::Covered);
    }
    let manifest = Manifest::require(state_dir)?;
    let places = Places::new(state_dir, &manifest.run_dir);
    let names = transaction.names.iter().flatten().map(String::as_str);
    let found = Found {
        // An apt is always asked: one process, such as PackageKit's, makes one transaction after another.
        covered: *channel == Channel::Dpkg && belongs(&asker, &places.let_pass()),
        window: matches!(Window::find(&places), Ok(Some(_))),
        reserved: matches!(Reserved::find(&places), Ok(Some(_))),
        exempt: manifest.settings.exempts(names),
        agent: life::state(&places),
    };
    let decision = Decision::make(&manifest.settings, found);
    let decision = match channel {
        Channel::Unit { .. } => decision.of_unit(),
        Channel::Apt | Channel::Dpkg | Channel::Dnf | Channel::Dnf5 => decision,
    };
    // What belongs to a change that was let pass says nothing new.
    if decision.passes() && !found.covered {
        remember(&places.passed(), &asker);
        if *channel == Channel::Apt {
            remember(&places.let_pass(), &asker);
        }
    }
    if decision != Decision::Covered {
        tell(
            &places,
            Try::new(decision, channel.name(), asker, transaction.packages),
        );
    }
    Ok(decision)
}

impl Channel {
    /// Its name in events.
    fn name(&self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Dpkg => "dpkg",
            Self::Dnf | Self::Dnf5 => "dnf",
            Self::Unit { .. } => "unit",
        }
    }
}

/// Who asks, and for what.
fn hear(channel: &Channel) -> (Asker, Transaction) {
    match channel {
        Channel::Apt => {
            let said = input();
            (Asker::of_this_process(), apt::parse(&said))
        }
        Channel::Dnf => {
            let names: Vec<String> = input().lines().map(super::asker::printable).collect();
            let transaction = Transaction {
                packages: names.clone(),
                names: Some(names),
                target: Target::Machine,
            };
            (Asker::of_this_process(), transaction)
        }
        Channel::Dnf5 => (Asker::of_this_process(), Transaction::default()),
        Channel::Dpkg => {
            let asker = Asker::of_this_process();
            let pid = asker.manager().map_or(0, |process| process.pid);
            let arguments = process_table::arguments(pid);
            let transaction = dpkg::parse(arguments.get(1..).unwrap_or_default());
            (asker, transaction)
        }
        Channel::Unit { name } => (Asker::of_unit(name), Transaction::default()),
    }
}

/// All of the input, so that whoever writes it is not cut off, and as much of it as is read.
fn input() -> String {
    let mut stdin = io::stdin().lock();
    let mut bytes = Vec::new();
    // What cannot be read was not said: the packages are then not known.
    stdin.by_ref().take(MOST_INPUT).read_to_end(&mut bytes).ok();
    io::copy(&mut stdin, &mut io::sink()).ok();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether the asker belongs to the agent's own change, which is written down in this file.
fn is_own(file: &Path, asker: &Asker) -> bool {
    if belongs(asker, file) {
        return true;
    }
    // The agent starts a program first and writes it down second.
    let by_agent = asker.processes.iter().any(|process| process.name == AGENT);
    let mut waited = Duration::ZERO;
    while by_agent && waited < WRITTEN_DOWN_WITHIN {
        thread::sleep(LOOK_EVERY);
        waited = waited.saturating_add(LOOK_EVERY);
        if belongs(asker, file) {
            return true;
        }
    }
    false
}

fn belongs(asker: &Asker, file: &Path) -> bool {
    // What cannot be read covers nobody.
    let holder = leftover::find(file).ok().flatten();
    holder.is_some_and(|holder| asker.descends_from(holder.pid))
}

/// Remembers who was let pass: an apt, so that its dpkg passes too, and anyone, so that the agent looks at
/// what was changed.
fn remember(file: &Path, asker: &Asker) {
    let Some(manager) = asker.manager() else {
        return;
    };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).ok();
    }
    // Not remembered: its parts are asked about again, and pass for the same reason; what it changed is seen
    // within the hour.
    leftover::write_down(file, manager.pid).ok();
}

/// Writes it down, and says it to whoever has to know.
fn tell(places: &Places, tried: Try) {
    let mut message = refusal::message(&tried);
    if let Err(error) = events::record(places, What::Try(tried)) {
        let why = cofferdam_proto::error_chain(&error);
        message += &format!("cofferdam-agent: it could not be written down: {why}\n");
    }
    // A terminal that is gone hears nothing.
    io::stderr().lock().write_all(message.as_bytes()).ok();
}

#[cfg(test)]
mod tests;
