//! The hosts that the waves of a plan take.

use super::selected::{Chosen, Common, Selected};
use crate::id::WaveIndex;

/// The hosts that some wave takes.
#[derive(Debug)]
pub(super) struct Planned<'s, 'a> {
    /// The hosts in order of their names, each with its wave.
    pub(super) hosts: Vec<(&'s Selected<'a>, WaveIndex)>,
    /// The classes that they are of, each with how many of it some wave takes. None is 0.
    pub(super) classes: Vec<(&'s Common<'a>, usize)>,
}

impl<'s, 'a> Planned<'s, 'a> {
    /// Those of the selected hosts that have a wave.
    pub(super) fn of(selected: &'s Chosen<'a>, waves: &[Option<WaveIndex>]) -> Self {
        let hosts = selected.hosts.iter().zip(waves);
        let hosts: Vec<_> = hosts
            .filter_map(|(host, wave)| Some((host, (*wave)?)))
            .collect();
        let mut counts = vec![0; selected.classes.len()];
        for (host, _) in &hosts {
            counts[host.common.place] += 1;
        }
        let classes = selected.classes.iter().map(|class| &**class).zip(counts);
        Self {
            hosts,
            classes: classes.filter(|(_, count)| *count > 0).collect(),
        }
    }

    /// The hosts alone.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &'s Selected<'a>> + Clone {
        self.hosts.iter().map(|(host, _)| *host)
    }
}
