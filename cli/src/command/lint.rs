//! `cofferdam lint`: what is wrong with a rollout file, or may be.

use crate::{
    client::Client,
    config::Config,
    exit::Exit,
    file,
    render::{
        Output,
        lint::{Linted, LookedAt},
    },
    rollout_file::RolloutFile,
};
use anyhow::Result;
use cofferdam_engine::{
    document::Places,
    lint::{self, Finding, Severity},
    spec::Spec,
};
use cofferdam_proto::operator::PlanRequest;
use std::path::PathBuf;

/// Arguments of `lint`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exits with 1 when there is an error: then the rollout cannot be planned. \
    Warnings alone exit with 0.\n\nExample:\n  cofferdam lint openssl-2026-11.toml --fleet live"
)]
pub struct Args {
    /// The rollout file
    pub file: PathBuf,
    /// Look at hosts too: `live` asks the coordinator, which starts and resolves nothing
    #[arg(long, value_enum, value_name = "FLEET")]
    pub fleet: Option<Fleet>,
}

/// Which hosts a rollout file is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Fleet {
    /// Those that the coordinator knows now.
    Live,
}

/// Runs the command.
///
/// # Errors
/// When the file cannot be read, or the coordinator that is asked does not answer.
pub async fn run(args: Args, config: &Config, out: Output) -> Result<Exit> {
    let text = file::read(&args.file)?;
    let name = args.file.display().to_string();
    let (looked_at, findings) = match (Spec::parse(&name, &text), args.fleet) {
        (Err(mistakes), _) => (LookedAt::File, lint::mistakes(&mistakes)),
        (Ok(spec), None) => {
            let places = Places::of(&name, &text);
            (LookedAt::File, lint::alone(&spec, &places))
        }
        (Ok(_), Some(Fleet::Live)) => {
            let client = Client::connect(&config.settings()?).await?;
            let lock_text = RolloutFile::read(&args.file)?.lock()?;
            let request = PlanRequest {
                file_name: name,
                spec_text: text,
                lock_text,
                advisory: None,
            };
            (LookedAt::Fleet, client.lint(request).await?)
        }
    };
    let linted = Linted {
        looked_at,
        findings,
    };
    out.show(&linted)?;
    Ok(exit(&linted.findings))
}

fn exit(findings: &[Finding]) -> Exit {
    let is_error = |found: &Finding| found.severity == Severity::Error;
    match findings.iter().any(is_error) {
        true => Exit::Failed,
        false => Exit::Done,
    }
}
