//! A host in a folder for tests: a root of its own for dpkg, a repository beside it, and tiny
//! packages made with dpkg-deb. Needs no root and no network.

use crate::{
    host::{process::Processes, root::Root, settings::HostSettings, settings::samples},
    packages::Apt,
};
use cofferdam_engine::{digest::Digest, patch::LockedPackage};
use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
};

/// The folder of the plain repository.
const REPOSITORY: &str = "repo";
/// The folder of the repository whose release file marks security updates.
const SECURITY: &str = "security";

/// The folder of a test's host and its repository.
pub(crate) struct Lab {
    folder: tempfile::TempDir,
}

/// A package to be made.
#[derive(Clone, Copy)]
pub(crate) struct Deb<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    /// Further lines of its control file, each with its end.
    pub(crate) fields: &'a str,
    /// What runs after it is unpacked. Empty: nothing.
    pub(crate) postinst: &'a str,
    /// The content of its config file, `/etc/NAME.conf`. Empty: it has none.
    pub(crate) conffile: &'a str,
    /// The folder of its config file, with a `/` at its end.
    pub(crate) folder: &'a str,
}

impl<'a> Deb<'a> {
    pub(crate) fn new(name: &'a str, version: &'a str) -> Self {
        Self {
            name,
            version,
            fields: "",
            postinst: "",
            conffile: "",
            folder: "etc/",
        }
    }

    pub(crate) fn with(self, fields: &'a str) -> Self {
        Self { fields, ..self }
    }

    pub(crate) fn with_conffile(self, conffile: &'a str) -> Self {
        Self { conffile, ..self }
    }

    /// A config file elsewhere than in `etc/`.
    pub(crate) fn with_conffile_in(self, folder: &'a str, conffile: &'a str) -> Self {
        Self {
            conffile,
            folder,
            ..self
        }
    }

    pub(crate) fn with_postinst(self, postinst: &'a str) -> Self {
        Self { postinst, ..self }
    }
}

impl Lab {
    /// An empty host, and an empty repository that it knows.
    pub(crate) fn new() -> Self {
        let lab = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for folder in [
            REPOSITORY,
            SECURITY,
            "root/etc/apt/apt.conf.d",
            "root/etc/apt/preferences.d",
            "root/var/lib/dpkg/info",
            "root/var/lib/dpkg/updates",
            "root/var/lib/dpkg/triggers",
            "root/var/lib/apt",
            "root/var/log",
            "root/var/cache/apt",
        ] {
            fs::create_dir_all(lab.path(folder)).unwrap();
        }
        fs::write(lab.path("root/var/lib/dpkg/status"), "").unwrap();
        let source = |repository: &str| {
            format!(
                "deb [trusted=yes] copy:{} ./\n",
                lab.path(repository).display()
            )
        };
        let sources = source(REPOSITORY) + &source(SECURITY);
        fs::write(lab.path("root/etc/apt/sources.list"), sources).unwrap();
        // A test needs no disk, and no patience with what is not there.
        lab.configure("Dpkg::Options { \"--force-unsafe-io\"; }; Acquire::Retries \"0\";");
        lab.index(REPOSITORY);
        lab.index(SECURITY);
        lab
    }

    /// Lets maintainer scripts run on the machine, since the root holds no shell.
    pub(crate) fn run_scripts_without_chroot(&self) {
        self.configure("Dpkg::Options { \"--force-script-chrootless\"; };");
    }

    /// Adds to the host's own configuration of apt.
    pub(crate) fn configure(&self, text: &str) {
        let path = self.path("root/etc/apt/apt.conf.d/lab");
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, before + text + "\n").unwrap();
    }

    pub(crate) fn path(&self, inner: &str) -> PathBuf {
        self.folder.path().join(inner)
    }

    pub(crate) fn settings(&self) -> HostSettings {
        samples::settings(self.folder.path())
    }

    pub(crate) fn apt(&self) -> Apt {
        let root = Root::new(self.path("root")).unwrap();
        Apt::new(root, &self.path("state"), Rc::new(Processes), None).unwrap()
    }

    /// Puts a package into the repository, and says what a lock file says of it.
    pub(crate) fn publish(&self, deb: Deb<'_>) -> LockedPackage {
        self.publish_in(REPOSITORY, deb)
    }

    /// Puts a package into the repository of security updates.
    pub(crate) fn publish_fix(&self, deb: Deb<'_>) -> LockedPackage {
        self.publish_in(SECURITY, deb)
    }

    fn publish_in(&self, repository: &str, deb: Deb<'_>) -> LockedPackage {
        let file = build(deb, &self.path(repository));
        self.index(repository);
        let bytes = fs::read(file).unwrap();
        LockedPackage {
            name: deb.name.to_owned(),
            version: deb.version.to_owned(),
            sha256: Digest::of(&bytes),
            size: bytes.len() as u64,
        }
    }

    /// Writes a package of the repository anew, with a change in its unpacked tree, whose owners it then has.
    pub(crate) fn forge(
        &self,
        package: &LockedPackage,
        change: impl FnOnce(&Path),
    ) -> LockedPackage {
        let file = deb_path(&self.path(REPOSITORY), &package.name, &package.version);
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        run(Command::new("dpkg-deb")
            .arg("--raw-extract")
            .args([&file, &tree]));
        change(&tree);
        run(Command::new("dpkg-deb")
            .args(["-Zgzip", "--build"])
            .args([&tree, &file]));
        self.index(REPOSITORY);
        let bytes = fs::read(file).unwrap();
        LockedPackage {
            sha256: Digest::of(&bytes),
            size: bytes.len() as u64,
            ..package.clone()
        }
    }

    /// Takes a package out of the repository.
    pub(crate) fn unpublish(&self, locked: &LockedPackage) {
        fs::remove_file(deb_path(&self.path("repo"), &locked.name, &locked.version)).unwrap();
        self.index(REPOSITORY);
    }

    /// Installs packages of the repository by hand, as if before Cofferdam came, and forgets
    /// their files.
    pub(crate) fn install(&self, debs: &[Deb<'_>]) {
        self.by_dpkg("--install", debs);
    }

    /// Unpacks packages, as a dpkg that dies before it configures them.
    pub(crate) fn unpack(&self, debs: &[Deb<'_>]) {
        self.by_dpkg("--unpack", debs);
    }

    /// Takes a package off by hand, as with `--remove` or `--purge`.
    pub(crate) fn take_off(&self, act: &str, name: &str) {
        run(self.dpkg().args([act, name]));
    }

    /// dpkg on its root.
    pub(crate) fn dpkg(&self) -> Command {
        let mut dpkg = Command::new("dpkg");
        dpkg.env("PATH", crate::host::process::PATH)
            .arg(format!("--root={}", self.path("root").display()))
            .args([
                "--force-not-root",
                "--force-unsafe-io",
                "--force-script-chrootless",
                "--log=/dev/null",
            ]);
        dpkg
    }

    fn by_dpkg(&self, act: &str, debs: &[Deb<'_>]) {
        let folder = tempfile::tempdir().unwrap();
        let files = debs.iter().map(|&deb| build(deb, folder.path()));
        run(self.dpkg().arg(act).args(files));
    }

    /// The version that a package's own file on the host says. Absent: it is not installed.
    pub(crate) fn installed_file(&self, name: &str) -> Option<String> {
        let file = self.path("root/usr/share").join(name).join("version");
        Some(fs::read_to_string(file).ok()?.trim().to_owned())
    }

    /// Writes a repository's index anew.
    fn index(&self, repository: &str) {
        let repo = self.path(repository);
        let mut index = String::new();
        for entry in fs::read_dir(&repo).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "deb") {
                continue;
            }
            let control = run(Command::new("dpkg-deb").arg("-f").arg(&path));
            let bytes = fs::read(&path).unwrap();
            let name = path.file_name().unwrap().to_string_lossy();
            write!(
                index,
                "{control}Filename: ./{name}\nSize: {}\nSHA256: {}\n\n",
                bytes.len(),
                Digest::of(&bytes)
            )
            .unwrap();
        }
        let release = format!(
            "Origin: Lab\nLabel: {}\nSuite: stable\nDate: Thu, 01 Jan 2026 00:00:00 UTC\n\
             SHA256:\n {} {} Packages\n",
            if repository == SECURITY {
                "Debian-Security"
            } else {
                "Lab"
            },
            Digest::of(&index),
            index.len()
        );
        fs::write(repo.join("Packages"), index).unwrap();
        fs::write(repo.join("Release"), release).unwrap();
    }
}

fn deb_path(folder: &Path, name: &str, version: &str) -> PathBuf {
    // apt wants the colon of an epoch in a URI as it is, and the file system does too.
    folder.join(format!("{name}_{version}_all.deb"))
}

fn build(deb: Deb<'_>, into: &Path) -> PathBuf {
    let tree = tempfile::tempdir().unwrap();
    let data = tree.path().join("usr/share").join(deb.name);
    fs::create_dir_all(&data).unwrap();
    fs::create_dir(tree.path().join("DEBIAN")).unwrap();
    fs::write(data.join("version"), deb.version).unwrap();
    let control = format!(
        "Package: {}\nVersion: {}\nArchitecture: all\nMaintainer: Lab <lab@example.org>\n\
         Installed-Size: 8\n{}Description: made for a test\n",
        deb.name, deb.version, deb.fields
    );
    fs::write(tree.path().join("DEBIAN/control"), control).unwrap();
    if !deb.conffile.is_empty() {
        let path = format!("{}{}.conf", deb.folder, deb.name);
        fs::create_dir_all(tree.path().join(deb.folder)).unwrap();
        fs::write(tree.path().join(&path), deb.conffile).unwrap();
        fs::write(tree.path().join("DEBIAN/conffiles"), format!("/{path}\n")).unwrap();
    }
    if !deb.postinst.is_empty() {
        let path = tree.path().join("DEBIAN/postinst");
        fs::write(&path, format!("#!/bin/sh\n{}\n", deb.postinst)).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let file = deb_path(into, deb.name, deb.version);
    run(Command::new("dpkg-deb")
        .args(["--root-owner-group", "-Zgzip", "--build"])
        .arg(tree.path())
        .arg(&file));
    file
}

fn run(command: &mut Command) -> String {
    let output = command.env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
