//! Whole steps on a host in a folder, with the real apt and dpkg.

mod conffiles;
mod config;
mod drift;
mod hooks;
mod interruption;
mod inventory;
mod packages;
mod release;
mod rpm;
mod service;
mod signals;
mod staging;
mod store;
mod tool;
mod traffic;
mod upgrade;

use super::*;
use crate::{
    artefact::scripted,
    drift::settings::DriftSettings,
    host::{process::Processes, space},
    packages::lab::Lab,
    sample,
};
use cofferdam_engine::{
    digest::Digest,
    failure::FailureKind,
    patch::{Content, LockedPackage},
    reach::Reach,
};
use std::num::NonZeroU32;

/// The steps of a lab's host; each call is a new start of the agent.
fn steps(lab: &Lab) -> Steps {
    steps_with(
        lab.settings(),
        Rc::new(space::Kernel),
        scripted::Scripted::default(),
    )
}

fn steps_with(
    settings: HostSettings,
    space: Rc<dyn Space>,
    artefacts: scripted::Scripted,
) -> Steps {
    let outside = Outside {
        found: telling::channel().0,
        gates: Vec::new(),
        drift: undrifted(&settings),
        runner: Rc::new(Processes),
        space,
        artefacts: Rc::new(artefacts),
    };
    Steps::open(settings, outside).unwrap()
}

fn undrifted(settings: &HostSettings) -> Rc<Drift> {
    let told = DriftSettings::default();
    Rc::new(Drift::new(
        settings.root.clone(),
        &settings.state_dir,
        &told,
    ))
}

fn rollout(name: &str) -> RolloutId {
    RolloutId::new(name).unwrap()
}

/// An order of a rollout, whose lock file has the rollout's name for a digest.
fn order(name: &str, content: Content) -> Order {
    let mut order = sample::order(1);
    order.grant.rollout = rollout(name);
    order.grant.lock_digest = Digest::of(name);
    order.content = content;
    order
}

fn packages(packages: &[LockedPackage]) -> Content {
    Content::Packages {
        packages: packages.to_vec(),
        reach: Reach::Every,
    }
}

fn request(order: &Order) -> StageRequest {
    StageRequest {
        rollout: order.grant.rollout.clone(),
        lock_digest: order.grant.lock_digest,
        content: order.content.clone(),
        conffiles: order.conffiles.clone(),
        kernel_fallback: order.kernel_fallback,
        one_way: order.one_way,
        // Far more than any takes: that apt, dnf and the store go by it is what matters.
        rate_kib: NonZeroU32::new(1 << 20),
    }
}
