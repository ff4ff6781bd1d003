//! The command line as a type.

use crate::{
    command::{
        amend, artefact, bundle, change, completions, cord, deny, doctor, except, explain, fleet,
        freeze, hosts, lint, list, pki, plan, practice, query, rehearse, reserve, rollback,
        services, sign, start, status, verify, watch,
    },
    config::Fragment,
    demo,
    render::Format,
};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Patches a fleet of servers, cell by cell and wave by wave
#[derive(Debug, Parser)]
#[command(
    name = "cofferdam",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 held (paused, braked, waiting)\n\n\
                  Example:\n  cofferdam demo"
)]
pub struct Cli {
    /// How answers are shown: text for people, or json with stable field names
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub output: Format,
    /// The config file [default: ~/.config/cofferdam/config.toml]
    #[arg(
        long,
        global = true,
        env = "COFFERDAM_CONFIG",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub config: Option<PathBuf>,
    #[expect(
        missing_docs,
        reason = "a text here would replace the help of the whole command"
    )]
    #[command(flatten)]
    pub connection: Fragment,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    #[expect(missing_docs, reason = "each of its commands has a text of its own")]
    #[command(flatten)]
    Remote(Remote),
    /// Say what is wrong with a rollout file, or may be
    Lint(lint::Args),
    /// Sign a rollout that was planned
    Sign(sign::Args),
    /// Say whether a rollout's signature counts
    Verify(verify::Args),
    /// Carry a rollout into a partition without a link, or its results out
    Bundle(bundle::Args),
    /// Play a rollout over a modelled fleet, in virtual time
    Rehearse(rehearse::Args),
    /// Write a fleet down as a file: a made-up one, or the one that there is
    Fleet(fleet::Args),
    /// Make keys and certificates
    Pki(pki::Args),
    /// Check config, certificates, connection, clocks and tools
    Doctor(doctor::Args),
    /// Patch a fleet of 24 real agents on this machine
    Demo(demo::Args),
    /// Print the completions of a shell
    Completions(completions::Args),
}

/// What to ask of a coordinator.
#[derive(Debug, Subcommand)]
pub enum Remote {
    /// Resolve a rollout file to exact bits and show what it would do
    Plan(plan::Args),
    /// Start a rollout that was planned
    Start(start::Args),
    /// Take every host out and back without a patch, and say what would have hurt
    Practice(practice::Args),
    /// List the rollouts
    List(list::Args),
    /// Show how a rollout stands
    Status(status::Args),
    /// Follow a rollout until it ends or is paused
    Watch(watch::Args),
    /// Say why a rollout, a cell or a host is as it is
    Explain(explain::Args),
    /// Hold a rollout: nothing more starts
    #[command(after_help = "Example:\n  cofferdam pause openssl-2026-11 --reason 'sale today'")]
    Pause(change::Args),
    /// Let a paused rollout go on
    #[command(after_help = "Example:\n  cofferdam resume openssl-2026-11")]
    Resume(change::Args),
    /// End a rollout; patched hosts stay patched
    #[command(after_help = "Example:\n  cofferdam abort openssl-2026-11 --reason superseded")]
    Abort(change::Args),
    /// Take a rollout back from every host that it changed
    Rollback(rollback::Args),
    /// Take hosts out of a rollout: it goes on with the rest, and another may take them
    Exclude(except::ExcludeArgs),
    /// Go on without waiting for hosts
    Skip(except::SkipArgs),
    /// Try hosts again that failed, were left out or were skipped
    Retry(except::RetryArgs),
    /// Patch some hosts of a live rollout by a variant of its file
    Amend(amend::Args),
    /// Stop every rollout everywhere, let them go on, or show who did
    Cord(cord::Args),
    /// Declare or show times in which nothing is started
    Freeze(freeze::Args),
    /// Say which bits must not be installed again, and where
    Deny(deny::Args),
    /// Approve what a rollout needs approved, as far as you may
    #[command(
        after_help = "Example:\n  cofferdam approve openssl-2026-11 --reason 'quiet tonight'"
    )]
    Approve(change::Args),
    /// End the present bake early, as one of the rollout's approvers
    #[command(after_help = "Example:\n  cofferdam promote openssl-2026-11 --reason 'exploited'")]
    Promote(change::ReasonedArgs),
    /// Take hosts out yourself, as far as floors allow
    Reserve(reserve::ReserveArgs),
    /// Give back hosts that were reserved
    Release(reserve::ReleaseArgs),
    /// Show the hosts, or forget one
    Hosts(hosts::Args),
    /// Ask hosts what only they can tell: packages, kernels, units
    Query(query::Args),
    /// Store a file for hosts, or show what is stored
    Artefact(artefact::Args),
    /// Declare the services of the fleet, or show them
    Services(services::Args),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_command_ends_its_help_with_an_example() {
        fn check(command: &mut clap::Command) {
            let name = command.get_name().to_owned();
            let help = command.render_long_help().to_string();
            let last = help.trim_end().lines().last().unwrap_or_default();
            assert!(last.starts_with("  cofferdam "), "{name}: {last}");
            let commands = command.get_subcommands_mut();
            commands.filter(|c| c.get_name() != "help").for_each(check);
        }
        check(&mut Cli::command());
    }
}
