//! Who this agent is: its host, by its certificate, and this boot of it.

use crate::{
    config::Settings,
    host::{
        boot,
        durable::{self, FileError},
    },
};
use cofferdam_engine::{
    id::{HostId, Incarnation},
    identity::Identity,
    inventory::{MARKED, PATCHER},
};
use cofferdam_proto::tls::Credentials;
use std::{fs::File, io::Read, path::Path};

/// Where the kernel keeps the first process's state, its start time among it.
const FIRST_PROCESS: &str = "/proc/1/stat";

/// The place of the start time in it, counted after the name in parentheses (proc_pid_stat(5):
/// field 22, and the name is field 2).
const START_TIME: usize = 22 - 3;

/// Where random numbers come from.
const RANDOM: &str = "/dev/urandom";

/// The certificate is not this host's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It is of another trust domain than the config file says.
    #[error("the certificate is of `{found}`, the config file says trust_domain = \"{expected}\"")]
    OtherDomain {
        /// The certificate's.
        found: String,
        /// The config file's.
        expected: String,
    },
    /// It is no agent's.
    #[error("the certificate is of {0}: an agent's is needed")]
    NoAgent(Identity),
    /// It is of another host than the config file says.
    #[error("the certificate is of host `{found}`, the config file says host = \"{expected}\"")]
    OtherHost {
        /// The certificate's.
        found: HostId,
        /// The config file's.
        expected: HostId,
    },
}

/// Takes over from the certificate that the host is one that Cofferdam itself runs on, so that what it selects by
/// is what its coordinator does.
pub fn mark(settings: &mut Settings, credentials: &Credentials) {
    if credentials.is_patcher() {
        let labels = &mut settings.labels;
        labels.insert(PATCHER.to_owned(), MARKED.to_owned());
    }
}

/// The host that the credentials speak for.
///
/// # Errors
/// [`IdentityError`] when they do not fit the config file, or speak for no host.
pub fn host(settings: &Settings, credentials: &Credentials) -> Result<HostId, IdentityError> {
    if credentials.trust_domain() != settings.trust_domain {
        return Err(IdentityError::OtherDomain {
            found: credentials.trust_domain().to_owned(),
            expected: settings.trust_domain.clone(),
        });
    }
    let Identity::Agent(found) = credentials.identity().clone() else {
        return Err(IdentityError::NoAgent(credentials.identity().clone()));
    };
    match &settings.host {
        Some(expected) if *expected != found => Err(IdentityError::OtherHost {
            found,
            expected: expected.clone(),
        }),
        Some(_) | None => Ok(found),
    }
}

/// What tells this boot of the host from all others. The kernel's boot id alone would not do in a
/// container, which reboots without its kernel: the start of the first process is added to it.
///
/// # Errors
/// [`FileError`] when the kernel does not say.
pub fn boot_id() -> Result<String, FileError> {
    let kernel = boot::id()?;
    let stat = durable::read(Path::new(FIRST_PROCESS))?.unwrap_or_default();
    let started = start_time(&String::from_utf8_lossy(&stat)).unwrap_or_default();
    Ok(format!("{kernel}.{started}"))
}

/// Draws the number of a new journal.
///
/// # Errors
/// [`FileError`] when there is no randomness.
pub fn draw_incarnation() -> Result<Incarnation, FileError> {
    let path = Path::new(RANDOM);
    let mut bytes = [0; 8];
    File::open(path)
        .and_then(|mut random| random.read_exact(&mut bytes))
        .map_err(FileError::of("reading", path))?;
    Ok(Incarnation(u64::from_ne_bytes(bytes)))
}

/// The start time in the text of a process's `stat`. The name in it may hold anything.
fn start_time(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(START_TIME)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_time_is_found_behind_any_name() {
        let fields: Vec<String> = (3..=52).map(|field| format!("{field}")).collect();
        for name in ["systemd", "a b", "x) R 1 ("] {
            let stat = format!("1 ({name}) {}", fields.join(" "));
            assert_eq!(start_time(&stat), Some(22), "{name}");
        }
    }

    #[test]
    fn a_boot_has_one_id() {
        assert_eq!(boot_id().unwrap(), boot_id().unwrap());
    }

    #[test]
    fn two_journals_get_two_numbers() {
        assert_ne!(draw_incarnation().unwrap(), draw_incarnation().unwrap());
    }
}
