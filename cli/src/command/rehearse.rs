//! `cofferdam rehearse`: a rollout in virtual time, before a host is touched.

mod declared;
mod side_by_side;

use crate::{
    client::Client,
    clock,
    command::fleet,
    config::Config,
    exit::{Exit, UsageError},
    file,
    render::{
        Output,
        rehearsal::{Incident as PlayedIncident, Rehearsed},
    },
    rollout_file::RolloutFile,
};
use anyhow::{Context as _, Result, bail};
use cofferdam_engine::{
    calendar::Calendar,
    inventory::Host,
    lockfile,
    modelled_fleet::{MAX_HOSTS, ModelledFleet},
    patch::LockFile,
    rehearse::{Rehearsal, incident::Incident, made_up, scenario::Scenario},
    services::Services,
    spec::Spec,
};
use std::{
    fmt::Display,
    path::{Path, PathBuf},
};

/// Arguments of `rehearse`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Nothing is asked of a host: the rollout's own decisions are made over a modelled fleet, as \
                  often as you like. Exits with 1 where a promise would be broken or an incident is still \
                  one, and with 3 where the rollout would be held. The lock file beside the rollout file is \
                  used if there is one; otherwise bits are made up.\n\n\
                  Example:\n  cofferdam rehearse openssl-2026-11.toml --fleet live -o html > rehearsal.html"
)]
pub struct Args {
    /// The rollout file
    #[arg(required_unless_present = "incident")]
    file: Option<PathBuf>,
    /// The fleet: a fleet file, or `live` for the hosts that the coordinator knows
    #[arg(long, value_name = "FILE|live", required_unless_present = "incident")]
    fleet: Option<PathBuf>,
    /// How long things take and what goes wrong: a file of faults, or `mix` for what goes wrong in a large
    /// fleet when the patch itself is good
    #[arg(long, value_name = "FILE|mix")]
    faults: Option<PathBuf>,
    /// Who owns each service and what it needs: a services file [default: what the coordinator has
    /// declared, with --fleet live]
    #[arg(long, value_name = "FILE")]
    services: Option<PathBuf>,
    /// The times in which nothing is started: a calendar file [default: what the coordinator has declared,
    /// with --fleet live]
    #[arg(long, value_name = "FILE")]
    freezes: Option<PathBuf>,
    /// What chance is drawn from: the same number makes the same rehearsal
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Play a built-in incident, and say whether it would still be one
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["file", "fleet", "faults", "services", "freezes"], value_parser = number)]
    incident: Option<u32>,
    /// Play the incident on about so many hosts, at least its own few; what must come of it stays the same
    #[arg(long, value_name = "NUMBER", requires = "incident", conflicts_with_all = ["file", "fleet"], value_parser = fleet::up_to(MAX_HOSTS))]
    hosts: Option<usize>,
}

fn number(text: &str) -> Result<u32, String> {
    let known = text.parse().ok();
    let known = known.filter(|number| Incident::numbers().any(|known| known == *number));
    known.ok_or_else(|| {
        let all: Vec<String> = Incident::numbers()
            .map(|number| number.to_string())
            .collect();
        format!("one of these is built in: {}", all.join(", "))
    })
}

/// Runs the command.
///
/// # Errors
/// When a file is wrong, there is no plan, or the coordinator that is asked does not answer.
pub async fn run(args: Args, config: &Config, out: Output) -> Result<Exit> {
    if let Some(number) = args.incident {
        return incident(number, args.hosts, args.seed, out);
    }
    let (Some(path), Some(fleet)) = (&args.file, &args.fleet) else {
        bail!("a rollout file and a fleet are needed");
    };
    let rollout = RolloutFile::read(path)?;
    let (spec, lock) = (rollout.spec(), rollout.lock()?);
    let mut scenario = scenario(args.faults.as_deref())?;
    scenario.start.get_or_insert_with(clock::now);
    let known = Known::read(&args, fleet, config).await?;
    let hosts: Vec<Host> = known.fleet.hosts().collect();
    let (lock, is_made_up) = locked(spec, lock.as_deref(), &hosts)?;
    let rehearsal = Rehearsal {
        spec,
        lock: &lock,
        hosts: &hosts,
        beginning: &known.fleet.beginning(),
        package_sets: &known.fleet.package_sets(),
        services: &known.services,
        calendar: &known.calendar,
        scenario: &scenario,
        seed: args.seed,
    };
    let report = side_by_side::play(&rehearsal).map_err(|errors| UsageError(errors.to_string()))?;
    let rehearsed = Rehearsed { report, is_made_up };
    out.show(&rehearsed)?;
    Ok(rehearsed.exit())
}

fn scenario(faults: Option<&Path>) -> Result<Scenario> {
    match faults {
        Some(mix) if mix.as_os_str() == "mix" => Ok(Scenario::mix()?),
        Some(path) => parsed(path, Scenario::parse),
        None => Ok(Scenario::default()),
    }
}

/// What a rollout is rehearsed against.
struct Known {
    fleet: ModelledFleet,
    services: Services,
    calendar: Calendar,
}

impl Known {
    /// Reads the files that were named. What none is named for is asked of the coordinator where the
    /// fleet is its own, and else is nothing.
    async fn read(args: &Args, fleet: &Path, config: &Config) -> Result<Self> {
        let mut known = match fleet.as_os_str() == "live" {
            true => Self::live(&Client::connect(&config.settings()?).await?).await?,
            false => Self {
                fleet: parsed(fleet, ModelledFleet::parse)?,
                services: Services::default(),
                calendar: Calendar::default(),
            },
        };
        if let Some(path) = &args.services {
            known.services = parsed(path, Services::parse)?;
        }
        if let Some(path) = &args.freezes {
            known.calendar = parsed(path, Calendar::parse)?;
        }
        Ok(known)
    }

    async fn live(client: &Client) -> Result<Self> {
        Ok(Self {
            fleet: fleet::live::fleet(client).await?,
            services: declared::services(&client.services().await?)?,
            calendar: declared::calendar(client.calendar().await?)?,
        })
    }
}

/// Reads a file by what reads such files.
fn parsed<T, E: Display>(path: &Path, parse: impl Fn(&str, &str) -> Result<T, E>) -> Result<T> {
    let text = file::read(path)?;
    let read = parse(&path.display().to_string(), &text);
    Ok(read.map_err(|mistakes| UsageError(mistakes.to_string()))?)
}

/// The bits: those of the lock file, or made-up ones.
fn locked(spec: &Spec, text: Option<&str>, hosts: &[Host]) -> Result<(LockFile, bool)> {
    if let Some(text) = text {
        let lock = lockfile::parse(&format!("{}.lock", spec.name()), text);
        return Ok((
            lock.map_err(|mistakes| UsageError(mistakes.to_string()))?,
            false,
        ));
    }
    let lock = made_up::lock_file(spec, hosts).context(
        "what this rollout installs is known once it was planned: run `cofferdam plan` first",
    )?;
    Ok((lock, true))
}

fn incident(number: u32, hosts: Option<usize>, seed: u64, out: Output) -> Result<Exit> {
    let incident = Incident::built_in(number).context("no such incident")??;
    let own = incident.fleet.len();
    if let Some(hosts) = hosts.filter(|hosts| *hosts < own) {
        return Err(UsageError(format!(
            "incident {number} has {own} hosts of its own, and on {hosts} its floors let nobody out: give --hosts {own} or more"
        ))
        .into());
    }
    let incident = hosts.map_or_else(|| incident.clone(), |hosts| incident.on(hosts));
    let played = incident
        .play(seed)
        .map_err(|errors| UsageError(errors.to_string()))?;
    let is_over = played.unmet.is_empty();
    out.show(&PlayedIncident { incident, played })?;
    Ok(if is_over { Exit::Done } else { Exit::Failed })
}
