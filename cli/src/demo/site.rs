//! What every program of the demo needs: a certificate, a config file, an environment of its own.

use crate::{
    clock,
    demo::{folder::Folder, signer::Signer, tool::PATH},
    pki::{AUTHORITY_CERTIFICATE, Authority, Pair, ServerNames, Validity},
};
use anyhow::{Context as _, Result, ensure};
use cofferdam_engine::identity::Identity;
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// What the demo's identities belong to.
pub const TRUST_DOMAIN: &str = "demo.cofferdam";

/// The demo's certificates need to last as long as the demo.
const DAYS: u32 = 1;

/// The demo's folder, and the authority in it.
pub struct Site<'a> {
    /// Where everything is.
    pub folder: &'a Folder,
    /// Whose signatures count. Absent: rollouts need none.
    pub signer: Option<&'a Signer>,
    authority: Authority,
}

impl<'a> Site<'a> {
    /// Makes an authority in the folder. `signer` is whose signatures count; absent: rollouts need none.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub fn create(folder: &'a Folder, signer: Option<&'a Signer>) -> Result<Self> {
        let now = clock::date();
        // A day longer than its leaves, so that the second in which each is made does not matter.
        let days = DAYS + 1;
        Authority::create(&folder.pki(), TRUST_DOMAIN, Validity { now, days })?;
        let authority = Authority::load(&folder.pki())?;
        Ok(Self {
            folder,
            signer,
            authority,
        })
    }

    /// Issues a certificate.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub fn issue(&self, identity: &Identity, names: &ServerNames) -> Result<Pair> {
        let validity = Validity {
            now: clock::date(),
            days: DAYS,
        };
        self.authority.issue(identity, names, validity)
    }

    /// The authority's certificate, which everybody trusts.
    pub fn authority_certificate(&self) -> PathBuf {
        self.folder.pki().join(AUTHORITY_CERTIFICATE)
    }

    /// One of our programs, which lies beside this one, told to run with a config file.
    ///
    /// # Errors
    /// When it is not there.
    pub fn command(&self, program: &str, config: &Path) -> Result<Command> {
        let own = env::current_exe().context("cannot tell where this binary is")?;
        let path = own.with_file_name(program);
        ensure!(
            path.is_file(),
            "{} is missing: build it first, or run `make demo`",
            path.display()
        );
        let mut command = Command::new(path);
        command
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C")
            .env("HOME", self.folder.tmp())
            .env("TMPDIR", self.folder.tmp())
            .current_dir(self.folder.path())
            .arg("run")
            .arg("--config")
            .arg(config);
        Ok(command)
    }
}
