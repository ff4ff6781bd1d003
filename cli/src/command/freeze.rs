//! `cofferdam freeze`: the calendar of times in which nothing is started.

use crate::{clock, command::Session, exit::Exit, file, render::freeze::Calendar};
use anyhow::Result;
use cofferdam_proto::operator::CalendarRequest;
use std::path::PathBuf;

/// Arguments of `freeze`.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Example:\n  cofferdam freeze set calendar.toml"
)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Declare the freezes of the whole fleet, in place of those before
    #[command(
        after_help = "FILE holds [[freeze]] tables: name, from and until as local times, time_zone, match, \
        reason, owner. A file without any ends all freezes. Rollbacks are not bound.\n\n\
        Example:\n  cofferdam freeze set calendar.toml"
    )]
    Set {
        /// The calendar file
        file: PathBuf,
    },
    /// Show the freezes, and which are on
    #[command(after_help = "Example:\n  cofferdam freeze show")]
    Show,
}

/// Runs the command.
///
/// # Errors
/// When the file cannot be read, the coordinator cannot be asked, or refuses the calendar.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    let calendar = match args.action {
        Action::Set { file: path } => {
            let calendar_text = file::read(&path)?;
            let file_name = path.display().to_string();
            let request = CalendarRequest {
                file_name,
                calendar_text,
            };
            session.client.set_calendar(request).await?
        }
        Action::Show => session.client.calendar().await?,
    };
    let now = clock::now();
    session.out.show(&Calendar { calendar, now })?;
    Ok(Exit::Done)
}
