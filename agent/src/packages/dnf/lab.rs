//! A host with rpm in a folder for tests: a root of its own, a repository beside it, and tiny packages made
//! with rpmbuild. Needs root, since rpm changes into its root; no network.

use crate::host::{settings::HostSettings, settings::samples};
use cofferdam_engine::{digest::Digest, package::PackageFormat, patch::LockedPackage};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The program of scripts that are no Lua.
const SHELL: &str = "/bin/sh";

/// The folder of a test's host and its repository.
pub(crate) struct RpmLab {
    folder: tempfile::TempDir,
}

/// A package to be made. Its scripts are rpm's own Lua, since the root holds no shell.
#[derive(Clone, Copy)]
pub(crate) struct Rpm<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    /// Further lines of its spec file's head, each with its end.
    pub(crate) head: &'a str,
    /// Further sections of its spec file.
    pub(crate) sections: &'a str,
    /// The content of its config file, `/etc/NAME.conf`. Empty: it has none.
    pub(crate) conffile: &'a str,
    /// How the config file is marked.
    pub(crate) config: &'a str,
}

impl<'a> Rpm<'a> {
    pub(crate) fn new(name: &'a str, version: &'a str) -> Self {
        Self {
            name,
            version,
            head: "",
            sections: "",
            conffile: "",
            config: "%config(noreplace)",
        }
    }

    pub(crate) fn with(self, head: &'a str) -> Self {
        Self { head, ..self }
    }

    pub(crate) fn with_sections(self, sections: &'a str) -> Self {
        Self { sections, ..self }
    }

    pub(crate) fn with_conffile(self, config: &'a str, conffile: &'a str) -> Self {
        Self {
            config,
            conffile,
            ..self
        }
    }

    fn spec(&self) -> String {
        let Self {
            name,
            version,
            head,
            sections,
            ..
        } = self;
        let (conf, marked) = match self.conffile {
            "" => (String::new(), String::new()),
            content => (
                format!(
                    "mkdir -p %{{buildroot}}/etc\nprintf %s '{content}' >%{{buildroot}}/etc/{name}.conf\n"
                ),
                format!("{} /etc/{name}.conf\n", self.config),
            ),
        };
        format!(
            "Name: {name}\nVersion: {version}\nRelease: 1\nSummary: made for a test\nLicense: MIT\n\
             BuildArch: noarch\n{head}%description\nMade for a test.\n%install\n\
             mkdir -p %{{buildroot}}/usr/share/{name}\n\
             printf %s {version} >%{{buildroot}}/usr/share/{name}/version\n{conf}\
             {sections}\n%files\n/usr/share/{name}\n{marked}"
        )
    }
}

impl RpmLab {
    /// An empty host, and an empty repository that it knows. Absent: only root can have one.
    pub(crate) fn new() -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            let why = "left out: packages of rpm (rpm needs root to change into a root)";
            writeln!(std::io::stderr(), "{why}").unwrap();
            return None;
        }
        let lab = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for folder in [
            "repo",
            "root/etc/yum.repos.d",
            "root/var/lib",
            "root/var/tmp",
        ] {
            fs::create_dir_all(lab.path(folder)).unwrap();
        }
        fs::write(
            lab.path("root/etc/os-release"),
            "ID=rocky\nVERSION_ID=9.4\n",
        )
        .unwrap();
        lab.know(
            &format!("file://{}", lab.path("repo").display()),
            "gpgcheck=0",
        );
        lab.index();
        Some(lab)
    }

    /// Says where the repository is, and how it is to be taken.
    pub(crate) fn know(&self, url: &str, options: &str) {
        let text = format!("[lab]\nname=lab\nbaseurl={url}\nretries=1\n{options}\n");
        fs::write(self.path("root/etc/yum.repos.d/lab.repo"), text).unwrap();
    }

    pub(crate) fn path(&self, inner: &str) -> PathBuf {
        self.folder.path().join(inner)
    }

    pub(crate) fn settings(&self) -> HostSettings {
        HostSettings {
            package_manager: Some(PackageFormat::Rpm),
            ..samples::settings(self.folder.path())
        }
    }

    /// Puts a package into the repository, and says what a lock file says of it.
    pub(crate) fn publish(&self, rpm: Rpm<'_>) -> LockedPackage {
        let file = self.build(rpm, &self.path("repo"));
        self.index();
        let bytes = fs::read(file).unwrap();
        LockedPackage {
            name: rpm.name.to_owned(),
            version: format!("{}-1", rpm.version),
            sha256: Digest::of(&bytes),
            size: bytes.len() as u64,
        }
    }

    /// Installs packages by hand, as if before Cofferdam came.
    pub(crate) fn install(&self, rpms: &[Rpm<'_>]) {
        self.rpm_with(&["-U", "--oldpackage", "--replacepkgs"], rpms);
    }

    /// Runs rpm on the root with packages.
    pub(crate) fn rpm_with(&self, words: &[&str], rpms: &[Rpm<'_>]) {
        let folder = tempfile::tempdir().unwrap();
        let files = rpms.iter().map(|&rpm| self.build(rpm, folder.path()));
        run(self.rpm().args(words).args(files));
    }

    /// Gives the root a shell for scripts that are no Lua: the machine's own, with its libraries, as a package.
    pub(crate) fn give_shell(&self) {
        let libraries = run(Command::new("ldd").arg(SHELL)).stdout;
        let libraries = String::from_utf8(libraries).unwrap();
        let words = libraries
            .split_whitespace()
            .filter(|word| word.starts_with('/'));
        for file in words.chain([SHELL]) {
            let place = self.path("root").join(file.trim_start_matches('/'));
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::copy(file, place).unwrap();
        }
        self.install(&[Rpm::new("shell", "1").with("Provides: /bin/sh\n")]);
    }

    /// What rpm answers of the root.
    pub(crate) fn ask(&self, words: &[&str]) -> String {
        let output = run(self.rpm().args(words));
        String::from_utf8(output.stdout).unwrap()
    }

    fn rpm(&self) -> Command {
        let mut rpm = Command::new("rpm");
        rpm.arg("--root").arg(self.path("root"));
        rpm
    }

    /// The version that a package's own file on the host says. Absent: it is not installed.
    pub(crate) fn installed_file(&self, name: &str) -> Option<String> {
        let file = self.path("root/usr/share").join(name).join("version");
        fs::read_to_string(file).ok()
    }

    /// Says in the repository that an update is for security.
    pub(crate) fn advise(&self, name: &str, version: &str) {
        let text = format!(
            "<updates><update type=\"security\"><id>LAB-1</id><title>x</title>\
             <issued date=\"2026-01-01 00:00:00\"/><severity>Important</severity>\
             <pkglist><collection><package name=\"{name}\" version=\"{version}\" release=\"1\" epoch=\"0\" \
             arch=\"noarch\"><filename>x.rpm</filename></package></collection></pkglist></update></updates>"
        );
        let file = self.path("updateinfo.xml");
        fs::write(&file, text).unwrap();
        let repodata = self.path("repo/repodata");
        run(Command::new("modifyrepo_c").arg(file).arg(repodata));
    }

    fn index(&self) {
        run(Command::new("createrepo_c")
            .args(["--quiet", "--no-database"])
            .arg(self.path("repo")));
    }

    fn build(&self, rpm: Rpm<'_>, into: &Path) -> PathBuf {
        let spec = self.path(&format!("{}.spec", rpm.name));
        fs::write(&spec, rpm.spec()).unwrap();
        let define = |name: &str, value: &str| format!("{name} {value}");
        let name = "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm";
        // Built again, it is the same package.
        run(Command::new("rpmbuild")
            .env("SOURCE_DATE_EPOCH", "1700000000")
            .args(["--define", "use_source_date_epoch_as_buildtime 1"])
            .args(["--define", "clamp_mtime_to_source_date_epoch 1"])
            .args(["--define", "_buildhost lab"])
            .args(["-bb", "--quiet", "--define"])
            .arg(define("_topdir", &self.path("build").display().to_string()))
            .args(["--define", &define("_rpmdir", &into.display().to_string())])
            .args(["--define", &define("_rpmfilename", name)])
            .arg(&spec));
        into.join(format!("{}-{}-1.noarch.rpm", rpm.name, rpm.version))
    }
}

fn run(command: &mut Command) -> Output {
    let output = command.env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}
