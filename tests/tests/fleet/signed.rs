//! Operators sign, and agents look.

use cofferdam_engine::{
    id::{HostId, RolloutId},
    signers::{BUNDLE_NAMESPACE, NAMESPACE},
};
use cofferdam_proto::operator::{RolloutState, RolloutView, WaveView};
use cofferdam_tests::{
    fleet::Fleet,
    machine::Machine,
    process::run,
    rollout::{self, ALL_AT_ONCE},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const WITHIN: Duration = Duration::from_secs(60);

/// Makes a key, and a file of signers that has it, for rollouts and bundles.
pub(crate) fn signer(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let (key, signers) = (folder.join(name), folder.join(format!("{name}.signers")));
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]);
    keygen.arg(&key);
    assert_eq!(run(keygen).0, 0, "ssh-keygen makes a key");
    let public = fs::read_to_string(key.with_extension("pub")).unwrap();
    let namespaces = format!("{NAMESPACE},{BUNDLE_NAMESPACE}");
    let line = format!("{name}@example.org namespaces=\"{namespaces}\" {public}");
    fs::write(&signers, line).unwrap();
    (key, signers)
}

/// Has a fleet that is not started yet take only what these signed.
pub(crate) fn trusted_by(fleet: &Fleet, signers: &Path) {
    for host in fleet.hosts() {
        trusted_by_host(fleet, &host, signers);
    }
    let file = signers.display();
    let signing = format!("[signing]\nallowed_signers = \"{file}\"\n");
    fleet.site.configure_coordinator(&signing);
}

/// Has one of its hosts do so, whomever it trusted before.
fn trusted_by_host(fleet: &Fleet, host: &HostId, signers: &Path) {
    let config = fleet.site.agent_config(host);
    let text = fs::read_to_string(&config).unwrap();
    let others = text
        .lines()
        .filter(|line| !line.starts_with("allowed_signers"));
    let others: Vec<&str> = others.collect();
    let line = format!("allowed_signers = \"{}\"\n", signers.display());
    fs::write(config, line + &others.join("\n") + "\n").unwrap();
}

/// Two hosts. The coordinator and the first trust one operator, the second trusts another.
struct Trusting {
    fleet: Fleet,
    key: PathBuf,
    strange: PathBuf,
    signers: PathBuf,
}

impl Trusting {
    async fn start() -> Self {
        let mut fleet = Fleet::lay_out(Machine::neighbours(2));
        let (key, signers) = signer(fleet.site.path(), "alice");
        let (strange, others) = signer(fleet.site.path(), "mallory");
        trusted_by(&fleet, &signers);
        trusted_by_host(&fleet, &fleet.hosts()[1], &others);
        fleet.start_all().await;
        Self {
            fleet,
            key,
            strange,
            signers,
        }
    }

    /// Writes a rollout file, and makes its lock file.
    fn plan(&self, name: &str, text: &str) -> String {
        let file = self.fleet.site.path().join(format!("{name}.toml"));
        let file = file.display().to_string();
        fs::write(&file, text).unwrap();
        self.done(&["plan", &file]);
        file
    }

    fn said(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = self.fleet.site.command();
        command.args(arguments);
        run(command)
    }

    fn done(&self, arguments: &[&str]) -> String {
        let (code, printed) = self.said(arguments);
        assert_eq!(code, 0, "{arguments:?}: {printed}");
        printed
    }

    fn refused(&self, arguments: &[&str], expected: &str) {
        let (code, printed) = self.said(arguments);
        assert_eq!(code, 2, "{arguments:?}: {printed}");
        assert!(printed.contains(expected), "{expected}: {printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_goes_where_its_signer_is_trusted_and_nowhere_else() {
    let mut trusting = Trusting::start().await;
    let text = rollout::noop("signed", "hosts_left_out = \"50%\"") + ALL_AT_ONCE;
    let file = trusting.plan("signed", &text);
    let key = trusting.key.display().to_string();
    let strange = trusting.strange.display().to_string();
    let signers = trusting.signers.display().to_string();

    trusting.refused(&["start", &file], "nobody signed signed");
    let printed = trusting.done(&["sign", &file, "--with", &strange, "--yes"]);
    assert!(printed.contains("match service == \"web\""), "{printed}");
    trusting.refused(&["start", &file], "is none of the allowed signers'");
    trusting.done(&["sign", &file, "--with", &key, "--yes"]);
    let verified = trusting.done(&["verify", &file, "--signers", &signers]);
    assert!(
        verified.contains("signed by alice@example.org"),
        "{verified}"
    );
    fs::write(&file, text.replace("50%", "49%")).unwrap();
    trusting.refused(
        &["start", &file],
        "what was signed is not this rollout file",
    );
    fs::write(&file, &text).unwrap();
    trusting.done(&["start", &file]);

    let rollout = RolloutId::new("signed").unwrap();
    let view = trusting.fleet.end_of(&rollout, WITHIN).await;
    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    assert_eq!(view.signed_by.as_deref(), Some("alice@example.org"));
    let status = trusting.done(&["status", "signed"]);
    assert!(status.contains("signed by alice@example.org"), "{status}");
    assert_eq!((counted(&view).passed, counted(&view).left_out), (1, 1));
    let why = "not-signed: its signature does not count here: the key";
    assert!(
        view.warnings.iter().any(|line| line.contains(why)),
        "{view:#?}"
    );
    trusting.fleet.in_service().await;
    trusting.fleet.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amendment_is_signed_for_the_rollout_and_generation_that_it_amends() {
    let mut trusting = Trusting::start().await;
    let first = rollout::noop("first", "").replace("grace = \"0s\"", "grace = \"1h\"");
    let first = trusting.plan("first", &(first + ALL_AT_ONCE));
    let key = trusting.key.display().to_string();
    trusting.done(&["sign", &first, "--with", &key, "--yes"]);
    trusting.done(&["start", &first]);
    let host = trusting.fleet.hosts()[0].clone();
    let selected = format!("match = 'host == \"{host}\"'");
    let variant = rollout::noop("variant", "").replace("match = 'service == \"web\"'", &selected);
    let variant = trusting.plan("variant", &(variant + ALL_AT_ONCE));

    trusting.done(&["sign", &variant, "--with", &key, "--yes"]);
    let amend = ["amend", "first", &variant, "--yes"];
    trusting.refused(&amend, "what was signed is not this rollout file");
    let sign = [
        "sign", &variant, "--with", &key, "--amends", "first", "--yes",
    ];
    let printed = trusting.done(&sign);
    assert!(printed.contains("amends first 2 "), "{printed}");
    trusting.done(&amend);

    let rollout = RolloutId::new("variant").unwrap();
    let view = trusting.fleet.end_of(&rollout, WITHIN).await;
    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    assert_eq!(counted(&view).passed, 1);
    trusting.fleet.finish();
}

/// The counts of its one wave.
fn counted(view: &RolloutView) -> &WaveView {
    &view.waves[0]
}
