use super::*;
use std::time::Duration;

const LEAST: &str = r#"
cert = "/etc/cofferdam/coordinator.pem"
key = "/etc/cofferdam/coordinator.key"
ca = "/etc/cofferdam/ca.pem"
trust_domain = "example.org"
"#;

fn mistakes_of(text: &str) -> Vec<String> {
    let mistakes = Settings::parse(text).unwrap_err();
    mistakes.iter().map(ToString::to_string).collect()
}

#[test]
fn four_keys_are_enough() {
    let settings = Settings::parse(LEAST).unwrap();

    assert_eq!(settings.listen.to_string(), "0.0.0.0:7300");
    assert_eq!(settings.http.to_string(), "127.0.0.1:7301");
    assert_eq!(settings.regions, Regions::All);
    assert_eq!(settings.heartbeat, Duration::from_secs(10));
    assert_eq!(
        settings.data_dir,
        PathBuf::from("/var/lib/cofferdam-coordinator")
    );
}

#[test]
fn every_key_is_read() {
    let text = format!(
        "{LEAST}listen = \"127.0.0.1:1\"\nhttp = \"127.0.0.1:2\"\nregions = [\"r1\", \"r2\"]\n\
         data_dir = \"/tmp/x\"\nheartbeat = \"500ms\"\n"
    );
    let settings = Settings::parse(&text).unwrap();

    assert_eq!(settings.listen.port(), 1);
    assert_eq!(settings.http.port(), 2);
    assert!(settings.regions.contain("r2") && !settings.regions.contain("r3"));
    assert_eq!(settings.data_dir, PathBuf::from("/tmp/x"));
    assert_eq!(settings.heartbeat, Duration::from_millis(500));
}

#[test]
fn a_star_stands_for_every_region() {
    let settings = Settings::parse(&format!("{LEAST}region = \"*\"\n")).unwrap();
    assert!(settings.regions.contain("anywhere"));
}

#[test]
fn all_mistakes_are_reported_at_once_each_with_its_line() {
    let found = mistakes_of(
        "listen = \"here\"\nhttp = 80\nlisten_on = \"x\"\nheartbeat = \"1h\"\nregion = \"a b\"\n\
         cert = \"\"\nkey = \"k\"\nca = \"c\"\n",
    );

    for expected in [
        "1: `listen`: `here` is not an address with a port, as in \"0.0.0.0:7300\"",
        "2: `http` must be a text in quotes",
        "3: unknown key `listen_on`; known are listen,",
        "4: `heartbeat` must be from 100ms to 20s",
        "5: `a b` is not a region name",
        "6: `cert` must not be empty",
        " `trust_domain` is missing",
    ] {
        assert!(
            found.iter().any(|f| f.starts_with(expected)),
            "{expected}\n{found:#?}"
        );
    }
    assert_eq!(found.len(), 7, "{found:#?}");
}

#[test]
fn what_is_not_toml_is_told_with_its_line() {
    let found = mistakes_of(&format!("{LEAST}\nlisten = = 3\n"));
    assert!(found[0].starts_with("7: "), "{found:#?}");
}

#[test]
fn two_ways_to_name_regions_exclude_each_other() {
    let found = mistakes_of(&format!("{LEAST}region = \"r1\"\nregions = [\"r2\"]\n"));
    assert_eq!(found, ["7: `region` and `regions` exclude each other"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Settings::read(std::path::Path::new("/nowhere/c.toml")).unwrap_err();
    assert_eq!(error.to_string(), "cannot read /nowhere/c.toml");
}

#[test]
fn mistakes_of_a_file_stand_one_a_line_with_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("c.toml");
    fs::write(&path, format!("{LEAST}x = 1\ny = 2\n")).unwrap();

    let message = Settings::read(&path).unwrap_err().to_string();

    let lines: Vec<_> = message.lines().collect();
    assert_eq!(lines.len(), 2, "{message}");
    assert!(lines[0].starts_with(&format!("{}:6: unknown key `x`", path.display())));
}
