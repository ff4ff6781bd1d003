//! Which hosts a warrant names, as one digest, and how one of them shows that it is among them.
//!
//! A hash tree over the hosts' names, in the order in which the warrant has them. What is signed has its
//! root; an order has the way from its host to the root: ten digests where a warrant names a thousand hosts.
//! Leaves and nodes are hashed apart, so that no node passes for a host. A digest without a neighbour goes
//! up as it is.

use crate::{digest::Digest, id::HostId};
use serde::{Deserialize, Serialize};

/// What a host's name is hashed behind (RFC 9162, 2.1.1).
const LEAF: u8 = 0;

/// What two digests are hashed behind.
const NODE: u8 = 1;

/// The hash tree over the hosts of a warrant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceTree {
    /// The digests from the hosts up to the root. Not empty; the last has one digest, or none where there are
    /// no hosts.
    levels: Vec<Vec<Digest>>,
}

/// The hosts of a warrant, as they are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// How many there are.
    pub hosts: u32,
    /// The root of the tree over them.
    pub root: Digest,
}

/// The way from one host to the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlicePath {
    /// The host's place in the warrant, from 0.
    pub place: u32,
    /// The digests beside the way, from the host up. Untrusted: there may be any number.
    pub beside: Vec<Digest>,
}

impl SliceTree {
    /// The tree over these hosts.
    pub fn of(hosts: &[HostId]) -> Self {
        let mut level: Vec<Digest> = hosts.iter().map(leaf).collect();
        let mut levels = Vec::new();
        while level.len() > 1 {
            let pairs = level.chunks(2).map(|pair| match pair {
                [left, right] => node(left, right),
                alone => alone[0],
            });
            let above = pairs.collect();
            levels.push(std::mem::replace(&mut level, above));
        }
        levels.push(level);
        Self { levels }
    }

    /// What is signed of it.
    pub fn slice(&self) -> Slice {
        let hosts = self.levels.first().map_or(0, Vec::len);
        let top = self.levels.last().and_then(|level| level.first());
        Slice {
            hosts: u32::try_from(hosts).unwrap_or(u32::MAX),
            root: top.copied().unwrap_or_else(|| Digest::of([])),
        }
    }

    /// The way from the host at a place, from 0. Nothing where there is none.
    pub fn path(&self, place: usize) -> Option<SlicePath> {
        self.levels.first()?.get(place)?;
        let (mut at, mut beside) = (place, Vec::new());
        for level in &self.levels {
            beside.extend(level.get(at ^ 1).copied());
            at /= 2;
        }
        let place = u32::try_from(place).ok()?;
        Some(SlicePath { place, beside })
    }
}

impl SlicePath {
    /// Whether the way leads from this host to that slice.
    pub fn leads(&self, host: &HostId, slice: Slice) -> bool {
        self.place < slice.hosts && self.root(host, slice.hosts) == Some(slice.root)
    }

    /// The root that the way leads to, among so many hosts. Nothing: it is too short or too long.
    fn root(&self, host: &HostId, hosts: u32) -> Option<Digest> {
        let (mut at, mut width) = (self.place, hosts);
        let mut beside = self.beside.iter();
        let mut digest = leaf(host);
        while width > 1 {
            let is_left = at % 2 == 0;
            if !is_left {
                digest = node(beside.next()?, &digest);
            } else if at + 1 < width {
                digest = node(&digest, beside.next()?);
            }
            at /= 2;
            width = width.div_ceil(2);
        }
        beside.next().is_none().then_some(digest)
    }
}

fn leaf(host: &HostId) -> Digest {
    let name = host.as_str().as_bytes();
    Digest::of([&[LEAF], name].concat())
}

fn node(left: &Digest, right: &Digest) -> Digest {
    Digest::of([&[NODE], left.as_bytes().as_slice(), right.as_bytes()].concat())
}
