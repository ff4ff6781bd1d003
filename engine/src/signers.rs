//! Whose signatures count: the file of allowed signers, as `ssh-keygen -Y verify` reads it.
//!
//! ```text
//! alice@example.org ssh-ed25519 AAAA..
//! bob@example.org namespaces="cofferdam-rollout@cofferdam",valid-before="20271231Z" ecdsa-sha2-nistp256 AAAA..
//! ```
//!
//! What is read is less than OpenSSH reads, and never more: what is accepted here is accepted there. The
//! keys stay text; who checks signatures decodes them.

mod option;
mod problem;
#[cfg(test)]
mod tests;

pub use problem::{NotAllowed, SignerProblem, SignersError};

use crate::time::Timestamp;

/// What signatures over rollouts are made for. One that was made for anything else counts nothing here.
pub const NAMESPACE: &str = "cofferdam-rollout@cofferdam";

/// What signatures over bundles are made for, which carry rollouts into closed partitions and results out.
pub const BUNDLE_NAMESPACE: &str = "cofferdam-bundle@cofferdam";

/// The most bytes of a file of signers (guess: some hundred people).
pub const MAX_SIGNERS_LEN: usize = 256 * 1024;

/// The kinds of key whose signatures are checked.
const KEY_TYPES: [&str; 2] = ["ssh-ed25519", "ecdsa-sha2-nistp256"];

/// How the names of kinds of key begin.
const KEY_TYPE_BEGINNINGS: [&str; 3] = ["ssh-", "ecdsa-", "sk-"];

/// Somebody whose signatures count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Who it is, as the file says: one name, or several with commas.
    pub name: String,
    /// What the signatures may be for. Absent: anything.
    pub namespaces: Option<Vec<String>>,
    /// They count from here on. Absent: always did.
    pub after: Option<Timestamp>,
    /// They count up to here. Absent: for ever.
    pub before: Option<Timestamp>,
    /// The public key as OpenSSH writes it: its kind, a blank, and base64.
    pub key: String,
    /// Where it stands in the file, from 1.
    pub line: usize,
}

impl Signer {
    /// Whether signatures over rollouts by this key count now.
    ///
    /// # Errors
    /// [`NotAllowed`]: why not.
    pub fn may_sign(&self, now: Timestamp) -> Result<(), NotAllowed> {
        self.may_sign_for(NAMESPACE, now)
    }

    /// Whether signatures by this key that were made for `namespace` count now.
    ///
    /// # Errors
    /// [`NotAllowed`]: why not.
    pub fn may_sign_for(&self, namespace: &'static str, now: Timestamp) -> Result<(), NotAllowed> {
        let name = || self.name.clone();
        let mut namespaces = self.namespaces.iter().flatten();
        if self.namespaces.is_some() && !namespaces.any(|allowed| allowed == namespace) {
            let name = name();
            return Err(NotAllowed::OtherNamespace { name, namespace });
        }
        if self.after.is_some_and(|after| now < after) {
            return Err(NotAllowed::NotYet { name: name() });
        }
        if self.before.is_some_and(|before| now > before) {
            return Err(NotAllowed::Expired { name: name() });
        }
        Ok(())
    }
}

/// Reads a file of allowed signers; `file` is what its mistakes call it. Empty lines and comments say
/// nothing.
///
/// # Errors
/// Every line that cannot be read, when there is any, or that nobody is named.
pub fn parse(file: &str, text: &str) -> Result<Vec<Signer>, SignersError> {
    let refuse = |mistakes| SignersError {
        file: file.to_owned(),
        mistakes,
    };
    if text.len() > MAX_SIGNERS_LEN {
        return Err(refuse(vec![(1, SignerProblem::TooLong(text.len()))]));
    }
    let (mut signers, mut mistakes) = (Vec::new(), Vec::new());
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match signer(line, number) {
            Ok(signer) => signers.push(signer),
            Err(problem) => mistakes.push((number, problem)),
        }
    }
    if signers.is_empty() && mistakes.is_empty() {
        mistakes.push((1, SignerProblem::Nobody));
    }
    match mistakes.is_empty() {
        true => Ok(signers),
        false => Err(refuse(mistakes)),
    }
}

fn signer(text: &str, line: usize) -> Result<Signer, SignerProblem> {
    let (name, rest) = text.split_once([' ', '\t']).ok_or(SignerProblem::NoKey)?;
    check_name(name)?;
    let rest = rest.trim_start();
    let begins_key = KEY_TYPE_BEGINNINGS
        .iter()
        .any(|start| rest.starts_with(start));
    let (options, rest) = match begins_key {
        true => (option::Options::default(), rest),
        false => option::read(rest)?,
    };
    Ok(Signer {
        name: name.to_owned(),
        namespaces: options.namespaces,
        after: options.after,
        before: options.before,
        key: key(rest)?,
        line,
    })
}

/// A name is shown to people, so it must not be one for anybody.
fn check_name(name: &str) -> Result<(), SignerProblem> {
    let is_pattern = name.contains(['*', '?', '!', '"']);
    match is_pattern || name.chars().any(char::is_control) {
        true => Err(SignerProblem::Name(printable(name))),
        false => Ok(()),
    }
}

/// The key, without the comment behind it.
fn key(text: &str) -> Result<String, SignerProblem> {
    let mut words = text.split_ascii_whitespace();
    let kind = words.next().ok_or(SignerProblem::NoKey)?;
    if !KEY_TYPES.contains(&kind) {
        return Err(SignerProblem::KeyType(printable(kind)));
    }
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    match words.next() {
        Some(blob) if blob.chars().all(is_base64) => Ok(format!("{kind} {blob}")),
        Some(_) | None => Err(SignerProblem::NoKey),
    }
}

/// The beginning of what somebody wrote, for a message.
fn printable(text: &str) -> String {
    text.escape_debug().take(60).collect()
}
