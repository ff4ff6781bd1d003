//! Resolves wished packages to exact bits: one agent a platform says what it would install.
//!
//! The agents' package managers decide, not a model of them here. Hosts that have everything
//! already say nothing of use, so the next kind of host of that platform is asked then.

use crate::driver::{DriverHandle, Stopping};
use cofferdam_engine::{
    cell::Member,
    digest::Digest,
    failure::Failure,
    fleet::Fleet,
    id::HostId,
    inventory::Platform,
    patch::{LockedPlatform, VersionWish},
    select::Selection,
};
use std::{collections::BTreeMap, fmt, time::Duration};
use tokio::{task::JoinSet, time::timeout};

/// How long one agent may take: two package managers' lock waits, and a slow repository (guess).
const PATIENCE: Duration = Duration::from_secs(120);

/// Agents asked for one platform at most (guess: the most common images of it).
const ASKED: usize = 3;

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
    /// There is nothing to install.
    #[error("nothing to install on {platform}: host {host} has all of it")]
    Nothing { platform: Platform, host: HostId },
}

impl ResolveErrors {
    /// Whether the same question may well be answered later.
    pub(crate) fn may_pass(&self) -> bool {
        self.0.iter().all(|error| match error {
            ResolveError::NoAgent(_) | ResolveError::Lost { .. } | ResolveError::TooLate { .. } => {
                true
            }
            ResolveError::Failed { failure, .. } => failure.kind.may_pass(),
            ResolveError::Nothing { .. } => false,
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

/// The exact packages for each platform of the selected hosts, in order.
pub(crate) async fn platforms(
    driver: &DriverHandle,
    selection: &Selection,
    packages: &BTreeMap<String, VersionWish>,
) -> Result<Result<Vec<LockedPlatform>, ResolveErrors>, Stopping> {
    let selection = selection.clone();
    let candidates = driver
        .ask(move |situation| candidates(situation.fleet, &selection))
        .await?;
    let mut asked = JoinSet::new();
    for (platform, hosts) in candidates {
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
    if !errors.is_empty() {
        errors.sort_by_key(ToString::to_string);
        return Ok(Err(ResolveErrors(errors)));
    }
    platforms.sort_by(|a, b| a.platform.cmp(&b.platform));
    Ok(Ok(platforms))
}

/// Whom to ask for each platform: one connected host of each of its most common package sets.
fn candidates(fleet: &Fleet, selection: &Selection) -> BTreeMap<Platform, Vec<HostId>> {
    let members = fleet
        .cells()
        .values()
        .flat_map(|cell| cell.members().values());
    let mut kinds: BTreeMap<Platform, BTreeMap<Digest, Vec<&Member>>> = BTreeMap::new();
    for member in members.filter(|member| selection.matches(&member.host)) {
        let facts = &member.host.facts;
        let sets = kinds.entry(facts.platform.clone()).or_default();
        sets.entry(facts.packages).or_default().push(member);
    }
    let of_platform = |sets: BTreeMap<Digest, Vec<&Member>>| {
        let mut sets: Vec<_> = sets.into_values().collect();
        sets.sort_by_key(|members| std::cmp::Reverse(members.len()));
        let connected = |members: Vec<&Member>| {
            let found = members.into_iter().find(|member| member.is_connected());
            found.map(|member| member.host.id.clone())
        };
        sets.into_iter().filter_map(connected).take(ASKED).collect()
    };
    kinds
        .into_iter()
        .map(|(platform, sets)| (platform, of_platform(sets)))
        .collect()
}

async fn one(
    driver: DriverHandle,
    platform: Platform,
    hosts: Vec<HostId>,
    packages: BTreeMap<String, VersionWish>,
) -> Result<Result<LockedPlatform, ResolveError>, Stopping> {
    let mut error = ResolveError::NoAgent(platform.clone());
    for host in hosts {
        let answer = driver.simulate(host.clone(), packages.clone()).await?;
        let platform = platform.clone();
        error = match timeout(PATIENCE, answer).await {
            Ok(Ok(Ok(simulated))) if simulated.is_empty() => {
                ResolveError::Nothing { platform, host }
            }
            Ok(Ok(Ok(simulated))) => {
                let mut packages: Vec<_> = simulated.into_iter().map(|s| s.locked).collect();
                packages.sort();
                return Ok(Ok(LockedPlatform { platform, packages }));
            }
            Ok(Ok(Err(failure))) if !failure.kind.may_pass() => {
                return Ok(Err(ResolveError::Failed {
                    platform,
                    host,
                    failure,
                }));
            }
            Ok(Ok(Err(failure))) => ResolveError::Failed {
                platform,
                host,
                failure,
            },
            Ok(Err(_)) => ResolveError::Lost { platform, host },
            Err(_) => ResolveError::TooLate { platform, host },
        };
    }
    Ok(Err(error))
}
