//! `cofferdam pki`: keys and certificates.

use crate::{
    clock,
    exit::{Exit, UsageError},
    pki::{AUTHORITY_DAYS, Authority, LEAF_DAYS, Pair, ServerNames, Validity},
    render::{Output, View},
};
use anyhow::Result;
use clap::{Subcommand, value_parser};
use cofferdam_engine::{
    id::{HostId, NameError, OperatorId, Region},
    identity::Identity,
};
use serde::Serialize;
use std::{net::IpAddr, path::PathBuf};

/// Arguments of `pki`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    cofferdam pki init --trust-domain example.org\n  \
    cofferdam pki issue agent web-1")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    /// The authority's folder
    #[arg(long, global = true, default_value = "pki", value_name = "DIR")]
    dir: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an authority, its key and its certificate, for --trust-domain
    #[command(after_help = "Example:\n  cofferdam pki init --trust-domain example.org")]
    Init {
        /// How long the authority is valid
        #[arg(long, default_value_t = AUTHORITY_DAYS, value_parser = at_least_one())]
        days: u32,
    },
    /// Issue a key and a certificate
    #[command(after_help = "Example:\n  \
        cofferdam pki issue coordinator r1 --dns coordinator.example.org --ip 10.0.0.7")]
    Issue {
        #[command(subcommand)]
        whom: Whom,
        /// How long the certificate is valid
        #[arg(long, global = true, default_value_t = LEAF_DAYS, value_parser = at_least_one())]
        days: u32,
    },
}

#[derive(Debug, Subcommand)]
enum Whom {
    /// For the agent of one host
    #[command(after_help = "Example:\n  cofferdam pki issue agent web-1 --days 30")]
    Agent {
        /// The host's name
        name: String,
        /// The host is one that Cofferdam itself runs on, as a coordinator's or a repository's: it is patched last
        #[arg(long)]
        patcher: bool,
    },
    /// For the coordinator of one region
    #[command(after_help = "Example:\n  \
        cofferdam pki issue coordinator r1 --dns coordinator.example.org")]
    Coordinator {
        /// The region's name
        region: String,
        #[command(flatten)]
        names: NameArgs,
    },
    /// For the control plane
    #[command(after_help = "Example:\n  \
        cofferdam pki issue control --dns control.example.org")]
    Control {
        #[command(flatten)]
        names: NameArgs,
    },
    /// For a person or program that operates Cofferdam
    #[command(after_help = "Example:\n  cofferdam pki issue operator ana --days 30")]
    Operator {
        /// The operator's name
        name: String,
    },
}

/// A certificate of no days has ended when it is issued.
fn at_least_one() -> clap::builder::RangedI64ValueParser<u32> {
    value_parser!(u32).range(1..)
}

#[derive(Debug, clap::Args)]
struct NameArgs {
    /// A DNS name that it is dialled by; may be given more than once
    #[arg(long, value_name = "NAME")]
    dns: Vec<String>,
    /// An address that it is dialled by; may be given more than once
    #[arg(long, value_name = "ADDRESS")]
    ip: Vec<IpAddr>,
}

impl From<NameArgs> for ServerNames {
    fn from(args: NameArgs) -> Self {
        Self {
            dns: args.dns,
            ip: args.ip,
        }
    }
}

impl Whom {
    fn identity(self) -> Result<(Identity, ServerNames), NameError> {
        Ok(match self {
            Self::Agent { name, .. } => {
                (Identity::Agent(HostId::new(name)?), ServerNames::default())
            }
            Self::Coordinator { region, names } => {
                (Identity::Coordinator(Region::new(region)?), names.into())
            }
            Self::Control { names } => (Identity::Control, names.into()),
            Self::Operator { name } => (
                Identity::Operator(OperatorId::new(name)?),
                ServerNames::default(),
            ),
        })
    }
}

/// What was made.
#[derive(Serialize)]
struct Made {
    identity: String,
    certificate: PathBuf,
    key: PathBuf,
    not_after: String,
}

impl Made {
    fn new(identity: String, pair: Pair) -> Self {
        Self {
            identity,
            certificate: pair.certificate,
            key: pair.key,
            not_after: pair.not_after.date().to_string(),
        }
    }
}

impl View for Made {
    fn text(&self) -> String {
        format!(
            "{}\n  certificate {}\n  key         {}  (keep it private)\n  valid until {}\n",
            self.identity,
            self.certificate.display(),
            self.key.display(),
            self.not_after
        )
    }
}

/// Runs the command. `trust_domain` is the connection's: only `init` asks for it, all else reads it
/// from the authority's certificate.
///
/// # Errors
/// When a name is malformed, a file exists or cannot be written, or the authority is not there.
pub fn run(args: Args, trust_domain: Option<String>, out: Output) -> Result<Exit> {
    let made = match args.action {
        Action::Init { days } => {
            let missing = || UsageError("give --trust-domain DOMAIN, as in example.org".to_owned());
            let trust_domain = trust_domain.ok_or_else(missing)?;
            let now = clock::date();
            let pair = Authority::create(&args.dir, &trust_domain, Validity { now, days })?;
            Made::new(format!("spiffe://{trust_domain}"), pair)
        }
        Action::Issue { whom, days } => {
            let authority = Authority::load(&args.dir)?;
            let is_patcher = matches!(whom, Whom::Agent { patcher: true, .. });
            let named = whom.identity().map_err(|e| UsageError(e.to_string()))?;
            let now = clock::date();
            let validity = Validity { now, days };
            let uri = named.0.uri(authority.trust_domain());
            let pair = match named {
                (Identity::Agent(host), _) if is_patcher => {
                    authority.issue_to_patcher(host, validity)?
                }
                (identity, names) => authority.issue(&identity, &names, validity)?,
            };
            Made::new(uri, pair)
        }
    };
    out.show(&made)?;
    Ok(Exit::Done)
}
