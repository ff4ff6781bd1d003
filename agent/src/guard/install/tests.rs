use super::*;
use crate::guard::{settings::Mode, uninstall::uninstall};
use std::collections::BTreeMap;

/// How a manifest is lost.
const LOSSES: [&str; 3] = ["missing", "{ it is damaged", ""];

struct Bench {
    _folder: tempfile::TempDir,
    root: Root,
    places: Places,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path().join("root")).unwrap();
        for inner in [
            "usr/bin",
            "etc/apt/apt.conf.d",
            "etc/needrestart/conf.d",
            "etc/systemd/system",
        ] {
            fs::create_dir_all(root.join(inner)).unwrap();
        }
        fs::write(root.join(PROGRAM), "").unwrap();
        fs::write(root.join("etc/apt/apt.conf.d/20auto-upgrades"), "x").unwrap();
        let places = Places::new(&folder.path().join("state"), &folder.path().join("run"));
        Self {
            _folder: folder,
            root,
            places,
        }
    }

    fn install(&self, mode: Mode) -> Result<Changed, InstallError> {
        let settings = GuardSettings {
            mode,
            ..GuardSettings::default()
        };
        install(&self.root, &self.places, &settings)
    }

    /// Takes the guard away, which is there.
    fn uninstall(&self) -> Changed {
        uninstall(&self.root, &self.places).unwrap().unwrap()
    }

    /// Has the manifest be lost in one of [`LOSSES`].
    fn lose(&self, how: &str) {
        let path = self.places.manifest();
        match how {
            "missing" => fs::remove_file(path).unwrap(),
            damaged => fs::write(path, damaged).unwrap(),
        }
    }

    /// All of the root: content and permissions by path. Folders have no content.
    fn tree(&self) -> BTreeMap<PathBuf, (Option<Vec<u8>>, u32)> {
        let mut found = BTreeMap::new();
        let mut waiting = vec![self.root.path().to_owned()];
        while let Some(path) = waiting.pop() {
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            if path.is_dir() {
                let entries = fs::read_dir(&path).unwrap();
                waiting.extend(entries.map(|entry| entry.unwrap().path()));
                found.insert(path, (None, mode));
            } else {
                let content = fs::read(&path).unwrap();
                found.insert(path, (Some(content), mode));
            }
        }
        found
    }

    fn apt(&self) -> PathBuf {
        self.root.join("etc/apt/apt.conf.d/zz-cofferdam-guard")
    }
}

#[test]
fn an_uninstall_puts_every_channel_back_byte_for_byte() {
    let bench = Bench::new();
    let modules = bench.root.join("usr/lib/python3/dist-packages");
    fs::create_dir_all(modules.join("dnf")).unwrap();
    let before = bench.tree();
    for mode in [Mode::Observe, Mode::Enforce, Mode::Observe] {
        bench.install(mode).unwrap();
        // As Python does when dnf loads the plugin.
        let compiled = modules.join("dnf-plugins/__pycache__");
        fs::create_dir_all(&compiled).unwrap();
        fs::write(compiled.join("cofferdam_guard.cpython-311.pyc"), "x").unwrap();
    }
    assert_ne!(bench.tree(), before);
    let changed = bench.uninstall();
    assert_eq!(bench.tree(), before);
    assert!(changed.concerns_systemd());
    assert_eq!(changed.saved, Vec::<PathBuf>::new());
    assert_eq!(uninstall(&bench.root, &bench.places).unwrap(), None);
}

#[test]
fn a_second_install_changes_and_writes_nothing() {
    let bench = Bench::new();
    assert!(bench.install(Mode::Enforce).unwrap().concerns_systemd());
    let written = fs::metadata(bench.places.manifest())
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(bench.install(Mode::Enforce).unwrap(), Changed::default());
    let now = fs::metadata(bench.places.manifest())
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(now, written);
}

#[test]
fn other_settings_replace_and_take_away_what_they_have_to() {
    let bench = Bench::new();
    bench.install(Mode::Enforce).unwrap();
    let needrestart = bench
        .root
        .join("etc/needrestart/conf.d/zz-cofferdam-guard.conf");
    assert!(needrestart.exists());
    bench.install(Mode::Observe).unwrap();
    assert!(!needrestart.exists());
    let apt = fs::read_to_string(bench.apt()).unwrap();
    assert!(!apt.contains("InstallOnShutdown"), "{apt}");
}

#[test]
fn what_a_person_wrote_or_changed_is_not_overwritten() {
    let bench = Bench::new();
    fs::write(bench.apt(), "mine").unwrap();
    let before = bench.tree();
    let error = bench.install(Mode::Enforce).unwrap_err();
    assert!(matches!(error, InstallError::Foreign(_)), "{error}");
    assert_eq!(bench.tree(), before, "nothing was changed");

    fs::remove_file(bench.apt()).unwrap();
    bench.install(Mode::Enforce).unwrap();
    fs::write(bench.apt(), "changed").unwrap();
    let error = bench.install(Mode::Observe).unwrap_err();
    assert!(matches!(error, InstallError::Foreign(_)), "{error}");
}

#[test]
fn what_a_person_changed_is_saved_when_the_guard_goes() {
    let bench = Bench::new();
    bench.install(Mode::Enforce).unwrap();
    fs::write(bench.apt(), "changed").unwrap();
    let changed = bench.uninstall();
    let [saved] = changed.saved.as_slice() else {
        panic!("{changed:?}");
    };
    assert_eq!(fs::read_to_string(saved).unwrap(), "changed");
    assert!(!bench.apt().exists());
}

#[test]
fn an_install_that_was_cut_short_is_known_to_be_the_guards() {
    let bench = Bench::new();
    let before = bench.tree();
    bench.install(Mode::Enforce).unwrap();
    // The files of one mode, with the manifest of the moment before another is whole.
    let enforced = Manifest::find(&bench.places).unwrap().unwrap();
    bench.install(Mode::Observe).unwrap();
    let observed = Manifest::find(&bench.places).unwrap().unwrap();
    let half = transition(Some(&enforced), &observed);
    half.write(&bench.places).unwrap();
    bench.install(Mode::Enforce).unwrap();
    half.write(&bench.places).unwrap();
    let changed = bench.uninstall();
    assert_eq!(changed.saved, Vec::<PathBuf>::new());
    assert_eq!(bench.tree(), before);
}

#[test]
fn nothing_is_installed_where_hooks_could_not_be_called() {
    let bench = Bench::new();
    fs::remove_file(bench.root.join(PROGRAM)).unwrap();
    let error = bench.install(Mode::Observe).unwrap_err();
    assert!(matches!(error, InstallError::NoProgram), "{error}");
    let odd = Places::new(Path::new("/var/lib/a b"), Path::new("/run/x"));
    fs::write(bench.root.join(PROGRAM), "").unwrap();
    let error = install(&bench.root, &odd, &GuardSettings::default()).unwrap_err();
    assert!(matches!(error, InstallError::Unquotable(_)), "{error}");
}

#[test]
fn whoever_installs_is_known_to_do_so_until_it_is_done() {
    let bench = Bench::new();
    assert!(!is_under_way(&bench.places), "nobody ever did");
    let held = hold(&bench.places).unwrap();
    assert!(is_under_way(&bench.places));
    drop(held);
    bench.install(Mode::Enforce).unwrap();
    assert!(!is_under_way(&bench.places));
    bench.uninstall();
    assert!(!is_under_way(&bench.places));
}

#[test]
fn a_guard_whose_manifest_is_lost_is_installed_anew_over_its_own_files() {
    let bench = Bench::new();
    let before = bench.tree();
    for how in LOSSES {
        bench.install(Mode::Enforce).unwrap();
        bench.lose(how);
        bench.install(Mode::Observe).unwrap();
        let manifest = Manifest::find(&bench.places).unwrap().unwrap();
        assert_eq!(manifest.settings.mode, Mode::Observe, "{how}");
        let apt = fs::read_to_string(bench.apt()).unwrap();
        assert!(!apt.contains("InstallOnShutdown"), "{how}: {apt}");
        let changed = bench.uninstall();
        assert_eq!(changed.saved, Vec::<PathBuf>::new(), "{how}");
        assert_eq!(bench.tree(), before, "{how}");
    }
}

#[test]
fn a_guard_whose_manifest_is_lost_is_taken_away_all_the_same() {
    let bench = Bench::new();
    let before = bench.tree();
    for how in LOSSES {
        bench.install(Mode::Enforce).unwrap();
        bench.lose(how);
        assert!(bench.uninstall().concerns_systemd(), "{how}");
        assert_eq!(bench.tree(), before, "{how}");
        assert_eq!(uninstall(&bench.root, &bench.places).unwrap(), None);
    }
}

#[test]
fn without_a_manifest_a_file_that_does_not_say_to_be_the_guards_stays() {
    let bench = Bench::new();
    bench.install(Mode::Enforce).unwrap();
    fs::remove_file(bench.places.manifest()).unwrap();
    fs::write(bench.apt(), "mine").unwrap();
    let error = bench.install(Mode::Observe).unwrap_err();
    assert!(matches!(error, InstallError::Foreign(_)), "{error}");
    bench.uninstall();
    assert_eq!(fs::read_to_string(bench.apt()).unwrap(), "mine");
}

#[test]
fn only_what_is_installed_is_refreshed_and_a_lost_manifest_is_written_again() {
    let bench = Bench::new();
    let before = bench.tree();
    let refreshed = || refresh(&bench.root, &bench.places, &GuardSettings::default()).unwrap();
    assert_eq!(refreshed(), Changed::default());
    assert_eq!(bench.tree(), before);
    for how in LOSSES {
        bench.install(Mode::Observe).unwrap();
        let installed = bench.tree();
        bench.lose(how);
        assert_eq!(refreshed(), Changed::default(), "{how}: all was right");
        assert_eq!(bench.tree(), installed, "{how}");
        let manifest = Manifest::find(&bench.places).unwrap().unwrap();
        assert!(
            manifest
                .written(Path::new("/etc/dpkg/dpkg.cfg.d/zz-cofferdam-guard"))
                .is_some()
        );
    }
}

#[test]
fn a_program_that_comes_later_is_taken_too_and_what_was_changed_is_not_written_over() {
    let bench = Bench::new();
    bench.install(Mode::Enforce).unwrap();
    fs::write(bench.apt(), "changed").unwrap();
    fs::create_dir_all(bench.root.join("etc/cloud/cloud.cfg.d")).unwrap();
    let cloud = Path::new("/etc/cloud/cloud.cfg.d/zz-cofferdam-guard.cfg");
    let lacking = || {
        let manifest = Manifest::find(&bench.places).unwrap().unwrap();
        lacking(&bench.root, &bench.places, &manifest).len()
    };
    assert_eq!(lacking(), 1);
    let changed = extend(&bench.root, &bench.places).unwrap();
    assert_eq!(changed.files, [cloud]);
    assert_eq!(lacking(), 0);
    assert_eq!(fs::read_to_string(bench.apt()).unwrap(), "changed");
    assert!(bench.uninstall().files.contains(&cloud.to_owned()));
}
