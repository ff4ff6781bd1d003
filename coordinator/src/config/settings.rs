//! A coordinator's settings: domain types, defaults filled in.

use super::{
    Mistake,
    fragment::{Fragment, OnLine},
};
use cofferdam_engine::{duration, id::Region};
use cofferdam_proto::session::HEARTBEAT;
use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf, time::Duration};

/// What a coordinator is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where agents and operators dial (gRPC with mutual TLS). Default `0.0.0.0:7300`.
    pub listen: SocketAddr,
    /// Where metrics and health are served (plain HTTP). Default `127.0.0.1:7301`.
    pub http: SocketAddr,
    /// Which regions it serves. Default all.
    pub regions: Regions,
    /// Its certificate chain, PEM.
    pub cert: PathBuf,
    /// The certificate's private key, PEM.
    pub key: PathBuf,
    /// The certificates that it trusts, PEM.
    pub ca: PathBuf,
    /// The trust domain of every SPIFFE URI, as in `example.org`.
    pub trust_domain: String,
    /// Where store and artefacts are.
    pub data_dir: PathBuf,
    /// How often both sides of a session send a sign of life. Default 10 s.
    pub heartbeat: Duration,
}

/// The regions that a process serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Regions {
    /// Every region that a host names.
    All,
    /// These.
    Only(BTreeSet<Region>),
}

impl Regions {
    /// Whether a region is among them.
    pub fn contain(&self, region: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(regions) => regions.iter().any(|served| served.as_str() == region),
        }
    }
}

/// All interfaces: agents dial in. The port is unassigned by IANA.
const LISTEN: &str = "0.0.0.0:7300";
/// This machine alone, since it is served without TLS.
const HTTP: &str = "127.0.0.1:7301";
/// Where the package's unit has its state directory.
const DATA_DIR: &str = "/var/lib/cofferdam-coordinator";
/// Below it idle fleets would do little but greet each other; above it a lost host goes unnoticed
/// for longer than a claim waits (guess).
const HEARTBEATS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(20);

impl Settings {
    /// Reads the text of a config file.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(text: &str) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let fragment = Fragment::read(text, &mut mistakes);
        let mut reader = Reader { fragment, mistakes };
        let settings = reader.settings();
        match settings {
            Some(settings) if reader.mistakes.is_empty() => Ok(settings),
            Some(_) | None => Err(reader.mistakes),
        }
    }
}

struct Reader {
    fragment: Fragment,
    mistakes: Vec<Mistake>,
}

impl Reader {
    /// The settings. Nothing when a key that must be there is not.
    fn settings(&mut self) -> Option<Settings> {
        let listen = self.address("listen", LISTEN);
        let http = self.address("http", HTTP);
        let regions = self.regions();
        let cert = self.required("cert");
        let key = self.required("key");
        let ca = self.required("ca");
        let trust_domain = self.required("trust_domain");
        let data_dir = self.fragment.text("data_dir");
        let heartbeat = self.heartbeat();
        Some(Settings {
            listen: listen?,
            http: http?,
            regions: regions?,
            cert: cert?.into(),
            key: key?.into(),
            ca: ca?.into(),
            trust_domain: trust_domain?,
            data_dir: data_dir.map_or_else(|| DATA_DIR.into(), |dir| dir.value.into()),
            heartbeat: heartbeat?,
        })
    }

    fn required(&mut self, key: &str) -> Option<String> {
        match self.fragment.text(key) {
            Some(found) if !found.value.is_empty() => Some(found.value),
            Some(found) => self.mistake(Some(found.line), format!("`{key}` must not be empty")),
            None => self.mistake(None, format!("`{key}` is missing")),
        }
    }

    fn address(&mut self, key: &str, default: &str) -> Option<SocketAddr> {
        let found = self.fragment.text(key);
        let (text, line) = match found {
            Some(found) => (found.value, Some(found.line)),
            None => (default.to_owned(), None),
        };
        match text.parse() {
            Ok(address) => Some(address),
            Err(_) => self.mistake(
                line,
                format!("`{key}`: `{text}` is not an address with a port, as in \"{default}\""),
            ),
        }
    }

    fn regions(&mut self) -> Option<Regions> {
        let one = self.fragment.text("region");
        let many = self.fragment.regions.take();
        let OnLine { line, value } = match (one, many) {
            (None, None) => return Some(Regions::All),
            (Some(one), None) if one.value == "*" => return Some(Regions::All),
            (Some(one), None) => OnLine {
                line: one.line,
                value: vec![one.value],
            },
            (None, Some(many)) => many,
            (Some(_), Some(many)) => {
                let message = "`region` and `regions` exclude each other".to_owned();
                return self.mistake(Some(many.line), message);
            }
        };
        if value.is_empty() {
            return self.mistake(Some(line), "`regions` must not be empty".to_owned());
        }
        let regions: Result<_, _> = value.into_iter().map(Region::new).collect();
        match regions {
            Ok(regions) => Some(Regions::Only(regions)),
            Err(malformed) => self.mistake(Some(line), malformed.to_string()),
        }
    }

    fn heartbeat(&mut self) -> Option<Duration> {
        let Some(OnLine { line, value }) = self.fragment.text("heartbeat") else {
            return Some(HEARTBEAT);
        };
        match duration::parse(&value) {
            Ok(heartbeat) if HEARTBEATS.contains(&heartbeat) => Some(heartbeat),
            Ok(_) => self.mistake(
                Some(line),
                format!(
                    "`heartbeat` must be from {} to {}",
                    duration::format(*HEARTBEATS.start()),
                    duration::format(*HEARTBEATS.end()),
                ),
            ),
            Err(malformed) => self.mistake(Some(line), format!("`heartbeat`: {malformed}")),
        }
    }

    fn mistake<T>(&mut self, line: Option<usize>, message: String) -> Option<T> {
        self.mistakes.push(Mistake { line, message });
        None
    }
}
