//! Hosts are asked what only they know.

use cofferdam_engine::id::HostId;
use cofferdam_tests::{fleet::Fleet, machine::Machine, patience::eventually, process::run};
use std::{fs, time::Duration};

/// The end of an agent ends its connection.
const AWAY_WITHIN: Duration = Duration::from_secs(10);

/// What dpkg's database says of a host that has one package.
fn has(fleet: &Fleet, host: &HostId, version: &str) {
    let status = format!(
        "Package: openssl\nStatus: install ok installed\nMaintainer: a\nArchitecture: all\n\
         Version: {version}\nDescription: a\n"
    );
    let root = fleet.site.agent_folder(host, "root");
    fs::write(root.join("var/lib/dpkg/status"), status).unwrap();
}

fn query(fleet: &Fleet, text: &str, within: &str) -> (i32, String) {
    let mut command = fleet.site.command();
    command.args(["query", text, "--within", within]);
    run(command)
}

#[tokio::test]
async fn hosts_are_asked_for_their_packages_and_one_that_hangs_is_named() {
    let mut fleet = Fleet::start(Machine::several(4)).await;
    let [old, new, stopped, away] = &fleet.hosts()[..] else {
        panic!("four hosts are expected");
    };
    has(&fleet, old, "3.0.13-1");
    has(&fleet, new, "3.0.15-1~deb12u1");
    has(&fleet, stopped, "3.0.13-1");
    fleet.agent(stopped).freeze();
    fleet.kill_agent(away);
    let operator = fleet.operator().await;
    eventually("the host to be away", AWAY_WITHIN, async || {
        let hosts = operator
            .hosts()
            .await
            .map_err(|error| format!("{error:#}"))?;
        let known = hosts.iter().find(|known| known.host == *away).unwrap();
        let is_away = known.connected_since_ms.is_none();
        is_away.then_some(()).ok_or_else(|| format!("{known:?}"))
    })
    .await;

    let (code, said) = query(&fleet, "package openssl < 3.0.15", "3s");
    assert_eq!(
        (code, &*said),
        (
            0,
            "web-1: openssl 3.0.13-1\n\
             1 matches, 1 does not, 0 failed, 2 did not answer: web-3 (silent), web-4 (offline)\n"
        )
    );

    fleet.agent(stopped).thaw();
    let text = r#"not host in ("web-3", "web-4") and package openssl > 4"#;
    let (code, said) = query(&fleet, text, "30s");
    let none = "0 match, 4 do not (2 by labels alone), 0 failed, 0 did not answer\n";
    assert_eq!((code, &*said), (3, none));
    fleet.finish();
}
