mod config;
mod coverage;
mod fan;
mod profile;

use super::*;
use crate::{digest::Digest, policy::FloorRule, share::Share};
use proptest::prelude::*;
use std::time::Duration;

const MINIMAL: &str = r#"
name = "practice"
[patch]
kind = "noop"
[select]
match = 'service == "web"'
"#;

fn parse(text: &str) -> Spec {
    Spec::parse("test.toml", text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// The mistakes of a file, as the command prints them.
fn mistakes(text: &str) -> String {
    match Spec::parse("test.toml", text) {
        Ok(spec) => panic!("no mistake was found in\n{spec}"),
        Err(mistakes) => mistakes.to_string(),
    }
}

/// The mistakes of a minimal file with more at its top and its end.
fn mistakes_with(top: &str, end: &str) -> String {
    mistakes(&format!("{top}{MINIMAL}{end}"))
}

#[test]
fn the_file_of_the_handbook_is_read() {
    let spec = parse(
        r#"
        name = "openssl-2026-11"
        [patch]
        kind = "packages"
        packages = { openssl = "latest", libc6 = "2.36-9" }
        reboot = "if-required"
        [select]
        match = 'service in ("web", "api") and region != "ap-southeast-1"'
        [[wave]]
        name = "canary"
        to = "1%"
        bake = "20m"
        [[wave]]
        name = "regional"
        unknown_share = "5%"
        hosts = 20
        cells_at_once = 3
        [[wave]]
        name = "full"
        to = "100%"
        match = 'zone == "a"'
        gap = "5s"
        [[limits]]
        match = 'service == "ledger"'
        at_once_per_cell = 1
        floor = [{ group_by = ["service", "zone"], min_in_service = "95%" }]
        "#,
    );

    assert_eq!(spec.name().as_str(), "openssl-2026-11");
    let Patch::Packages { packages } = spec.patch() else {
        panic!("packages are expected");
    };
    assert_eq!(packages["openssl"].to_string(), "latest");
    assert_eq!(packages["libc6"].to_string(), "2.36-9");
    let [canary, regional, full] = spec.waves() else {
        panic!("three waves are expected");
    };
    assert_eq!(canary.size, WaveSize::To(Share::percent(1)));
    assert_eq!(canary.bake, Duration::from_secs(20 * 60));
    assert_eq!(canary.cells_at_once, 10);
    assert_eq!(regional.size, WaveSize::Hosts(20));
    assert_eq!(regional.bake, Duration::from_secs(15 * 60));
    assert_eq!(regional.cells_at_once, 3);
    assert_eq!(regional.unknown_share, Share::percent(5));
    assert_eq!(full.unknown_share, Share::percent(10));
    assert_eq!(spec.unknown_after(), Duration::from_secs(600));
    assert_eq!(full.bake, Duration::ZERO, "nothing waits for the last bake");
    assert_eq!(full.gap, Duration::from_secs(5));
    assert!(full.selection.is_some());
    let [ledger, others] = spec.limits() else {
        panic!("a limit for all others is expected");
    };
    assert_eq!(ledger.at_once_per_cell, 1);
    assert_eq!(ledger.floors[0].min_in_service, Share::percent(95));
    assert_eq!(others.selection, None);
    assert_eq!(others.at_once_per_cell, 50);
    assert_eq!(others.floors, FloorRule::defaults());
}

#[test]
fn every_mistake_is_reported_at_once() {
    let text = r#"nmae = "x"
grace = "60"
stable_for = 1
order = "zones"
cells_at_once = 0
[patch]
kind = "packages"
packages = { "-y" = "latest", openssl = "1 2" }
[select]
match = 'service = "web"'
[[wave]]
bakes = "1m"
to = "101%"
[[wave]]
name = "full"
to = "50%"
hosts = 3
[[limits]]
floor = [{ group_by = [], min_in_service = "95%" }]
"#;
    assert_eq!(
        mistakes(text),
        r#"test.toml:1:1: "name" is missing; write it as in `name = "openssl-2026-11"`
test.toml:1:1: unknown key "nmae"; did you mean "name"?
test.toml:2:9: grace: `60` is not a duration: whole numbers with d, h, m, s or ms are expected, largest first, as in "15m" or "1h30m"
test.toml:3:14: stable_for: a text in quotes is expected, this is 1
test.toml:4:9: order: "fan-out" or "regions" or "none" is expected, this is "zones"
test.toml:5:17: cells_at_once: a whole number of at least 1 is expected, this is 0
test.toml:8:21: -y in [patch] packages: `-y` is not a package name: letters, digits and `+ . _ : -`, beginning with a letter or a digit and not ending in `-`
test.toml:8:41: openssl in [patch] packages: `1 2` is not a package version: letters, digits and `+ . _ : ~ ^ -`, beginning with a letter or a digit
test.toml:10:18: match in [select]: at character 9: `==` is expected, `=` stands there
test.toml:11:1: "name" in [[wave]] is missing; write it as in `name = "canary"`
test.toml:12:1: unknown key "bakes" in [[wave]]; did you mean "bake"?
test.toml:13:6: to in [[wave]]: `101%` is not a share: a number from 0 to 100 with at most two decimals and `%` is expected, as in "5%"
test.toml:17:9: hosts in [[wave]]: a wave says its size once: as `to`, as `hosts` or as `cells_per_region`; keep one
test.toml:19:23: group_by in [[limits]] floor: names no label; write ["service", "zone"] or what makes hosts stand in for each other"#
    );
}

#[test]
fn what_is_not_toml_is_reported_with_its_place() {
    assert_eq!(
        mistakes("name = \"x\"\nbake = \n[patch\n"),
        "test.toml:2:8: string values must be quoted, expected literal string\n\
         test.toml:3:7: unclosed table, expected `]`"
    );
    assert_eq!(
        mistakes("name = \"a\"\nname = \"b\"\n"),
        "test.toml:2:1: duplicate key"
    );
}

#[test]
fn a_key_whose_part_is_not_built_is_refused() {
    for key in NOT_BUILT {
        assert_eq!(
            mistakes_with(&format!("{key} = 1"), ""),
            format!("test.toml:1:1: \"{key}\" is not built yet; leave it out")
        );
    }
    for (end, mistake) in [
        (
            "[[wave]]\nname = \"a\"\nto = \"1%\"\npromote = \"1m\"",
            "\"promote\" in [[wave]]",
        ),
        (
            "[[limits]]\nat_once_per_cell = 1\nwaiver = \"x\"",
            "\"waiver\" in [[limits]]",
        ),
    ] {
        let found = mistakes_with("", end);
        assert!(
            found.ends_with(&format!("{mistake} is not built yet; leave it out")),
            "{found}"
        );
    }
    let image = MINIMAL.replace("noop", "image");
    assert!(mistakes(&image).contains("patches of kind \"image\" are not built yet"));
}

#[test]
fn a_key_that_is_the_same_for_every_rollout_is_refused_with_what_holds() {
    for (key, holds) in [
        ("cell_size", "a cell has at most 500 hosts"),
        (
            "slow",
            "a run is slow past 2 times the running mean of its cell",
        ),
        (
            "on_canary_brake",
            "a rollout that its brake stops in the canary is paused",
        ),
    ] {
        let found = mistakes_with(&format!("{key} = 1"), "");
        let said = format!("{key}: cannot be set, {holds}; leave it out");
        assert!(found.ends_with(&said), "{found}");
    }
}

#[test]
fn what_no_rollout_patches_is_refused_with_what_to_do_instead() {
    for (kind, instead) in [
        ("snap", "snap refresh --hold"),
        ("livepatch", "patch the kernel's package"),
        ("zypper", "patch such hosts by zypper in a reservation"),
    ] {
        let found = mistakes(&MINIMAL.replace("noop", kind));
        assert!(
            found.contains(&format!("patches of kind \"{kind}\" are refused")),
            "{found}"
        );
        assert!(found.contains(instead), "{found}");
    }
}

#[test]
fn a_key_that_belongs_at_the_top_says_so() {
    assert_eq!(
        mistakes_with("", "bake = \"1s\""),
        "test.toml:7:1: unknown key \"bake\" in [select]; it belongs at the top of the file, before the first [table]"
    );
}

#[test]
fn waves_go_at_least_as_far_as_those_before_them() {
    let wave = |name: &str, size: &str| format!("[[wave]]\nname = \"{name}\"\n{size}\n");
    let waves = |first: &str, name: &str, second: &str| wave("a", first) + &wave(name, second);
    for (end, mistake) in [
        (
            waves("hosts = 1", "a", "hosts = 2"),
            "another wave is named a already",
        ),
        (
            waves("to = \"9%\"", "b", "to = \"8%\""),
            "goes less far than wave a",
        ),
        (
            waves("hosts = 3", "b", "hosts = 2"),
            "goes less far than wave a",
        ),
        (wave("a", "to = \"0%\""), "a wave takes more than 0%"),
        (wave("a", ""), "\"to\" in [[wave]] is missing"),
    ] {
        let found = mistakes_with("", &end);
        assert!(found.contains(mistake), "{end}: {found}");
    }
    let units = waves("hosts = 20", "b", "to = \"1%\"");
    parse(&format!("{MINIMAL}{units}"));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    for (top, mistake) in [
        ("wave = []", "holds no wave"),
        ("floor = []", "floors stand in [[limits]]"),
        ("verify_deadline = \"0s\"", "must be longer than 0s"),
        (
            "verify_deadline = \"30s\"",
            "does not fit into the 30s of verify_deadline",
        ),
        ("stable_for = \"5m\"", "stable_for of 5m does not fit"),
        ("unknown_after = \"0s\"", "must be longer than 0s"),
        ("warrant = \"0s\"", "must be longer than 0s"),
    ] {
        let found = mistakes_with(top, "");
        assert!(found.contains(mistake), "{top}: {found}");
    }
}

#[test]
fn a_limit_limits_hosts_that_reach_it() {
    let floor = |rule: &str| format!("floor = [{{ {rule} }}]");
    let at_once = "at_once_per_cell = 1".to_owned();
    for (limit, mistake) in [
        (
            "match = 'a == \"b\"'".to_owned(),
            "[[limits]]: limits nothing",
        ),
        (
            format!("{at_once}\n[[limits]]\n{at_once}"),
            "[[limits]]: no host reaches this limit",
        ),
        ("floor = []".to_owned(), "holds no rule"),
        (
            floor("group_by = [\"zone\", \"zone\"]"),
            "names the label zone twice",
        ),
        (floor("group_by = [\"\"]"), "a label has a name"),
        (
            floor(""),
            "\"min_in_service\" in [[limits]] floor is missing",
        ),
    ] {
        let found = mistakes_with("", &format!("[[limits]]\n{limit}"));
        assert!(found.contains(mistake), "{limit}: {found}");
    }
}

#[test]
fn a_key_of_another_kind_of_patch_is_refused() {
    let noop = MINIMAL.replace(
        "\"noop\"",
        "\"noop\"\npackages = { a = \"1\" }\npath = \"/a\"",
    );
    let found = mistakes(&noop);
    assert!(found.contains("packages in [patch]: a patch of kind \"noop\" has none"));
    assert!(found.contains("path in [patch]: a patch of kind \"noop\" has none"));
}

#[test]
fn stable_for_alone_is_for_the_canary_too() {
    let health = |top: &str| parse(&format!("{top}{MINIMAL}")).health().clone();
    assert_eq!(health("").stable_for_canary, Duration::from_secs(60));
    assert_eq!(
        health("stable_for = \"1s\"").stable_for_canary,
        Duration::from_secs(1)
    );
    let both = health("stable_for = \"1s\"\nstable_for_canary = \"2s\"");
    assert_eq!(both.stable_for_canary, Duration::from_secs(2));
}

#[test]
fn a_file_that_sets_every_key_to_its_default_is_an_empty_one() {
    let settings: String = defaults()
        .iter()
        .map(|(key, value)| format!("{key} = {value}\n"))
        .collect();
    let explicit = format!(
        "name = \"practice\"\nselect.match = 'service == \"web\"'\npatch.kind = \"noop\"\n{settings}"
    );
    assert_eq!(parse(&explicit), parse(MINIMAL));
}

#[test]
fn a_rollout_reads_back_its_canonical_text() {
    let full = r#"
        name = "full"
        brake = { cell_share = "7.5%" }
        fan = [["eu-west-1", "first"], ["largest", "rest"]]
        zone_bake = "1m"
        coverage = ["rack", "delta"]
        coverage_pairs = [["instance_type", "kernel"]]
        stage_within = "0s"
        stage_rate_kib = 2048
        [patch]
        kind = "packages"
        packages = { "g++" = "latest", "libc6:i386" = "1:2~3" }
        one_way = true
        kernel_fallback = "none"
        [select]
        match = '(a == "\"b\"" or c not in ("d")) and not e == "f"'
        [[wave]]
        name = "cells"
        match = 'zone == "a"'
        cells_per_region = 2
        unknown_share = "2.5%"
        zone_bake = "2m"
        fan = [["rest"]]
        [[limits]]
        match = 'service == "ledger"'
        floor = [
            { group_by = ["rack", "zone", "service"], min_in_service = "50%" },
            { group_by = ["service"], min_in_service = "99%" },
        ]
        [[limits]]
        at_once_per_cell = 3
        [[waiver]]
        stratum = "rack=\"7\""
        reason = "moved by hand"
        expires = "2026-12-31"
        "#;
    for text in [MINIMAL, full] {
        let spec = parse(text);
        assert_eq!(parse(&spec.to_string()), spec);
        assert_eq!(parse(&spec.to_string()).digest(), spec.digest());
    }
}

#[test]
fn the_digest_is_of_what_the_rollout_means() {
    let digest = parse(MINIMAL).digest();
    let same = format!("# a comment\nbake = \"900s\"\n{MINIMAL}");
    assert_eq!(parse(&same).digest(), digest);
    let other = format!("bake = \"901s\"\n{MINIMAL}");
    assert_ne!(parse(&other).digest(), digest);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        Spec::parse("test.toml", &text).ok();
    }

    /// Files that are nearly right reach further into the reader than arbitrary text.
    #[test]
    fn no_mangled_file_makes_it_panic(
        cut in 0_usize..2000,
        len in 0_usize..20,
        put in "[\\[\\]{}\"'=,.a-z0-9%\\n]{0,8}",
    ) {
        let mut chars: Vec<_> = parse(MINIMAL).to_string().chars().collect();
        let start = cut.min(chars.len());
        let end = (start + len).min(chars.len());
        chars.splice(start..end, put.chars());
        Spec::parse("test.toml", &chars.into_iter().collect::<String>()).ok();
    }
}

#[test]
fn windows_are_read_with_their_defaults() {
    let spec = parse(&format!(
        "{MINIMAL}
        [[window]]
        start = \"22:00\"
        end = \"04:00\"
        [[window]]
        match = 'zone == \"a\"'
        days = [\"sat\", \"sun\"]
        start = \"00:00\"
        end = \"24:00\"
        time_zone = \"europe/berlin\"
        last_start = \"30m\"
        "
    ));

    let [night, weekend] = spec.windows() else {
        panic!("two windows are expected");
    };
    assert_eq!(night.selection, None);
    assert_eq!(night.window.days.len(), 7);
    assert_eq!(night.window.time_zone.name(), "UTC");
    assert_eq!(night.window.last_start, Duration::ZERO);
    assert!(weekend.selection.is_some());
    let days: Vec<_> = weekend.window.days.iter().map(|day| day.name()).collect();
    assert_eq!(days, ["sat", "sun"]);
    assert_eq!(weekend.window.end.to_string(), "24:00");
    assert_eq!(weekend.window.time_zone.name(), "Europe/Berlin");
    assert_eq!(weekend.window.last_start, Duration::from_secs(1800));
    assert_eq!(parse(&spec.to_string()), spec);
    assert!(parse(MINIMAL).windows().is_empty());
}

#[test]
fn what_is_wrong_with_windows_is_reported_at_once() {
    let end = r#"[[window]]
days = ["mon", "tues"]
start = "24:00"
end = "25:00"
time_zone = "Berlin"
bake = "1s"
[[window]]
days = []
start = "22:00"
match = 'zone'
"#;
    let found = mistakes_with("", end);
    for mistake in [
        "test.toml:8:8: days in [[window]]: `tues` is no day: \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\" and \"sun\" are expected",
        "test.toml:9:9: start in [[window]]: a window opens before the end of its day; write \"00:00\" and the next day",
        "test.toml:10:7: end in [[window]]: `25:00` is no time of the day: hours and minutes from \"00:00\" to \"24:00\" are expected",
        "test.toml:11:13: time_zone in [[window]]: `Berlin` is no time zone: a name of the IANA database is expected, as in \"Europe/Berlin\" or \"UTC\"",
        "test.toml:12:1: unknown key \"bake\" in [[window]]; it belongs at the top of the file, before the first [table]",
        "test.toml:13:1: \"end\" in [[window]] is missing; write it as in `end = \"04:00\"`",
        "test.toml:14:8: days in [[window]]: holds no day; leave it out for all days, or write at least one",
        "match in [[window]]: ",
    ] {
        assert!(found.contains(mistake), "{mistake}\n{found}");
    }
}
