//! A host by script, for simulation and tests: it takes time, fails when told to, and writes down
//! every effect, so that one that happened twice can be seen.

use super::{Actions, Applied, Flag, Service, SimulatedPackage, StageRequest};
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
    id::RolloutId,
    inventory::{Facts, PackageSet, Platform},
    order::Order,
    package::PackageFormat,
    patch::{LockedPackage, VersionWish},
    query::{Found, Installed, Kernel, UnitFound, Wants},
    reservation::ReservationLeft,
    wish::Wish,
};
use cofferdam_proto::artefact::SupplyRequest;
use std::{
    cell::{RefCell, RefMut},
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
    time::Duration,
};
use tokio::time;

/// The kernel that it says it runs.
const KERNEL: &str = "6.1.0";

/// A host by script. Clones share the host, so it can be kept over a crash of its agent.
#[derive(Debug, Clone)]
pub struct ScriptedActions(Rc<RefCell<World>>);

#[derive(Debug)]
struct World {
    flag: Flag,
    healthy: bool,
    bad: BTreeSet<RolloutId>,
    rebooting: BTreeSet<RolloutId>,
    boot: u64,
    applied: BTreeMap<RolloutId, Digest>,
    staged: BTreeSet<Digest>,
    effects: Vec<Effect>,
    reserved: Option<ReservationLeft>,
    script: BTreeMap<Step, VecDeque<Turn>>,
    usual: Duration,
}

/// A part of a run that can be scripted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Staging.
    Stage,
    /// Bringing packages to the artefact store.
    Supply,
    /// Draining.
    Drain,
    /// Applying.
    Apply,
    /// Rebooting.
    Reboot,
    /// Verifying, forward or back.
    Verify,
    /// Rolling back.
    Rollback,
    /// Readmitting.
    Readmit,
    /// Finding out what a query asks.
    Find,
}

/// How one step goes, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// How long it takes.
    pub takes: Duration,
    /// How it ends. A step that fails has no effect.
    pub fails: Option<Failure>,
}

/// Something that changed on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Bits were fetched.
    Staged(Digest),
    /// Packages were brought to the artefact store.
    Supplied,
    /// The flag went down.
    FlagDown,
    /// The flag went up.
    FlagUp,
    /// A rollout's bits were installed.
    Installed(RolloutId),
    /// The host went back to what it had before a rollout.
    WentBack(RolloutId),
    /// The host rebooted.
    Rebooted,
    /// Staged bits were let go.
    Released(RolloutId),
}

impl Turn {
    /// A step that ends well after this long.
    pub fn takes(takes: Duration) -> Self {
        let fails = None;
        Self { takes, fails }
    }

    /// A step that fails at once.
    pub fn fails(kind: FailureKind) -> Self {
        Self {
            fails: Some(Failure::new(kind, "as the script says")),
            ..Self::takes(Duration::ZERO)
        }
    }

    /// A step that never ends by itself.
    pub fn hangs() -> Self {
        Self::takes(Duration::from_secs(365 * 24 * 3600))
    }
}

impl ScriptedActions {
    /// A healthy host in service, each of whose steps takes this long and ends well.
    pub fn new(usual: Duration) -> Self {
        Self(Rc::new(RefCell::new(World {
            flag: Flag::Up,
            healthy: true,
            bad: BTreeSet::new(),
            rebooting: BTreeSet::new(),
            boot: 1,
            applied: BTreeMap::new(),
            staged: BTreeSet::new(),
            effects: Vec::new(),
            reserved: None,
            script: BTreeMap::new(),
            usual,
        })))
    }

    /// Scripts the next turn of a step that is not scripted yet. After the script a step goes as
    /// usual.
    pub fn script(&self, step: Step, turn: Turn) {
        self.world().script.entry(step).or_default().push_back(turn);
    }

    /// Makes the host's own checks agree or fail from now on.
    pub fn set_healthy(&self, healthy: bool) {
        self.world().healthy = healthy;
    }

    /// Makes the host ill for as long as a rollout's bits are installed.
    pub fn falls_ill_of(&self, rollout: RolloutId) {
        self.world().bad.insert(rollout);
    }

    /// Has a rollout's bits be there from now on, without a run that installed them.
    pub fn installed_unseen(&self, rollout: &RolloutId) {
        let bits = Digest::of(rollout.as_str());
        self.world().applied.insert(rollout.clone(), bits);
    }

    /// Makes the host need a reboot after a rollout's bits were installed.
    pub fn reboots_for(&self, rollout: RolloutId) {
        self.world().rebooting.insert(rollout);
    }

    /// Everything that changed on the host so far, in order.
    pub fn effects(&self) -> Vec<Effect> {
        self.world().effects.clone()
    }

    /// Whether the host's flag is up.
    pub fn flag(&self) -> Flag {
        self.world().flag
    }

    /// Whether a rollout's bits are installed.
    pub fn has(&self, rollout: &RolloutId) -> bool {
        self.world().applied.contains_key(rollout)
    }

    /// The reservation that it was told of last. Absent: none.
    pub fn reservation(&self) -> Option<ReservationLeft> {
        self.world().reserved.clone()
    }

    /// The host's boot. Another one after a reboot.
    pub fn boot_id(&self) -> String {
        format!("boot-{}", self.world().boot)
    }

    fn world(&self) -> RefMut<'_, World> {
        self.0.borrow_mut()
    }

    async fn turn(&self, step: Step) -> Result<(), Failure> {
        let turn = {
            let mut world = self.world();
            let usual = Turn::takes(world.usual);
            let scripted = world.script.get_mut(&step).and_then(VecDeque::pop_front);
            scripted.unwrap_or(usual)
        };
        time::sleep(turn.takes).await;
        turn.fails.map_or(Ok(()), Err)
    }
}

impl World {
    fn illness(&self) -> Option<&'static str> {
        let ill = self
            .applied
            .keys()
            .any(|rollout| self.bad.contains(rollout));
        (ill || !self.healthy).then_some("a check fails")
    }

    fn set_flag(&mut self, flag: Flag) {
        if self.flag != flag {
            self.flag = flag;
            self.effects.push(match flag {
                Flag::Up => Effect::FlagUp,
                Flag::Down => Effect::FlagDown,
            });
        }
    }
}

impl Actions for ScriptedActions {
    async fn restore(&self, flag: Flag) -> Result<(), Failure> {
        self.world().set_flag(flag);
        Ok(())
    }

    async fn admit(&self) {}

    async fn stage(&self, request: &StageRequest) -> Result<(), Failure> {
        if self.world().staged.contains(&request.lock_digest) {
            return Ok(());
        }
        self.turn(Step::Stage).await?;
        let mut world = self.world();
        if world.staged.insert(request.lock_digest) {
            world.effects.push(Effect::Staged(request.lock_digest));
        }
        Ok(())
    }

    async fn drain(&self, _: &Order) -> Result<(), Failure> {
        self.world().set_flag(Flag::Down);
        self.turn(Step::Drain).await
    }

    async fn apply(&self, order: &Order) -> Result<Applied, Failure> {
        self.turn(Step::Apply).await?;
        let rollout = &order.grant.rollout;
        let mut world = self.world();
        let installed = world
            .applied
            .insert(rollout.clone(), order.grant.lock_digest);
        if installed.is_none() {
            world.effects.push(Effect::Installed(rollout.clone()));
        }
        Ok(Applied {
            needs_reboot: world.rebooting.contains(rollout),
        })
    }

    async fn reboot(&self, _: &Order) -> Result<(), Failure> {
        self.turn(Step::Reboot).await?;
        let mut world = self.world();
        world.boot += 1;
        world.effects.push(Effect::Rebooted);
        Ok(())
    }

    async fn verify(&self, order: &Order) -> Result<(), Failure> {
        time::sleep(order.stable_for).await;
        self.turn(Step::Verify).await?;
        match self.world().illness() {
            Some(illness) => Err(Failure::new(FailureKind::Unhealthy, illness)),
            None => Ok(()),
        }
    }

    async fn rollback(&self, order: &Order) -> Result<Vec<String>, Failure> {
        self.turn(Step::Rollback).await?;
        let rollout = &order.grant.rollout;
        let mut world = self.world();
        if world.applied.remove(rollout).is_some() {
            world.effects.push(Effect::WentBack(rollout.clone()));
        }
        Ok(Vec::new())
    }

    async fn readmit(&self, _: &Order) -> Result<(), Failure> {
        self.turn(Step::Readmit).await?;
        self.world().set_flag(Flag::Up);
        Ok(())
    }

    async fn simulate(&self, wish: &Wish) -> Result<Vec<SimulatedPackage>, Failure> {
        let Wish::Packages(packages) = wish else {
            return Ok(Vec::new());
        };
        let found = packages.iter().map(|(name, wish)| SimulatedPackage {
            installed: Some("1".to_owned()),
            needed_by: Vec::new(),
            locked: LockedPackage {
                name: name.clone(),
                version: match wish {
                    VersionWish::Latest => "2".to_owned(),
                    VersionWish::Exactly(version) => version.clone(),
                },
                sha256: Digest::of(name),
                size: name.len() as u64,
            },
        });
        Ok(found.collect())
    }

    /// Every package is installed at 1, and every unit is active.
    async fn find(&self, wants: &Wants) -> Result<Found, Failure> {
        self.turn(Step::Find).await?;
        let installed = |name: &String| Installed {
            name: name.clone(),
            version: "1".to_owned(),
            is_whole: true,
        };
        let active = UnitFound {
            active: "active".to_owned(),
            load: "loaded".to_owned(),
        };
        let packages = wants.packages.iter();
        let units = wants.units.iter();
        Ok(Found {
            format: PackageFormat::Deb,
            packages: packages
                .map(|name| (name.clone(), vec![installed(name)]))
                .collect(),
            kernel: wants.kernel.then(|| Kernel {
                release: KERNEL.to_owned(),
                version: KERNEL.to_owned(),
            }),
            units: units.map(|name| (name.clone(), active.clone())).collect(),
        })
    }

    async fn supply(&self, _request: &SupplyRequest) -> Result<(), Failure> {
        self.turn(Step::Supply).await?;
        self.world().effects.push(Effect::Supplied);
        Ok(())
    }

    async fn release(&self, rollout: &RolloutId) {
        let effect = Effect::Released(rollout.clone());
        self.world().effects.push(effect);
    }

    async fn facts(&self) -> Result<(Facts, PackageSet), Failure> {
        let applied = self.world().applied.clone();
        let names = applied
            .into_iter()
            .map(|(rollout, lock)| (rollout.to_string(), lock.to_string()));
        let packages = PackageSet(names.collect());
        let facts = Facts {
            platform: Platform {
                os_release: "debian-12".to_owned(),
                architecture: "amd64".to_owned(),
            },
            kernel: KERNEL.to_owned(),
            packages: packages.digest(),
        };
        Ok((facts, packages))
    }

    fn reserved(&self, reservation: Option<ReservationLeft>) -> Result<(), Failure> {
        self.world().reserved = reservation;
        Ok(())
    }

    async fn in_service(&self) -> Service {
        let world = self.world();
        let detail = match world.flag {
            Flag::Down => "the flag is down",
            Flag::Up => world.illness().unwrap_or_default(),
        };
        Service {
            in_service: detail.is_empty(),
            detail: detail.to_owned(),
        }
    }
}
