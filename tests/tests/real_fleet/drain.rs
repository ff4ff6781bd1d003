//! A package rollout that restarts the service of each host, under load behind HAProxy, loses nothing.

use super::asked::{on_each, said, start};
use cofferdam_tests::{
    balancer::Row,
    figures::Figures,
    load::{self, Load, SLOW, SLOW_BYTES, Seen},
    machine::Machine,
    patience::eventually,
    process::run,
    real_fleet::{
        RealFleet,
        balancer::{DRAIN_AT_LEAST, FleetBalancer, SERVICE, STATISTICS, Saw, is_in},
        host::Host,
        repository::Package,
    },
    rollout::{self, ALL_AT_ONCE},
    site::NO_RAMP,
    size::Size,
};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};
use tokio::time::sleep;

/// A host takes some ten seconds, two at a time, and far more on a busy machine.
const OVER_WITHIN: Duration = Duration::from_secs(480);

/// What happens in front of everybody is seen within the minute.
const SEEN_WITHIN: Duration = Duration::from_secs(60);

/// How often hosts are asked whether they wait for somebody.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// How many hosts may be out at once, by the floors of [`rollout_text`].
const ALLOWANCE: usize = 2;

/// How often the visitor must come back to a host that drains before it logs out.
const VISITS_WHILE_DRAINED: usize = 20;

/// The site: each answer says who gave it, and waits for who takes it slowly.
const SITE: &str = "server {\n    listen 80 default_server;\n    root /var/www/shop;\n    \
                    add_header X-Served-By $hostname;\n    send_timeout 10m;\n}\n";

/// Debian's nginx lets its requests end for 5 s when it is stopped. As a service without such manners it
/// shows what it was spared.
const HASTY: &str = "[Service]\nExecStop=\nKillSignal=SIGKILL\n";

/// What the agent's log says of a drain that waits for clients.
const WAITS: &str = "journalctl --quiet --no-pager --unit=cofferdam-agent \
                     --grep='drain waits for .* to port 80' || true";

/// How many carts there are, as the application itself would say it.
const CARTS: &str = "var/lib/carts";

/// The service, whose package restarts it as many do.
fn shop(version: &str) -> Package {
    Package::new("shop", version)
        .file("var/www/shop/version", format!("{version}\n"))
        .script("postinst", "systemctl restart nginx")
}

/// What a host's people set up: the site, its sessions, and what the agent is told of both.
fn furnish(host: &Host) {
    host.write("etc/nginx/sites-available/default", SITE)
        .unwrap();
    host.write("etc/systemd/system/nginx.service.d/hasty.conf", HASTY)
        .unwrap();
    let slow = host.root().join(format!("var/www/shop{SLOW}"));
    fs::create_dir_all(slow.parent().unwrap()).unwrap();
    // All of it is a hole.
    let slow = fs::File::create(slow).unwrap();
    slow.set_len(SLOW_BYTES as u64).unwrap();
    host.write(CARTS, "0\n").unwrap();
    let sessions = "etc/cofferdam/sessions.d/carts";
    host.write(sessions, format!("#!/bin/sh\ncat /{CARTS}\n"))
        .unwrap();
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(host.root().join(sessions), executable).unwrap();
}

/// A drain that waits for everybody, as it should.
fn patient() -> String {
    format!("ports = [80], at_least = \"{DRAIN_AT_LEAST}\"")
}

/// Tells the agent of the site, and how to drain it.
fn tell_agent(host: &Host, drain: &str) {
    let config = host.root().join("etc/cofferdam/agent.toml");
    let mut text = fs::read_to_string(&config).unwrap();
    for (from, to) in [
        (
            NO_RAMP,
            "ramp = \"1s\"\nramp_steps = [\"25%\", \"50%\"]\n".to_owned(),
        ),
        (
            "drain = { at_least = \"0s\" }",
            format!("drain = {{ {drain} }}"),
        ),
        (
            "\"load\"] }",
            format!("\"load\"], haproxy = [{{ stats = \"{STATISTICS}\" }}] }}"),
        ),
    ] {
        assert!(text.contains(from), "{text}");
        text = text.replacen(from, &to, 1);
    }
    text += "[[probe]]\nname = \"shop\"\nhttp = \"http://127.0.0.1/version\"\n";
    fs::write(&config, text).unwrap();
}

fn rollout_text(hosts: usize) -> String {
    let floor = format!("{}%", 100 - 100 * ALLOWANCE / hosts);
    let text = rollout::package("shop", "shop", "2").replace("50%", &floor);
    text + ALL_AT_ONCE
}

async fn until_all_serve(balancer: &FleetBalancer) {
    eventually("all hosts to serve", SEEN_WITHIN, async || {
        let hosts = balancer.hosts().map_err(|error| error.to_string())?;
        let is_whole = |row: &Row| is_in(row) && row.number("weight") == 100;
        let all = !hosts.is_empty() && hosts.iter().all(is_whole);
        all.then_some(()).ok_or(format!("{hosts:?}"))
    })
    .await;
}

/// Waits until the visitor's host drains, and until it came back there often enough. Its name.
async fn visits_a_draining_host(load: &Load, balancer: &FleetBalancer) -> String {
    let host = load.seen().visited[0].clone();
    eventually("the visitor's host to drain", OVER_WITHIN, async || {
        let hosts = balancer.hosts().map_err(|error| error.to_string())?;
        let is_it = |row: &&Row| row.cell("svname") == host;
        let found = hosts.iter().find(is_it);
        let found = found.is_some_and(|row| row.cell("status").starts_with("DRAIN"));
        found.then_some(()).ok_or(format!("{:?}", load.seen()))
    })
    .await;
    let before = load.seen().visited.len();
    eventually("the visitor to come back", SEEN_WITHIN, async || {
        let visits = load.seen().visited.len() - before;
        let enough = visits >= VISITS_WHILE_DRAINED;
        enough.then_some(()).ok_or(format!("{visits}"))
    })
    .await;
    host
}

async fn until_over(fleet: &RealFleet) {
    eventually("the rollout to be over", OVER_WITHIN, async || {
        let mut command = fleet.control.operator();
        command.args(["status", "shop"]);
        let (_, printed) = run(command);
        printed.contains("done").then_some(()).ok_or(printed)
    })
    .await;
}

/// Lets the clients of a host go once its agent says that it waits for them, for as long as this is asked.
async fn let_go_of_who_waits(fleet: &RealFleet, balancer: &FleetBalancer, load: &Load) {
    loop {
        for row in balancer.hosts().unwrap() {
            let name = row.cell("svname");
            let is_asked =
                row.cell("status").starts_with("DRAIN") && !load.seen().let_go.contains_key(name);
            if is_asked && !said(fleet.host(name).unwrap(), WAITS).await.is_empty() {
                load.let_go(name);
            }
        }
        sleep(ASK_EVERY).await;
    }
}

/// Boots hosts that all serve version 1 behind HAProxy, each with a drain as told; version 2 is offered.
async fn serve(drains: Vec<String>) -> Option<(RealFleet, FleetBalancer)> {
    if !load::is_installed() {
        return None;
    }
    let fleet = RealFleet::lay_out(Machine::neighbours(drains.len())).await?;
    fleet.hosts().iter().for_each(furnish);
    fleet.repository.publish(&shop("1")).await.unwrap();
    fleet.switch_on().await.unwrap();
    on_each(
        &fleet,
        "systemctl start nginx && apt-get --quiet update && apt-get --quiet --yes install shop",
    )
    .await;
    fleet.manage().await.unwrap();
    for (host, drain) in fleet.hosts().iter().zip(&drains) {
        tell_agent(host, drain);
    }
    on_each(&fleet, "systemctl restart cofferdam-agent cofferdam-health").await;
    let balancer = fleet.balance().await.unwrap()?;
    until_all_serve(&balancer).await;
    fleet.repository.publish(&shop("2")).await.unwrap();
    Some((fleet, balancer))
}

/// Who visits stays with a host that has its session, and keeps it from being touched.
async fn visit(load: &Load, balancer: &FleetBalancer, carts: &Path) {
    let host = visits_a_draining_host(load, balancer).await;
    let seen = load.seen();
    assert!(seen.visited.iter().all(|by| *by == host), "{seen:?}");
    fs::write(carts, "0\n").unwrap();
    load.log_out();
}

#[tokio::test]
async fn a_rollout_that_restarts_a_service_under_load_fails_no_request() {
    let hosts = Size::asked().pick(4, 8);
    let Some((fleet, balancer)) = serve(vec![patient(); hosts]).await else {
        return;
    };
    let load = Load::start(&fleet, SERVICE);
    let visited = eventually("the visitor to be served", SEEN_WITHIN, async || {
        let seen = load.seen();
        let first = seen.visited.first().cloned();
        first.ok_or(format!("{seen:?}"))
    });
    let carts = fleet.host(&visited.await).unwrap().root().join(CARTS);
    fs::write(&carts, "1\n").unwrap();
    let watch = balancer.watch();
    start(&fleet, &rollout_text(hosts)).await;
    let story = async {
        visit(&load, &balancer, &carts).await;
        until_over(&fleet).await;
        until_all_serve(&balancer).await;
    };
    tokio::select! {
        biased;
        () = story => {}
        () = let_go_of_who_waits(&fleet, &balancer, &load) => {}
    }
    let (seen, saw) = (load.end(), watch.end());

    on_each(&fleet, "grep --quiet 2 /var/www/shop/version").await;
    assert_eq!(seen.failed, 0, "{seen:#?}\n{saw:#?}");
    assert!(seen.requests > 1_000, "{seen:?}");
    assert_eq!(
        seen.let_go.len(),
        hosts,
        "each waited for its clients: {seen:?}"
    );
    judge(&saw, &balancer);
    publish(hosts, &seen, &saw);
    fleet.take_down().unwrap();
}

/// What the test above would see of agents that do not wait.
#[tokio::test]
async fn a_host_that_does_not_wait_for_its_clients_cuts_what_it_answers_them() {
    let of_others = "ports = [81], at_least = \"0s\"".to_owned();
    let not_at_all =
        "ports = [80], at_least = \"0s\", at_most = \"0s\", on_expiry = \"force\"".to_owned();
    let Some((fleet, balancer)) = serve(vec![of_others, not_at_all]).await else {
        return;
    };
    let load = Load::start(&fleet, SERVICE);
    start(&fleet, &rollout_text(2)).await;
    until_over(&fleet).await;
    until_all_serve(&balancer).await;
    let seen = load.end();
    let all = fleet.hosts().iter().map(|host| host.name().to_string());
    assert_eq!(seen.cut, all.collect(), "{seen:#?}");
    fleet.take_down().unwrap();
}

/// What HAProxy itself says of it.
fn judge(saw: &Saw, balancer: &FleetBalancer) {
    assert!(saw.most_out_at_once <= ALLOWANCE, "{saw:#?}");
    let known = ["UP", "DRAIN", "DOWN"].map(str::to_owned);
    assert!(
        saw.kinds.iter().all(|kind| known.contains(kind)),
        "{saw:#?}"
    );
    for row in balancer.hosts().unwrap() {
        let name = row.cell("svname");
        for counter in ["econ", "eresp", "wretr", "wredis", "hrsp_5xx"] {
            assert_eq!(row.number(counter), 0, "{counter} of {name}");
        }
        let statuses = &saw.statuses[name];
        // It shows no weight of a server that drains or is down, but the one that it had.
        for status in [("DRAIN", 100), ("UP", 25), ("UP", 50), ("UP", 100)] {
            let seen = statuses
                .iter()
                .any(|(kind, weight)| (&**kind, *weight) == status);
            assert!(seen, "{name} was never {status:?}: {statuses:?}");
        }
    }
}

fn publish(hosts: usize, seen: &Seen, saw: &Saw) {
    #[expect(clippy::cast_precision_loss, reason = "none of them is that large")]
    let number = |count: usize| count as f64;
    let count = |count: u64| number(usize::try_from(count).unwrap_or(usize::MAX));
    let mut figures = Figures::default();
    figures.note("hosts", number(hosts));
    figures.note("requests", count(seen.requests));
    figures.note("failed_requests", count(seen.failed));
    figures.note("most_out_at_once", number(saw.most_out_at_once));
    figures.publish("drain");
}
