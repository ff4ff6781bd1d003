//! A file of a git repository, by way of git: it knows the operator's keys.

use super::{
    DEADLINE, FIRST_WAIT, MAX_SOURCE, TRIES,
    call::{Call, with_patience},
};
use anyhow::{Context as _, Result, bail};
use std::{fs, path::PathBuf, time::Duration};

/// What holds for each call: no hooks, no other way than those of a source, also not by a rewritten address,
/// nobody to ask, and objects that are proved.
const SETTINGS: [&str; 8] = [
    "core.hooksPath=/dev/null",
    "core.askPass=",
    "credential.interactive=false",
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "protocol.file.allow=always",
    "transfer.fsckObjects=true",
];

/// The most bytes of what git prints beside a file's content.
const MAX_ANSWER: u64 = 64 << 10;

/// How long a look into what was fetched may take (guess).
const LOOK: Duration = Duration::from_secs(10);

/// What a revision of a repository was when it was fetched. Nothing is checked out: files are read from it.
#[derive(Debug)]
pub(super) struct Checkout {
    folder: PathBuf,
    commit: String,
}

impl Checkout {
    /// Fetches one commit, without its history, into a new folder.
    pub(super) async fn fetch(folder: PathBuf, repository: &str, revision: &str) -> Result<Self> {
        let making = || format!("cannot make {}", folder.display());
        fs::create_dir_all(&folder).with_context(making)?;
        let folder_text = folder.to_string_lossy();
        let init = ["init", "--quiet", "--bare", "--template=", &folder_text];
        git().args(init).run(MAX_ANSWER, LOOK).await?;
        let mut checkout = Self {
            commit: String::new(),
            folder: folder.clone(),
        };
        // git does not say whether trying again may help.
        with_patience(
            TRIES,
            FIRST_WAIT,
            |_| true,
            async || {
                let fetch = ["fetch", "--quiet", "--depth=1", "--no-tags"];
                let from = ["--no-recurse-submodules", "--", repository, revision];
                let call = checkout.git().args(fetch).args(from);
                call.run(MAX_ANSWER, DEADLINE).await
            },
        )
        .await?;
        let commit = checkout
            .ask(&["rev-parse", "--verify", "FETCH_HEAD^0"])
            .await;
        checkout.commit = commit.context("it names no commit")?;
        Ok(checkout)
    }

    /// The commit.
    pub(super) fn commit(&self) -> &str {
        &self.commit
    }

    /// The content of a file of it.
    pub(super) async fn file(&self, path: &str) -> Result<Vec<u8>> {
        let listed = self
            .ask(&["ls-tree", "--full-tree", &self.commit, "--", path])
            .await?;
        let what: Vec<&str> = listed.split_whitespace().take(3).collect();
        let object = match what.as_slice() {
            [] => bail!("commit {} has no such file", self.commit),
            ["100644" | "100755", "blob", object] => *object,
            _ => bail!("it is no plain file in commit {}", self.commit),
        };
        let content = self.git().args(["cat-file", "blob", object]);
        content.run(MAX_SOURCE, LOOK).await
    }

    async fn ask(&self, args: &[&str]) -> Result<String> {
        let said = self.git().args(args).run(MAX_ANSWER, LOOK).await?;
        Ok(String::from_utf8_lossy(&said).trim().to_owned())
    }

    fn git(&self) -> Call {
        git().args(["-C".as_ref(), self.folder.as_os_str()])
    }
}

fn git() -> Call {
    let call = Call::new("git")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "false")
        .env("SSH_ASKPASS", "false")
        .env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
        .env("GIT_LITERAL_PATHSPECS", "1");
    call.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
}
