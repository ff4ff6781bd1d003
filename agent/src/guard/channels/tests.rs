use super::*;

/// A root with all programs that the guard knows.
fn full() -> (tempfile::TempDir, Root) {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path()).unwrap();
    for inner in [
        "etc/needrestart/conf.d",
        "etc/cloud/cloud.cfg.d",
        "etc/dnf/libdnf5-plugins",
        "usr/lib/python3.11/site-packages/dnf",
        "usr/lib/python3/dist-packages/dnf",
        "usr/lib/python3.12/site-packages",
    ] {
        fs::create_dir_all(root.join(inner)).unwrap();
    }
    (folder, root)
}

fn shown(root: &Root, mode: Mode, dead_agent: DeadAgent) -> String {
    let settings = GuardSettings {
        mode,
        dead_agent,
        ..GuardSettings::default()
    };
    let found = drop_ins(root, &settings, Path::new("/var/lib/cofferdam-agent"));
    let units_but_one = |file: &&DropIn| !is_of_systemd(&file.path) || file.channel == UNITS[0];
    let files = found.iter().filter(units_but_one);
    files
        .map(|file| format!("== {}\n{}", file.path.display(), file.content))
        .collect()
}

#[test]
fn a_guard_that_enforces_owns_every_channel() {
    let (_folder, root) = full();
    insta::assert_snapshot!(shown(&root, Mode::Enforce, DeadAgent::Closed));
}

#[test]
fn a_guard_that_observes_blocks_nothing_and_changes_no_setting() {
    let (_folder, root) = full();
    insta::assert_snapshot!(shown(&root, Mode::Observe, DeadAgent::Closed));
}

#[test]
fn where_a_program_is_missing_nothing_is_written_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path()).unwrap();
    let found = drop_ins(&root, &GuardSettings::default(), Path::new("/s"));
    assert_eq!(found.len(), 2 + UNITS.len());
}

#[test]
fn packagekit_is_asked_for_as_a_unit_where_it_passes_dnfs_plugins_by() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path()).unwrap();
    let backends = root.join(BACKENDS[0]);
    fs::create_dir_all(&backends).unwrap();
    let is_asked_for = || {
        let found = drop_ins(&root, &GuardSettings::default(), Path::new("/s"));
        found.iter().any(|file| file.channel == PACKAGEKIT)
    };
    // What works by apt asks its hooks.
    fs::write(backends.join("libpk_backend_apt.so"), "").unwrap();
    assert!(!is_asked_for());
    for dnf in ["libpk_backend_dnf.so", "libpk_backend_dnf5.so"] {
        fs::write(backends.join(dnf), "").unwrap();
        assert!(is_asked_for());
        fs::remove_file(backends.join(dnf)).unwrap();
    }
}
