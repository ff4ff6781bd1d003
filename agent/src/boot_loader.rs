//! The boot loader, as far as a new kernel needs it: booted once, with the old one as the default all the while.
//!
//! ```text
//! pin    saved_entry = the running kernel's own entry   before packages are changed: update-grub moves nothing
//! arm    custom.cfg: the trial's and the fallback's entry; next_entry = the trial's     before the reboot
//! settle saved_entry = what is to boot from now on; custom.cfg and next_entry as they were
//! ```
//!
//! GRUB takes `next_entry` for one boot, and has forgotten it before the kernel runs: whatever ends that boot, the
//! next one is the default's. Four things end it: the kernel panics (`panic=` on the trial's entry), GRUB cannot
//! load it (`fallback`), nobody confirms it in time (`cofferdam.trial=` on its entry, [`crate::kernel_trial`]), or
//! the agent goes back.
//!
//! GRUB alone is known. What it cannot do on a host is said before the host is drained.

mod block;
mod grub;
mod menu;
mod settings;

pub use grub::Grub;
pub(crate) use grub::TRIAL_PARAMETER;

#[cfg(test)]
mod fuzz;
