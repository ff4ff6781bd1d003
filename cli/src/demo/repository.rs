//! A signed apt repository on this machine, with three releases of one small package.
//!
//! The package `cofferdam-demo` has no maintainer scripts, so no root is needed. It installs
//!
//! ```text
//! /opt/cofferdam-demo/release    the release: 1, 2 or 3
//! /opt/cofferdam-demo/abi        the instance types that this release runs on, one a line
//! ```
//!
//! Publishing a release adds it to what the archive offers; older releases stay, as the way back.

use crate::{
    demo::{
        archive::{self, Archive},
        folder::Folder,
        host::InstanceType,
    },
    file,
};
use anyhow::{Context as _, Result};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// The name of the demo's package.
pub const PACKAGE: &str = "cofferdam-demo";

/// A release of the demo's package: its version is its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// What the hosts have from the beginning.
    First = 1,
    /// Good everywhere.
    Second = 2,
    /// Bad on the rare instance type: its `abi` leaves it out.
    Third = 3,
}

impl Release {
    /// All, in order.
    pub const ALL: [Self; 3] = [Self::First, Self::Second, Self::Third];

    /// Its version.
    pub fn version(self) -> &'static str {
        match self {
            Self::First => "1",
            Self::Second => "2",
            Self::Third => "3",
        }
    }

    /// The instance types that it runs on.
    fn abi(self) -> String {
        let runs_on = |kind: &&InstanceType| self != Self::Third || **kind != InstanceType::RARE;
        let kinds = InstanceType::ALL.iter().filter(runs_on);
        kinds.map(|kind| format!("{kind}\n")).collect()
    }

    fn file_name(self) -> String {
        format!("{PACKAGE}_{}_all.deb", self.version())
    }
}

/// What a host is told of the repository.
#[derive(Debug, Clone)]
pub struct Source {
    /// Where apt finds it.
    pub url: String,
    /// The key that apt trusts.
    pub public_key: PathBuf,
    /// The package that a host begins with.
    pub first: PathBuf,
}

/// The repository: its folder is served until this is dropped.
pub struct Repository {
    archive: Archive,
    tmp: PathBuf,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Repository {
    /// Makes the key and the packages, publishes the first release, and serves the folder.
    ///
    /// # Errors
    /// When a tool fails, a file cannot be written, or no port can be had.
    pub async fn create(folder: &Folder) -> Result<Self> {
        let tmp = folder.tmp();
        let archive = Archive::new(
            "Cofferdam demo",
            folder.repository(),
            folder.gpg(),
            tmp.clone(),
        );
        archive.create().await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.context("no port can be had on 127.0.0.1")?;
        let address = listener
            .local_addr()
            .context("the listener has no address")?;
        let server = tokio::spawn(archive::serve(listener, folder.repository()));
        let repository = Self {
            archive,
            tmp,
            address,
            server,
        };
        for release in Release::ALL {
            repository.build(release).await?;
        }
        repository.publish(Release::First).await?;
        Ok(repository)
    }

    /// What a new host is told of it.
    pub fn source(&self) -> Source {
        Source {
            url: format!("http://{}", self.address),
            public_key: self.archive.public_key(),
            first: self.archive.folder().join(Release::First.file_name()),
        }
    }

    /// Offers all releases up to this one, as an archive does when a new one comes out.
    ///
    /// # Errors
    /// When gpg fails or a file cannot be written.
    pub async fn publish(&self, newest: Release) -> Result<()> {
        let releases = Release::ALL.into_iter().filter(|r| *r <= newest);
        let entry = |r: Release| self.archive.entry(&control(r), &r.file_name());
        let entries: Result<Vec<String>> = releases.map(entry).collect();
        self.archive.publish(&entries?).await
    }

    async fn build(&self, release: Release) -> Result<()> {
        let tree = self.tmp.join(format!("{PACKAGE}-{}", release.version()));
        let opt = tree.join("opt").join(PACKAGE);
        let debian = tree.join("DEBIAN");
        for dir in [&opt, &debian] {
            file::folder(dir)?;
        }
        let version = format!("{}\n", release.version());
        file::create(&opt.join("release"), file::PUBLIC, version)?;
        file::create(&opt.join("abi"), file::PUBLIC, release.abi())?;
        file::create(&debian.join("control"), file::PUBLIC, control(release))?;
        self.archive.build(&tree, &release.file_name()).await
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn control(release: Release) -> String {
    format!(
        "Package: {PACKAGE}\nVersion: {}\nArchitecture: all\nMaintainer: Cofferdam <demo@localhost>\n\
         Description: two files that the demo of Cofferdam patches\n",
        release.version()
    )
}

#[cfg(test)]
#[path = "repository/tests.rs"]
mod tests;
