//! How the driver asks hosts a query.

use super::Driver;
use crate::{
    sessions::{Answers, Queried},
    store::Store,
};
use cofferdam_engine::{
    id::HostId,
    query::{Decision, Query},
};
use std::{collections::BTreeSet, time::Duration};

/// What is known of a query once hosts were asked. Every host of the fleet is in one of these.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Hosts that match by their labels alone.
    pub(crate) matching: Vec<HostId>,
    /// How many do not.
    pub(crate) others: u64,
    /// Hosts that could not be asked, since they have no session.
    pub(crate) offline: Vec<HostId>,
    /// Hosts whose session could not take the question.
    pub(crate) silent: Vec<HostId>,
    /// Hosts that were asked.
    pub(crate) waiting: BTreeSet<HostId>,
    /// What those answer.
    pub(crate) answers: Answers,
}

impl<S: Store> Driver<S> {
    /// Asks those whose labels leave it open.
    pub(super) fn query(&mut self, query: &Query, within: Duration) -> Asked {
        let (mut matching, mut others, mut texts) = (Vec::new(), 0, Vec::new());
        let mut away = Vec::new();
        let homes = self.fleet.homes().keys();
        for (_, member) in homes.filter_map(|host| self.fleet.host(host)) {
            let host = &member.host;
            match query.about(host) {
                Decision::Known(true) => matching.push(host.id.clone()),
                Decision::Known(false) => others += 1,
                Decision::Ask(question) => {
                    let region = self.fleet.region_of_host(&host.id);
                    let is_heard = region.is_none() || member.is_connected();
                    match is_heard {
                        true => {
                            let region = region.cloned();
                            texts.push((host.id.clone(), region, question.to_string()));
                        }
                        false => away.push(host.id.clone()),
                    }
                }
            }
        }
        let Queried {
            waiting,
            mut offline,
            silent,
            answers,
        } = self.sessions.query(texts, within);
        offline.append(&mut away);
        Asked {
            matching,
            others,
            offline,
            silent,
            waiting,
            answers,
        }
    }
}
