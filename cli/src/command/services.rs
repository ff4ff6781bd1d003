//! `cofferdam services`: who owns each service, and what it depends on.

use crate::{
    command::Session,
    exit::{Exit, UsageError},
    file,
    render::services::ServiceList,
};
use anyhow::{Result, bail};
use clap::Subcommand;
use cofferdam_engine::services::Services;
use cofferdam_proto::operator::SetServicesRequest;
use std::path::{Path, PathBuf};

/// Arguments of `services`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  cofferdam services show web")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Declare all services of the fleet, in place of those before
    #[command(after_help = "Example:\n  cofferdam services set services.toml")]
    Set {
        /// The file: for each service its owners, its tier, and what it depends on
        file: PathBuf,
    },
    /// Show the services, or one of them
    #[command(after_help = "Example:\n  cofferdam services show -o json")]
    Show {
        /// The service's name
        service: Option<String>,
    },
}

/// Runs the command.
///
/// # Errors
/// When the file is wrong, the coordinator cannot be asked, or there is no such service.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    let list = match args.action {
        Action::Set { file } => {
            let request = read(&file)?;
            ServiceList(session.client.set_services(request).await?)
        }
        Action::Show { service: None } => ServiceList(session.client.services().await?),
        Action::Show {
            service: Some(name),
        } => {
            let all = ServiceList(session.client.services().await?);
            let Some(one) = all.only(&name) else {
                bail!("there is no service {name}: nobody declared it, and no host has it");
            };
            one
        }
    };
    session.out.show(&list)?;
    Ok(Exit::Done)
}

/// Reads and checks the file here, so that its mistakes are shown with its whole path.
fn read(path: &Path) -> Result<SetServicesRequest> {
    let services_text = file::read(path)?;
    Services::parse(&path.display().to_string(), &services_text)
        .map_err(|mistakes| UsageError(mistakes.to_string()))?;
    let file_name = path.file_name().unwrap_or(path.as_os_str());
    Ok(SetServicesRequest {
        file_name: file_name.to_string_lossy().into_owned(),
        services_text,
    })
}
