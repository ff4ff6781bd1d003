//! Programs that refuse to start, and commands that are refused: each says what and where.

use cofferdam_tests::{fleet::Fleet, machine::Machine, process::run, rollout, site::Site};
use std::{
    fs,
    path::{Path, PathBuf},
};

#[tokio::test]
async fn a_second_coordinator_on_one_store_is_refused_and_the_first_goes_on() {
    let mut fleet = Fleet::start(Machine::several(2)).await;
    let first = fleet.coordinator().id().to_string();
    let elsewhere = Site::new();
    let config = fs::read_to_string(elsewhere.coordinator_config()).unwrap();
    let own = elsewhere.coordinator_data().display().to_string();
    let theirs = fleet.site.coordinator_data().display().to_string();
    fs::write(
        elsewhere.coordinator_config(),
        config.replace(&own, &theirs),
    )
    .unwrap();

    let (code, printed) = run(elsewhere.coordinator());

    assert_eq!(code, 1, "{printed}");
    assert!(printed.contains("is in use by process"), "{printed}");
    assert!(
        printed.contains(&theirs) && printed.contains(&first),
        "{printed}"
    );
    fleet.in_service().await;
    fleet.finish();
}

#[tokio::test]
async fn a_damaged_record_is_named_and_nothing_is_made_of_the_rest() {
    let mut fleet = Fleet::start(Machine::several(2)).await;
    fleet.kill_coordinator();
    let site = fleet.finish();
    let db = find(&site.coordinator_data(), "db");
    let whole = fs::read(&db).unwrap();
    let told = locate(&whole, b"web-1");
    let mut damaged = whole.clone();
    for at in told {
        damaged[at] ^= 0x20;
    }
    fs::write(&db, damaged).unwrap();

    let (code, printed) = run(site.coordinator());

    assert_eq!(code, 1, "{printed}");
    let data = site.coordinator_data().display().to_string();
    assert!(printed.contains(&data), "{printed}");
    assert!(!printed.contains("panicked at"), "{printed}");
}

#[test]
fn every_mistake_of_a_config_is_said_with_its_line() {
    let fleet = Fleet::lay_out(Machine::several(1));
    let agent = fleet.site.agent_config(&fleet.hosts()[0]);
    for (program, config) in [
        ("cofferdam-coordinator", fleet.site.coordinator_config()),
        ("cofferdam-agent", agent),
    ] {
        let good = fs::read_to_string(&config).unwrap();
        let check = || run(fleet.site.told(program, "check-config", &config));
        assert_eq!(check().0, 0, "{}", check().1);

        fs::write(&config, good.replacen("trust_domain", "trust_domian", 1)).unwrap();
        let (code, printed) = check();
        let line = 1 + good
            .lines()
            .position(|line| line.starts_with("trust_domain"))
            .unwrap();
        assert_eq!(code, 1, "{printed}");
        for part in [
            &format!("{}:{line}", config.display()),
            "\"trust_domian\"",
            "\"trust_domain\"",
        ] {
            assert!(printed.contains(part), "{part} is not in:\n{printed}");
        }

        fs::write(&config, "listen = [").unwrap();
        let (code, printed) = check();
        assert_eq!(code, 1, "{printed}");
        assert!(
            printed.contains(&format!("{}:1", config.display())),
            "{printed}"
        );

        fs::remove_file(&config).unwrap();
        let (code, printed) = check();
        assert_eq!(code, 1, "{printed}");
        assert!(
            printed.contains(&format!("cannot read {}", config.display())),
            "{printed}"
        );
    }
}

#[tokio::test]
async fn a_wrong_rollout_file_is_a_mistake_of_usage_with_its_line() {
    let fleet = Fleet::start(Machine::several(2)).await;
    let file = fleet.site.path().join("rollout.toml");
    let good = rollout::noop("x", "") + rollout::ALL_AT_ONCE;
    fs::write(&file, good.replacen("grace = ", "grase = ", 1)).unwrap();

    let (code, printed) = run_with(&fleet.site, &["plan"], &file);

    assert_eq!(code, 2, "{printed}");
    let line = 1 + good
        .lines()
        .position(|line| line.starts_with("grace"))
        .unwrap();
    for part in [&format!("rollout.toml:{line}"), "\"grase\"", "\"grace\""] {
        assert!(printed.contains(part), "{part} is not in:\n{printed}");
    }
    fleet.finish();
}

fn run_with(site: &Site, arguments: &[&str], file: &Path) -> (i32, String) {
    let mut command = site.command();
    command.args(arguments).arg(file);
    run(command)
}

/// The only file of this name below a folder.
fn find(folder: &Path, name: &str) -> PathBuf {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with(name) {
                return path;
            }
        }
    }
    panic!("no {name} in {}", folder.display());
}

/// Every place at which some bytes stand.
fn locate(text: &[u8], part: &[u8]) -> Vec<usize> {
    let places = text.windows(part.len()).enumerate();
    let found: Vec<usize> = places
        .filter(|(_, window)| *window == part)
        .map(|(at, _)| at)
        .collect();
    assert!(!found.is_empty(), "nothing to damage");
    found
}
