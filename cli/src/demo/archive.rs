//! A signed apt archive: packages, `Packages` and `InRelease` in one flat folder, served over HTTP.

use crate::{clock, demo::tool::Tool, file};
use anyhow::{Context as _, Result};
use axum::Router;
use cofferdam_engine::digest::Digest;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

/// The name of the public key's file.
const PUBLIC_KEY: &str = "key.gpg";

/// The signed index.
const INDEX: &str = "InRelease";

/// An archive on disk.
#[derive(Debug, Clone)]
pub struct Archive {
    origin: &'static str,
    folder: PathBuf,
    gpg: PathBuf,
    tmp: PathBuf,
}

impl Archive {
    /// An archive that says it is of `origin`: `folder` is what is served, `gpg` where gpg keeps its key
    /// (a short path: its sockets are there), `tmp` where tools put temporary files. Nothing is made.
    pub fn new(origin: &'static str, folder: PathBuf, gpg: PathBuf, tmp: PathBuf) -> Self {
        Self {
            origin,
            folder,
            gpg,
            tmp,
        }
    }

    /// Makes its folders and its key.
    ///
    /// # Errors
    /// When gpg fails or a file cannot be written.
    pub async fn create(&self) -> Result<()> {
        for dir in [&self.folder, &self.gpg, &self.tmp] {
            file::folder(dir)?;
        }
        make_private(&self.gpg)?;
        let parameters = ["--passphrase", "", "--quick-generate-key"];
        let key = [self.origin, "ed25519", "sign", "1w"];
        let making = self.gpg(parameters).args(key).run().await;
        making.context("cannot make the archive's key")?;
        let public = self.gpg(["--export"]).run().await?;
        file::create(&self.public_key(), file::PUBLIC, public)
    }

    /// What is served.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The key that apt is to trust.
    pub fn public_key(&self) -> PathBuf {
        self.folder.join(PUBLIC_KEY)
    }

    /// Builds a package of a tree that has its `DEBIAN/control`.
    ///
    /// # Errors
    /// When dpkg-deb refuses it.
    pub async fn build(&self, tree: &Path, file_name: &str) -> Result<()> {
        let build = ["--root-owner-group", "-Znone", "--build"];
        let tool = Tool::new("dpkg-deb", &self.tmp).args(build);
        tool.arg(tree)
            .arg(self.folder.join(file_name))
            .run()
            .await?;
        Ok(())
    }

    /// The paragraph in `Packages` of a package that was built, by its own `control`.
    ///
    /// # Errors
    /// When the package cannot be read.
    pub fn entry(&self, control: &str, file_name: &str) -> Result<String> {
        let path = self.folder.join(file_name);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(format!(
            "{control}Filename: ./{file_name}\nSize: {}\nSHA256: {}\n",
            bytes.len(),
            Digest::of(&bytes)
        ))
    }

    /// Offers what these paragraphs name, and nothing else.
    ///
    /// # Errors
    /// When gpg fails or a file cannot be written.
    pub async fn publish(&self, entries: &[String]) -> Result<()> {
        let packages = entries.join("\n");
        let release = self.tmp.join("Release");
        fs::write(
            &release,
            release_file(self.origin, &packages, clock::date()),
        )
        .with_context(|| format!("cannot write {}", release.display()))?;
        let signed = self.gpg(["--clearsign", "--output", "-"]).arg(&release);
        let signed = signed.run().await.context("cannot sign the archive")?;
        let index = self.folder.join(INDEX);
        let before = fs::metadata(&index).and_then(|index| index.modified());
        file::replace(&self.folder.join("Packages"), file::PUBLIC, packages)?;
        file::replace(&index, file::PUBLIC, signed)?;
        match before {
            Ok(before) => date(&index, before + Duration::from_secs(1)),
            Err(_) => Ok(()),
        }
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

impl Drop for Archive {
    fn drop(&mut self) {
        stop_gpg_agent(&self.gpg);
    }
}

/// Serves a folder for as long as it is polled: a listener that is bound accepts for ever.
pub async fn serve(listener: TcpListener, folder: PathBuf) {
    let files = Router::new().fallback_service(ServeDir::new(folder));
    let _ended = axum::serve(listener, files).await;
}

/// Sets an index's time apart from the one before by a whole second: apt asks for what changed since
/// then, and HTTP counts no less.
fn date(index: &Path, time: SystemTime) -> Result<()> {
    fs::File::options()
        .write(true)
        .open(index)
        .and_then(|file| file.set_modified(time))
        .with_context(|| format!("cannot date {}", index.display()))
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

/// The file that apt checks the signature of: what there is, of which size and hash.
fn release_file(origin: &str, packages: &str, now: OffsetDateTime) -> String {
    let (weekday, month) = (now.weekday().to_string(), now.month().to_string());
    format!(
        "Origin: {origin}\nSuite: stable\nArchitectures: all\n\
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
mod tests {
    use super::*;

    #[test]
    fn the_release_file_writes_its_date_as_apt_reads_it() {
        let moment = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let text = release_file("Somebody", "", moment);
        assert!(
            text.contains("Date: Tue, 14 Nov 2023 22:13:20 +0000\n"),
            "{text}"
        );
    }
}
