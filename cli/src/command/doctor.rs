//! `cofferdam doctor`: what stands between this operator and the fleet.

use crate::{
    channel,
    client::{Client, PeerDate},
    clock,
    config::{Config, Settings},
    exit::Exit,
    render::{
        Output,
        doctor::{CheckUp, Finding},
        error,
        table::short,
    },
};
use anyhow::Result;
use cofferdam_engine::identity::Identity;
use cofferdam_proto::{operator::Description, tls::Credentials};
use std::{env, fs, os::unix::fs::PermissionsExt as _, time::Duration};

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exits with 1 when a check fails. Changes nothing.\n\nExample:\n  \
    cofferdam doctor"
)]
pub struct Args {}

/// A day.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A certificate that ends sooner than this deserves a warning (guess: two weeks to act).
const ENDS_SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// Clocks further apart than this deserve a warning: far below the minute that claims wait (guess).
const CLOCKS_APART: Duration = Duration::from_secs(5);

/// What `cofferdam demo` runs; nothing else needs them.
const DEMO_TOOLS: [&str; 6] = [
    "apt-get",
    "dpkg",
    "dpkg-deb",
    "dpkg-query",
    "gpg",
    "gpgconf",
];

/// Runs the command.
///
/// # Errors
/// When the output is closed or full; what is wrong with the rest is a finding.
pub async fn run(Args {}: Args, config: &Config, out: Output) -> Result<Exit> {
    let mut checks = Vec::new();
    if let Some(settings) = look_at_config(config, &mut checks) {
        look_at_files(&settings, &mut checks);
        look_at_coordinator(&settings, &mut checks).await;
    }
    checks.push(demo_tools());
    let check_up = CheckUp { checks };
    out.show(&check_up)?;
    Ok(check_up.exit())
}

fn look_at_config(config: &Config, checks: &mut Vec<Finding>) -> Option<Settings> {
    match config.settings() {
        Ok(settings) => {
            let found = format!("{} is where the coordinator is", settings.endpoint);
            checks.push(Finding::ok("config", found));
            Some(settings)
        }
        Err(error) => {
            let cure = format!("write {}", config.file().display());
            checks.push(Finding::fail("config", format!("{error:#}"), cure));
            None
        }
    }
}

fn look_at_files(settings: &Settings, checks: &mut Vec<Finding>) {
    match channel::credentials(settings) {
        Ok(credentials) => {
            checks.push(validity(&credentials));
            checks.push(identity(&credentials));
        }
        Err(error) => checks.push(Finding::fail(
            "certificate",
            format!("{error:#}"),
            "check cert, key and ca; `cofferdam pki issue operator NAME` makes a new pair",
        )),
    }
    checks.push(key_mode(settings));
}

fn validity(credentials: &Credentials) -> Finding {
    let issue = "issue a new one: cofferdam pki issue operator NAME";
    if let Err(refusal) = credentials.check() {
        return Finding::fail(
            "certificate",
            format!("{:#}", anyhow::Error::from(refusal)),
            issue,
        );
    }
    let left = credentials.valid_until().since(clock::now());
    let found = match left.as_secs() / DAY.as_secs() {
        0 => format!("valid for {} more", short(left)),
        days => format!("valid for {days}d more"),
    };
    if left < ENDS_SOON {
        return Finding::warn("certificate", found, issue);
    }
    Finding::ok("certificate", found)
}

fn identity(credentials: &Credentials) -> Finding {
    let found = credentials.identity().uri(credentials.trust_domain());
    match credentials.identity() {
        Identity::Operator(_) => Finding::ok("identity", found),
        Identity::Agent(_) | Identity::Coordinator(_) | Identity::Control => Finding::fail(
            "identity",
            format!("{found} is no operator"),
            "set cert and key to an operator's",
        ),
    }
}

fn key_mode(settings: &Settings) -> Finding {
    let key = settings.key.display();
    match fs::metadata(&settings.key) {
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
            let cure = format!("chmod 600 {key}");
            Finding::warn("key", format!("others than its owner may use {key}"), cure)
        }
        Ok(_) => Finding::ok("key", format!("{key} is its owner's alone")),
        Err(error) => Finding::fail("key", format!("cannot look at {key}: {error}"), "set key"),
    }
}

async fn look_at_coordinator(settings: &Settings, checks: &mut Vec<Finding>) {
    let described = async { Client::connect(settings).await?.describe().await };
    match described.await {
        Ok((description, date)) => {
            checks.push(Finding::ok("connection", "both sides proved who they are"));
            checks.push(coordinator(&description));
            checks.push(agents(&description));
            checks.push(clocks(date));
        }
        Err(error) => checks.push(Finding::fail(
            "connection",
            error::why(&error),
            "see that the coordinator runs, that its port is open to this machine, and that both \
             certificates are of one authority",
        )),
    }
}

fn coordinator(description: &Description) -> Finding {
    let own = env!("CARGO_PKG_VERSION");
    let found = format!(
        "version {}, epoch {}, store {}",
        description.version, description.epoch, description.store
    );
    if description.version == own {
        return Finding::ok("coordinator", found);
    }
    let cure = format!("this is {own}: use the same version on both sides");
    Finding::warn("coordinator", found, cure)
}

fn agents(description: &Description) -> Finding {
    let Description {
        connected, hosts, ..
    } = description;
    let found = format!("{connected} of {hosts} hosts are connected");
    if connected == hosts {
        return Finding::ok("agents", found);
    }
    Finding::warn("agents", found, "`cofferdam hosts` tells which are not")
}

fn clocks(theirs: PeerDate) -> Finding {
    let Some(theirs) = theirs else {
        let found = "the coordinator did not say its time";
        return Finding::warn("clocks", found, "compare `date` on both machines");
    };
    let ours = clock::now().0 / 1000;
    let apart = Duration::from_secs(ours.abs_diff(theirs));
    let found = format!("{} apart, to the second", short(apart));
    if apart <= CLOCKS_APART {
        return Finding::ok("clocks", found);
    }
    Finding::warn(
        "clocks",
        found,
        "set both by NTP: certificates and holds go by them",
    )
}

fn demo_tools() -> Finding {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = env::split_paths(&path).collect();
    let missing = |tool: &&str| !folders.iter().any(|folder| folder.join(tool).is_file());
    let missing: Vec<&str> = DEMO_TOOLS
        .into_iter()
        .filter(|tool| missing(tool))
        .collect();
    if missing.is_empty() {
        return Finding::ok("tools", "all that `cofferdam demo` needs is here");
    }
    let found = format!("missing: {}", missing.join(", "));
    Finding::warn(
        "tools",
        found,
        "only `cofferdam demo` needs them: it runs on Debian",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::doctor::Verdict;

    #[test]
    fn clocks_may_be_a_few_seconds_apart() {
        let now = clock::now().0 / 1000;
        assert_eq!(clocks(Some(now - 2)).verdict, Verdict::Ok);
        assert_eq!(clocks(Some(now + 600)).verdict, Verdict::Warn);
        assert_eq!(clocks(None).verdict, Verdict::Warn);
    }
}
