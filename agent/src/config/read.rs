//! Reads the keys of a config file.

use super::{Settings, WarrantPolicy, drift, guard, labels, probe, responder, signals, traffic};
use crate::{
    drift::pattern::PatternError,
    host::settings::{HOOK_DEADLINE, LOCK_WAIT},
};
use cofferdam_engine::{
    document::{self, Mistakes, Table},
    duration::DurationError,
    id::{HostId, NameError},
    package::PackageFormat,
    traffic::RampStepsError,
};
use cofferdam_proto::{
    dial::{Place, Ways, WaysRefusal},
    tls::{AddressError, CredentialFiles},
};
use std::{collections::BTreeMap, num::NonZeroU32, path::PathBuf};

/// Every mistake of a config file.
pub type SettingsErrors = Mistakes<Refusal>;

/// Why a value is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is empty.
    #[error("it must not be empty")]
    Empty,
    /// It is not a host's name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It is not whom to dial, or how.
    #[error(transparent)]
    Dialled(#[from] WaysRefusal),
    /// It is not where an application can be.
    #[error(transparent)]
    Peer(#[from] AddressError),
    /// It is not an address to listen on.
    #[error("`{0}` is not an address with a port, as in \"0.0.0.0:9100\"")]
    Address(String),
    /// Two ports of the health responder are one.
    #[error("it must not be the address of `health`")]
    SamePort,
    /// It is not an absolute path.
    #[error("`{0}` is not an absolute path")]
    Relative(String),
    /// It is not a duration.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// The longest wait is shorter than the shortest.
    #[error("it must not be shorter than `at_least`")]
    EndsBeforeItBegins,
    /// Labels that decide floors are missing.
    #[error("{0} missing: they decide in which cell and groups the host is")]
    LabelsMissing(String),
    /// A probe asks neither or both of its two questions.
    #[error("a probe has either `tcp` or `http`")]
    OneQuestion,
    /// A TCP probe hears nothing that could have a body.
    #[error("only a probe with `http` is answered with a body")]
    NoBody,
    /// It is not the URL of a probe.
    #[error("`{0}` is not a URL that can be probed, as in \"http://127.0.0.1:8080/health\"")]
    Url(String),
    /// It is neither a status nor a range of them.
    #[error("`{0}` is not a status or a range of them, as in \"204\" or \"200-299\"")]
    Statuses(String),
    /// A name stands twice.
    #[error("`{0}` stands here twice")]
    Twice(String),
    /// A validate command does not say where the candidate goes.
    #[error("no argument holds `{FILE}`, which stands for the file to validate")]
    NoFile,
    /// It is not a unit's name.
    #[error(
        "`{0}` is not the name of a unit, or the beginning of one and `*`, as in \"docker.service\""
    )]
    Unit(String),
    /// It is not a unit's whole name.
    #[error("`{0}` is not the whole name of a unit, as in \"nginx.service\"")]
    UnitName(String),
    /// It is not the name of a host.
    #[error("`{0}` is not the name of a host, as in \"deb.debian.org\"")]
    HostName(String),
    /// It is not a share that a host can have left.
    #[error("`{0}` is not a share below all, as in \"5%\"")]
    Share(String),
    /// The signal that it is for is turned off.
    #[error("`off` has \"{0}\"")]
    IsOff(&'static str),
    /// It is not where an HAProxy has its statistics.
    #[error(
        "`{0}` is neither the URL of HAProxy's CSV, as in \"http://10.0.0.5:8404/stats;csv\", nor the \
         path of its socket"
    )]
    Statistics(String),
    /// It is not a package's name.
    #[error(
        "`{0}` is not the name of a package, or the beginning of one and `*`, as in \"puppet-*\""
    )]
    Package(String),
    /// They are no steps of a ramp.
    #[error(transparent)]
    RampSteps(#[from] RampStepsError),
    /// It is not a pattern of files.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

/// What stands for the candidate in a validate command.
const FILE: &str = "{file}";

/// The words for whose packages a host has.
const PACKAGE_MANAGERS: [(&str, PackageFormat); 2] =
    [("apt", PackageFormat::Deb), ("dnf", PackageFormat::Rpm)];

/// The words for whether orders need a warrant that the control plane signed.
const WARRANTS: [(&str, WarrantPolicy); 2] = [
    ("off", WarrantPolicy::Off),
    ("required", WarrantPolicy::Required),
];

/// Where the package's units have their folders.
pub const STATE_DIR: &str = "/var/lib/cofferdam-agent";
/// The same, for what ends with a reboot.
pub const RUN_DIR: &str = "/run/cofferdam";
const CHECKS_DIR: &str = "/etc/cofferdam/checks.d";
const SESSIONS_DIR: &str = "/etc/cofferdam/sessions.d";
const HOOKS_DIR: &str = "/etc/cofferdam/hooks";

impl Settings {
    /// Reads the text of a config file; `file` is what its mistakes call it.
    ///
    /// # Errors
    /// Every mistake of the file, when there is any.
    pub fn parse(file: &str, text: &str) -> Result<Self, SettingsErrors> {
        document::read(file, text, read)
    }
}

fn read(mut top: Table<'_, Refusal>) -> Option<Settings> {
    let host = top.text("host", |name| HostId::new(name));
    let coordinators = coordinators(&mut top);
    let ways = Ways::read(&mut top);
    let credentials = credentials(&mut top);
    top.require("trust_domain", "trust_domain = \"example.org\"");
    let trust_domain = top.text("trust_domain", filled);
    let allowed_signers = top.text("allowed_signers", absolute);
    let warrants = top.choice("warrants", &WARRANTS);
    let state_dir = top.text("state_dir", absolute);
    let run_dir = top.text("run_dir", absolute);
    let checks_dir = top.text("checks_dir", absolute);
    let sessions_dir = top.text("sessions_dir", absolute);
    let (health, agent_check) = responder::ports(&mut top);
    let ramp = traffic::ramp(&mut top);
    let lock_wait = top.duration("lock_wait");
    let package_manager = top.choice("package_manager", &PACKAGE_MANAGERS);
    let download_rate_kib = top.count("download_rate_kib", 1);
    let never_restart = top.names("never_restart", unit_rule);
    let labels = labels::read(&mut top);
    let traffic = traffic::drain(&mut top);
    let hooks_dir = top.text("hooks_dir", absolute);
    let hook_deadline = top.duration("hook_deadline");
    let probes = probe::read(&mut top);
    let signals = signals::read(&mut top);
    let validators = validators(&mut top);
    let guard = guard::read(&mut top);
    let drift = drift::read_drift(&mut top);
    top.finish(&[], &[]);
    Some(Settings {
        host,
        labels,
        coordinators,
        ways,
        credentials: credentials?,
        trust_domain: trust_domain?,
        allowed_signers,
        warrants: warrants.unwrap_or_default(),
        state_dir: state_dir.unwrap_or_else(|| STATE_DIR.into()),
        run_dir: run_dir.unwrap_or_else(|| RUN_DIR.into()),
        checks_dir: checks_dir.unwrap_or_else(|| CHECKS_DIR.into()),
        sessions_dir: sessions_dir.unwrap_or_else(|| SESSIONS_DIR.into()),
        probes,
        signals,
        hooks_dir: hooks_dir.unwrap_or_else(|| HOOKS_DIR.into()),
        hook_deadline: hook_deadline.unwrap_or(HOOK_DEADLINE),
        traffic,
        validators,
        lock_wait: lock_wait.unwrap_or(LOCK_WAIT),
        package_manager,
        download_rate_kib: download_rate_kib.and_then(NonZeroU32::new),
        health,
        agent_check,
        never_restart: never_restart.unwrap_or_default(),
        ramp,
        guard,
        drift,
    })
}

fn coordinators(top: &mut Table<'_, Refusal>) -> Vec<Place> {
    const KEY: &str = "coordinators";
    top.require(KEY, "coordinators = [\"coordinator.example.org:7300\"]");
    Place::read(top, KEY).unwrap_or_default()
}

fn credentials(top: &mut Table<'_, Refusal>) -> Option<CredentialFiles> {
    top.require("cert", "cert = \"/etc/cofferdam/pki/agent.pem\"");
    top.require("key", "key = \"/etc/cofferdam/pki/agent.key\"");
    top.require("ca", "ca = \"/etc/cofferdam/pki/ca.pem\"");
    let certificate = top.text("cert", path);
    let key = top.text("key", path);
    let authority = top.text("ca", path);
    Some(CredentialFiles {
        certificate: certificate?,
        key: key?,
        authority: authority?,
    })
}

fn validators(top: &mut Table<'_, Refusal>) -> BTreeMap<String, Vec<String>> {
    let mut validators = BTreeMap::new();
    for mut table in top.tables("validate", "[[validate]]").unwrap_or_default() {
        table.require("name", "name = \"nginx\"");
        table.require(
            "command",
            "command = [\"/usr/sbin/nginx\", \"-t\", \"-c\", \"{file}\"]",
        );
        let name = table.text("name", filled);
        let command = table.texts("command");
        if let Some(command) = &command {
            check_command(&table, command);
        }
        if let (Some(name), Some(command)) = (name, command)
            && validators.insert(name.clone(), command).is_some()
        {
            table.refuse("name", Refusal::Twice(name));
        }
        table.finish(&[], &[]);
    }
    validators
}

fn check_command(table: &Table<'_, Refusal>, command: &[String]) {
    match command.split_first() {
        None => table.refuse("command", Refusal::Empty),
        Some((program, _)) if !program.starts_with('/') => {
            table.refuse("command", Refusal::Relative(program.clone()));
        }
        Some((_, arguments)) if !arguments.iter().any(|a| a.contains(FILE)) => {
            table.refuse("command", Refusal::NoFile);
        }
        Some(_) => {}
    }
}

pub(super) fn filled(text: &str) -> Result<String, Refusal> {
    if text.is_empty() {
        return Err(Refusal::Empty);
    }
    Ok(text.to_owned())
}

/// A name of a unit, or the beginning of one and a `*`.
fn unit_rule(text: &str) -> Result<String, Refusal> {
    listed(text, ":-_.\\@", Refusal::Unit)
}

/// A name of letters, digits and some marks, or the beginning of one and a `*`: see [`crate::pattern`].
pub(super) fn listed(
    text: &str,
    marks: &str,
    refusal: impl Fn(String) -> Refusal,
) -> Result<String, Refusal> {
    let name = text.strip_suffix('*').unwrap_or(text);
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
    if name.is_empty() || !name.chars().all(is_of_name) {
        return Err(refusal(text.to_owned()));
    }
    Ok(text.to_owned())
}

fn path(text: &str) -> Result<PathBuf, Refusal> {
    filled(text).map(PathBuf::from)
}

pub(super) fn absolute(text: &str) -> Result<PathBuf, Refusal> {
    let path = path(text)?;
    if path.is_relative() {
        return Err(Refusal::Relative(text.to_owned()));
    }
    Ok(path)
}
