//! What a run does to its host, behind one trait: a real body and a scripted one.
//!
//! Every action is safe to repeat: it looks first, acts second, looks again. A step that was cut
//! short by a crash is simply run again after the restart. An action whose deadline passes is
//! cancelled by dropping its future, so a body that starts processes kills them when dropped.

mod scripted;

pub use cofferdam_proto::session::{SimulatedPackage, StageRequest};
pub use scripted::{Effect, ScriptedActions, Step, Turn};

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

/// What a run does to its host. One body acts for real, another by script.
///
/// The agent has one thread, so futures need not be `Send`.
#[allow(
    async_fn_in_trait,
    reason = "the agent runs on one thread; no caller needs the futures to be Send"
)]
pub trait Actions: 'static {
    /// Puts the flag where the journal says it was. Called once at start, before anything else:
    /// after a reboot nothing of it is left but the journal. One that belongs up stays down until
    /// the host is found well after its boot.
    async fn restore(&self, flag: Flag) -> Result<(), Failure>;

    /// Puts the flag up once the host is found well after its boot; at once when it was so already.
    /// Only outside a run; it never gives up.
    async fn admit(&self);

    /// Fetches and proves the bits of a rollout and of the way back from it. Ends at once when that
    /// is done already.
    async fn stage(&self, request: &StageRequest) -> Result<(), Failure>;

    /// Takes the flag down and waits until traffic has ended.
    async fn drain(&self, order: &Order) -> Result<(), Failure>;

    /// Changes the host, and says whether it needs a reboot now.
    async fn apply(&self, order: &Order) -> Result<Applied, Failure>;

    /// Reboots the host. Ends when the reboot is asked for; the host goes down some time later.
    async fn reboot(&self, order: &Order) -> Result<(), Failure>;

    /// Ends well when the host was healthy for `stable_for`, and badly when it is not going to be.
    async fn verify(&self, order: &Order) -> Result<(), Failure>;

    /// Goes back to what the host had before this rollout. Returns what is not as it was then, one line each,
    /// at most [`MAX_EXCEPTIONS`](cofferdam_engine::run::MAX_EXCEPTIONS).
    async fn rollback(&self, order: &Order) -> Result<Vec<String>, Failure>;

    /// Puts the flag up.
    async fn readmit(&self, order: &Order) -> Result<(), Failure>;

    /// Finds out which packages a wish would bring to this host, without any change.
    async fn simulate(&self, wish: &Wish) -> Result<Vec<SimulatedPackage>, Failure>;

    /// Finds out what a query asks of this host, without any change.
    async fn find(&self, wants: &Wants) -> Result<Found, Failure>;

    /// Brings packages to the region's artefact store, as far as it wants them, without any change.
    async fn supply(&self, request: &SupplyRequest) -> Result<(), Failure>;

    /// Lets go of what was staged for a rollout. What remains is harmless, so it cannot fail.
    async fn release(&self, rollout: &RolloutId);

    /// What the host finds out about itself.
    async fn facts(&self) -> Result<(Facts, PackageSet), Failure>;

    /// Takes in which operator has the host: whoever changes its packages meanwhile may. Absent: none has.
    fn reserved(&self, reservation: Option<ReservationLeft>) -> Result<(), Failure>;

    /// Whether the host is in service, outside a run. Cheap: asked every few seconds.
    async fn in_service(&self) -> Service;
}

/// Whether load balancers are told to send traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// The host is available.
    Up,
    /// It is not.
    Down,
}

/// What applying did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Whether the change takes effect only after a reboot.
    pub needs_reboot: bool,
}

/// Whether the host is in service, as it sees itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its flag is up and its own checks do not fail.
    pub in_service: bool,
    /// What fails, in one line. Empty when in service.
    pub detail: String,
}
