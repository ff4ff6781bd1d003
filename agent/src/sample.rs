//! Orders for tests.

use cofferdam_engine::{
    digest::Digest,
    id::{
        CellId, Generation, HostId, HostSequence, OrderKey, OwnerEpoch, ReservationToken,
        RolloutId, WaveIndex,
    },
    order::{Direction, Grant, Order},
    patch::{
        ConffilePolicies, Content, KernelFallback, LockedPackage, RebootPolicy, RestartPolicy,
    },
    policy::Deadlines,
    reach::Reach,
    traffic::TrafficWish,
};
use std::time::Duration;

pub(crate) fn host() -> HostId {
    HostId::new("web-1").unwrap()
}

pub(crate) fn rollout() -> RolloutId {
    RolloutId::new("practice").unwrap()
}

pub(crate) fn order(sequence: u64) -> Order {
    Order {
        key: OrderKey {
            epoch: OwnerEpoch(1),
            sequence: HostSequence(sequence),
        },
        host: host(),
        token: ReservationToken(sequence),
        grant: Grant {
            rollout: rollout(),
            rollout_digest: Digest::of("rollout"),
            lock_digest: Digest::of("lock"),
            wave: WaveIndex(0),
            cell: CellId::new("r1-a-0").unwrap(),
            generation: Generation(1),
        },
        direction: Direction::Patch,
        attempt: 1,
        asked_again: false,
        content: Content::Noop,
        delta: None,
        reboot: RebootPolicy::IfRequired,
        restart: RestartPolicy::IfRequired,
        conffiles: ConffilePolicies::new(),
        kernel_fallback: KernelFallback::None,
        one_way: false,
        deadlines: Deadlines::default().into(),
        stable_for: Duration::from_secs(10),
        first_answer: Duration::from_secs(60),
        traffic: TrafficWish::default(),
    }
}

/// An order of one package in one version.
pub(crate) fn patch(sequence: u64, version: &str) -> Order {
    let package = LockedPackage {
        name: "openssl".to_owned(),
        version: version.to_owned(),
        sha256: Digest::of(version),
        size: 1,
    };
    Order {
        content: Content::Packages {
            packages: vec![package],
            reach: Reach::Every,
        },
        ..order(sequence)
    }
}
