//! `cofferdam demo`: a real rollout on this machine, and a bad one that stops by itself.
//!
//! ```text
//! repository (in this process, HTTP)
//!     ^ apt                              this process, as an operator: plan, start, watch, explain
//! 24 agents, each with a dpkg root ---mTLS---> coordinator <---mTLS---'
//! ```
//!
//! Everything lies in one folder, nothing needs root, and nothing is left: not a file, not a
//! process, however the demo ends.
//!
//! A reader's way: `host` says which fleet, `repository` what is installed on it, `files/` the
//! rollouts and the check, `fleet` how it is started, this file what happens, `verdict` what must
//! have happened.

pub mod agent;
pub mod archive;
pub mod coordinator;
pub mod fleet;
pub mod folder;
pub mod host;
pub mod processes;
pub mod repository;
pub mod rollout;
pub mod root;
pub mod signer;
pub mod site;
pub mod tool;
pub mod verdict;

use crate::{exit::Exit, render::Output};
use anyhow::{Context as _, Result, anyhow, bail};
use fleet::Fleet;
use folder::{AtEnd, Folder};
use nix::sys::stat::{Mode, umask};
use repository::{Release, Repository};
use rollout::Rollout;
use std::{path::PathBuf, time::Instant};
use tokio::signal::unix::{SignalKind, signal};
use verdict::Evidence;

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs apt, dpkg and gpg, no root, and under a minute.\n\n\
    Example:\n  cofferdam demo --keep"
)]
pub struct Args {
    /// The folder to make and work in [default: a fresh one beside the binaries, or in /tmp]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Leave the folder, with all configs, logs and roots, to be looked at
    #[arg(long)]
    keep: bool,
}

/// Runs the demo.
///
/// # Errors
/// When anything cannot be set up, or goes otherwise than the demo must show.
pub async fn run(args: Args, out: Output) -> Result<Exit> {
    // Roots and packages are as readable as a host's own, whatever the caller's mask.
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    processes::adopt_orphans()?;
    let at_end = if args.keep {
        AtEnd::Keep
    } else {
        AtEnd::Remove
    };
    let folder = Folder::create(args.dir, at_end)?;
    let ended = tokio::select! {
        biased;
        name = interrupted() => Err(anyhow!("stopped by {}", name?)),
        ended = play(&folder, out) => ended,
    };
    processes::end_orphans();
    if at_end == AtEnd::Keep {
        out.for_people()
            .say(&format!("kept: {}", folder.path().display()))?;
    }
    ended
}

/// Waits until somebody wants the demo to end.
async fn interrupted() -> Result<&'static str> {
    let listen = |kind| signal(kind).context("cannot listen to signals");
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    Ok(tokio::select! {
        biased;
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
        _ = hangup.recv() => "SIGHUP",
    })
}

async fn play(folder: &Folder, out: Output) -> Result<Exit> {
    let began = Instant::now();
    let people = out.for_people();
    people.say("Setting up: a signed repository, an authority, a coordinator, 24 agents")?;
    let repository = Repository::create(folder).await?;
    let source = repository.source();
    let mut fleet = Fleet::start(folder, host::fleet(), &source, people).await?;
    people.say(&format!(
        "All 24 hosts are in service, in {}",
        folder.path().display()
    ))?;

    people.say("\n== Rollout 1: a good release for all ==")?;
    repository.publish(Release::Second).await?;
    let good = fleet.roll_out(&Rollout::good(folder)?).await?;
    fleet.wait_until_well().await?;
    let after_good = fleet.testify().await?;

    people.say("\n== Rollout 2: a release that is bad on one instance type ==")?;
    repository.publish(Release::Third).await?;
    let rollout = Rollout::bad(folder)?;
    let bad = fleet.roll_out(&rollout).await?;
    fleet.wait_until_well().await?;
    let after_bad = fleet.testify().await?;
    rollout.explain(&fleet.session).await?;

    let evidence = Evidence {
        good,
        after_good,
        bad,
        after_bad,
    };
    drop(fleet);
    drop(repository);
    conclude(&evidence, began, out)
}

fn conclude(evidence: &Evidence, began: Instant, out: Output) -> Result<Exit> {
    let differences = evidence.differences();
    if !differences.is_empty() {
        bail!(
            "the demo went otherwise than it must; look closer with --keep\n  {}",
            differences.join("\n  ")
        );
    }
    out.for_people().say("")?;
    out.show(&evidence.summary(began.elapsed().as_secs()))?;
    Ok(Exit::Done)
}
