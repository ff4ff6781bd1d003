//! What is planned and what is refused, before anything moves.

use super::{
    committed,
    inventory::Inventory,
    plan_text::{self, Shown},
};
use cofferdam_engine::patch::{LockFile, Locked};

/// How many, service, region/zone, instance type, os release/architecture, kernel, openssl.
const FLEET: &str = "
 4 web   ap-1/a c6.large  debian-12/amd64 6.1.0-18 3.0.11
 3 web   ap-1/b c6.large  debian-12/amd64 6.1.0-18 3.0.11
 6 web   eu-1/a m5.large  debian-12/amd64 6.1.0-18 3.0.11
 2 web   eu-1/a m7g.large debian-12/arm64 6.1.0-18 3.0.11
 8 web   eu-1/b m5.large  debian-12/amd64 6.1.0-18 3.0.11
 4 api   eu-1/a m5.large  debian-12/amd64 6.1.0-18 3.0.11
 4 api   eu-1/b m5.large  debian-11/amd64 5.10.0-28 1.1.1w
 3 db    eu-1/a r5.metal  debian-11/amd64 5.10.0-28 1.1.1w
10 web   us-1/a m5.large  debian-12/amd64 6.1.0-18 3.0.11
10 web   us-1/b m5.large  debian-12/amd64 6.1.0-17 3.0.9
 6 api   us-1/c m5.large  debian-12/amd64 6.1.0-18 3.0.11
 1 cron  us-1/c t3.small  debian-12/amd64 6.1.0-18 3.0.11
 2 web   sa-1/a c6.large  debian-12/amd64 6.1.0-18 3.0.9
 2 lab   us-1/  t3.small  debian-12/amd64 6.1.0-18 -
";

const SERVICES: &str = r#"
[service.web]
owners = ["wanda"]
tier = 1
depends_on = ["api"]
[service.api]
owners = ["abel", "ana"]
tier = 2
depends_on = ["db"]
[service.db]
owners = ["dora"]
tier = 1
[service.shop]
owners = ["sam"]
tier = 1
depends_on = ["web"]
[service.reports]
owners = ["rita"]
tier = 3
depends_on = ["shop"]
"#;

const FILE: &str = r#"name = "openssl"
fan = [["sa-1"], ["first"], ["largest"], ["rest"]]
zone_bake = "5m"
bake = "20m"
[patch]
kind = "packages"
packages = { openssl = "3.0.13" }
[select]
match = 'service in ("web", "api") and not (region == "us-1" and zone == "c")'
[[wave]]
name = "canary"
to = "5%"
[[wave]]
name = "small"
to = "30%"
cells_at_once = 2
gap = "3m"
[[wave]]
name = "full"
to = "100%"
fan = [["sa-1", "ap-1"], ["eu-1", "us-1"]]
[[window]]
match = 'region == "eu-1"'
days = ["mon", "tue", "wed", "thu"]
start = "22:00"
end = "04:00"
time_zone = "Europe/Berlin"
last_start = "30m"
[[limits]]
match = 'service == "api"'
at_once_per_cell = 1
floor = [{ group_by = ["service", "zone"], min_in_service = "75%" }]
[[limits]]
floor = [{ group_by = ["service", "zone"], min_in_service = "80%" }]
"#;

/// A script of plans: each with its title and what it is made of.
struct Script {
    inventory: Inventory,
    /// How much is shown of the plan of a changed file.
    shown: Shown,
    lines: Vec<String>,
}

impl Script {
    fn new(fleet: &str, services: &str, shown: Shown) -> Self {
        let lines = fleet.lines().filter(|line| !line.is_empty());
        let lines = lines.map(|line| format!("  {line}"));
        Self {
            inventory: Inventory::of(fleet, services),
            shown,
            lines: std::iter::once("the fleet".to_owned())
                .chain(lines)
                .collect(),
        }
    }

    /// Plans a file, and shows it.
    fn show(&mut self, title: &str, file: &str) {
        self.title(title);
        let shown = file.lines().map(|line| format!("| {line}"));
        self.lines.extend(shown);
        let outcome = self.inventory.plan(file);
        self.lines
            .extend(plan_text::outcome(&outcome, Shown::Whole));
    }

    /// Plans a file in which something is written otherwise.
    fn change(&mut self, title: &str, file: &str, changes: &[(&str, &str)]) {
        self.change_with(title, file, changes, |_| {});
    }

    fn change_with(
        &mut self,
        title: &str,
        file: &str,
        changes: &[(&str, &str)],
        of_lock: impl Fn(&mut LockFile),
    ) {
        self.title(title);
        let mut changed = file.to_owned();
        for (before, after) in changes {
            assert!(changed.contains(before), "{before} is in the file");
            changed = changed.replacen(before, after, 1);
            let after = if after.is_empty() { "nothing" } else { *after };
            let (before, after) = (one_line(before), one_line(after));
            self.lines.push(format!("| {before} -> {after}"));
        }
        let outcome = self.inventory.plan_with(&changed, of_lock);
        self.lines.extend(plan_text::outcome(&outcome, self.shown));
    }

    fn title(&mut self, title: &str) {
        self.lines.push(format!("\n## {title}"));
    }
}

fn one_line(text: &str) -> String {
    text.trim_end().replace('\n', "; ")
}

#[test]
fn a_fleet_of_several_regions_is_planned_and_what_cannot_be_is_refused_with_its_cure() {
    let mut script = Script::new(FLEET, SERVICES, Shown::Size);
    script.show("regions by fans, zone by zone, in windows", FILE);
    mistakes_of_the_file(&mut script);
    mistakes_beside_the_fleet(&mut script);
    floors_locks_and_limits(&mut script);
    committed("planning", &script.lines);
}

fn mistakes_of_the_file(script: &mut Script) {
    script.change(
        "mistakes of the file alone, all at once",
        FILE,
        &[
            ("zone_bake = \"5m\"", "zone_bake = \"5 min\"\ngates = []"),
            ("to = \"30%\"", "to = \"3%\"\nbakes = \"1m\""),
        ],
    );
    let everything = [(
        "[[limits]]\nmatch",
        "[[limits]]\nat_once_per_cell = 2\n[[limits]]\nmatch",
    )];
    script.change("a limit that no host reaches", FILE, &everything);
}

fn mistakes_beside_the_fleet(script: &mut Script) {
    script.change(
        "nobody is selected",
        FILE,
        &[("\"api\")", "\"api\") and region == \"eu-2\"")],
    );
    script.change(
        "fans that name a region without hosts, and leave one out",
        FILE,
        &[
            ("[[\"sa-1\"], [\"first\"]", "[[\"sa-2\"], [\"first\"]"),
            (
                "[[\"sa-1\", \"ap-1\"], [\"eu-1\", \"us-1\"]]",
                "[[\"ap-1\"], [\"eu-1\", \"us-1\"]]",
            ),
        ],
    );
    script.change(
        "hosts without a zone, and a group of one",
        FILE,
        &[
            (
                "service in (\"web\", \"api\") and not (region == \"us-1\" and zone == \"c\")",
                "region == \"us-1\"",
            ),
            (
                "[[\"sa-1\"], [\"first\"], [\"largest\"], [\"rest\"]]",
                "[[\"rest\"]]",
            ),
            ("fan = [[\"sa-1\", \"ap-1\"], [\"eu-1\", \"us-1\"]]\n", ""),
        ],
    );
}

fn floors_locks_and_limits(script: &mut Script) {
    script.change(
        "a floor that lets nobody out",
        FILE,
        &[("\"75%\"", "\"100%\"")],
    );
    script.change_with(
        "a lock file of another rollout, without a platform",
        FILE,
        &[],
        |lock| {
            lock.rollout = "openssl-2026-10".to_owned();
            let Locked::Packages { platforms } = &mut lock.content else {
                panic!("it is of packages");
            };
            platforms.retain(|entry| entry.platform.os_release != "debian-11");
            platforms[0].packages[0].version = "3.0.12".to_owned();
        },
    );
    script.change(
        "selections within the file that match nobody",
        FILE,
        &[
            (
                "match = 'region == \"eu-1\"'",
                "match = 'region == \"eu-west-1\"'",
            ),
            (
                "match = 'service == \"api\"'",
                "match = 'service == \"API\"'",
            ),
        ],
    );
}

/// How many, service, region/zone, instance type, os release/architecture, kernel, openssl.
const VARIED: &str = "
12 web   eu-1/a m5.large  debian-12/amd64 6.1.0-18 3.0.11
 4 web   eu-1/a m7g.large debian-12/arm64 6.1.0-18 3.0.11
12 web   eu-1/b m5.large  debian-12/amd64 6.1.0-17 3.0.9
 8 web   us-1/c m5.large  debian-12/amd64 6.1.0-18 3.0.11
 2 web   us-1/c r5.metal  debian-11/amd64 5.10.0-28 -
 6 api   us-1/c m5.large  debian-12/amd64 6.1.0-17 3.0.11
";

const COVERED: &str = r#"name = "openssl"
[patch]
kind = "packages"
packages = { openssl = "3.0.13" }
[select]
match = 'service in ("web", "api")'
[[wave]]
name = "canary"
to = "10%"
[[wave]]
name = "full"
to = "100%"
[[limits]]
floor = [{ group_by = ["service", "zone"], min_in_service = "75%" }]
"#;

const WAIVERS: &str = r#"[[waiver]]
stratum = "instance_type=r5.metal"
reason = "two left, they go next month"
expires = "2027-05-31"
[[waiver]]
stratum = "os_release=debian-11"
reason = "only on those two"
expires = "2027-05-31"
[[waiver]]
stratum = "kernel=5.10.0-28"
reason = "only on those two"
expires = "2027-05-01"
"#;

#[test]
fn the_canary_covers_or_is_refused_or_is_waived() {
    let mut script = Script::new(VARIED, "", Shown::Canary);
    script.show("the canary has a host of everything", COVERED);
    let small = ("to = \"10%\"", "to = \"1%\"");
    script.change("a size that is too small grows", COVERED, &[small]);
    let of_hosts = ("to = \"10%\"", "hosts = 3");
    script.change(
        "a size in hosts does not, and is refused",
        COVERED,
        &[of_hosts],
    );
    let no_metal = (
        "to = \"10%\"",
        "to = \"10%\"\nmatch = 'instance_type != \"r5.metal\"'",
    );
    script.change("a canary without the rare type", COVERED, &[no_metal]);
    let waived = format!("{COVERED}{WAIVERS}");
    script.change(
        "the same, all of it waived but the delta",
        &waived,
        &[no_metal],
    );
    let without_delta = (
        "name = \"openssl\"\n",
        "name = \"openssl\"\ncoverage = [\"instance_type\", \"zone\", \"os_release\", \"kernel\"]\n",
    );
    script.change(
        "the same, deltas left out",
        &waived,
        &[without_delta, no_metal],
    );
    script.change(
        "a waiver that is over, one that is not needed, one of nobody",
        &waived,
        &[
            ("expires = \"2027-05-31\"", "expires = \"2027-04-30\""),
            ("\"kernel=5.10.0-28\"", "\"kernel=5.10.0-29\""),
        ],
    );
    script.change(
        "the same, in time",
        &waived,
        &[("\"kernel=5.10.0-28\"", "\"kernel=5.10.0-29\"")],
    );
    let pairs = (
        "name = \"openssl\"\n",
        "name = \"openssl\"\ncoverage = []\ncoverage_pairs = [[\"service\", \"kernel\"], [\"instance_type\", \"zone\"]]\n",
    );
    script.change("pairs of labels", COVERED, &[pairs]);
    script.inventory = Inventory::of(&VARIED.replace("3.0.9", "?"), "");
    script.change("hosts whose packages nobody knows", COVERED, &[]);
    committed("coverage", &script.lines);
}
