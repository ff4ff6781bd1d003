//! What it costs to sign the warrant of a whole cell, and a host to check the order that it got under it.

use crate::pki::{Authority, Credentials as Files};
use cofferdam_engine::{
    digest::Digest,
    id::{CellId, Generation, HostId, RolloutId, WaveIndex},
    identity::Identity,
    order::{Direction, Grant},
    time::Timestamp,
    warrant::{Seal, SliceTree, Warrant, WarrantTerms},
};
use cofferdam_proto::tls::{CredentialFiles, Credentials};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// A full cell.
const HOSTS: usize = 500;

/// How often each is done.
const ROUNDS: u32 = 1_000;

/// When it is signed and checked: certificates of tests hold then.
const NOW: Timestamp = Timestamp(1_796_000_000_000);

/// What each takes.
#[derive(Debug, Clone, Copy)]
pub struct Sealing {
    /// The terms of a warrant for a full cell: the tree over its hosts, and the signature.
    pub sign: Duration,
    /// One order on its host: the certificate of whoever signed, the signature, the terms, the way to the tree's root.
    /// Without reading the host's own certificates, which comes to it with each order.
    pub check: Duration,
}

/// Measures both, with certificates in a folder.
///
/// # Panics
/// When what was signed is not granted.
pub fn measure(folder: &Path) -> Sealing {
    let authority = Authority::new(folder);
    let control = load(&authority.issue(&Identity::Control));
    let hosts: Vec<HostId> = (0..HOSTS)
        .map(|number| name(&format!("web-{number}")))
        .collect();
    let agent = load(&authority.issue(&Identity::Agent(hosts[0].clone())));
    let warrant = warrant(hosts);
    let digest = Digest::of("rollout");
    let seal = || {
        let terms = warrant.terms(digest, NOW).to_string();
        control.seal(terms).expect("the control plane's key signs")
    };
    let sign = each(|| drop(seal()));
    let seal = seal();
    let grant = grant(&warrant, digest);
    let tree = SliceTree::of(&warrant.hosts);
    let host = &warrant.hosts[HOSTS / 2];
    let path = tree.path(HOSTS / 2).expect("it is among them");
    let check = each(|| {
        agent.check_seal(&seal, NOW).expect("a good signature");
        let terms = WarrantTerms::parse(&seal.terms).expect("good terms");
        let granted = terms.grant_patch(&grant, host, &path, NOW);
        granted.expect("the host is named");
    });
    Sealing { sign, check }
}

fn each(mut act: impl FnMut()) -> Duration {
    let start = Instant::now();
    (0..ROUNDS).for_each(|_| act());
    start.elapsed() / ROUNDS
}

fn warrant(hosts: Vec<HostId>) -> Warrant {
    Warrant {
        rollout: RolloutId::new("practice").expect("a good name"),
        cell: CellId::new("r1-a-1").expect("a good name"),
        wave: WaveIndex(1),
        generation: Generation(7),
        direction: Direction::Patch,
        hosts,
        starts_for: Duration::from_secs(1_800),
        seal: Seal::default(),
    }
}

fn grant(warrant: &Warrant, rollout_digest: Digest) -> Grant {
    Grant {
        rollout: warrant.rollout.clone(),
        rollout_digest,
        lock_digest: Digest::of("lock"),
        wave: warrant.wave,
        cell: warrant.cell.clone(),
        generation: warrant.generation,
    }
}

fn name(text: &str) -> HostId {
    HostId::new(text).expect("a good name")
}

fn load(files: &Files) -> Credentials {
    let files = CredentialFiles {
        certificate: files.cert.clone(),
        key: files.key.clone(),
        authority: files.ca.clone(),
    };
    Credentials::load(&files).expect("credentials of the authority")
}
