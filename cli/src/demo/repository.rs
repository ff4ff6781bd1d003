//! A signed apt repository on this machine, with three releases of one small package.
//!
//! The package `cofferdam-demo` has no maintainer scripts, so no root is needed. It installs
//!
//! ```text
//! /opt/cofferdam-demo/release    the release: 1, 2 or 3
//! /opt/cofferdam-demo/abi        the instance types that this release runs on, one a line
//! ```
//!
//! The repository is flat: packages, `Packages` and `InRelease` lie in one folder that is served
//! over HTTP. Publishing a release rewrites the last two; older releases stay, as the way back.

use crate::{
    clock,
    demo::{folder::Folder, host::InstanceType, tool::Tool},
    file,
};
use anyhow::{Context as _, Result};
use axum::Router;
use cofferdam_engine::digest::Digest;
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use time::OffsetDateTime;
use tokio::{net::TcpListener, task::JoinHandle};
use tower_http::services::ServeDir;

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
    folder: PathBuf,
    gpg: PathBuf,
    tmp: PathBuf,
    address: SocketAddr,
    created: SystemTime,
    server: JoinHandle<()>,
}

impl Repository {
    /// Makes the key and the packages, publishes the first release, and serves the folder.
    ///
    /// # Errors
    /// When a tool fails, a file cannot be written, or no port can be had.
    pub async fn create(folder: &Folder) -> Result<Self> {
        for dir in [folder.repository(), folder.gpg()] {
            file::folder(&dir)?;
        }
        make_private(&folder.gpg())?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.context("no port can be had on 127.0.0.1")?;
        let address = listener
            .local_addr()
            .context("the listener has no address")?;
        let repository = Self {
            folder: folder.repository(),
            gpg: folder.gpg(),
            tmp: folder.tmp(),
            address,
            created: clock::system(),
            server: serve(listener, &folder.repository()),
        };
        repository.make_key().await?;
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
            public_key: self.public_key(),
            first: self.package(Release::First),
        }
    }

    fn public_key(&self) -> PathBuf {
        self.folder.join("key.gpg")
    }

    fn package(&self, release: Release) -> PathBuf {
        self.folder.join(release.file_name())
    }

    /// Offers all releases up to this one, as an archive does when a new one comes out.
    ///
    /// # Errors
    /// When gpg fails or a file cannot be written.
    pub async fn publish(&self, newest: Release) -> Result<()> {
        let releases = Release::ALL.into_iter().filter(|r| *r <= newest);
        let entries: Result<Vec<String>> = releases.map(|r| self.entry(r)).collect();
        let packages = entries?.join("\n");
        let release = self.tmp.join("Release");
        fs::write(&release, release_file(&packages, clock::date()))
            .with_context(|| format!("cannot write {}", release.display()))?;
        let signed = self.gpg(["--clearsign", "--output", "-"]).arg(&release);
        let signed = signed.run().await.context("cannot sign the repository")?;
        file::replace(&self.folder.join("Packages"), file::PUBLIC, packages)?;
        file::replace(&self.folder.join("InRelease"), file::PUBLIC, signed)?;
        self.date_index(newest)
    }

    /// Sets the index's time apart from that of earlier releases by whole seconds: apt asks for
    /// what changed since then, and HTTP counts no less.
    fn date_index(&self, newest: Release) -> Result<()> {
        let path = self.folder.join("InRelease");
        let time = self.created + Duration::from_secs(newest as u64);
        fs::File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_modified(time))
            .with_context(|| format!("cannot date {}", path.display()))
    }

    async fn make_key(&self) -> Result<()> {
        let parameters = ["--passphrase", "", "--quick-generate-key"];
        let key = ["Cofferdam demo", "ed25519", "sign", "1d"];
        let making = self.gpg(parameters).args(key).run().await;
        making.context("cannot make the repository's key")?;
        let public = self.gpg(["--export"]).run().await?;
        file::create(&self.public_key(), file::PUBLIC, public)
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
        let build = ["--root-owner-group", "-Znone", "--build"];
        let tool = Tool::new("dpkg-deb", &self.tmp).args(build);
        tool.arg(&tree).arg(self.package(release)).run().await?;
        Ok(())
    }

    /// The release's paragraph in `Packages`.
    fn entry(&self, release: Release) -> Result<String> {
        let path = self.package(release);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(format!(
            "{}Filename: ./{}\nSize: {}\nSHA256: {}\n",
            control(release),
            release.file_name(),
            bytes.len(),
            Digest::of(&bytes)
        ))
    }

    fn gpg<const N: usize>(&self, args: [&str; N]) -> Tool {
        let quiet = [
            "--batch",
            "--quiet",
            "--no-tty",
            "--pinentry-mode",
            "loopback",
        ];
        let tool = Tool::new("gpg", &self.tmp).env("GNUPGHOME", &self.gpg);
        tool.args(quiet).args(args)
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        self.server.abort();
        stop_gpg_agent(&self.gpg);
    }
}

/// gpg starts its agent by itself and leaves it running; where `/run/user` exists it also makes a
/// socket folder there.
fn stop_gpg_agent(home: &Path) {
    for action in [["--kill", "all"].as_slice(), &["--remove-socketdir"]] {
        let mut command = std::process::Command::new("gpgconf");
        command.arg("--homedir").arg(home).args(action);
        // Without gpgconf there is no gpg either, so nothing to stop.
        let _ended = command.output();
    }
}

fn serve(listener: TcpListener, folder: &Path) -> JoinHandle<()> {
    let files = Router::new().fallback_service(ServeDir::new(folder));
    tokio::spawn(async move {
        // It ends only when the task is aborted: a listener that is bound accepts for ever.
        let _ended = axum::serve(listener, files).await;
    })
}

fn control(release: Release) -> String {
    format!(
        "Package: {PACKAGE}\nVersion: {}\nArchitecture: all\nMaintainer: Cofferdam <demo@localhost>\n\
         Description: two files that the demo of Cofferdam patches\n",
        release.version()
    )
}

/// The file that apt checks the signature of: what there is, of which size and hash.
fn release_file(packages: &str, now: OffsetDateTime) -> String {
    let (weekday, month) = (now.weekday().to_string(), now.month().to_string());
    format!(
        "Origin: Cofferdam demo\nSuite: stable\nArchitectures: all\n\
         Date: {}, {:02} {} {} {:02}:{:02}:{:02} +0000\nSHA256:\n {} {} Packages\n",
        &weekday[..3],
        now.day(),
        &month[..3],
        now.year(),
        now.hour(),
        now.minute(),
        now.second(),
        Digest::of(packages),
        packages.len()
    )
}

/// gpg warns about a home that others can look into.
fn make_private(dir: &Path) -> Result<()> {
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
        .with_context(|| format!("cannot change the mode of {}", dir.display()))
}

#[cfg(test)]
#[path = "repository/tests.rs"]
mod tests;
