//! Where an event goes: to a machine of this process, or over the link to another's.

use super::{Fleet, FleetError, Form, LinkEvent, Told};
use crate::{
    cell::CellEvent,
    id::{CellId, HostId, RolloutId},
    rollout::RolloutEvent,
    time::Timestamp,
};
use std::collections::BTreeSet;

impl Fleet {
    /// To a cell, or to the region that has it.
    pub(super) fn cell_or_region(
        &mut self,
        cell: &CellId,
        event: &CellEvent,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        match self.form {
            Form::Whole | Form::Region => self.cell_event(cell, event, now),
            Form::Control => {
                let told = Told::Cell {
                    cell: cell.clone(),
                    event: Box::new(event.clone()),
                };
                self.tell_region_of(cell, told)
            }
        }
    }

    /// To a rollout, or to the control plane that has it.
    pub(super) fn rollout_or_control(
        &mut self,
        rollout: &RolloutId,
        event: &RolloutEvent,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        match (self.form, event) {
            (Form::Region, RolloutEvent::Summarised { summary }) => {
                self.keep_summary(summary);
                Ok(())
            }
            _ => self.rollout_event(rollout, event, now),
        }
    }

    /// To the cells of this process, or to the region that has them.
    pub(super) fn gather_or_tell(
        &mut self,
        to: &CellId,
        hosts: &BTreeSet<HostId>,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        match self.form {
            Form::Whole | Form::Region => self.gathered(to, hosts, now),
            Form::Control => {
                let home = hosts.first().and_then(|host| self.homes.get(host));
                let cell = home.unwrap_or(to).clone();
                let (to, hosts) = (to.clone(), hosts.clone());
                self.tell_region_of(&cell, Told::Gathered { to, hosts })
            }
        }
    }

    /// To this end of a link.
    pub(super) fn link_event(
        &mut self,
        event: &LinkEvent,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        match self.form {
            Form::Whole => Err(FleetError::OfAnotherPart { form: self.form }),
            Form::Control => self.at_control(event, now),
            Form::Region => self.at_region(event, now),
        }
    }
}
