//! An operator's folder with a config, and the built command in it.

use crate::coordinator::{self, Script};
use cofferdam::{
    clock,
    pki::{AUTHORITY_CERTIFICATE, Authority, Pair, ServerNames, Validity},
};
use cofferdam_engine::{
    id::{OperatorId, Region, RolloutId},
    identity::Identity,
};
use cofferdam_proto::operator::{RolloutState, RolloutView, WaveState, WaveView};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// An operator's folder, and a coordinator to talk to.
pub(crate) struct Lab {
    folder: TempDir,
    pub(crate) script: Script,
    /// Variables of the commands beside those of each.
    env: Vec<(&'static str, OsString)>,
}

/// What a command did.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Its answer as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}{}", self.out, self.err))
    }
}

impl Lab {
    /// A coordinator that answers so, and a config that leads to it.
    pub(crate) fn new(script: Script) -> Self {
        let folder = tempfile::tempdir().unwrap();
        make_authority(folder.path());
        let names = ServerNames {
            dns: vec!["coordinator.example.org".to_owned()],
            ip: Vec::new(),
        };
        let region = Identity::Coordinator(Region::new("r1").unwrap());
        let server = issue(folder.path(), &region, &names);
        let ana = Identity::Operator(OperatorId::new("ana").unwrap());
        issue(folder.path(), &ana, &ServerNames::default());
        let authority = folder.path().join(AUTHORITY_CERTIFICATE);
        let address = coordinator::start(script.clone(), server, &authority);
        let config = format!(
            "endpoint = \"https://{address}\"\nserver_name = \"coordinator.example.org\"\n\
             ca = \"ca.crt\"\ncert = \"operator-ana.crt\"\nkey = \"operator-ana.key\"\n"
        );
        fs::write(folder.path().join("config.toml"), config).unwrap();
        let env = Vec::new();
        Self {
            folder,
            script,
            env,
        }
    }

    /// The same, whose commands have this variable.
    pub(crate) fn with_env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// A certificate of the lab's authority for a server of this name, with its key.
    pub(crate) fn server_files(&self, name: &str) -> (PathBuf, PathBuf) {
        let region = Identity::Coordinator(Region::new("site").unwrap());
        let names = ServerNames {
            dns: vec![name.to_owned()],
            ip: Vec::new(),
        };
        let pair = issue(self.folder.path(), &region, &names);
        (pair.certificate, pair.key)
    }

    /// A file of the operator.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command line in the folder.
    pub(crate) fn run(&self, line: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cofferdam"));
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("COFFERDAM_CONFIG", self.path("config.toml"))
            .envs(self.env.iter().cloned())
            .current_dir(self.folder.path())
            .args(line.split_whitespace());
        let output = command.output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What the coordinator was asked.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.script.asked.lock().unwrap().clone()
    }
}

fn make_authority(folder: &Path) {
    Authority::create(folder, "example.org", days(10)).unwrap();
}

fn issue(folder: &Path, identity: &Identity, names: &ServerNames) -> Pair {
    let authority = Authority::load(folder).unwrap();
    authority.issue(identity, names, days(2)).unwrap()
}

fn days(days: u32) -> Validity {
    let now = clock::date();
    Validity { now, days }
}

/// A rollout of one wave with eight hosts.
pub(crate) fn rollout(state: RolloutState, passed: u64, running: u64) -> RolloutView {
    let wave = WaveView {
        name: "canary".to_owned(),
        state: WaveState::Running,
        hosts: 8,
        running,
        passed,
        failed: 0,
        timed_out: 0,
        unreachable: 0,
        left_out: 0,
        skipped: 0,
        rolled_back: 0,
        bake_until_ms: None,
    };
    RolloutView {
        name: RolloutId::new("practice").unwrap(),
        state,
        reason: String::new(),
        waves: vec![wave],
        failures: Vec::new(),
        holds: Vec::new(),
        hosts: 8,
        slow_hosts: Vec::new(),
        warnings: Vec::new(),
        started_at_ms: None,
        ended_at_ms: None,
        amends: None,
        amended_by: Vec::new(),
        approvals: Vec::new(),
        promotions: Vec::new(),
        alarms: Vec::new(),
        signed_by: None,
        effective: None,
        changed_hosts: 0,
    }
}
