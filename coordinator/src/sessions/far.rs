//! Hosts whose sessions are with a region's own process: what they are told goes by way of its link.

use cofferdam_engine::{
    fleet::{FleetError, FleetEvent},
    id::{HostId, Region},
};
use cofferdam_proto::session::ToAgent;
use std::collections::BTreeMap;
use tokio::sync::{mpsc, oneshot};

/// Marks the numbers of questions that came by way of a link: a region hands their answers on.
const MARK: u64 = 1 << 63;

/// Something for a region that no state hangs on.
#[derive(Debug)]
pub(crate) enum ToRegion {
    /// To be handed on to a host.
    Tell {
        /// Which.
        host: HostId,
        /// What.
        message: ToAgent,
    },
    /// An operator's event, which only the region can take in.
    Act {
        /// Its answer has the same number.
        request: u64,
        /// What.
        event: Box<FleetEvent>,
    },
}

/// Who waits for what came of an event.
pub(crate) type Reply = oneshot::Sender<Result<(), FleetError>>;

/// An operator's event for a region, and who waits for what comes of it.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) region: Region,
    pub(crate) event: Box<FleetEvent>,
    pub(crate) reply: Reply,
}

/// What came of an event that a region was asked to take in.
#[derive(Debug)]
pub(crate) struct Acted {
    pub(crate) region: Region,
    pub(crate) request: u64,
    /// Why it was refused. Nothing: it is stored.
    pub(crate) refusal: Option<String>,
}

/// The regions that are linked.
#[derive(Debug, Default)]
pub(crate) struct Far {
    links: BTreeMap<Region, mpsc::Sender<ToRegion>>,
    acts: BTreeMap<u64, (Region, Reply)>,
    last_act: u64,
}

/// Whether a question came by way of a link.
pub(crate) fn is_marked(request: u64) -> bool {
    request & MARK != 0
}

/// The number of a question as it was before it was marked.
pub(crate) fn unmarked(request: u64) -> u64 {
    request & !MARK
}

impl Far {
    /// A region is linked: what it is to be told goes here. Who waits for it by way of an older link is told that
    /// that has ended.
    pub(crate) fn open(&mut self, region: Region, queue: mpsc::Sender<ToRegion>) {
        self.close(&region);
        self.links.insert(region, queue);
    }

    /// A region is not linked any more: who waits for it is told so.
    pub(crate) fn close(&mut self, region: &Region) {
        self.links.remove(region);
        let acts = std::mem::take(&mut self.acts).into_iter();
        for (request, (of, reply)) in acts {
            if of == *region {
                reply.send(Err(FleetError::RegionAway(of))).ok();
            } else {
                self.acts.insert(request, (of, reply));
            }
        }
    }

    /// The number of a question, marked where it goes by way of a region's link.
    pub(super) fn marked(&self, request: u64, of: Option<&Region>) -> u64 {
        of.map_or(request, |_| request | MARK)
    }

    /// Has a region hand something on to a host. Whether it is on its way.
    pub(super) fn tell(&self, region: &Region, host: &HostId, message: ToAgent) -> bool {
        let (host, queue) = (host.clone(), self.links.get(region));
        queue.is_some_and(|queue| queue.try_send(ToRegion::Tell { host, message }).is_ok())
    }

    /// Has a region take an operator's event in.
    pub(crate) fn act(&mut self, act: Act) {
        let Act {
            region,
            event,
            reply,
        } = act;
        self.last_act += 1;
        let request = self.last_act;
        let queue = self.links.get(&region);
        let sent = queue.map(|queue| queue.try_send(ToRegion::Act { request, event }).is_ok());
        match sent {
            Some(true) => {
                self.acts.insert(request, (region, reply));
            }
            Some(false) | None => {
                reply.send(Err(FleetError::RegionAway(region))).ok();
            }
        }
    }

    /// Takes in what came of an event. An answer that nobody awaits is dropped.
    pub(crate) fn acted(&mut self, acted: Acted) {
        let is_its = |(of, _): &(Region, Reply)| *of == acted.region;
        if !self.acts.get(&acted.request).is_some_and(is_its) {
            return;
        }
        if let Some((region, reply)) = self.acts.remove(&acted.request) {
            let refused = acted
                .refusal
                .map(|why| FleetError::RegionRefuses { region, why });
            reply.send(refused.map_or(Ok(()), Err)).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::id::OwnerEpoch;

    fn region(name: &str) -> Region {
        Region::new(name).unwrap()
    }

    /// Has a region asked. The answer, once there is one.
    fn act(far: &mut Far) -> oneshot::Receiver<Result<(), FleetError>> {
        let epoch = OwnerEpoch(1);
        let (reply, answer) = oneshot::channel();
        far.act(Act {
            region: region("r1"),
            event: Box::new(FleetEvent::OwnerStarted { epoch }),
            reply,
        });
        answer
    }

    fn acted(name: &str, request: u64, refusal: Option<&str>) -> Acted {
        Acted {
            region: region(name),
            request,
            refusal: refusal.map(str::to_owned),
        }
    }

    #[test]
    fn an_act_is_answered_by_its_own_region_alone_or_by_the_end_of_its_link() {
        let mut far = Far::default();
        let (queue, mut told) = mpsc::channel(8);
        far.open(region("r1"), queue);
        let mut answer = act(&mut far);
        assert!(matches!(
            told.try_recv(),
            Ok(ToRegion::Act { request: 1, .. })
        ));
        far.acted(acted("r2", 1, None));
        assert!(answer.try_recv().is_err());
        far.acted(acted("r1", 1, Some("held")));
        assert!(matches!(
            answer.try_recv(),
            Ok(Err(FleetError::RegionRefuses { .. }))
        ));

        // A newer link takes the place of the one by which it was asked.
        let mut answer = act(&mut far);
        let (queue, _told) = mpsc::channel(8);
        far.open(region("r1"), queue);
        let away = Ok(Err(FleetError::RegionAway(region("r1"))));
        assert_eq!(answer.try_recv(), away);

        let mut answer = act(&mut far);
        far.close(&region("r1"));
        assert_eq!(answer.try_recv(), away);
        assert_eq!(act(&mut far).try_recv(), away);
    }

    #[test]
    fn questions_that_go_by_way_of_a_link_are_marked() {
        let far = Far::default();
        assert!(!is_marked(far.marked(7, None)));
        let marked = far.marked(7, Some(&region("r1")));
        assert!(is_marked(marked));
        assert_eq!(unmarked(marked), 7);
    }
}
