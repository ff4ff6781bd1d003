//! One of each thing, and the way over the wire.

use cofferdam_engine::{
    digest::Digest,
    id::{
        CellId, Generation, HostId, HostSequence, Incarnation, OrderKey, OwnerEpoch,
        ReservationToken, RolloutId, WaveIndex,
    },
    inventory::{Facts, Platform},
    order::{Direction, Grant, Order},
    patch::{ConffilePolicy, Content, KernelFallback, LockedPackage, RebootPolicy, RestartPolicy},
    policy::Deadlines,
    reach::Reach,
    run::RunState,
    statement::Signed,
    stratum::Delta,
    traffic::{OnExpiry, RampSteps, TrafficWish},
};
use cofferdam_proto::{convert::FieldError, session::Hello};
use prost::Message;
use std::{any::type_name, cell::RefCell, collections::BTreeMap, time::Duration};

thread_local! {
    /// What went over the wire in this thread and was read: the name of each message, and its bytes.
    static WENT: RefCell<Vec<(String, Vec<u8>)>> = const { RefCell::new(Vec::new()) };
}

/// What goes over the wire while something runs, and is read: the name of each message, and its bytes.
pub(crate) fn going_over_the_wire(run: impl FnOnce()) -> Vec<(String, Vec<u8>)> {
    WENT.take();
    run();
    WENT.take()
}

/// Turns a value into its message, that into bytes, and all the way back.
pub(crate) fn over_the_wire<W, T>(value: T) -> Result<T, FieldError>
where
    W: Message + From<T> + Default,
    T: TryFrom<W, Error = FieldError>,
{
    let bytes = W::from(value).encode_to_vec();
    let read = T::try_from(W::decode(bytes.as_slice()).unwrap());
    if read.is_ok() {
        let path = type_name::<W>();
        let name = path.rsplit("::").next().unwrap_or(path);
        WENT.with_borrow_mut(|went| went.push((name.to_owned(), bytes)));
    }
    read
}

/// What an operator signed.
pub(crate) fn signed() -> Signed {
    Signed {
        statement: text("cofferdam-rollout 1\n"),
        signature: text("-----BEGIN SSH SIGNATURE-----\n"),
    }
}

pub(crate) fn text(text: &str) -> String {
    text.to_owned()
}

pub(crate) fn rollout() -> RolloutId {
    RolloutId::new("openssl-2026-11").unwrap()
}

pub(crate) fn host() -> HostId {
    HostId::new("web-1").unwrap()
}

pub(crate) fn cell() -> CellId {
    CellId::new("r1-a-1").unwrap()
}

pub(crate) fn key() -> OrderKey {
    OrderKey {
        epoch: OwnerEpoch(3),
        sequence: HostSequence(14),
    }
}

pub(crate) fn platform() -> Platform {
    Platform {
        os_release: "debian-12".to_owned(),
        architecture: "amd64".to_owned(),
    }
}

pub(crate) fn order() -> Order {
    Order {
        key: key(),
        host: host(),
        token: ReservationToken(7),
        grant: Grant {
            rollout: rollout(),
            rollout_digest: Digest::of("rollout"),
            lock_digest: Digest::of("lock"),
            wave: WaveIndex(1),
            cell: cell(),
            generation: Generation(2),
        },
        direction: Direction::Patch,
        attempt: 1,
        asked_again: true,
        content: Content::Packages {
            packages: vec![LockedPackage {
                name: "openssl".to_owned(),
                version: "3.0.15-1~deb12u1".to_owned(),
                sha256: Digest::of("openssl"),
                size: 1_431_656,
            }],
            reach: Reach::Every,
        },
        delta: Some(Delta::Known(Digest::of("openssl 3.0.14 3.0.15\n"))),
        reboot: RebootPolicy::IfRequired,
        restart: RestartPolicy::IfRequired,
        conffiles: BTreeMap::from([("openssl".to_owned(), ConffilePolicy::Replace)]),
        kernel_fallback: KernelFallback::OneShot,
        one_way: false,
        deadlines: Deadlines::default().into(),
        stable_for: Duration::from_secs(10),
        first_answer: Duration::from_secs(60),
        traffic: TrafficWish {
            on_expiry: Some(OnExpiry::Force),
            ramp: Some(Duration::from_secs(30)),
            ramp_steps: Some(RampSteps::default()),
        },
    }
}

pub(crate) fn hello() -> Hello {
    Hello {
        host: host(),
        incarnation: Incarnation(99),
        boot_id: "0b1c".to_owned(),
        version: "0.1.0".to_owned(),
        labels: [("zone".to_owned(), "a".to_owned())].into(),
        facts: Facts {
            platform: platform(),
            kernel: "6.1.0-28".to_owned(),
            packages: Digest::of("packages"),
        },
        in_service: true,
        detail: text("check web: it does not answer"),
        takes_reservations: true,
        open: Some((key(), RunState::Draining)),
        newest: Some(key()),
    }
}
