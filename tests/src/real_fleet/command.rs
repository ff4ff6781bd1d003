//! What a person does with a fleet: `make fleet`, `make fleet-down`, and the `fleet` program.

use super::{
    RealFleet,
    container::link,
    ground::{self, Owner},
    network::BRIDGE_ADDRESS,
    repository::Package,
    requirements::missing,
    tree,
    trouble::FleetError,
};
use crate::machine::Machine;
use clap::Subcommand;
use cofferdam::demo::archive;
use std::{
    ffi::OsString,
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    time::Instant,
};
use tokio::net::TcpListener;

/// What is done with the fleet.
#[derive(Debug, Subcommand)]
pub enum Act {
    /// Boots a fleet with a coordinator and an agent on each host
    Up {
        /// How many hosts
        #[arg(long, default_value_t = 8)]
        hosts: usize,
        /// Further packages of Debian on each host, as `dnf,packagekit`
        #[arg(long)]
        with: Option<String>,
    },
    /// Takes down the fleet, what killed tests left, and what failed tests kept
    Down,
    /// Lists the hosts
    List,
    /// Opens a shell on a host as root, or runs a command there
    Shell {
        /// Its name
        host: String,
        /// A command and its arguments, or one line of shell in quotes; none opens a shell
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        line: Vec<String>,
    },
    /// Runs `cofferdam` as the fleet's operator
    #[command(disable_help_flag = true)]
    Cofferdam {
        /// Its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Cuts a host's power
    Cut {
        /// Its name
        host: String,
    },
    /// Switches a host on
    Start {
        /// Its name
        host: String,
    },
    /// Publishes an empty package in the fleet's repository
    Publish {
        /// Its name
        name: String,
        /// Its version
        version: String,
    },
    /// Serves a folder over HTTP; the fleet's repository runs it
    #[command(hide = true)]
    Serve {
        /// The folder
        folder: PathBuf,
        /// Where
        address: SocketAddr,
    },
}

impl Act {
    /// Does it.
    ///
    /// # Errors
    /// When it cannot be done, and why.
    pub async fn carry_out(self) -> Result<(), FleetError> {
        match self {
            Self::Up { hosts, with } => up(hosts, with.as_deref()).await,
            Self::Down => down(),
            Self::List => list(),
            Self::Shell { host, line } => shell(&host, &line),
            Self::Cofferdam { arguments } => {
                become_command(RealFleet::persons()?.control.operator().args(arguments))
            }
            Self::Cut { host } => RealFleet::persons()?.host(&host)?.cut_power(),
            Self::Start { host } => start(&host).await,
            Self::Publish { name, version } => {
                let package = Package::new(&name, &version);
                RealFleet::persons()?.repository.publish(&package).await
            }
            Self::Serve { folder, address } => serve(folder, address).await,
        }
    }
}

async fn up(hosts: usize, with: Option<&str>) -> Result<(), FleetError> {
    if let Some(why) = missing() {
        return Err(FleetError::Refused(format!("no fleet can run here: {why}")));
    }
    let began = Instant::now();
    let fleet = RealFleet::make(with, Machine::several(hosts), Owner::Person).await?;
    fleet.manage().await?;
    fleet.switch_on().await?;
    say(&format!("up in {:.1} s\n", began.elapsed().as_secs_f32()));
    list()?;
    say(&directions(&fleet));
    Ok(())
}

fn down() -> Result<(), FleetError> {
    let gone = ground::clear_all()?;
    let cache = tree::cache();
    let has_half = cache.map_or(Ok(false), |cache| tree::clear_unfinished(&cache))?;
    if has_half {
        say("what was left of a root tree that was being made is gone\n");
    }
    if gone.is_empty() && !has_half {
        say("no fleet was up\n");
    }
    for id in gone {
        say(&format!("{id} is gone\n"));
    }
    Ok(())
}

fn list() -> Result<(), FleetError> {
    for host in RealFleet::persons()?.hosts() {
        let state = if host.init().is_some() { "on" } else { "off" };
        let (name, address) = (host.name().as_str(), host.address().to_string());
        say(&format!("{name:<10} {address:<14} {state}\n"));
    }
    Ok(())
}

fn shell(host: &str, line: &[String]) -> Result<(), FleetError> {
    let fleet = RealFleet::persons()?;
    let mut shell = fleet.host(host)?.shell()?;
    match line {
        [] => {}
        // A line for the host's shell, or a command and its arguments as they are.
        [line] => drop(shell.arg("-c").arg(line)),
        words => drop(shell.args(["-c", "\"$0\" \"$@\""]).args(words)),
    }
    become_command(&mut shell)
}

async fn start(host: &str) -> Result<(), FleetError> {
    let fleet = RealFleet::persons()?;
    let host = fleet.host(host)?;
    host.power_on().await?;
    host.booted().await.map(drop)
}

async fn serve(folder: PathBuf, address: SocketAddr) -> Result<(), FleetError> {
    let listener = TcpListener::bind(address).await;
    let refused = |error| FleetError::Refused(format!("cannot listen on {address}: {error}"));
    archive::serve(listener.map_err(refused)?, folder).await;
    Ok(())
}

/// How a person reaches what was made.
fn directions(fleet: &RealFleet) -> String {
    let own = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("fleet"));
    let own = own.display();
    let namespace = fleet.network().namespace().display().to_string();
    let home = fleet.control.config_home().display();
    let operator = crate::process::binary("cofferdam");
    format!(
        "\n\
         a host             {own} shell web-1\n\
         power              {own} cut web-1; {own} start web-1; or `reboot` on it\n\
         the operator       {own} cofferdam hosts\n\
         without this       nsenter --net={namespace} env XDG_CONFIG_HOME={home} {} hosts\n\
         the coordinator    https://{BRIDGE_ADDRESS}:7300, metrics http://{BRIDGE_ADDRESS}:7301, in {namespace}\n\
         the repository     http://{BRIDGE_ADDRESS}/, {own} publish NAME VERSION\n\
         a cable            nsenter --net={namespace} ip link set {} down\n\
         everything of it   {}, what a host printed in hosts/NAME/console\n\
         the end of it      make fleet-down\n",
        operator.display(),
        link(1),
        fleet.folder().display(),
    )
}

/// Becomes another program: its terminal, its signals and its exit code are ours.
fn become_command(command: &mut std::process::Command) -> Result<(), FleetError> {
    Err(FleetError::Start {
        command: format!("{}", command.get_program().display()),
        source: command.exec(),
    })
}

fn say(text: &str) {
    // Whoever closed our output does not want to hear it.
    io::stdout().write_all(text.as_bytes()).ok();
}
