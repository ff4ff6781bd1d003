//! Signs statements and bundles, by OpenSSH's own tool: what holds the key is its business.

use crate::{exit::UsageError, file};
use anyhow::{Context as _, Result, bail, ensure};
use cofferdam_engine::{
    date::Date,
    patch::LockFile,
    signers::{self, NAMESPACE},
    spec::Spec,
    statement::{Signed, Statement, Validity},
    time::Timestamp,
};
use cofferdam_proto::signature::{self, Signers};
use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

/// From today on, for so long.
pub fn from(now: Timestamp, valid_for: Duration) -> Validity {
    Validity {
        made: Date::of(now),
        until: Date::of(now.after(valid_for)),
    }
}

/// Signs a statement with a key: a private key's file, or a public key's whose private one an ssh-agent
/// holds.
///
/// # Errors
/// When the statement could not be read back, or ssh-keygen cannot be run or does not sign.
pub fn sign(statement: &Statement, key: &Path) -> Result<Signed> {
    let statement = statement.to_string();
    Statement::parse(&statement).context("this rollout cannot be signed")?;
    let signature = sign_text(&statement, NAMESPACE, key)?;
    Ok(Signed {
        statement,
        signature,
    })
}

/// Signs a text for a namespace with such a key.
///
/// # Errors
/// When ssh-keygen cannot be run or does not sign.
pub fn sign_text(text: &str, namespace: &str, key: &Path) -> Result<String> {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-Y", "sign", "-n", namespace, "-f"]);
    let mut child = command
        .arg(key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run ssh-keygen: is it installed?")?;
    let mut input = child.stdin.take().context("ssh-keygen has no input")?;
    // One that ends early says why itself.
    input.write_all(text.as_bytes()).ok();
    drop(input);
    let output = child.wait_with_output();
    let output = output.context("ssh-keygen did not end well")?;
    if !output.status.success() {
        bail!("ssh-keygen did not sign with {}", key.display());
    }
    String::from_utf8(output.stdout).context("ssh-keygen wrote no signature")
}

/// The public key that signed, as a line of allowed signers has it.
///
/// # Errors
/// When agents would not take a signature of its kind.
pub fn key_of(signed: &Signed) -> Result<String> {
    let key = signature::key_of(signed).context("ssh-keygen wrote no signature")?;
    signers::parse("the key", &format!("you {key}")).context("hosts would not take this")?;
    Ok(key)
}

/// Reads a file of allowed signers.
///
/// # Errors
/// When it cannot be read, or every mistake in it.
pub fn read_signers(path: &Path) -> Result<Signers> {
    let name = path.display().to_string();
    let signers = Signers::parse(&name, &file::read(path)?);
    Ok(signers.map_err(|mistakes| UsageError(mistakes.to_string()))?)
}

/// Makes sure that a statement is of this rollout file and lock file, and still good.
///
/// # Errors
/// When it is not.
pub fn check_files(
    statement: &Statement,
    spec: &Spec,
    lock: &LockFile,
    now: Timestamp,
) -> Result<()> {
    let amends = statement.amends.clone();
    let meant = Statement::of(spec, lock, amends, statement.validity());
    ensure!(
        *statement == meant,
        "what was signed is not this rollout file with this lock file: sign it again"
    );
    ensure!(
        now < statement.until.end(),
        "what was signed was good until {}: sign it again",
        statement.until
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_good_from_today_on_for_so_long() {
        let day = Duration::from_hours(24);
        let validity = from(Timestamp(1_795_824_000_000), 90 * day);
        assert_eq!(validity.made.to_string(), "2026-11-28");
        assert_eq!(validity.until.to_string(), "2027-02-26");
    }
}
