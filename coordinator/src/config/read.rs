//! Reads the keys of a config file.

use super::{Regions, Settings, artefacts, role, signing};
use cofferdam_engine::{
    document::{self, Mistakes, Table},
    duration::{self, DurationError},
    id::{NameError, Region},
};
use cofferdam_proto::{dial::WaysRefusal, session::HEARTBEAT};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

/// Every mistake of a config file.
pub type SettingsErrors = Mistakes<Refusal>;

/// Why a value is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not an address.
    #[error("`{0}` is not an address with a port, as in \"127.0.0.1:7300\"")]
    Address(String),
    /// It is empty.
    #[error("it must not be empty")]
    Empty,
    /// It is not a region's name.
    #[error(transparent)]
    Region(#[from] NameError),
    /// `region` and `regions` are both there.
    #[error("`region` and `regions` exclude each other; keep one")]
    TwoWays,
    /// A region is to have a control plane, and none is named.
    #[error(
        "a region needs `control`, where its control plane is, as in [\"control.example.org:7300\"]"
    )]
    NoControl,
    /// Only a region dials a control plane.
    #[error("only a region dials a control plane: say role = \"region\", or take this line out")]
    NotARegion,
    /// It is not whom to dial, or how.
    #[error(transparent)]
    Dialled(#[from] WaysRefusal),
    /// It says nowhere where artefacts could be.
    #[error(
        "`{0}` is no place for artefacts: an absolute path, or a URL as in \"s3://bucket/prefix\""
    )]
    Artefacts(String),
    /// Signatures are asked for, and nobody's count.
    #[error("nobody's signature counts without `allowed_signers`; name its file")]
    NobodySigns,
    /// It is not a duration.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// It is too short or too long.
    #[error(
        "it must be from {} to {}",
        duration::format(*HEARTBEATS.start()),
        duration::format(*HEARTBEATS.end())
    )]
    Heartbeat,
}

/// All interfaces: agents dial in. The port is unassigned by IANA.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 7300);

/// This machine alone, since it is served without TLS.
const HTTP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7301);

/// Where the package's unit has its state directory.
const DATA_DIR: &str = "/var/lib/cofferdam-coordinator";

/// Below it idle fleets would do little but greet each other; above it a lost host goes unnoticed
/// for longer than a claim waits (guess).
const HEARTBEATS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(20);

impl Settings {
    /// Reads the text of a config file; `file` is what its mistakes call it.
    ///
    /// # Errors
    /// Every mistake of the file, when there is any.
    pub fn parse(file: &str, text: &str) -> Result<Self, SettingsErrors> {
        document::read(file, text, read)
    }
}

fn read(mut top: Table<'_, Refusal>) -> Option<Settings> {
    top.require("cert", "cert = \"/etc/cofferdam/coordinator.pem\"");
    top.require("key", "key = \"/etc/cofferdam/coordinator.key\"");
    top.require("ca", "ca = \"/etc/cofferdam/ca.pem\"");
    top.require("trust_domain", "trust_domain = \"example.org\"");
    let listen = top.text("listen", address);
    let http = top.text("http", address);
    let regions = regions(&mut top);
    let role = role::read(&mut top);
    let cert = top.text("cert", path);
    let key = top.text("key", path);
    let ca = top.text("ca", path);
    let trust_domain = top.text("trust_domain", filled);
    let data_dir = top.text("data_dir", path);
    let heartbeat = top.text("heartbeat", heartbeat);
    let data_dir = data_dir.unwrap_or_else(|| DATA_DIR.into());
    let (artefacts, limits) = artefacts::read(&mut top, &data_dir);
    let signing = signing::read(&mut top);
    top.finish(&[], &[]);
    Some(Settings {
        listen: listen.unwrap_or(LISTEN),
        http: http.unwrap_or(HTTP),
        regions,
        role,
        cert: cert?,
        key: key?,
        ca: ca?,
        trust_domain: trust_domain?,
        data_dir,
        heartbeat: heartbeat.unwrap_or(HEARTBEAT),
        artefacts,
        limits,
        signing,
    })
}

fn regions(top: &mut Table<'_, Refusal>) -> Regions {
    if top.has("region") && top.has("regions") {
        top.refuse("regions", Refusal::TwoWays);
    }
    let one = top.text("region", |text| match text {
        "*" => Ok(None),
        name => Region::new(name).map(Some),
    });
    let several = top.texts("regions");
    let Some(names) = several else {
        let only = |region| Regions::Only([region].into());
        return one.flatten().map_or(Regions::All, only);
    };
    if names.is_empty() {
        top.refuse("regions", Refusal::Empty);
    }
    match names.into_iter().map(Region::new).collect() {
        Ok(regions) => Regions::Only(regions),
        Err(malformed) => {
            top.refuse("regions", malformed);
            Regions::All
        }
    }
}

fn address(text: &str) -> Result<SocketAddr, Refusal> {
    text.parse().map_err(|_| Refusal::Address(text.to_owned()))
}

pub(super) fn path(text: &str) -> Result<PathBuf, Refusal> {
    filled(text).map(PathBuf::from)
}

fn filled(text: &str) -> Result<String, Refusal> {
    if text.is_empty() {
        return Err(Refusal::Empty);
    }
    Ok(text.to_owned())
}

fn heartbeat(text: &str) -> Result<Duration, Refusal> {
    let heartbeat = duration::parse(text)?;
    if !HEARTBEATS.contains(&heartbeat) {
        return Err(Refusal::Heartbeat);
    }
    Ok(heartbeat)
}
