use super::*;
use std::time::Duration;

const LEAST: &str = r#"
cert = "/etc/cofferdam/coordinator.pem"
key = "/etc/cofferdam/coordinator.key"
ca = "/etc/cofferdam/ca.pem"
trust_domain = "example.org"
"#;

fn mistakes_of(text: &str) -> Vec<String> {
    let mistakes = Settings::parse("c.toml", text).unwrap_err();
    mistakes.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn four_keys_are_enough() {
    let settings = Settings::parse("c.toml", LEAST).unwrap();

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
         data_dir = \"/tmp/x\"\nheartbeat = \"500ms\"\n\
         [artefacts]\nstore = \"s3://bits/r1\"\nquota_mib = 2\nlargest_mib = 1\nrate_kib = 3\n\
         transfers = 4\npackages = false\nsupply_within = \"5s\"\nretention = \"6h\"\n\
         [signing]\nallowed_signers = \"/etc/signers\"\nrequire = false\n"
    );
    let settings = Settings::parse("c.toml", &text).unwrap();

    let store = Location::Remote("s3://bits/r1".parse().unwrap());
    assert_eq!(settings.artefacts, store);
    let limits = Limits {
        quota: 2 << 20,
        largest: 1 << 20,
        rate: std::num::NonZeroU32::new(3072),
        transfers: 4,
        packages: false,
        supply_within: Duration::from_secs(5),
        retention: Duration::from_secs(6 * 3600),
    };
    assert_eq!(settings.limits, limits);
    let signing = Signing {
        allowed_signers: Some(PathBuf::from("/etc/signers")),
        require: false,
    };
    assert_eq!(settings.signing, signing);
    assert_eq!(settings.listen.port(), 1);
    assert_eq!(settings.http.port(), 2);
    assert!(settings.regions.contain("r2") && !settings.regions.contain("r3"));
    assert_eq!(settings.data_dir, PathBuf::from("/tmp/x"));
    assert_eq!(settings.heartbeat, Duration::from_millis(500));
}

#[test]
fn whoever_names_signers_wants_signatures() {
    let signing = |lines: &str| Settings::parse("c.toml", &format!("{LEAST}[signing]\n{lines}\n"));
    let settings = signing("allowed_signers = \"/etc/signers\"").unwrap();
    assert!(settings.signing.require);
    let refused = signing("require = true").unwrap_err().to_string();
    assert!(refused.contains("name its file"), "{refused}");
}

#[test]
fn a_region_dials_its_control_plane_by_a_list_a_name_and_a_proxy_and_nobody_else_does() {
    let region = "role = \"region\"\ncontrol = [\"c.example.org:7300\", \"_cofferdam-control._tcp.example.org\"]\n";
    let ways = "proxy = \"http://proxy.example.org:3128\"\ndns_servers = [\"10.0.0.2:53\"]\n";
    let settings = Settings::parse("c.toml", &format!("{LEAST}{region}{ways}")).unwrap();
    let Role::Region {
        control,
        ways: read,
    } = settings.role
    else {
        panic!("a region is expected");
    };
    assert_eq!(control[0], Place::Address("c.example.org:7300".into()));
    assert_eq!(
        control[1],
        Place::Service("_cofferdam-control._tcp.example.org".into())
    );
    assert_eq!(read.proxy.unwrap().address, "proxy.example.org:3128");
    let found = mistakes_of(&format!("{LEAST}role = \"control\"\n{ways}"));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found
            .iter()
            .all(|line| line.contains("only a region dials a control plane"))
    );
    let found = mistakes_of(&format!("{LEAST}role = \"region\"\ncontrol = []\n"));
    assert_eq!(found, ["c.toml:7:11: control: it must not be empty"]);
}

#[test]
fn a_star_stands_for_every_region() {
    let settings = Settings::parse("c.toml", &format!("{LEAST}region = \"*\"\n")).unwrap();
    assert!(settings.regions.contain("anywhere"));
}

#[test]
fn all_mistakes_are_reported_at_once_each_with_its_line() {
    let found = mistakes_of(
        "listen = \"here\"\nhttp = 80\nliste = \"x\"\nheartbeat = \"1h\"\nregion = \"a b\"\n\
         cert = \"\"\nkey = \"k\"\nca = \"c\"\n",
    );

    for expected in [
        "c.toml:1:1: \"trust_domain\" is missing",
        "c.toml:1:10: listen: `here` is not an address with a port",
        "c.toml:2:8: http: a text in quotes is expected, this is 80",
        "c.toml:3:1: unknown key \"liste\"; did you mean \"listen\"?",
        "c.toml:4:13: heartbeat: it must be from 100ms to 20s",
        "c.toml:5:10: region: `a b` is not a region name",
        "c.toml:6:8: cert: it must not be empty",
    ] {
        assert!(
            found.iter().any(|line| line.starts_with(expected)),
            "{expected}\n{found:#?}"
        );
    }
    assert_eq!(found.len(), 7, "{found:#?}");
}

#[test]
fn what_is_not_toml_is_told_with_its_line() {
    let found = mistakes_of(&format!("{LEAST}\nlisten = = 3\n"));
    assert!(found[0].starts_with("c.toml:7:"), "{found:#?}");
}

#[test]
fn two_ways_to_name_regions_exclude_each_other() {
    let found = mistakes_of(&format!("{LEAST}region = \"r1\"\nregions = [\"r2\"]\n"));
    assert_eq!(
        found,
        ["c.toml:7:11: regions: `region` and `regions` exclude each other; keep one"]
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Settings::load(Path::new("/nowhere/c.toml")).unwrap_err();
    assert_eq!(error.to_string(), "cannot read /nowhere/c.toml");
}

#[test]
fn the_shipped_file_is_right_and_shows_the_defaults() {
    let shipped = include_str!("../../../packaging/etc/cofferdam/coordinator.toml");
    let as_shipped = Settings::parse("shipped", shipped).unwrap();

    let is_default =
        |line: &str| line.starts_with('#') && line[1..].starts_with(char::is_lowercase);
    let spelt_out: String = shipped
        .lines()
        .map(|line| if is_default(line) { &line[1..] } else { line })
        .fold(String::new(), |text, line| text + line + "\n");

    assert_eq!(Settings::parse("spelt out", &spelt_out), Ok(as_shipped));
}
