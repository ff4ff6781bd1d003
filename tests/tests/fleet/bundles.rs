//! A rollout goes into a partition that nothing is linked to, and what became of it comes out.

use super::signed::{signer, trusted_by};
use cofferdam_engine::id::RolloutId;
use cofferdam_proto::operator::RolloutState;
use cofferdam_tests::{
    fleet::Fleet,
    machine::Machine,
    process::run,
    rollout::{self, ALL_AT_ONCE},
    site::Site,
};
use std::{fs, path::Path, process::Command, time::Duration};

const WITHIN: Duration = Duration::from_secs(60);

const CONTENT: &str = "workers = 4\n";

/// What a command of an operator printed that ended so.
fn said(site: &Site, code: i32, arguments: &[&str]) -> String {
    let mut command = site.command();
    command.args(arguments);
    let (ended, printed) = run(command);
    assert_eq!(ended, code, "{arguments:?}: {printed}");
    printed
}

/// Carries a file from one fleet to the other.
fn carry(name: &str, from: &Fleet, to: &Fleet) {
    fs::copy(from.site.path().join(name), to.site.path().join(name)).unwrap();
}

/// Plans, signs and finishes the rollout `app` in the open fleet, and writes it into `app.tar`.
async fn export(open: &mut Fleet, key: &str) {
    let folder = open.site.path().to_owned();
    let patch = "kind = \"config\"\npath = \"/etc/cofferdam/app.conf\"\nsource = \"app.conf\"";
    let text = rollout::noop("app", "").replace("kind = \"noop\"", patch) + ALL_AT_ONCE;
    fs::write(folder.join("app.conf"), CONTENT).unwrap();
    fs::write(folder.join("app.toml"), text).unwrap();
    said(&open.site, 0, &["plan", "app.toml"]);
    said(&open.site, 0, &["sign", "app.toml", "--with", key, "--yes"]);
    said(&open.site, 0, &["start", "app.toml"]);
    open.end_of(&RolloutId::new("app").unwrap(), WITHIN).await;
    let export = [
        "bundle", "export", "app.toml", "--to", "app.tar", "--with", key,
    ];
    let printed = said(&open.site, 0, &export);
    assert!(printed.contains("app, 1 artefact, "), "{printed}");
}

/// The names that tar finds in a file.
fn listed(file: &Path) -> String {
    let mut tar = Command::new("tar");
    tar.arg("--list").arg("--file").arg(file);
    let (code, names) = run(tar);
    assert_eq!(code, 0, "{names}");
    names
}

/// What is not signed by one who counts there, or was changed on the way, leaves nothing behind.
async fn refuses_others(closed: &mut Fleet, import: &[&str; 5], others: &str) {
    let strange = ["bundle", "import", "app.tar", "--signers", others];
    let refused = said(&closed.site, 1, &strange);
    assert!(
        refused.contains("is none of the allowed signers'"),
        "{refused}"
    );
    let bundle = closed.site.path().join("app.tar");
    let good = fs::read(&bundle).unwrap();
    let mut parts = good.windows(CONTENT.len());
    let at = parts.position(|part| part == CONTENT.as_bytes());
    let mut bad = good.clone();
    bad[at.unwrap()] ^= 1;
    fs::write(&bundle, bad).unwrap();
    let refused = said(&closed.site, 1, import);
    assert!(refused.contains("is damaged: its digest is"), "{refused}");
    let operator = closed.operator().await;
    assert!(operator.artefacts().await.unwrap().is_empty());
    assert!(!closed.site.path().join("app").exists());
    fs::write(&bundle, good).unwrap();
}

/// Starts what was imported, and goes through with it.
async fn finishes(closed: &mut Fleet) {
    said(&closed.site, 0, &["start", "app/app.toml"]);
    let app = RolloutId::new("app").unwrap();
    let view = closed.end_of(&app, WITHIN).await;
    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    assert_eq!(view.waves[0].passed, 2, "{view:#?}");
    for host in closed.hosts() {
        let root = closed.site.agent_folder(&host, "root");
        let there = fs::read_to_string(root.join("etc/cofferdam/app.conf"));
        assert_eq!(there.unwrap(), CONTENT);
    }
}

fn says_all(printed: &str, parts: &[&str]) {
    for part in parts {
        assert!(printed.contains(part), "{part}: {printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_goes_into_a_closed_partition_as_a_file_and_its_results_come_out_as_one() {
    let lay_out = || Fleet::lay_out(Machine::neighbours(2));
    let (mut open, mut closed) = (lay_out(), lay_out());
    let (key, signers) = signer(open.site.path(), "alice");
    let (_, others) = signer(open.site.path(), "mallory");
    trusted_by(&closed, &signers);
    let [key, signers, others] = [key, signers, others].map(|path| path.display().to_string());
    tokio::join!(open.start_all(), closed.start_all());
    export(&mut open, &key).await;
    carry("app.tar", &open, &closed);
    let names = listed(&closed.site.path().join("app.tar"));
    assert!(names.starts_with("manifest.json\nmanifest.sig\nrollout.toml\nlock\n"));

    let import = ["bundle", "import", "app.tar", "--signers", &signers];
    refuses_others(&mut closed, &import, &others).await;
    let brought = [
        "the bundle is signed by alice@example.org",
        "the rollout is signed by alice@example.org",
        "1 artefact, 1 stored now",
        "app: done, 2 hosts",
        "instance_type=m7.large  2      2       0",
        "start it: cofferdam start app/app.toml",
    ];
    says_all(&said(&closed.site, 0, &import), &brought);
    finishes(&mut closed).await;

    let rollback = ["rollback", "app", "--reason", "slow there"];
    said(&closed.site, 0, &rollback);
    let app = RolloutId::new("app").unwrap();
    let view = closed.end_of(&app, WITHIN).await;
    assert_eq!(view.state, RolloutState::RolledBack, "{view:#?}");
    let results = [
        "bundle", "results", "app", "--to", "back.tar", "--with", &key,
    ];
    said(&closed.site, 0, &results);
    carry("back.tar", &closed, &open);
    let show = ["bundle", "import", "back.tar", "--signers", &signers];
    let came_out = [
        "app: rolled-back, 2 hosts",
        "slow there",
        "deny these bits here too: cofferdam deny add app",
    ];
    says_all(&said(&open.site, 1, &show), &came_out);
    open.finish();
    closed.finish();
}
