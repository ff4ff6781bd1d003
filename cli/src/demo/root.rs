//! The root tree of one host: what dpkg, apt and the agent need of a Debian host, and no more.

use crate::{
    demo::{
        repository::{PACKAGE, Release, Source},
        tool::Tool,
    },
    file,
};
use anyhow::{Context as _, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folders that apt and dpkg expect to be there.
const FOLDERS: [&str; 9] = [
    "etc/apt/sources.list.d",
    "etc/apt/keyrings",
    "etc/apt/apt.conf.d",
    "etc/cofferdam/checks.d",
    "var/lib/apt/lists/partial",
    "var/cache/apt/archives/partial",
    "var/lib/dpkg/info",
    "var/lib/dpkg/updates",
    "var/log/apt",
];

const OS_RELEASE: &str = "\
ID=debian
VERSION_ID=\"12\"
PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm), a root tree of the demo\"
";

/// The check that every host of the demo runs after a change.
const ABI_CHECK: &str = include_str!("files/abi");

/// A host's root tree.
#[derive(Debug, Clone)]
pub struct Root {
    path: PathBuf,
}

impl Root {
    /// Makes the tree at `path` and installs the first release in it.
    ///
    /// # Errors
    /// When a file cannot be written or dpkg fails.
    pub async fn create(path: PathBuf, source: &Source) -> Result<Self> {
        let root = Self { path };
        root.lay_out(source)?;
        let installing = root.install(&source.first).await;
        installing.with_context(|| format!("cannot make the root {}", root.path.display()))?;
        Ok(root)
    }

    /// The tree's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn lay_out(&self, source: &Source) -> Result<()> {
        for folder in FOLDERS {
            file::folder(&self.path.join(folder))?;
        }
        let key = self.path.join("etc/apt/keyrings/demo.gpg");
        let public = &source.public_key;
        fs::copy(public, &key).with_context(|| format!("cannot copy {}", public.display()))?;
        let entry = format!("deb [signed-by={}] {} ./\n", key.display(), source.url);
        let at = |name: &str| self.path.join(name);
        file::create(&at("var/lib/dpkg/status"), file::PUBLIC, "")?;
        file::create(&at("etc/os-release"), file::PUBLIC, OS_RELEASE)?;
        file::create(&at("etc/apt/sources.list.d/demo.list"), file::PUBLIC, entry)?;
        file::create(&at("etc/cofferdam/checks.d/abi"), file::PROGRAM, ABI_CHECK)
    }

    async fn install(&self, package: &Path) -> Result<()> {
        self.dpkg("dpkg")
            .args(["--force-not-root", "--log"])
            .arg(self.log())
            .arg("--install")
            .arg(package)
            .run()
            .await?;
        Ok(())
    }

    /// The version of the demo's package that dpkg says is installed.
    ///
    /// # Errors
    /// When dpkg does not know it.
    pub async fn installed(&self) -> Result<String> {
        let format = ["--show", "--showformat=${Version}", PACKAGE];
        let version = self.dpkg("dpkg-query").args(format).run().await?;
        Ok(String::from_utf8_lossy(&version).into_owned())
    }

    /// Whether this release was ever unpacked here, by dpkg's own log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn ever_had(&self, release: Release) -> Result<bool> {
        let log = file::read(&self.log())?;
        Ok(log.lines().any(|line| is_unpacking(line, release)))
    }

    fn log(&self) -> PathBuf {
        self.path.join("var/log/dpkg.log")
    }

    fn dpkg(&self, tool: &'static str) -> Tool {
        Tool::new(tool, &self.path).arg(format!("--root={}", self.path.display()))
    }
}

/// Whether a line of dpkg's log says that a release begins to be unpacked, as in
/// `2026-11-20 10:00:00 upgrade cofferdam-demo:all 1 2`. The last word is the new version.
fn is_unpacking(line: &str, release: Release) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, _, action, package, _, new] = words[..] else {
        return false;
    };
    matches!(action, "install" | "upgrade")
        && package.split(':').next() == Some(PACKAGE)
        && new == release.version()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dpkgs_log_tells_which_releases_were_unpacked() {
        let upgrade = "2026-11-20 10:00:00 upgrade cofferdam-demo:all 2 3";
        assert!(is_unpacking(upgrade, Release::Third));
        assert!(!is_unpacking(upgrade, Release::Second));
        for other in [
            "2026-11-20 10:00:00 status installed cofferdam-demo:all 3",
            "2026-11-20 10:00:00 configure cofferdam-demo:all 3 <none>",
            "2026-11-20 10:00:00 upgrade other:all 2 3",
            "",
        ] {
            assert!(!is_unpacking(other, Release::Third), "{other}");
        }
    }
}
