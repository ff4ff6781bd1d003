//! The commands, one file each, and where they begin.

pub mod amend;
pub mod artefact;
pub mod bundle;
pub mod change;
pub mod completions;
pub mod cord;
pub mod deny;
pub mod doctor;
pub mod except;
pub mod explain;
pub mod fleet;
pub mod freeze;
pub mod hosts;
pub mod lint;
pub mod list;
pub mod pki;
pub mod plan;
pub mod practice;
pub mod query;
pub mod rehearse;
pub mod reserve;
pub mod rollback;
pub mod services;
pub mod sign;
pub(crate) mod sources;
pub mod start;
pub mod status;
pub mod verify;
pub mod watch;

use crate::{
    args::{Cli, Command, Remote},
    client::Client,
    config::Config,
    demo,
    exit::Exit,
    render::Output,
};
use anyhow::{Context as _, Result};
use cofferdam_proto::operator::Action;
use std::{
    future::Future,
    io::{self, IsTerminal as _, Write as _},
};

/// A command's connection and where its answer goes.
#[derive(Clone)]
pub struct Session {
    /// The coordinator.
    pub client: Client,
    /// The standard output, in the format that was asked for.
    pub out: Output,
}

/// Runs a command line.
///
/// # Errors
/// Whatever keeps the command from doing what was asked.
pub fn run(cli: Cli) -> Result<Exit> {
    let out = Output::new(cli.output);
    let config = Config::new(cli.connection, cli.config);
    match cli.command {
        Command::Pki(args) => pki::run(args, config.trust_domain(), out),
        Command::Completions(args) => completions::run(&args, out),
        Command::Doctor(args) => wait(doctor::run(args, &config, out))?,
        Command::Lint(args) => wait(lint::run(args, &config, out))?,
        Command::Sign(args) => wait(sign::run(args, &config, out))?,
        Command::Verify(args) => verify::run(&args, out),
        Command::Bundle(args) => wait(bundle::run(args, &config, out))?,
        Command::Rehearse(args) => wait(rehearse::run(args, &config, out))?,
        Command::Fleet(args) => wait(fleet::run(args, &config, out))?,
        Command::Demo(args) => wait(demo::run(args, out))?,
        Command::Remote(remote) => wait(call(remote, &config, out))?,
    }
}

async fn call(command: Remote, config: &Config, out: Output) -> Result<Exit> {
    let client = Client::connect(&config.settings()?).await?;
    let session = Session { client, out };
    match command {
        Remote::Plan(args) => plan::run(args, &session).await,
        Remote::Practice(args) => practice::run(args, &session).await,
        Remote::Start(args) => start::run(args, &session).await,
        Remote::List(args) => list::run(args, &session).await,
        Remote::Status(args) => status::run(args, &session).await,
        Remote::Watch(args) => watch::run(args, &session).await,
        Remote::Explain(args) => explain::run(args, &session).await,
        Remote::Pause(args) => change::run(args, Action::Pause, &session).await,
        Remote::Resume(args) => change::run(args, Action::Resume, &session).await,
        Remote::Abort(args) => change::run(args, Action::Abort, &session).await,
        Remote::Rollback(args) => rollback::run(args, &session).await,
        Remote::Exclude(args) => except::exclude(args, &session).await,
        Remote::Skip(args) => except::skip(args, &session).await,
        Remote::Retry(args) => except::retry(args, &session).await,
        Remote::Amend(args) => amend::run(args, &session).await,
        Remote::Cord(args) => cord::run(args, &session).await,
        Remote::Freeze(args) => freeze::run(args, &session).await,
        Remote::Deny(args) => deny::run(args, &session).await,
        Remote::Approve(args) => change::run(args, Action::Approve, &session).await,
        Remote::Promote(args) => change::run(args.into(), Action::Promote, &session).await,
        Remote::Reserve(args) => reserve::reserve(args, &session).await,
        Remote::Release(args) => reserve::release(args, &session).await,
        Remote::Hosts(args) => hosts::run(args, &session).await,
        Remote::Query(args) => query::run(args, &session).await,
        Remote::Artefact(args) => artefact::run(args, &session).await,
        Remote::Services(args) => services::run(args, &session).await,
    }
}

/// Asks who sits at a terminal. Nobody there: no.
fn agreed(question: &str) -> Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let mut out = io::stdout().lock();
    out.write_all(question.as_bytes())
        .and_then(|()| out.flush())
        .context("cannot write to the standard output")?;
    let mut line = String::new();
    io::stdin()
        .read_line(&mut line)
        .context("cannot read the standard input")?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

/// One thread is plenty for a command.
fn wait<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    Ok(runtime.block_on(work))
}
