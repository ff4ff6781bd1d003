//! Whatever becomes of a fleet's maker, nothing of the fleet is left on the machine.

use cofferdam_tests::{
    folder::Folder,
    machine::Machine,
    process::{Process, built},
    real_fleet::{
        RealFleet,
        cgroup::Cgroup,
        ground::FLEETS,
        requirements::{missing, say_left_out},
        teardown, tree,
    },
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What is there of one fleet: its folder, the mounts below, its processes, its groups.
fn traces(folder: &Path) -> Vec<String> {
    let id = folder.file_name().unwrap().to_string_lossy();
    let cgroup = Cgroup::of_fleet(&id);
    let mut found: Vec<PathBuf> = teardown::mounts_below(folder).unwrap();
    let folders = cgroup.folders().iter().cloned().chain([folder.to_owned()]);
    found.extend(folders.filter(|path| path.exists()));
    let processes = cgroup
        .processes()
        .into_iter()
        .map(|process| process.to_string());
    let found = found.iter().map(|path| path.display().to_string());
    found.chain(processes).collect()
}

/// The links of the machine's own network.
fn links() -> Vec<String> {
    let links = fs::read_dir("/sys/class/net").unwrap().flatten();
    let names = links.map(|link| link.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[tokio::test]
async fn nothing_is_left_after_the_fleet_is_taken_down() {
    // What `ip` and nspawn leave behind when they are used otherwise.
    let strays = || ["/run/netns", "/run/systemd/nspawn"].map(|path| Path::new(path).exists());
    let before = (links(), strays());
    let Some(fleet) = RealFleet::boot(Machine::several(2)).await else {
        return;
    };
    fleet.manage().await.unwrap();
    let folder = fleet.folder().to_owned();
    assert!(traces(&folder).len() > 10, "{:?}", traces(&folder));
    assert_eq!((links(), strays()), before, "its network is its own");

    // By being dropped, as at a test's early end.
    drop(fleet);

    assert_eq!(traces(&folder), Vec::<String>::new());
    assert_eq!((links(), strays()), before);
}

#[tokio::test]
async fn what_is_left_of_a_tree_whose_making_was_cut_short_is_cleared_away_unless_it_goes_on() {
    if let Some(why) = missing() {
        say_left_out(&why);
        return;
    }
    let cache = Folder::new();
    let (memory, half) = (cache.join("memory"), cache.join("half"));
    fs::create_dir(&memory).unwrap();
    fs::create_dir(&half).unwrap();
    fs::write(half.join("x"), "").unwrap();
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "tmpfs"]).arg(&memory);
    assert!(mount.status().unwrap().success());
    let lock = fs::File::create(cache.join("lock")).unwrap();
    lock.lock().unwrap();
    assert!(!tree::clear_unfinished(cache.path()).unwrap());
    drop(lock);
    assert!(tree::clear_unfinished(cache.path()).unwrap());
    let left = teardown::mounts_below(cache.path()).unwrap();
    assert_eq!(
        (left, memory.exists(), half.exists()),
        (Vec::new(), false, false)
    );
    assert!(!tree::clear_unfinished(cache.path()).unwrap());
}

#[tokio::test]
async fn a_fleet_whose_maker_was_killed_is_cleared_away_by_the_next() {
    let Some(next) = RealFleet::lay_out(Machine::several(1)).await else {
        return;
    };
    let folder = Folder::new();
    let mut maker = Command::new(std::env::current_exe().unwrap());
    maker.args([
        "--exact",
        "--ignored",
        "--nocapture",
        "traces::a_maker_for_another_test_to_kill",
    ]);
    maker.env("COFFERDAM_FLEET_TELLS", folder.join("told"));
    let maker = Process::start(maker, &folder.join("log"));
    let made = cofferdam_tests::patience::eventually(
        "the other process to have a fleet",
        cofferdam_tests::real_fleet::host::BOOTED_WITHIN,
        async || fs::read_to_string(folder.join("told")).map_err(|_| maker.log()),
    )
    .await;
    let made = PathBuf::from(made);
    assert!(traces(&made).len() > 10, "{:?}", traces(&made));
    maker.kill();

    drop(RealFleet::lay_out(Machine::several(1)).await);

    assert_eq!(traces(&made), Vec::<String>::new());
    assert!(next.folder().exists(), "who is alive keeps what is theirs");
    next.take_down().unwrap();
}

#[tokio::test]
#[ignore = "it waits to be killed by another test"]
async fn a_maker_for_another_test_to_kill() {
    let Some(tell) = std::env::var_os("COFFERDAM_FLEET_TELLS") else {
        return;
    };
    let fleet = RealFleet::boot(Machine::several(1)).await.unwrap();
    let half = PathBuf::from(&tell).with_extension("half");
    fs::write(&half, fleet.folder().to_str().unwrap()).unwrap();
    fs::rename(half, tell).unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn the_fleet_program_says_what_is_wrong() {
    let mut fleet = Command::new(built("fleet"));
    fleet.args(["shell", "web-1"]);
    if Path::new(FLEETS).join("yours").exists() {
        return;
    }
    let (code, printed) = cofferdam_tests::process::run(fleet);
    assert_eq!(code, 1);
    assert!(printed.contains("make fleet"), "{printed}");
}
