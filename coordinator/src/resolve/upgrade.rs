//! Resolves upgrades: what is pending differs from host to host, so one host of each package set
//! says what it would take, and a platform's packages are the union of that.

use super::{
    Answer, ResolveError, ResolveErrors, Resolved, ask_host,
    set::{Set, sets, to_ask},
    union::Union,
};
use crate::driver::{DriverHandle, Stopping};
use cofferdam_engine::{
    advisory::Advisory,
    inventory::Platform,
    patch::{Fixes, LockedPlatform},
    reach::Reach,
    select::Selection,
    wish::Wish,
};
use std::collections::BTreeMap;
use tokio::task::JoinSet;

/// Package sets of one platform that are asked at most (guess: a platform has a few images and
/// their leftovers; what is not asked is said).
const ASKED_SETS: usize = 32;

/// Which upgrades are meant.
#[derive(Debug, Clone)]
pub(crate) enum Upgrades {
    /// All security updates.
    Security,
    /// What an advisory asks for.
    Advisory(Advisory),
}

impl Upgrades {
    /// What a host of a platform is asked. Nothing when the advisory does not name its release.
    fn wish(&self, platform: &Platform) -> Option<Wish> {
        match self {
            Self::Security => Some(Wish::Security),
            Self::Advisory(advisory) => {
                let fixes = advisory.fixes.get(&platform.os_release)?;
                Some(Wish::Fixes(fixes.clone()))
            }
        }
    }

    /// What the lock file says of a platform's fixes.
    fn fixes(&self, platform: &Platform) -> Option<Fixes> {
        match self {
            Self::Security => None,
            Self::Advisory(advisory) => Some(Fixes {
                advisory: advisory.id.clone(),
                sources: advisory
                    .fixes
                    .get(&platform.os_release)
                    .cloned()
                    .unwrap_or_default(),
            }),
        }
    }
}

/// The upgrades of each platform of the selected hosts, in order.
pub(crate) async fn platforms(
    driver: &DriverHandle,
    selection: &Selection,
    upgrades: &Upgrades,
) -> Result<Result<Resolved, ResolveErrors>, Stopping> {
    let selection = selection.clone();
    let sets = driver
        .ask(move |situation| sets(situation.fleet, &selection))
        .await?;
    let mut inquiry = Inquiry::default();
    for (platform, sets) in sets {
        inquiry.ask(driver, upgrades, platform, &sets);
    }
    inquiry.hear().await?;
    Ok(inquiry.resolved(upgrades))
}

/// What is asked, and what was heard.
#[derive(Debug, Default)]
struct Inquiry {
    asked: JoinSet<Result<Result<Answer, ResolveError>, Stopping>>,
    unions: BTreeMap<Platform, Union>,
    errors: Vec<ResolveError>,
    notes: Vec<String>,
}

impl Inquiry {
    /// Asks hosts of one platform.
    fn ask(
        &mut self,
        driver: &DriverHandle,
        upgrades: &Upgrades,
        platform: Platform,
        sets: &[Set],
    ) {
        self.unions.insert(platform.clone(), Union::default());
        let Some(wish) = upgrades.wish(&platform) else {
            self.notes.push(not_named(&platform, sets));
            return;
        };
        let hosts = to_ask(sets, ASKED_SETS);
        if hosts.is_empty() {
            self.errors.push(ResolveError::NoAgent(platform));
            return;
        }
        self.notes.extend(not_asked(&platform, sets, hosts.len()));
        for host in hosts {
            let (driver, wish) = (driver.clone(), wish.clone());
            self.asked
                .spawn(ask_host(driver, platform.clone(), host, wish));
        }
    }

    /// Waits for all answers.
    async fn hear(&mut self) -> Result<(), Stopping> {
        while let Some(joined) = self.asked.join_next().await {
            // A task of ours ends early only when the runtime does.
            match joined.map_err(|_| Stopping)?? {
                Ok(answer) => {
                    let union = self.unions.entry(answer.platform.clone()).or_default();
                    self.errors.extend(union.add(answer).err());
                }
                Err(error) => self.errors.push(error),
            }
        }
        Ok(())
    }

    fn resolved(self, upgrades: &Upgrades) -> Result<Resolved, ResolveErrors> {
        if let Some(errors) = ResolveErrors::of(self.errors) {
            return Err(errors);
        }
        let locked = self.unions.into_iter().map(|(platform, union)| {
            let (packages, needed_by) = union.into_parts();
            LockedPlatform {
                packages,
                reach: Reach::Upgrade { needed_by },
                fixes: upgrades.fixes(&platform),
                platform,
            }
        });
        Ok(Resolved {
            platforms: locked.collect(),
            notes: self.notes,
        })
    }
}

/// Of whom it is not known what they need. Nothing when one host of each package set is asked.
fn not_asked(platform: &Platform, sets: &[Set], asked: usize) -> Option<String> {
    let heard = sets.iter().filter(|set| set.connected.is_some());
    let covered: usize = heard.take(asked).map(|set| set.hosts).sum();
    let all: usize = sets.iter().map(|set| set.hosts).sum();
    (covered < all).then(|| {
        format!(
            "{} of {all} hosts of {platform} have package sets of which no host was asked: what \
             only they need is not in the lock file; `--relock` asks again",
            all - covered
        )
    })
}

fn not_named(platform: &Platform, sets: &[Set]) -> String {
    let hosts: usize = sets.iter().map(|set| set.hosts).sum();
    format!("the advisory names no fix for {platform}: its hosts, {hosts} in all, are left alone")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::id::HostId;

    #[test]
    fn hosts_of_package_sets_that_nobody_can_speak_for_are_counted() {
        let set = |hosts, host: Option<&str>| Set {
            hosts,
            connected: host.map(|host| HostId::new(host).unwrap()),
        };
        let platform = Platform {
            os_release: "debian-12".to_owned(),
            architecture: "amd64".to_owned(),
        };
        let sets = [set(9, Some("web-1")), set(4, None), set(2, Some("web-2"))];
        assert_eq!(to_ask(&sets, ASKED_SETS).len(), 2);
        let said = not_asked(&platform, &sets, 2).unwrap();
        assert!(
            said.starts_with("4 of 15 hosts of debian-12/amd64"),
            "{said}"
        );
        assert_eq!(not_asked(&platform, &sets[..1], 1), None);
    }
}
