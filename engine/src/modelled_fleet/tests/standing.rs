//! How hosts of fleet files stand, and what is denied to them.

use super::*;

const STANDS: &str = r#"
[packages.image]
openssl = "3.0.15-1"
[[hosts]]
names = ["broken"]
out = { why = "the disk is full" }
connected = false
labels = { service = "web", region = "r1", zone = "a" }
packages = "image"
[[hosts]]
names = ["taken"]
out = { why = "a new disk", by = "ana", for = "2h" }
labels = { service = "web", region = "r1", zone = "a" }
packages = "image"
[[denied]]
bits = "BITS"
hosts = ["taken"]
by = "ana"
why = "slow queries"
[[denied]]
bits = "BITS"
"#;

#[test]
fn how_hosts_stand_and_what_is_denied_to_them_is_written_as_it_is_read() {
    let fleet = parse(&STANDS.replace("BITS", &Digest::of("bits").to_string()));

    insta::assert_snapshot!(fleet.to_string().replace(&Digest::of("bits").to_string(), "BITS"), @r#"
    [[hosts]]
    names = ["broken"]
    os_release = "debian-12"
    kernel = "6.1.0-38-amd64"
    architecture = "amd64"
    packages = "set-1"
    connected = false
    [hosts.labels]
    region = "r1"
    service = "web"
    zone = "a"
    [hosts.out]
    why = "the disk is full"

    [[hosts]]
    names = ["taken"]
    os_release = "debian-12"
    kernel = "6.1.0-38-amd64"
    architecture = "amd64"
    packages = "set-1"
    [hosts.labels]
    region = "r1"
    service = "web"
    zone = "a"
    [hosts.out]
    why = "a new disk"
    by = "ana"
    for = "2h"

    [packages.set-1]
    openssl = "3.0.15-1"

    [[denied]]
    bits = "BITS"
    hosts = ["taken"]
    by = "ana"
    why = "slow queries"

    [[denied]]
    bits = "BITS"
    "#);
    assert_eq!(parse(&fleet.to_string()), fleet);
    let beginning = fleet.beginning();
    let hosts: BTreeMap<HostId, Host> = fleet.hosts().map(|host| (host.id.clone(), host)).collect();
    assert_eq!(
        ModelledFleet::of(&hosts, &fleet.package_sets(), &beginning),
        fleet
    );
}

#[test]
fn mistakes_in_how_hosts_stand_are_reported_with_line_and_cure() {
    let text = with(
        "names = [\"web-1\"]\nconnected = \"no\"\nout = { by = \"\", for = \"8d\" }\npackages = \"image\"",
        "[[denied]]\nbits = \"feed\"\nhosts = []\n[[denied]]\nhost = \"web-1\"\n",
    );
    insta::assert_snapshot!(mistakes(&text), @r#"
    fleet.toml:3:13: connected in [[hosts]]: true or false is expected, this is "no"
    fleet.toml:4:7: "why" in [[hosts]] out is missing; write it as in `why = "the disk is full"`
    fleet.toml:4:14: by in [[hosts]] out: must not be empty
    fleet.toml:4:24: for in [[hosts]] out: must be longer than nothing and at most 168h; leave out `by` and `for` of a host that is out until it is repaired
    fleet.toml:5:12: packages in [[hosts]]: no set of packages is called "image"; add a [packages.NAME] of that name, or write a table of packages here
    fleet.toml:8:8: bits in [[denied]]: `feed` is not a SHA-256: 64 hexadecimal digits are expected
    fleet.toml:9:9: hosts in [[denied]]: names no host; name one, or leave `hosts` out to deny it to the whole fleet
    fleet.toml:10:1: "bits" in [[denied]] is missing; write it as in `bits = "the digest that cofferdam deny list -o json shows"`
    fleet.toml:11:1: unknown key "host" in [[denied]]; did you mean "hosts"?
    "#);
    let text = with(
        "names = [\"web-1\"]",
        &format!(
            "[[denied]]\nbits = \"{}\"\nhosts = [\"web-2\"]\n",
            Digest::of("bits")
        ),
    );
    insta::assert_snapshot!(mistakes(&text), @"fleet.toml:6:9: hosts in [[denied]]: no host of the fleet is called web-2");
}
