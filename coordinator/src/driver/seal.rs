//! Has warrants signed, before anything of them is stored or told.

use super::Driver;
use cofferdam_engine::{fleet::FleetCommand, time::Timestamp};
use cofferdam_proto::error_chain;

impl<S> Driver<S> {
    /// Signs the leave to start hosts that a command gives. Where that cannot be, agents that want it signed
    /// refuse their orders and say so.
    pub(super) fn seal(&self, command: &mut FleetCommand, now: Timestamp) {
        let Some(signer) = &self.signer else {
            return;
        };
        let Some(terms) = self.fleet.terms_of(command, now) else {
            return;
        };
        match signer.seal(terms.to_string()) {
            Ok(seal) => command.seal(seal),
            Err(error) => tracing::error!(error = error_chain(&error), "a warrant is not signed"),
        }
    }
}
