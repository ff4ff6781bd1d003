//! `cofferdam fleet`: a fleet as a file, for rehearsals.

pub(super) mod live;

use crate::{
    client::Client,
    config::Config,
    exit::Exit,
    render::{Output, fleet::FleetFile},
};
use anyhow::Result;
use clap::{Subcommand, builder::RangedU64ValueParser};
use cofferdam_engine::modelled_fleet::{self, Generated, MAX_HOSTS, MAX_REGIONS, ModelledFleet};

/// Arguments of `fleet`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  cofferdam fleet export > fleet.toml")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make up a fleet like a real one; asks no coordinator
    #[command(
        after_help = "Example:\n  cofferdam fleet generate --hosts 25000 --regions 24 > fleet.toml"
    )]
    Generate {
        /// How many hosts
        #[arg(long, value_name = "NUMBER", value_parser = up_to(MAX_HOSTS))]
        hosts: usize,
        /// In how many regions; at most one a host
        #[arg(long, value_name = "NUMBER", value_parser = up_to(MAX_REGIONS))]
        regions: usize,
        /// Which of all such fleets: the same number makes the same one
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        seed: u64,
    },
    /// Write down the hosts that the coordinator knows, as they stand: what is installed on them, who is out and
    /// why, what is denied to them
    #[command(after_help = "Example:\n  cofferdam fleet export > fleet.toml")]
    Export,
}

pub(super) fn up_to(most: usize) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=most as u64)
}

/// Runs the command.
///
/// # Errors
/// When the coordinator is asked and does not answer, or knows no host.
pub async fn run(args: Args, config: &Config, out: Output) -> Result<Exit> {
    let file = match args.action {
        Action::Generate {
            hosts,
            regions,
            seed,
        } => generated(Generated {
            hosts,
            regions,
            seed,
        }),
        Action::Export => {
            let client = Client::connect(&config.settings()?).await?;
            exported(&live::fleet(&client).await?)
        }
    };
    out.show(&file)?;
    Ok(Exit::Done)
}

fn generated(asked: Generated) -> FleetFile {
    let fleet = modelled_fleet::generate(&asked);
    let Generated {
        hosts,
        regions,
        seed,
    } = asked;
    let head = [format!(
        "A made-up fleet, by `cofferdam fleet generate --hosts {hosts} --regions {regions} --seed {seed}`."
    )];
    FleetFile::new(&fleet, &head)
}

fn exported(fleet: &ModelledFleet) -> FleetFile {
    let head = [
        "The hosts that the coordinator knew, as they stood then, by `cofferdam fleet export`."
            .to_owned(),
    ];
    FleetFile::new(fleet, &head)
}
