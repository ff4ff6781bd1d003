//! Resolves wished packages to exact bits: one agent a platform says what it would install.
//!
//! The agents' package managers decide, not a model of them here. Hosts that have everything
//! already say nothing of use, so the next kind of host of that platform is asked then.

pub(crate) mod upgrade;

mod set;
mod union;

use crate::driver::{DriverHandle, Stopping};
use cofferdam_engine::{
    failure::Failure,
    id::HostId,
    inventory::Platform,
    patch::{LockedPlatform, VersionWish},
    reach::Reach,
    select::Selection,
    wish::Wish,
};
use cofferdam_proto::session::SimulatedPackage;
use std::{collections::BTreeMap, fmt, time::Duration};
use tokio::{task::JoinSet, time::timeout};

/// How long one agent may take: two package managers' lock waits, and a slow repository (guess).
const PATIENCE: Duration = Duration::from_secs(120);

/// Agents asked for one platform at most (guess: the most common images of it).
const ASKED: usize = 3;

/// Hosts of one platform that bring packages to the artefact store at most: those of other package
/// sets do when they stage (guess: a platform has a few images and their leftovers).
const SUPPLIERS: usize = 32;

/// Every platform that could not be resolved. Displays one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResolveErrors(Vec<ResolveError>);

/// Why a platform could not be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ResolveError {
    /// Nobody is there to be asked.
    #[error("no agent of platform {0} is connected: none of its selected hosts can be asked")]
    NoAgent(Platform),
    /// The package manager said no.
    #[error("host {host} cannot install that on {platform}: {failure}")]
    Failed {
        platform: Platform,
        host: HostId,
        failure: Failure,
    },
    /// The host's session ended.
    #[error("host {host} went away while it was asked for {platform}: try again")]
    Lost { platform: Platform, host: HostId },
    /// The host did not answer.
    #[error(
        "host {host} did not say within {} s what it would install on {platform}",
        PATIENCE.as_secs()
    )]
    TooLate { platform: Platform, host: HostId },
    /// Two hosts of one platform would take other bits of one package.
    #[error(
        "hosts of {platform} would take different bits of {package}: {} would take {}, {} would take {}; give them the same repositories, or make a rollout of each kind",
        one.0, one.1, other.0, other.1
    )]
    Differ {
        platform: Platform,
        package: String,
        /// A host and its version.
        one: Box<(HostId, String)>,
        /// Another host and its version.
        other: Box<(HostId, String)>,
    },
    /// There is nothing to install.
    #[error("nothing to install on {platform}: host {host} has all of it")]
    Nothing { platform: Platform, host: HostId },
}

impl ResolveErrors {
    /// Errors in order. Nothing when there is none.
    fn of(mut errors: Vec<ResolveError>) -> Option<Self> {
        errors.sort_by_key(ToString::to_string);
        (!errors.is_empty()).then_some(Self(errors))
    }

    /// Whether the same question may well be answered later.
    pub(crate) fn may_pass(&self) -> bool {
        self.0.iter().all(|error| match error {
            ResolveError::NoAgent(_) | ResolveError::Lost { .. } | ResolveError::TooLate { .. } => {
                true
            }
            ResolveError::Failed { failure, .. } => failure.kind.may_pass(),
            ResolveError::Differ { .. } | ResolveError::Nothing { .. } => false,
        })
    }
}

impl fmt::Display for ResolveErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ResolveErrors {}

/// What the platforms of a rollout resolve to.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The packages of each platform, in order.
    pub(crate) platforms: Vec<LockedPlatform>,
    /// What an operator should know of it, one line each.
    pub(crate) notes: Vec<String>,
}

/// What one host would install.
#[derive(Debug)]
struct Answer {
    platform: Platform,
    host: HostId,
    packages: Vec<SimulatedPackage>,
}

/// The exact packages for each platform of the selected hosts, in order.
pub(crate) async fn platforms(
    driver: &DriverHandle,
    selection: &Selection,
    packages: &BTreeMap<String, VersionWish>,
) -> Result<Result<Resolved, ResolveErrors>, Stopping> {
    let selection = selection.clone();
    let sets = driver
        .ask(move |situation| set::sets(situation.fleet, &selection))
        .await?;
    let mut asked = JoinSet::new();
    for (platform, sets) in sets {
        let hosts = set::to_ask(&sets, ASKED);
        asked.spawn(one(driver.clone(), platform, hosts, packages.clone()));
    }
    let mut platforms = Vec::new();
    let mut errors = Vec::new();
    while let Some(joined) = asked.join_next().await {
        // A task of ours ends early only when the runtime does.
        match joined.map_err(|_| Stopping)?? {
            Ok(platform) => platforms.push(platform),
            Err(error) => errors.push(error),
        }
    }
    if let Some(errors) = ResolveErrors::of(errors) {
        return Ok(Err(errors));
    }
    platforms.sort_by(|a, b| a.platform.cmp(&b.platform));
    let notes = Vec::new();
    Ok(Ok(Resolved { platforms, notes }))
}

async fn one(
    driver: DriverHandle,
    platform: Platform,
    hosts: Vec<HostId>,
    packages: BTreeMap<String, VersionWish>,
) -> Result<Result<LockedPlatform, ResolveError>, Stopping> {
    let mut error = ResolveError::NoAgent(platform.clone());
    for host in hosts {
        let wish = Wish::Packages(packages.clone());
        let answer = ask_host(driver.clone(), platform.clone(), host, wish).await?;
        error = match answer {
            Ok(Answer { packages, host, .. }) if packages.is_empty() => {
                let platform = platform.clone();
                ResolveError::Nothing { platform, host }
            }
            Ok(Answer { packages, .. }) => {
                let mut packages: Vec<_> = packages.into_iter().map(|s| s.locked).collect();
                packages.sort();
                return Ok(Ok(LockedPlatform {
                    platform,
                    packages,
                    reach: Reach::Every,
                    fixes: None,
                }));
            }
            Err(ResolveError::Failed { failure, host, .. }) if !failure.kind.may_pass() => {
                return Ok(Err(ResolveError::Failed {
                    platform,
                    host,
                    failure,
                }));
            }
            Err(error) => error,
        };
    }
    Ok(Err(error))
}

/// Who may bring a platform's packages to the artefact store: one connected host of each package set,
/// since hosts of one set have the same packages to go back to.
pub(crate) async fn suppliers(
    driver: &DriverHandle,
    selection: &Selection,
) -> Result<BTreeMap<Platform, Vec<HostId>>, Stopping> {
    let selection = selection.clone();
    let sets = driver
        .ask(move |situation| set::sets(situation.fleet, &selection))
        .await?;
    let hosts = |(platform, sets): (Platform, Vec<_>)| (platform, set::to_ask(&sets, SUPPLIERS));
    Ok(sets.into_iter().map(hosts).collect())
}

/// Asks one host what it would install.
async fn ask_host(
    driver: DriverHandle,
    platform: Platform,
    host: HostId,
    wish: Wish,
) -> Result<Result<Answer, ResolveError>, Stopping> {
    let answer = driver.simulate(host.clone(), wish).await?;
    Ok(match timeout(PATIENCE, answer).await {
        Ok(Ok(Ok(packages))) => Ok(Answer {
            platform,
            host,
            packages,
        }),
        Ok(Ok(Err(failure))) => Err(ResolveError::Failed {
            platform,
            host,
            failure,
        }),
        Ok(Err(_)) => Err(ResolveError::Lost { platform, host }),
        Err(_) => Err(ResolveError::TooLate { platform, host }),
    })
}
