use super::*;
use crate::{
    checks::probe::Question,
    drift::settings::{FirstBoot, USUAL_FILES},
    guard::settings::{DeadAgent, Mode},
};

const LEAST: &str = r#"
coordinators = ["coordinator.example.org:7300"]
trust_domain = "example.org"
cert = "/etc/cofferdam/pki/agent.pem"
key = "/etc/cofferdam/pki/agent.key"
ca = "/etc/cofferdam/pki/ca.pem"
"#;

const LABELS: &str = r#"
[labels]
service = "web"
region = "r1"
zone = "a"
"#;

fn parse(more: &str) -> Result<Settings, String> {
    let text = format!("{LEAST}{more}{LABELS}");
    Settings::parse("agent.toml", &text).map_err(|mistakes| mistakes.to_string())
}

#[test]
fn a_file_with_the_least_has_the_defaults() {
    let settings = parse("").unwrap();
    assert_eq!(settings.host, None);
    assert_eq!(settings.state_dir, Path::new("/var/lib/cofferdam-agent"));
    assert_eq!(settings.traffic, Traffic::default());
    assert_eq!(settings.labels.len(), 3);
    assert_eq!(settings.health.port(), 9100);
}

#[test]
fn coordinators_are_addresses_and_names_and_a_way_leads_to_them() {
    let ways = parse("").unwrap().ways;
    assert_eq!(ways, Ways::default());
    let settings = parse(
        "proxy = \"http://proxy.example.org:3128/\"\nproxy_credentials = \"/etc/cofferdam/proxy\"\n\
         dns_servers = [\"127.0.0.1:8600\"]\n",
    );
    let ways = settings.unwrap().ways;
    let proxy = ways.proxy.unwrap();
    assert_eq!(proxy.address, "proxy.example.org:3128");
    assert_eq!(
        proxy.credentials.as_deref(),
        Some(Path::new("/etc/cofferdam/proxy"))
    );
    assert_eq!(ways.dns, [([127, 0, 0, 1], 8600).into()]);
    let text = LEAST.replace(
        "coordinator.example.org:7300",
        "_cofferdam._tcp.example.org",
    );
    let settings = Settings::parse("agent.toml", &format!("{text}{LABELS}")).unwrap();
    let name = "_cofferdam._tcp.example.org".to_owned();
    assert_eq!(settings.coordinators, [Place::Service(name)]);
}

#[test]
fn what_leads_to_nobody_is_said_with_its_line() {
    insta::assert_snapshot!(
        parse(
            "proxy = \"http://ana:sesame@proxy:3128\"\nproxy_credentials = \"secret\"\n\
             dns_servers = [\"localhost\"]\n",
        )
        .unwrap_err()
    );
    let nobody = parse("proxy_credentials = \"/etc/cofferdam/proxy\"\n").unwrap_err();
    assert!(
        nobody.contains("there is no `proxy` that it would be for"),
        "{nobody}"
    );
}

#[test]
fn a_rate_of_downloads_is_at_least_one() {
    let rate = |text| parse(text).map(|settings| settings.download_rate_kib.map(NonZeroU32::get));
    assert_eq!(rate(""), Ok(None));
    assert_eq!(rate("download_rate_kib = 512\n"), Ok(Some(512)));
    assert!(rate("download_rate_kib = 0\n").is_err());
}

#[test]
fn probes_ask_over_tcp_or_http() {
    let settings = parse(
        r#"
        [[probe]]
        tcp = "127.0.0.1:5432"
        timeout = "500ms"
        [[probe]]
        name = "web"
        http = "http://127.0.0.1/health?deep=1"
        expect_status = "200"
        expect_body = "ready"
        [[probe]]
        http = "http://[::1]:8080"
        "#,
    )
    .unwrap();
    let mut asked = Vec::new();
    for probe in &settings.probes {
        let question = match &probe.question {
            Question::Tcp => "tcp".to_owned(),
            Question::Http {
                path,
                statuses,
                body,
            } => format!("{path} {statuses:?} {body:?}"),
        };
        asked.push(format!("{} at {}: {question}", probe.name, probe.address));
    }
    assert_eq!(
        asked,
        [
            "127.0.0.1:5432 at 127.0.0.1:5432: tcp",
            "web at 127.0.0.1:80: /health?deep=1 200..=200 Some(\"ready\")",
            "[::1]:8080 at [::1]:8080: / 200..=299 None",
        ]
    );
    assert_eq!(settings.probes[0].deadline, Duration::from_millis(500));
}

#[test]
fn only_http_is_answered_with_a_body() {
    let refused = parse("[[probe]]\ntcp = \"127.0.0.1:80\"\nexpect_body = \"x\"\n").unwrap_err();
    assert!(refused.contains("only a probe with `http`"), "{refused}");
}

#[test]
fn drain_and_validate_say_how() {
    let settings = parse(
        r#"
        [drain]
        ports = [80, 443]
        at_least = "1s"
        at_most = "2m"
        [[validate]]
        name = "nginx"
        command = ["/usr/sbin/nginx", "-t", "-c", "{file}"]
        "#,
    )
    .unwrap();
    assert_eq!(settings.traffic.ports, [80, 443].into());
    assert_eq!(settings.traffic.at_most, Some(Duration::from_secs(120)));
    assert_eq!(settings.validators["nginx"].len(), 4);
}

#[test]
fn every_mistake_is_said_at_once_with_its_place() {
    let text = r#"host = "-"
coordinators = ["https://r1"]
trust_domian = "example.org"
cert = ""
state_dir = "state"
health = "9100"
[labels]
service = "web"
[drain]
ports = [0, 70000, "http"]
at_least = "9s"
at_most = "1s"
[[probe]]
tcp = "127.0.0.1"
http = "ftp://x"
[[probe]]
http = "http://x/"
expect_status = "299-200"
[[validate]]
name = "nginx"
command = ["nginx"]
"#;
    let mistakes = Settings::parse("agent.toml", text).unwrap_err().to_string();
    insta::assert_snapshot!(mistakes);
}

#[test]
fn the_guard_observes_unless_it_is_told_to_enforce() {
    assert_eq!(parse("").unwrap().guard, GuardSettings::default());
    let told =
        "[guard]\nmode = \"enforce\"\ndead_agent = \"open\"\nexempt = [\"puppet-*\", \"salt\"]\n";
    let guard = parse(told).unwrap().guard;
    assert_eq!(
        (guard.mode, guard.dead_agent),
        (Mode::Enforce, DeadAgent::Open)
    );
    assert!(guard.exempts(["puppet-agent", "salt"]));
}

#[test]
fn what_the_guard_cannot_be_told_is_said_with_its_line() {
    let told = "[guard]\nmode = \"on\"\ndead_agent = 1\nexempt = [\"*\", \"a b\"]\n";
    insta::assert_snapshot!(parse(told).unwrap_err());
}

#[test]
fn drift_holds_a_first_boot_and_usual_files_are_watched_unless_it_is_told_otherwise() {
    assert_eq!(parse("").unwrap().drift, DriftSettings::default());
    assert_eq!(DriftSettings::default().files.len(), USUAL_FILES.len());
    let told = "[drift]\nfiles = [\"/etc/app/*.conf\", \"/etc/nginx/\"]\nfirst_boot = \"warn\"\n";
    let drift = parse(told).unwrap().drift;
    assert_eq!(drift.first_boot, FirstBoot::Warn);
    let files: Vec<String> = drift.files.iter().map(ToString::to_string).collect();
    assert_eq!(files, ["/etc/app/*.conf", "/etc/nginx"]);
    assert!(
        parse("[drift]\nfiles = []\n")
            .unwrap()
            .drift
            .files
            .is_empty()
    );
}

#[test]
fn what_drift_cannot_be_told_is_said_with_its_line() {
    let told = "[drift]\nfirst_boot = \"never\"\nfiles = [\"etc\", \"/etc/../x\"]\nfile = []\n";
    insta::assert_snapshot!(parse(told).unwrap_err());
}

#[test]
fn an_image_is_sealed_by_a_file_that_does_not_say_yet_which_host_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.toml");
    let missing = DriftConfig::load(&path).unwrap_err();
    assert!(matches!(missing, ConfigError::Unreadable { .. }));
    fs::write(&path, "ramp = 7\n[drift]\nfirst_boot = \"warn\"\n").unwrap();
    let config = DriftConfig::load(&path).unwrap();
    assert_eq!(config.state_dir, Path::new(STATE_DIR));
    assert_eq!(config.drift.first_boot, FirstBoot::Warn);
    fs::write(&path, "state_dir = \"x\"\n[drift]\nfirst_boot = 1\n").unwrap();
    let mistakes = DriftConfig::load(&path).unwrap_err().to_string();
    assert_eq!(mistakes.lines().count(), 2, "{mistakes}");
}

#[test]
fn signals_that_nobody_named_are_read_on_the_machine_itself_and_not_elsewhere() {
    let settings = parse("").unwrap();
    let on = |root: &str| {
        let root = Root::new(root).unwrap();
        let host = HostId::new("web-1").unwrap();
        settings.host_settings(host, root).signals
    };
    assert_eq!(on("/"), Signals::default());
    assert!(on("/srv/image").watched.is_empty());
}

#[test]
fn signals_are_named_turned_off_and_given_thresholds() {
    let settings = parse(
        r#"
        [signals]
        off = ["kernel-log", "route"]
        units = ["nginx.service", "getty@tty1.service"]
        ports = [443]
        load_per_core = 4
        memory_available = "10%"
        disks = ["/boot"]
        disk_free = "2.5%"
        resolve = ["deb.debian.org"]
        resolve_within = "1s"
        [signals.clock]
        server = "ntp.example.org"
        offset = "50ms"
        [[signals.haproxy]]
        stats = "http://10.0.0.5:8404/stats;csv"
        [[signals.haproxy]]
        stats = "/run/haproxy/admin.sock"
        backend = "app"
        server = "web1"
        "#,
    );
    insta::assert_debug_snapshot!(settings.unwrap().signals);
}

#[test]
fn what_signals_cannot_be_told_is_said_with_its_line() {
    let told = r#"
[signals]
off = ["disk", "thunder"]
units = ["nginx", "-x.service", "a.service", "a.service"]
ports = [0]
load_per_core = 0
memory_available = "100%"
disks = ["boot"]
disk_free = "5"
resolve = ["a b"]
clocks = 1
[signals.clock]
offset = "1"
[[signals.haproxy]]
stats = "ftp://x"
[[signals.haproxy]]
backend = ""
"#;
    insta::assert_snapshot!(parse(told).unwrap_err());
    let nothing_to_look_at = parse("[signals]\noff = [\"disk\"]\ndisks = [\"/\"]\n").unwrap_err();
    assert!(
        nothing_to_look_at.contains("`off` has \"disk\""),
        "{nothing_to_look_at}"
    );
}

#[test]
fn hooks_have_a_place_and_a_deadline() {
    let settings = parse("").unwrap();
    assert_eq!(settings.hooks_dir, Path::new("/etc/cofferdam/hooks"));
    assert_eq!(settings.hook_deadline, Duration::from_secs(60));
    let settings = parse("hooks_dir = \"/srv/hooks\"\nhook_deadline = \"5s\"\n").unwrap();
    assert_eq!(settings.hooks_dir, Path::new("/srv/hooks"));
    assert_eq!(settings.hook_deadline, Duration::from_secs(5));
}
