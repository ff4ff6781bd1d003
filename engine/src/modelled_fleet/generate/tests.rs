use super::*;
use crate::{digest::Digest, document::MAX_FILE_LEN, inventory::Host};
use std::collections::BTreeSet;

fn fleet(hosts: usize, regions: usize, seed: u64) -> ModelledFleet {
    generate(&Generated {
        hosts,
        regions,
        seed,
    })
}

/// How many hosts have each value of some labels.
fn counts(fleet: &ModelledFleet, labels: &[&str]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for host in fleet.hosts() {
        let values: Vec<&str> = labels.iter().map(|l| host.value(l).unwrap()).collect();
        *counts.entry(values.join(" ")).or_default() += 1;
    }
    counts
}

fn values(fleet: &ModelledFleet, label: &str) -> Vec<String> {
    counts(fleet, &[label]).into_keys().collect()
}

#[test]
fn there_are_exactly_as_many_hosts_and_regions_as_asked() {
    for hosts in [1, 2, 3, 7, 24, 125, 999, 5_000, 25_000] {
        for regions in [1, 2, 24, 30, 100] {
            let fleet = fleet(hosts, regions, 7);
            assert_eq!(fleet.len(), hosts, "{hosts} {regions}");
            let named = values(&fleet, REGION).len();
            assert_eq!(named, regions.min(hosts), "{hosts} {regions}");
        }
    }
}

#[test]
fn what_is_out_of_range_is_taken_as_the_nearest_in_it() {
    assert_eq!(fleet(0, 0, 1), fleet(1, 1, 1));
    assert_eq!(fleet(500, usize::MAX, 1), fleet(500, MAX_REGIONS, 1));
}

#[test]
fn the_same_arguments_make_the_same_fleet_in_every_release() {
    assert_eq!(fleet(5_000, 24, 1), fleet(5_000, 24, 1));
    assert_ne!(fleet(5_000, 24, 1), fleet(5_000, 24, 2));
    insta::assert_snapshot!(Digest::of(fleet(5_000, 24, 1).to_string()), @"58173be215905ecb472432b281526e4acbfff3c1074fdf9c1841250e1624d4c1");
    insta::assert_snapshot!(fleet(2, 1, 1), @r#"
    [[hosts]]
    prefix = "web-us-east-1a-a"
    count = 2
    os_release = "debian-11"
    kernel = "5.10.0-35-amd64"
    architecture = "amd64"
    [hosts.labels]
    instance_type = "c5.2xlarge"
    region = "us-east-1"
    service = "web"
    zone = "us-east-1a"
    [hosts.packages]
    libc6 = "2.31-13+deb11u13"
    "linux-image-5.10.0-35-amd64" = "5.10.237-1"
    openssl = "1.1.1w-0+deb11u3"
    systemd = "247.3-7+deb11u7"
    "#);
}

#[test]
fn a_fleet_of_25_000_looks_like_a_real_one() {
    let fleet = fleet(25_000, 24, 1);
    assert!(
        (300..2_000).contains(&fleet.kinds().len()),
        "{}",
        fleet.kinds().len()
    );
    assert_eq!(values(&fleet, SERVICE).len(), 47);
    assert_eq!(counts(&fleet, &[REGION, ZONE]).len(), 72);
    assert_eq!(values(&fleet, "os_release"), ["debian-11", "debian-12"]);
    assert_eq!(values(&fleet, "architecture"), ["amd64", "arm64"]);
    assert_eq!(
        values(&fleet, "kernel"),
        ["5.10.0-35-amd64", "6.1.0-38-amd64", "6.1.0-38-arm64"]
    );
    assert_eq!(fleet.package_sets().len(), 4);
    let types = values(&fleet, INSTANCE_TYPE);
    assert!((20..40).contains(&types.len()), "{types:?}");
}

#[test]
fn regions_and_services_are_of_uneven_size() {
    let fleet = fleet(25_000, 24, 1);
    let regions = counts(&fleet, &[REGION]);
    let (least, most) = (
        regions.values().min().unwrap(),
        regions.values().max().unwrap(),
    );
    assert!((4 * least..8 * least).contains(most), "{regions:?}");

    let services = counts(&fleet, &[SERVICE]);
    let large = services.values().filter(|hosts| **hosts > 1_000).count();
    let small = services.values().filter(|hosts| **hosts < 100).count();
    assert!((4..10).contains(&large), "{services:?}");
    assert!((20..40).contains(&small), "{services:?}");
    let zones = counts(&fleet, &[SERVICE, ZONE]);
    let of_web = zones.keys().filter(|key| key.starts_with("web ")).count();
    assert_eq!(of_web, 72);
}

#[test]
fn one_host_of_125_is_of_the_rare_type_in_many_places() {
    let fleet = fleet(25_000, 24, 1);
    let is_rare = |host: &Host| host.value(INSTANCE_TYPE) == Some(RARE_TYPE);
    let rare: Vec<Host> = fleet.hosts().filter(is_rare).collect();
    let distinct =
        |label| -> BTreeSet<&str> { rare.iter().filter_map(|h| h.value(label)).collect() };
    assert_eq!(rare.len(), 200);
    assert!(distinct(SERVICE).len() > 15, "{:?}", distinct(SERVICE));
    assert!(distinct(ZONE).len() > 40, "{:?}", distinct(ZONE));
    assert_eq!(
        counts(&self::fleet(124, 3, 1), &[INSTANCE_TYPE]).get(RARE_TYPE),
        None
    );
    assert_eq!(
        counts(&self::fleet(1_000, 3, 1), &[INSTANCE_TYPE])[RARE_TYPE],
        8
    );
}

#[test]
fn no_host_of_a_large_fleet_is_alone_in_its_group() {
    for (hosts, regions) in [(5_000, 1), (5_000, 24), (5_000, MAX_REGIONS), (25_000, 30)] {
        let groups = counts(&fleet(hosts, regions, 3), &[SERVICE, REGION, ZONE]);
        let alone = groups.iter().find(|(_, hosts)| **hosts < 2);
        assert_eq!(alone, None, "{hosts} {regions}");
    }
}

#[test]
fn the_file_of_the_largest_fleet_is_short_enough_to_be_read() {
    for (hosts, regions) in [(1, 1), (25_000, 24), (MAX_HOSTS, MAX_REGIONS)] {
        let fleet = fleet(hosts, regions, 1);
        let text = fleet.to_string();
        assert!(text.len() < MAX_FILE_LEN, "{}", text.len());
        assert_eq!(ModelledFleet::parse("fleet.toml", &text), Ok(fleet));
    }
}
