//! Which hosts may be tried again: those that their owner hears and that serve.

use super::{Fleet, FleetError};
use crate::{
    exception::Word,
    id::{HostId, RolloutId},
    rollout::{NotExcepted, RolloutError, RolloutEvent},
};

impl Fleet {
    /// Refuses new tries of hosts that could not begin them: silence never retries a host
    /// (promise 11).
    pub(super) fn check_retry(
        &self,
        rollout: &RolloutId,
        event: &RolloutEvent,
    ) -> Result<(), FleetError> {
        let RolloutEvent::Excepted {
            word: Word::Retry,
            hosts,
            ..
        } = event
        else {
            return Ok(());
        };
        let works = self.rollouts.get(rollout);
        let is_repair = works.is_some_and(|rollout| rollout.plan().is_repair());
        let away: Vec<(HostId, &'static str)> = hosts
            .iter()
            .filter_map(|host| Some((host.clone(), self.away(host, is_repair)?)))
            .collect();
        let is_over = self.rollouts.get(rollout).is_some_and(|r| !r.is_live());
        if away.is_empty() || is_over {
            return Ok(());
        }
        Err(FleetError::Rollout(RolloutError::NotExcepted {
            rollout: rollout.clone(),
            word: Word::Retry,
            why: NotExcepted::Hosts(away),
        }))
    }

    /// Why nothing can be begun on a host. Nothing when it is heard, and serves or is to be repaired.
    fn away(&self, host: &HostId, is_repair: bool) -> Option<&'static str> {
        match self.host(host) {
            None => Some("is not known"),
            Some((_, member)) if !member.is_connected() => Some("is not connected"),
            Some((_, member)) if !member.in_service && !is_repair => Some("is not in service"),
            Some(_) => None,
        }
    }
}
