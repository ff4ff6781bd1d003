//! The demo's operator, who signs rollouts with a key of the demo's own. All 24 hosts take only what it signed.

use crate::{
    demo::{
        folder::Folder,
        tool::{PATH, Tool},
    },
    file,
};
use anyhow::Result;
use cofferdam_engine::signers::NAMESPACE;
use std::path::{Path, PathBuf};

/// Who signs, as hosts and coordinator have it.
const NAME: &str = "operator@demo.cofferdam";

/// A key, and the file that says whose it is.
pub struct Signer {
    /// The private key.
    pub key: PathBuf,
    /// The file of allowed signers.
    pub allowed: PathBuf,
}

impl Signer {
    /// Makes a key in the demo's folder. Nothing where ssh-keygen is not there, which signs.
    ///
    /// # Errors
    /// When ssh-keygen fails, or a file cannot be written.
    pub async fn create(folder: &Folder) -> Result<Option<Self>> {
        let mut places = PATH.split(':').map(Path::new);
        if !places.any(|place| place.join("ssh-keygen").exists()) {
            return Ok(None);
        }
        let dir = folder.signing();
        file::folder(&dir)?;
        let key = dir.join("key");
        let keygen = Tool::new("ssh-keygen", &folder.tmp());
        let keygen = keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "demo", "-f"]);
        keygen.arg(&key).run().await?;
        let public = file::read(&key.with_extension("pub"))?;
        let allowed = dir.join("allowed_signers");
        let line = format!("{NAME} namespaces=\"{NAMESPACE}\" {public}");
        file::create(&allowed, file::PUBLIC, line)?;
        Ok(Some(Self { key, allowed }))
    }
}
