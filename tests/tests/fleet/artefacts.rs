//! The region's artefact store: one host fetches for all, what archives drop stays to be had, and files
//! of operators reach hosts by their hash.

use cofferdam::demo::repository::{PACKAGE, Release};
use cofferdam_engine::{denial::Scope, digest::Digest, id::RolloutId};
use cofferdam_proto::operator::{Action, ChangeRequest, PlanRequest, RolloutState, StartRequest};
use cofferdam_tests::{
    debian::Debian,
    fleet::Fleet,
    machine::Machine,
    patience::eventually,
    process::run,
    rollout::{self, ALL_AT_ONCE},
    site::Site,
};
use std::{fs, os::unix::fs::MetadataExt as _, path::Path, process::Command, time::Duration};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

const WITHIN: Duration = Duration::from_secs(60);

/// Waits until the store holds so many files.
async fn holds(fleet: &mut Fleet, files: usize) {
    let operator = fleet.operator().await;
    eventually("the store to hold them", WITHIN, async || {
        let found = operator.artefacts().await.map_err(|e| format!("{e:?}"))?;
        (found.len() == files)
            .then_some(())
            .ok_or(format!("{found:#?}"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_hosts_fetch_a_package_from_the_archive_once() {
    let (debian, mut fleet) = Debian::fleet(Machine::neighbours(8)).await;
    fleet.start_all().await;
    let text = rollout::package("once", PACKAGE, "latest") + ALL_AT_ONCE;

    let rollout = fleet.start_rollout("once", &text).await;
    let view = fleet.end_of(&rollout, WITHIN).await;

    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    for release in [Release::First, Release::Second] {
        assert_eq!(debian.fetched(&fleet, release), 1, "{release:?}");
    }
    fleet.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_archive_dropped_after_the_plan_comes_from_the_store_there_and_back() {
    let (mut debian, mut fleet) = Debian::fleet(Machine::neighbours(2)).await;
    fleet.start_all().await;
    let operator = fleet.operator().await;
    let file_name = "dropped.toml".to_owned();
    let spec_text = rollout::package("dropped", PACKAGE, "latest") + ALL_AT_ONCE;
    let plan = eventually("a plan", WITHIN, async || {
        let plan = operator.plan(PlanRequest {
            file_name: file_name.clone(),
            spec_text: spec_text.clone(),
            lock_text: None,
            advisory: None,
        });
        plan.await.map_err(|error| format!("{error:?}"))
    })
    .await;
    holds(&mut fleet, 2).await;
    debian.close();

    let lock_text = plan.lock_text;
    let start = StartRequest {
        file_name,
        spec_text,
        lock_text,
        signed: None,
    };
    operator.start(start).await.unwrap();
    let rollout = RolloutId::new("dropped").unwrap();
    let view = fleet.end_of(&rollout, WITHIN).await;

    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    let back = ChangeRequest {
        rollout: rollout.clone(),
        action: Action::Rollback,
        reason: "a test".to_owned(),
        reach: Scope::Host,
    };
    operator.change(back).await.unwrap();
    let view = fleet.end_of(&rollout, WITHIN).await;
    assert_eq!(view.state, RolloutState::RolledBack, "{view:#?}");
    for host in fleet.hosts() {
        assert_eq!(debian.installed(&host).await, Release::First.version());
    }
    fleet.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_an_operator_and_of_a_repository_reach_hosts_as_one_and_go_again() {
    let mut fleet = Fleet::start(Machine::neighbours(2)).await;
    let content = "workers = 4\n".repeat(50_000);
    let digest = Digest::of(&content);
    let folder = fleet.site.path().to_owned();
    fs::write(folder.join("app.conf"), &content).unwrap();
    for _ in 0..2 {
        let printed = cofferdam(&fleet.site, &["artefact", "put", "app.conf"]);
        assert!(printed.contains(&format!("sha256:{digest}")), "{printed}");
    }
    fs::remove_file(folder.join("app.conf")).unwrap();
    let repository = repository(&folder.join("settings"), "key.pem", "secret\n");
    let patch = format!(
        "kind = \"config\"\nfiles = [\n\
         {{ path = \"/etc/cofferdam/app.conf\", source = \"sha256:{digest}\" }},\n\
         {{ path = \"/etc/cofferdam/key.pem\", source = \"{repository}\", mode = \"0600\" }},\n]"
    );
    let text = rollout::noop("app", "").replace("kind = \"noop\"", &patch) + ALL_AT_ONCE;
    fs::write(folder.join("app.toml"), text).unwrap();
    cofferdam(&fleet.site, &["plan", "app.toml"]);
    cofferdam(&fleet.site, &["start", "app.toml"]);
    let listed = cofferdam(&fleet.site, &["artefact", "list"]);
    assert!(listed.contains(&digest.to_string()), "{listed}");

    let view = fleet.end_of(&RolloutId::new("app").unwrap(), WITHIN).await;

    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    let places: Vec<_> = fleet
        .hosts()
        .iter()
        .map(|host| fleet.site.agent_folder(host, "root").join("etc/cofferdam"))
        .collect();
    for place in &places {
        let found = fs::read_to_string(place.join("app.conf")).unwrap();
        assert!(found == content, "{place:?} has another content");
        let key = place.join("key.pem");
        assert_eq!(fs::read_to_string(&key).unwrap(), "secret\n");
        assert_eq!(fs::metadata(&key).unwrap().mode() & 0o7777, 0o600);
        fs::write(key, "by hand\n").unwrap();
    }
    cofferdam(&fleet.site, &["rollback", "app", "--reason", "a test"]);
    let view = fleet.end_of(&RolloutId::new("app").unwrap(), WITHIN).await;
    assert_eq!(view.state, RolloutState::RolledBack, "{view:#?}");
    for place in &places {
        assert!(!place.join("app.conf").exists(), "{place:?}");
        assert!(place.join("key.pem").exists(), "a person changed it since");
    }
    let mut status = fleet.site.command();
    status.args(["status", "app"]);
    let (_, status) = run(status);
    let said = "2 hosts that went back are not quite as before: ";
    assert!(status.contains(said), "{status}");
    let host = fleet.hosts().remove(0);
    let explained = cofferdam(&fleet.site, &["explain", host.as_str()]);
    let said = "/etc/cofferdam/key.pem was changed since the patch and stays so (app)";
    assert!(explained.contains(said), "{explained}");
    fleet.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_killed_in_the_middle_of_an_upload_leaves_a_clean_store() {
    let mut fleet = Fleet::enrol(Vec::new());
    fleet.start_coordinator(None);
    let operator = fleet.operator().await;
    let (pieces, uploaded) = mpsc::channel(4);
    for _ in 0..4 {
        pieces.try_send(vec![7; 256 << 10]).unwrap();
    }
    let uploaded = ReceiverStream::new(uploaded);
    let put = operator.clone();
    let upload = tokio::spawn(async move { put.put_artefact(uploaded, 2 << 20).await });
    let artefacts = fleet.site.coordinator_data().join("artefacts");
    let files = || {
        let open = fs::read_dir(artefacts.join("incoming"));
        open.into_iter().flatten().count()
    };
    eventually("the upload to begin", WITHIN, async || {
        let begun = files() > 0;
        begun.then_some(()).ok_or_else(|| "nothing came".to_owned())
    })
    .await;

    fleet.kill_coordinator();
    drop(pieces);
    upload.await.unwrap().unwrap_err();
    assert!(files() > 0, "the crash must leave something to clear");
    fleet.start_coordinator(None);

    let operator = fleet.operator().await;
    assert!(operator.artefacts().await.unwrap().is_empty());
    assert_eq!(files(), 0);
    let whole = tokio_stream::once(vec![7; 256 << 10]);
    operator.put_artefact(whole, 256 << 10).await.unwrap();
    assert_eq!(operator.artefacts().await.unwrap().len(), 1);
    fleet.finish();
}

/// Makes a git repository of one file, and says the file as a source.
fn repository(folder: &Path, name: &str, content: &str) -> String {
    fs::create_dir(folder).unwrap();
    fs::write(folder.join(name), content).unwrap();
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        let who = ["-c", "user.name=ana", "-c", "user.email=ana@example.org"];
        command.arg("-C").arg(folder).args(who).args(arguments);
        assert!(command.status().unwrap().success(), "{arguments:?}");
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "one"]);
    format!("git+file://{}@main#{name}", folder.display())
}

/// What a command that ends well prints.
fn cofferdam(site: &Site, arguments: &[&str]) -> String {
    let mut command = site.command();
    command.args(arguments);
    let (code, printed) = run(command);
    assert_eq!(code, 0, "{arguments:?}: {printed}");
    printed
}
