//! Hosts whose root trees have apt, dpkg and one small package, and the repository that it comes
//! from: those of the demo.

use crate::{fleet::Fleet, folder::Folder, machine::Machine, process::run};
use cofferdam::demo::{
    folder::{AtEnd, Folder as DemoFolder},
    repository::{PACKAGE, Release, Repository},
    root::Root,
};
use cofferdam_engine::id::HostId;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

/// A repository and the root trees that use it. The repository is served until it is closed.
pub struct Debian {
    repository: Option<Repository>,
    roots: BTreeMap<HostId, Root>,
    folder: DemoFolder,
    _around: Folder,
}

impl Debian {
    /// Makes a repository that offers the second release, and a fleet with the first installed.
    ///
    /// # Panics
    /// When a tool is missing or fails.
    pub async fn fleet(machines: Vec<Machine>) -> (Self, Fleet) {
        let around = Folder::new();
        let folder = DemoFolder::create(Some(around.join("debian")), AtEnd::Remove);
        let folder = folder.expect("a folder of its own");
        let repository = Repository::create(&folder).await.expect("a repository");
        let fleet = Fleet::enrol(machines);
        let mut roots = BTreeMap::new();
        for host in fleet.hosts() {
            let path = fleet.site.agent_folder(&host, "root");
            let root = Root::create(path, &repository.source()).await;
            roots.insert(host, root.expect("a root tree"));
        }
        repository
            .publish(Release::Second)
            .await
            .expect("a release");
        let debian = Self {
            repository: Some(repository),
            roots,
            folder,
            _around: around,
        };
        (debian, fleet)
    }

    /// Adds a release to the repository.
    ///
    /// # Panics
    /// When it is closed, or the release cannot be made.
    pub async fn publish(&self, release: Release) {
        let repository = self.repository.as_ref().expect("it is served");
        repository.publish(release).await.expect("a release");
    }

    /// Stops serving.
    pub fn close(&mut self) {
        self.repository = None;
    }

    /// Takes a release out of the repository, as archives do with old ones.
    ///
    /// # Panics
    /// When it was not in it.
    pub fn drop_package(&self, release: Release) {
        let file = format!("cofferdam-demo_{}_all.deb", release.version());
        let path = self.folder.repository().join(file);
        std::fs::remove_file(path).expect("it was published");
    }

    /// The version that dpkg says is installed on a host.
    ///
    /// # Panics
    /// When dpkg fails.
    pub async fn installed(&self, host: &HostId) -> String {
        let root = &self.roots[host];
        root.installed().await.expect("dpkg knows the package")
    }

    /// Installs a release on a host as somebody does who asks nobody.
    ///
    /// # Panics
    /// When dpkg fails.
    pub fn install_by_hand(&self, host: &HostId, release: Release) {
        let file = format!("cofferdam-demo_{}_all.deb", release.version());
        let mut dpkg = Command::new("dpkg");
        let root = self.roots[host].path();
        dpkg.arg("--root").arg(root);
        dpkg.arg("--log").arg(root.join("var/log/dpkg.log"));
        dpkg.args(["--force-not-root", "--install"]);
        dpkg.arg(self.folder.repository().join(file));
        let (code, printed) = run(dpkg);
        assert_eq!(code, 0, "{printed}");
    }

    /// How often hosts fetched a release from the repository, by what apt said.
    pub fn fetched(&self, fleet: &Fleet, release: Release) -> usize {
        let fetched = format!(" {PACKAGE} {} ", release.version());
        let is_fetch = |line: &&str| line.starts_with("Get:") && line.contains(&fetched);
        let mut count = 0;
        for host in fleet.hosts() {
            for transcript in transcripts(&fleet.site.agent_folder(&host, "state")) {
                let text = std::fs::read_to_string(transcript).unwrap_or_default();
                count += text.lines().filter(is_fetch).count();
            }
        }
        count
    }

    /// How often a release was unpacked on a host, by dpkg's own log.
    ///
    /// # Panics
    /// When there is no log.
    pub fn unpacked(&self, host: &HostId, release: Release) -> usize {
        let log = self.roots[host].path().join("var/log/dpkg.log");
        let log = std::fs::read_to_string(log).expect("dpkg logs");
        let begins = format!(" {} ", "upgrade");
        let ends = format!(" {}", release.version());
        let is_unpacking = |line: &&str| line.contains(&begins) && line.ends_with(&ends);
        log.lines().filter(is_unpacking).count()
    }
}

/// What apt said on a host when it fetched, for rollouts and for the artefact store.
fn transcripts(state: &Path) -> Vec<PathBuf> {
    let rollouts = std::fs::read_dir(state.join("transcripts"));
    let rollouts = rollouts.into_iter().flatten().flatten();
    let staged = rollouts.map(|entry| entry.path().join("stage.log"));
    staged.chain([state.join("supply.log")]).collect()
}
