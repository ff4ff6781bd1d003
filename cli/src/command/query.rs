//! `cofferdam query`: what only hosts can tell.

use crate::{command::Session, exit::Exit, render::query::Shown};
use anyhow::Result;
use cofferdam_engine::duration;
use cofferdam_proto::operator::{QueryAnswer, QueryRequest, QuerySummary};
use std::time::Duration;

/// Arguments of `query`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The language of `match` in a rollout file, and what only hosts can tell:\n  \
                  package NAME, package NAME < VERSION, kernel < VERSION, unit NAME failed\n\
                  Hosts whose labels decide are not asked.\n\n\
                  Exits with 0 when a host matches, with 3 when none does and all have answered, and \
                  with 1 when nobody can say that.\n\n\
                  Examples:\n  cofferdam query 'package openssl < 3.0.15'\n  \
                  cofferdam query 'service == \"web\" and unit nginx.service failed' --within 5s"
)]
pub struct Args {
    /// What is asked
    #[arg(value_name = "QUERY")]
    text: String,
    /// How long hosts may take to answer
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration::parse)]
    within: Duration,
}

/// Runs the command.
///
/// # Errors
/// When the coordinator cannot be asked, does not understand the query, or ends it early.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    let Args { text, within } = args;
    let mut asking = session.client.query(QueryRequest { text, within }).await?;
    let mut failed = Vec::new();
    loop {
        let answer = asking.next().await?;
        session.out.show_next(&Shown {
            answer: &answer,
            failed: &failed,
        })?;
        match answer {
            QueryAnswer::Matched(_) => {}
            QueryAnswer::Failed(host) => failed.push(host),
            QueryAnswer::Summary(summary) => return Ok(exit_of(&summary)),
        }
    }
}

/// A failure never looks like the answer that no host matches: they have different numbers.
fn exit_of(summary: &QuerySummary) -> Exit {
    let is_whole = summary.failed == 0 && summary.offline.is_empty() && summary.silent.is_empty();
    match (summary.matched, is_whole) {
        (1.., _) => Exit::Done,
        (0, true) => Exit::Held,
        (0, false) => Exit::Failed,
    }
}
