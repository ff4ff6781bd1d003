//! Signs statements, by OpenSSH's own tool: what holds the key is its business.

use anyhow::{Context as _, Result, bail};
use cofferdam_engine::{
    date::Date,
    signers::{self, NAMESPACE},
    statement::{Signed, Statement, Validity},
    time::Timestamp,
};
use cofferdam_proto::signature;
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
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-Y", "sign", "-n", NAMESPACE, "-f"]);
    let mut child = command
        .arg(key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run ssh-keygen: is it installed?")?;
    let mut input = child.stdin.take().context("ssh-keygen has no input")?;
    // One that ends early says why itself.
    input.write_all(statement.as_bytes()).ok();
    drop(input);
    let output = child.wait_with_output();
    let output = output.context("ssh-keygen did not end well")?;
    if !output.status.success() {
        bail!("ssh-keygen did not sign with {}", key.display());
    }
    let signature = String::from_utf8(output.stdout).context("ssh-keygen wrote no signature")?;
    Ok(Signed {
        statement,
        signature,
    })
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
