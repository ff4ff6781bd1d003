//! Ends the trial of a kernel on which the agent does not say in time that the host is well.
//!
//! `cofferdam-kernel-trial.service` runs this early in each boot whose entry says `cofferdam.trial=SECONDS`, and in
//! no other. When it fails, systemd reboots the machine by force, and the boot loader has forgotten the trial by
//! then: so it also does when this program cannot be started at all. It reads neither config nor journal, since
//! what is wrong with a new kernel may be in their way.

use crate::{boot_loader::TRIAL_PARAMETER, clock, host::durable::FileError};
use std::{fs, path::Path, thread, time::Duration};

/// Where the agent says that the kernel is proved. It ends with the boot.
pub(crate) const PROVED: &str = "/run/cofferdam-kernel-proved";

/// Where the kernel tells what it was booted with.
const COMMAND_LINE: &str = "/proc/cmdline";

/// How often it is looked whether the agent has said so. In a trial only.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why the trial ends badly.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// It cannot be told whether there is a trial.
    #[error(transparent)]
    File(#[from] FileError),
    /// Nobody said that the host is well.
    #[error("nobody found this host well within {0} s of its boot by a new kernel: it goes back")]
    Expired(u64),
}

/// Waits until this boot's kernel is proved. At once where none is on trial.
///
/// # Errors
/// [`TrialError`] when it is not proved in time: the machine is to boot its old kernel.
pub fn watch() -> Result<(), TrialError> {
    let path = Path::new(COMMAND_LINE);
    let said = fs::read_to_string(path).map_err(FileError::of("reading", path))?;
    let Some(allowed_secs) = allowed_secs(&said) else {
        return Ok(());
    };
    while !Path::new(PROVED).exists() {
        if clock::uptime() >= allowed_secs.saturating_mul(1000) {
            return Err(TrialError::Expired(allowed_secs));
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// How long after its boot a kernel on trial is to be proved. Absent: none is.
fn allowed_secs(command_line: &str) -> Option<u64> {
    let words = command_line.split_whitespace();
    let mut values = words.filter_map(|word| word.strip_prefix(TRIAL_PARAMETER)?.strip_prefix('='));
    values.next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_command_line_says_whether_it_is_on_trial() {
        for (said, allowed) in [
            (
                "BOOT_IMAGE=/boot/vmlinuz ro panic=30 cofferdam.trial=900\n",
                Some(900),
            ),
            ("cofferdam.trial=1 cofferdam.trial=2", Some(2)),
            ("ro quiet", None),
            ("cofferdam.trials=3 cofferdam.trial", None),
            ("cofferdam.trial=soon", None),
        ] {
            assert_eq!(allowed_secs(said), allowed, "{said}");
        }
    }
}
