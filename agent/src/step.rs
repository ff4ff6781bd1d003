//! What a run does to this host: the real body of [`Actions`].
//!
//! ```text
//! stage ---> keep, staged.json                 (no run: may happen long before)
//! drain ---> baseline.json ---> state file: draining ---> connections and sessions end
//! apply ---> state file: down ---> before.json ---> repair, install from the keep ---> read back
//! verify --> checks.d, probes, signals against baseline.json, over and over
//! rollback-> before.json and the keep, nothing else ---> read back
//! readmit -> state file: up, step by step ---> checks, signals, load balancers at each
//! admit ---> checks.d, probes, gates ---> state file: flag up     (no run: after a boot)
//! ```
//!
//! [`hooks`] run before and after drain, before apply and after verify.
//!
//! Each action looks first, acts second, looks again, so that it may be cut short anywhere and done
//! again. What it needs of the world outside comes in by [`Outside`].

pub mod admit;
mod apply;
mod climb;
mod conffiles;
mod drain;
mod effect;
mod facts;
mod find;
mod hooks;
pub mod kernel;
mod ramp;
mod readmit;
mod reboot;
pub mod record;
pub mod records;
mod release;
mod rollback;
mod signals;
mod simulate;
mod stage;
mod transaction;
mod verify;

use crate::{
    actions::{Actions, Applied, Flag, Service, SimulatedPackage, StageRequest},
    artefact::Artefacts,
    checks::verdict::Reading,
    drift::keeper::Drift,
    flag::StateFile,
    guard::{places::Places, reserved::Reserved},
    host::{command::Runner, durable::FileError, keep::Keep, settings::HostSettings, space::Space},
    packages::Manager,
    signals::Senses,
    telling,
};
use admit::Gate;
use cofferdam_engine::{
    failure::Failure,
    id::RolloutId,
    inventory::{Facts, PackageSet},
    order::Order,
    query::{Found, Wants},
    reservation::ReservationLeft,
    wish::Wish,
};
use cofferdam_proto::artefact::SupplyRequest;
use records::Records;
use std::{
    cell::{Cell, RefCell},
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    rc::Rc,
};
use tokio::time::Instant;

/// The agent's own folders are nobody else's business.
const PRIVATE: u32 = 0o700;

/// The world outside the agent, each part behind its trait.
pub struct Outside {
    /// Runs programs.
    pub runner: Rc<dyn Runner>,
    /// Tells how much room is left.
    pub space: Rc<dyn Space>,
    /// Has config files, and packages that other hosts brought.
    pub artefacts: Rc<dyn Artefacts>,
    /// What may hold the host back after a boot, beside its checks and probes.
    pub gates: Vec<Rc<dyn Gate>>,
    /// Is told what orders change, so that it is not taken for drift.
    pub drift: Rc<Drift>,
    /// Takes what the coordinator is to be told of the effect of what is installed.
    pub found: telling::Found,
}

/// The real host.
pub struct Steps {
    settings: HostSettings,
    outside: Outside,
    manager: Manager,
    keep: Keep,
    records: Records,
    state: StateFile,
    senses: Senses,
    /// When the signals were last shown outside a run. Absent: not by this agent.
    signals_shown: Cell<Option<Instant>>,
    checked: RefCell<Option<Checked>>,
}

/// The last readings of the checks.
struct Checked {
    at: Instant,
    readings: Vec<Reading>,
}

impl Steps {
    /// Takes the host in hand: makes the agent's own folders where they are missing. The flag stays
    /// as it is.
    ///
    /// # Errors
    /// [`FileError`] when a folder or file of the agent's own cannot be made.
    pub fn open(settings: HostSettings, outside: Outside) -> Result<Self, FileError> {
        fs::create_dir_all(&settings.state_dir)
            .and_then(|()| {
                fs::set_permissions(&settings.state_dir, PermissionsExt::from_mode(PRIVATE))
            })
            .map_err(FileError::of("making", &settings.state_dir))?;
        let runner = Rc::clone(&outside.runner);
        let (root, rate) = (settings.root.clone(), settings.download_rate_kib);
        let (told, state_dir) = (settings.package_manager, &settings.state_dir);
        let manager = Manager::of_host(root, told, state_dir, runner, rate)?;
        let release = readmit::last_release(&settings.state_dir)?;
        let runner = Rc::clone(&outside.runner);
        let senses = Senses::new(settings.host.clone(), settings.signals.clone(), runner);
        Ok(Self {
            senses,
            signals_shown: Cell::default(),
            keep: Keep::open(&settings.state_dir, manager.format())?,
            manager,
            records: Records::new(&settings.state_dir),
            state: StateFile::open(&settings.run_dir, settings.host.as_str(), release),
            checked: RefCell::default(),
            outside,
            settings,
        })
    }

    fn transcript(&self, rollout: &RolloutId, step: &str) -> PathBuf {
        let folder = self.settings.state_dir.join("transcripts");
        folder.join(rollout.as_str()).join(format!("{step}.log"))
    }
}

impl Actions for Steps {
    async fn restore(&self, flag: Flag) -> Result<(), Failure> {
        self.restore_flag(flag)
    }

    async fn admit(&self) {
        self.admit_booted().await;
    }

    async fn stage(&self, request: &StageRequest) -> Result<(), Failure> {
        self.stage_bits(request, stage::PATIENCE).await
    }

    async fn drain(&self, order: &Order) -> Result<(), Failure> {
        self.drain_traffic(order).await
    }

    async fn apply(&self, order: &Order) -> Result<Applied, Failure> {
        self.apply_content(order).await
    }

    async fn reboot(&self, order: &Order) -> Result<(), Failure> {
        self.ask_for_reboot(order).await
    }

    async fn verify(&self, order: &Order) -> Result<(), Failure> {
        self.verify_health(order).await
    }

    async fn rollback(&self, order: &Order) -> Result<Vec<String>, Failure> {
        self.stop_traffic("rolling back", order).await?;
        self.roll_back(order).await
    }

    async fn readmit(&self, order: &Order) -> Result<(), Failure> {
        self.put_flag_up(order).await
    }

    async fn simulate(&self, wish: &Wish) -> Result<Vec<SimulatedPackage>, Failure> {
        self.simulate_wish(wish).await
    }

    async fn find(&self, wants: &Wants) -> Result<Found, Failure> {
        self.find_wanted(wants).await
    }

    async fn supply(&self, request: &SupplyRequest) -> Result<(), Failure> {
        self.supply_packages(request).await
    }

    async fn release(&self, rollout: &RolloutId) {
        self.let_go(rollout).await;
    }

    async fn facts(&self) -> Result<(Facts, PackageSet), Failure> {
        self.find_facts().await
    }

    fn reserved(&self, reservation: Option<ReservationLeft>) -> Result<(), Failure> {
        let (state_dir, run_dir) = (&self.settings.state_dir, &self.settings.run_dir);
        Ok(Reserved::note(
            &Places::new(state_dir, run_dir),
            reservation,
        )?)
    }

    async fn in_service(&self) -> Service {
        self.service().await
    }
}

#[cfg(test)]
mod tests;
