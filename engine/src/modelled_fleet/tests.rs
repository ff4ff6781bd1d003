mod standing;

use super::*;
use proptest::prelude::*;
use std::time::Duration;

const SHOP: &str = r#"
[[hosts]]
prefix = "web-a-"
count = 3
os_release = "debian-11"
kernel = "5.10.0-35-amd64"
architecture = "arm64"
[hosts.labels]
service = "web"
region = "us-east-1"
zone = "us-east-1a"
instance_type = "r5.4xlarge"
[hosts.packages]
openssl = "3.0.15-1"
"libstdc++6" = "12.2.0-14"

[[hosts]]
names = ["db-2", "db-1"]
labels = { service = "db", region = "us-east-1", zone = "us-east-1a" }
"#;

fn parse(text: &str) -> ModelledFleet {
    ModelledFleet::parse("fleet.toml", text).unwrap()
}

fn mistakes(text: &str) -> String {
    match ModelledFleet::parse("fleet.toml", text) {
        Ok(fleet) => panic!("no mistake was found: {fleet:?}"),
        Err(mistakes) => mistakes.to_string(),
    }
}

/// A file of one kind, and what is added to it.
fn with(names: &str, more: &str) -> String {
    format!(
        "[[hosts]]\n{names}\nlabels = {{ service = \"web\", region = \"r1\", zone = \"a\" }}\n{more}"
    )
}

#[test]
fn hosts_are_read_with_their_labels_facts_and_packages() {
    let fleet = parse(SHOP);
    let hosts: Vec<Host> = fleet.hosts().collect();
    let names: Vec<&str> = hosts.iter().map(|host| host.id.as_str()).collect();
    assert_eq!(names, ["web-a-1", "web-a-2", "web-a-3", "db-2", "db-1"]);
    assert_eq!(fleet.len(), 5);
    for (name, web, db) in [
        ("service", Some("web"), Some("db")),
        ("instance_type", Some("r5.4xlarge"), None),
        ("os_release", Some("debian-11"), Some("debian-12")),
        ("kernel", Some("5.10.0-35-amd64"), Some("6.1.0-38-amd64")),
        ("architecture", Some("arm64"), Some("amd64")),
    ] {
        assert_eq!((hosts[1].value(name), hosts[4].value(name)), (web, db));
    }
    let sets = fleet.package_sets();
    assert_eq!(sets[&hosts[0].facts.packages].0["libstdc++6"], "12.2.0-14");
    assert_eq!(sets[&hosts[3].facts.packages], PackageSet::default());
}

#[test]
fn a_fleet_is_written_with_its_defaults_as_it_is_read() {
    let fleet = parse(SHOP);
    insta::assert_snapshot!(fleet, @r#"
    [[hosts]]
    prefix = "web-a-"
    count = 3
    os_release = "debian-11"
    kernel = "5.10.0-35-amd64"
    architecture = "arm64"
    [hosts.labels]
    instance_type = "r5.4xlarge"
    region = "us-east-1"
    service = "web"
    zone = "us-east-1a"
    [hosts.packages]
    "libstdc++6" = "12.2.0-14"
    openssl = "3.0.15-1"

    [[hosts]]
    names = ["db-2", "db-1"]
    os_release = "debian-12"
    kernel = "6.1.0-38-amd64"
    architecture = "amd64"
    [hosts.labels]
    region = "us-east-1"
    service = "db"
    zone = "us-east-1a"
    "#);
    assert_eq!(parse(&fleet.to_string()), fleet);
}

#[test]
fn a_long_list_of_names_is_written_in_lines() {
    let names: Vec<String> = (0..20).map(|i| format!("\"host-number-{i}\"")).collect();
    let fleet = parse(&with(&format!("names = [{}]", names.join(",")), ""));
    let text = fleet.to_string();
    assert!(text.lines().all(|line| line.len() <= 100), "{text}");
    assert!(
        text.starts_with("[[hosts]]\nnames = [\n  \"host-number-0\", "),
        "{text}"
    );
    assert_eq!(parse(&text), fleet);
}

#[test]
fn every_mistake_is_reported_at_once_with_what_to_do() {
    let text = r#"
host = 1
[[hosts]]
prefix = "-web"
count = 0
os_release = ""
kernel = "6.1\n"
[hosts.labels]
service = ""
region = "r1"
rack = 7
[hosts.packages]
openssl = "latest version"
"-y" = "1"

[[hosts]]
names = ["a b", "ok", ""]
label = {}

[[hosts]]
labels = { service = "web", region = "r 1", zone = "a" }
"#;
    insta::assert_snapshot!(mistakes(text), @r#"
    fleet.toml:2:1: unknown key "host"; did you mean "hosts"?
    fleet.toml:4:10: prefix in [[hosts]]: `-web1` is not a host name: letters, digits, `.`, `_` and `-`, beginning with a letter or a digit
    fleet.toml:5:9: count in [[hosts]]: a whole number of at least 1 is expected, this is 0
    fleet.toml:6:14: os_release in [[hosts]]: must not be empty
    fleet.toml:7:10: kernel in [[hosts]]: must be one line of at most 4096 bytes
    fleet.toml:8:1: "zone" in [[hosts]] labels is missing; write it as in `zone = "eu-west-1a"`
    fleet.toml:9:11: service in [[hosts]] labels: must not be empty
    fleet.toml:11:8: rack in [[hosts]] labels: a text in quotes is expected, this is 7
    fleet.toml:13:11: openssl in [[hosts]] packages: `latest version` is not a package version: letters, digits and `+ . _ : ~ ^ -`, beginning with a letter or a digit
    fleet.toml:14:8: -y in [[hosts]] packages: `-y` is not a package name: letters, digits and `+ . _ : -`, beginning with a letter or a digit and not ending in `-`
    fleet.toml:16:1: "labels" in [[hosts]] is missing; write it as in `labels = { service = "web", region = "eu-west-1", zone = "eu-west-1a" }`
    fleet.toml:17:9: names in [[hosts]]: `a b` is not a host name: letters, digits, `.`, `_` and `-`, beginning with a letter or a digit
    fleet.toml:17:9: names in [[hosts]]: a host name must not be empty
    fleet.toml:18:1: unknown key "label" in [[hosts]]; did you mean "labels"?
    fleet.toml:20:1: [[hosts]]: no name is said; write `names = ["web-1"]`, or `prefix = "web-"` and `count = 20`
    fleet.toml:21:10: labels in [[hosts]]: no cell can hold such hosts: its region and zone make no name for a cell: `r 1-a-18446744073709551615` is not a cell name: letters, digits, `.`, `_` and `-`, beginning with a letter or a digit
    "#);
}

#[test]
fn a_kind_says_its_names_in_one_way() {
    for (names, mistake) in [
        ("", "1:1: [[hosts]]: no name is said; write `names = "),
        (
            "names = [\"a\"]\nprefix = \"b\"",
            "3:10: prefix in [[hosts]]: `names` stands there too",
        ),
        (
            "names = [\"a\"]\ncount = 2",
            "3:9: count in [[hosts]]: `names` stands there too",
        ),
        ("prefix = \"a\"", "\"count\" in [[hosts]] is missing"),
        ("count = 2", "\"prefix\" in [[hosts]] is missing"),
        ("names = []", "names in [[hosts]]: names no host"),
    ] {
        let found = mistakes(&with(names, ""));
        assert!(found.contains(mistake), "{found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    }
}

#[test]
fn a_name_is_in_a_fleet_once() {
    let found = mistakes(&with(
        "prefix = \"web-\"\ncount = 11",
        &with("names = [\"web-11\", \"web-12\"]", ""),
    ));
    assert_eq!(
        found,
        "fleet.toml:6:9: names in [[hosts]]: another host is called web-11 too; a name is in a fleet once"
    );
    let found = mistakes(&with(
        "prefix = \"web-1\"\ncount = 1",
        &with("prefix = \"web-\"\ncount = 11", ""),
    ));
    assert!(
        found.contains(":2:10: prefix in [[hosts]]: another host is called web-11"),
        "{found}"
    );
}

#[test]
fn hosts_that_no_cell_can_hold_are_refused() {
    let text = "[[hosts]]\nnames = [\"a\"]\n[hosts.labels]\nservice = \"web\"\nregion = \"r 1\"\nzone = \"a\"\n";
    let found = mistakes(text);
    assert!(
        found.starts_with("fleet.toml:3:1: labels in [[hosts]]: no cell can hold such hosts: "),
        "{found}"
    );
}

#[test]
fn a_fleet_has_a_host_and_no_more_than_are_modelled() {
    assert!(mistakes("").contains("\"hosts\" is missing; write it as in `[[hosts]]`"));
    assert!(mistakes("hosts = []").contains("hosts: the fleet has no host"));
    let most = with("prefix = \"a\"\ncount = 2000000", "");
    assert_eq!(parse(&most).len(), MAX_HOSTS);
    let found = mistakes(&(with("names = [\"b\"]", "") + &most));
    assert!(
        found.contains(":6:9: count in [[hosts]]: the fleet has 2000001 hosts; at most 2000000"),
        "{found}"
    );
    let all = with("prefix = \"a\"\ncount = 9223372036854775807", "");
    assert!(mistakes(&(all.clone() + &all.replace("\"a\"", "\"c\""))).contains("at most"));
}

#[test]
fn an_inventory_becomes_kinds_of_hosts_that_are_alike() {
    let shop = parse(SHOP);
    let hosts: BTreeMap<HostId, Host> = shop.hosts().map(|host| (host.id.clone(), host)).collect();
    let sets = shop.package_sets();

    let fleet = ModelledFleet::of(&hosts, &sets, &Beginning::default());

    assert_eq!(fleet.kinds().len(), 2);
    let back: BTreeMap<HostId, Host> = fleet.hosts().map(|host| (host.id.clone(), host)).collect();
    assert_eq!(back, hosts);
    assert_eq!(fleet.package_sets(), sets);
    assert_eq!(parse(&fleet.to_string()), fleet);
}

#[test]
fn hosts_whose_package_set_is_not_known_have_no_packages() {
    let shop = parse(SHOP);
    let hosts: BTreeMap<HostId, Host> = shop.hosts().map(|host| (host.id.clone(), host)).collect();

    let fleet = ModelledFleet::of(&hosts, &BTreeMap::new(), &Beginning::default());

    assert_eq!(fleet.len(), 5);
    assert!(fleet.kinds().iter().all(|kind| kind.packages.0.is_empty()));
    let none = ModelledFleet::of(&BTreeMap::new(), &BTreeMap::new(), &Beginning::default());
    assert!(none.is_empty());
}

fn any_kind() -> impl Strategy<Value = Kind> {
    let names = prop_oneof![
        (1..200_usize).prop_map(|count| Names::Numbered {
            prefix: String::new(),
            count,
        }),
        (1..30_usize).prop_map(|count| {
            let name = |i| HostId::new(format!("{i}")).unwrap();
            Names::Listed((0..count).map(name).collect())
        }),
    ];
    let labels = proptest::collection::btree_map("\\PC{1,6}", "\\PC{0,9}", 0..4);
    let packages =
        proptest::collection::btree_map("[a-z][a-z0-9+.]{0,6}", "[0-9][0-9.~+:]{0,9}", 0..4);
    let facts = ("\\PC{1,9}", "\\PC{0,9}", "\\PC{1,9}");
    let person = ("\\PC{1,9}", 1..604_800_000_u64).prop_map(|(by, ms)| Person {
        by,
        lasts: Duration::from_millis(ms),
    });
    let out = ("\\PC{1,9}", proptest::option::of(person));
    let out = out.prop_map(|(why, person)| Out { why, person });
    let state = (any::<bool>(), proptest::option::of(out));
    let state = state.prop_map(|(is_connected, out)| State { is_connected, out });
    let all = (names, labels, packages, facts, state);
    all.prop_map(|(names, mut labels, packages, facts, state)| {
        let (os_release, kernel, architecture) = facts;
        for label in ["service", "region", "zone"] {
            labels.insert(label.to_owned(), "a".to_owned());
        }
        Kind {
            names,
            labels: labels.into(),
            platform: Platform {
                os_release,
                architecture,
            },
            kernel,
            packages: PackageSet(packages).into(),
            state,
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(mut kinds in proptest::collection::vec(any_kind(), 1..4)) {
        for (letter, kind) in ["a-", "b-", "c-"].iter().zip(&mut kinds) {
            kind.names = match &kind.names {
                Names::Numbered { count, .. } => Names::Numbered {
                    prefix: (*letter).to_owned(),
                    count: *count,
                },
                Names::Listed(names) => Names::Listed(
                    names.iter().map(|n| HostId::new(format!("{letter}{n}")).unwrap()).collect(),
                ),
            };
        }
        let fleet = ModelledFleet { kinds, denied: Vec::new() };
        prop_assert_eq!(ModelledFleet::parse("fleet.toml", &fleet.to_string()), Ok(fleet));
    }

    #[test]
    fn no_mangled_file_makes_it_panic(
        cut in 0_usize..600,
        len in 0_usize..20,
        put in "[\\[\\]{}\"'=,.a-z0-9\\n]{0,8}",
    ) {
        let mut chars: Vec<_> = SHOP.chars().collect();
        let start = cut.min(chars.len());
        let end = (start + len).min(chars.len());
        chars.splice(start..end, put.chars());
        let text: String = chars.into_iter().collect();
        ModelledFleet::parse("fleet.toml", &text).ok();
    }
}
