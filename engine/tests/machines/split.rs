//! The same fleet taken apart: a control plane and a region for each region of its hosts, with links
//! that carry everything at once. What one process stored, given to the parts that it concerns, comes to
//! the same.

use cofferdam_engine::{
    cell::{CellEvent, Hello, Member},
    fleet::{Fleet, FleetCommand, FleetError, FleetEvent, Form, LinkEvent, News},
    id::{CellId, HostId, Incarnation, Region},
    inventory::REGION,
    rollout::{RolloutEvent, Wish},
    time::Timestamp,
    warrant::StopKind,
};
use std::collections::{BTreeMap, BTreeSet};

/// The parts of a fleet.
pub(crate) struct Split {
    /// Its rollouts, and mirrors of the regions' cells.
    pub(crate) control: Fleet,
    /// Its cells.
    pub(crate) regions: BTreeMap<Region, Fleet>,
    /// The most hosts of a cell.
    cell_size: usize,
    /// The region of each host, by its first words.
    of_hosts: BTreeMap<HostId, Region>,
    /// The region of the host that spoke last.
    last: Option<Region>,
    /// Whether a rollout was refused for a floor that only one process can keep.
    pub(crate) is_wide: bool,
    /// Things that a part was told and refused.
    refused: Vec<String>,
    /// Whether nothing comes down to the regions, though what they tell still comes up.
    pub(crate) is_deaf: bool,
}

impl Split {
    pub(crate) fn new(cell_size: usize) -> Self {
        let mut control = Fleet::with_cells_of(cell_size);
        take_form(&mut control, Form::Control);
        Self {
            control,
            regions: BTreeMap::new(),
            cell_size,
            of_hosts: BTreeMap::new(),
            last: None,
            is_wide: false,
            refused: Vec::new(),
            is_deaf: false,
        }
    }

    /// Gives an event to the part that it concerns, and has the links carry what comes of it.
    pub(crate) fn take(&mut self, event: &FleetEvent, now: Timestamp) {
        let parts = self.parts_of(event, now);
        if parts.is_empty() || matches!(event, FleetEvent::OwnerStarted { .. }) {
            self.tell_control(event, now);
        }
        for (region, event) in &parts {
            self.tell_region(region, event, now);
        }
        if let FleetEvent::Host { event, .. } = event
            && let CellEvent::HostForgotten { host } = event
        {
            self.of_hosts.remove(host);
        }
        self.carry(now);
    }

    /// The regions that an event concerns, and what of it each is told. Empty: it is the control plane's.
    fn parts_of(&mut self, event: &FleetEvent, now: Timestamp) -> Vec<(Region, FleetEvent)> {
        if let FleetEvent::OwnerStarted { .. } = event {
            let regions = self.regions.keys();
            return regions.map(|name| (name.clone(), event.clone())).collect();
        }
        if let FleetEvent::Reserved {
            hosts,
            by,
            reason,
            lasts,
        } = event
        {
            return self.divided(hosts, |hosts| FleetEvent::Reserved {
                hosts,
                by: by.clone(),
                reason: reason.clone(),
                lasts: *lasts,
            });
        }
        if let FleetEvent::Unreserved { hosts, by, force } = event {
            return self.divided(hosts, |hosts| FleetEvent::Unreserved {
                hosts,
                by: by.clone(),
                force: *force,
            });
        }
        let region = self.region_told(event, now);
        region
            .map(|region| (region, event.clone()))
            .into_iter()
            .collect()
    }

    /// The one region that an event concerns. Nothing: it is the control plane's.
    fn region_told(&mut self, event: &FleetEvent, now: Timestamp) -> Option<Region> {
        if let FleetEvent::HostConnected { hello } = event {
            let name = hello.host.labels.get(REGION).expect("hosts have regions");
            let region = Region::new(name.to_string()).unwrap();
            let of = self.of_hosts.entry(hello.host.id.clone());
            let region = of.or_insert(region).clone();
            self.know(&region, now);
            self.last = Some(region);
            return self.last.clone();
        }
        if let FleetEvent::Packages { .. } = event {
            return self.last.clone();
        }
        if let FleetEvent::Host { host, .. } = event {
            return Some(self.of_hosts[host].clone());
        }
        if let FleetEvent::Cell { cell, event } = event {
            return (!is_controls(event))
                .then(|| self.region_of(cell))
                .flatten();
        }
        if let FleetEvent::Rollout { event, .. } = event
            && let RolloutEvent::Summarised { summary } = event
        {
            return self.region_of(&summary.cell);
        }
        None
    }

    /// What differs from the fleet as one process has it.
    pub(crate) fn differences(&self, whole: &Fleet) -> Vec<String> {
        let mut found = self.refused.clone();
        let mut differs = |what: &str, is_so: bool| found.extend((!is_so).then(|| what.to_owned()));
        differs(
            "the rollouts differ",
            self.control.rollouts() == whole.rollouts(),
        );
        differs("the homes differ", self.control.homes() == whole.homes());
        differs("the mirror differs", self.control.cells() == whole.cells());
        let regions = self.regions.values().flat_map(|region| region.cells());
        let regions: BTreeMap<_, _> = regions.collect();
        let cells: BTreeMap<_, _> = whole.cells().iter().collect();
        differs("the regions' cells differ", regions == cells);
        differs(
            "the denials differ",
            self.control.denials() == whole.denials(),
        );
        found
    }

    /// What regions have not heard that rollouts told them, where nothing is on its way any more: what a rollout is,
    /// and its stops.
    pub(crate) fn owed(&self) -> Vec<String> {
        let rollouts = self.control.rollouts().iter();
        let cells = rollouts.flat_map(|(name, rollout)| {
            let cells = rollout.cells().iter();
            cells.map(move |(cell, progress)| (name, rollout, cell, progress))
        });
        let owed = cells.filter_map(|(name, rollout, cell, progress)| {
            let region = self.regions.get(self.control.region_of(cell)?)?;
            let work = region
                .cells()
                .get(cell)
                .and_then(|cell| cell.work().get(name));
            let ends = |kind: StopKind| kind == StopKind::End;
            let is_owed = match (work, &progress.wish) {
                (None, Wish::Stop { kind }) if ends(*kind) => false,
                (None, _) => progress.assigned && rollout.is_live(),
                (Some(work), Wish::Stop { .. }) => work.generation() < progress.generation,
                (Some(work), Wish::Nothing | Wish::Start { .. }) => {
                    let stop = work.stop.as_ref().map(|stop| stop.kind);
                    !rollout.is_live() && !stop.is_some_and(ends)
                }
            };
            is_owed.then(|| format!("{cell} has not heard what {name} told it: {progress:?}"))
        });
        owed.collect()
    }

    /// A control plane that lost nothing meets a region whose news it has missed.
    pub(crate) fn copy_all(&mut self, now: Timestamp) {
        for (region, fleet) in &self.regions {
            let event = LinkEvent::Copied {
                region: region.clone(),
                copy: Box::new(fleet.copy()),
            };
            apply(&mut self.control, event, now, &mut self.refused);
        }
        self.carry(now);
    }

    /// Each region's part of what an operator does to hosts.
    fn divided(
        &self,
        hosts: &BTreeSet<HostId>,
        part: impl Fn(BTreeSet<HostId>) -> FleetEvent,
    ) -> Vec<(Region, FleetEvent)> {
        let mut all: BTreeMap<Region, BTreeSet<HostId>> = BTreeMap::new();
        for host in hosts {
            let region = self.of_hosts[host].clone();
            all.entry(region).or_default().insert(host.clone());
        }
        let parts = all.into_iter();
        parts.map(|(region, hosts)| (region, part(hosts))).collect()
    }

    /// Nothing where the cell came to be by what was lost on its way.
    fn region_of(&self, cell: &CellId) -> Option<Region> {
        let has_it = |(_, fleet): &(&Region, &Fleet)| fleet.cells().contains_key(cell);
        let region = self.regions.iter().find(has_it).map(|(region, _)| region);
        region.or_else(|| self.control.region_of(cell)).cloned()
    }

    /// A region of which nobody knew comes to be.
    fn know(&mut self, region: &Region, now: Timestamp) {
        if self.regions.contains_key(region) {
            return;
        }
        let mut fleet = Fleet::with_cells_of(self.cell_size);
        take_form(&mut fleet, Form::Region);
        let epoch = self.control.epoch();
        if epoch.0 > 0 {
            fleet
                .apply(&FleetEvent::OwnerStarted { epoch }, now)
                .unwrap();
        }
        self.regions.insert(region.clone(), fleet);
        let store = Incarnation(self.regions.len() as u64);
        let event = LinkEvent::Joined {
            region: region.clone(),
            store,
            has: None,
        };
        apply(&mut self.control, event, now, &mut self.refused);
        self.carry(now);
    }

    /// Gives an event to the control plane.
    pub(crate) fn tell_control(&mut self, event: &FleetEvent, now: Timestamp) {
        let taken = self.control.apply(event, now);
        self.is_wide |= matches!(taken, Err(FleetError::WideFloor { .. }));
        if let Err(error) = taken {
            self.refused
                .push(format!("the control plane refuses {event:?}: {error:?}"));
        }
    }

    fn tell_region(&mut self, region: &Region, event: &FleetEvent, now: Timestamp) {
        let fleet = self
            .regions
            .get_mut(region)
            .expect("a region that is known");
        if let Err(error) = fleet.apply(event, now) {
            self.refused
                .push(format!("region {region} refuses {event:?}: {error:?}"));
        }
    }

    /// Has the control plane do all that it has to do now. Nothing of it is carried.
    pub(crate) fn decide(&mut self, now: Timestamp) {
        // One that refuses its own decisions would go on for ever.
        for _ in 0..100 {
            let decision = self.control.decide(now);
            let events = decision.commands.iter().flat_map(FleetCommand::events);
            let events: Vec<FleetEvent> = events.collect();
            if events.is_empty() {
                return;
            }
            for event in events {
                self.tell_control(&event, now);
            }
        }
    }

    /// Something happens on the control plane's end of a link.
    pub(crate) fn link(&mut self, event: LinkEvent, now: Timestamp) {
        apply(&mut self.control, event, now, &mut self.refused);
    }

    /// The control plane counts a region as silent that it last heard at a moment, and hears it again.
    pub(crate) fn lose(&mut self, region: &Region, since: Timestamp, now: Timestamp) {
        let of = || region.clone();
        let since = LinkEvent::Silent {
            region: of(),
            since,
        };
        self.link(since, now);
        self.link(LinkEvent::Heard { region: of() }, now);
    }

    /// The control plane hears the next news of a region.
    pub(crate) fn news(&mut self, region: &str, news: News, now: Timestamp) {
        let region = Region::new(region).unwrap();
        let number = self.control.taken_in(&region).news + 1;
        let news = Box::new(news);
        let event = LinkEvent::News {
            region,
            number,
            news,
        };
        self.link(event, now);
    }

    /// A region loses its store. Its hosts connect again, and it dials the control plane.
    pub(crate) fn make_anew(&mut self, region: &Region, now: Timestamp) {
        let mut fleet = Fleet::with_cells_of(self.cell_size);
        take_form(&mut fleet, Form::Region);
        let lost = self.regions.insert(region.clone(), fleet);
        let lost = lost.expect("a region that is known");
        let members = lost
            .cells()
            .values()
            .flat_map(|cell| cell.members().values());
        for member in members {
            let hello = hello(member);
            self.tell_region(region, &FleetEvent::HostConnected { hello }, now);
        }
        let store = Incarnation(1_000);
        let joined = LinkEvent::Joined {
            region: region.clone(),
            store,
            has: None,
        };
        self.link(joined, now);
        let mut fleet = self.regions[region].clone();
        // It has news from the first on, which are of other cells than the mirror's.
        fleet.take_news();
        let copied = LinkEvent::Copied {
            region: region.clone(),
            copy: Box::new(fleet.copy()),
        };
        self.link(copied, now);
        self.regions.insert(region.clone(), fleet);
        let region = self.regions.get_mut(region).expect("it was put there");
        let control = Incarnation(0);
        apply(region, LinkEvent::Met { control }, now, &mut self.refused);
    }

    /// Carries everything to the other ends, until nothing is on its way.
    pub(crate) fn carry(&mut self, now: Timestamp) {
        let Self {
            control,
            regions,
            refused,
            is_deaf,
            ..
        } = self;
        let mut is_moving = true;
        while is_moving {
            is_moving = false;
            for (region, fleet) in regions.iter_mut() {
                is_moving |= carry_up(control, region, fleet, now, refused);
                is_moving |= !*is_deaf && carry_down(control, region, fleet, now, refused);
            }
        }
    }
}

/// What a host says first that has forgotten its past.
pub(crate) fn hello(member: &Member) -> Box<Hello> {
    Box::new(Hello {
        host: member.host.clone(),
        incarnation: member.incarnation,
        boot_id: String::new(),
        version: String::new(),
        in_service: true,
        detail: String::new(),
        open: None,
        newest: None,
    })
}

/// Whether an event of a cell is what a rollout tells it.
pub(crate) fn is_controls(event: &CellEvent) -> bool {
    matches!(
        event,
        CellEvent::Assigned { .. }
            | CellEvent::Excepted { .. }
            | CellEvent::Warranted { .. }
            | CellEvent::Stopped { .. }
    )
}

fn carry_up(
    control: &mut Fleet,
    region: &Region,
    fleet: &mut Fleet,
    now: Timestamp,
    refused: &mut Vec<String>,
) -> bool {
    let news = fleet.take_news();
    let is_moving = !news.is_empty() || !fleet.untaken_summaries().is_empty();
    for (number, news) in news {
        let (region, news) = (region.clone(), Box::new(news));
        let event = LinkEvent::News {
            region,
            number,
            news,
        };
        apply(control, event.clone(), now, refused);
        // What comes twice is taken in once.
        apply(control, event, now, refused);
    }
    for (number, summary) in fleet.untaken_summaries() {
        let (region, summary) = (region.clone(), Box::new(summary.clone()));
        let event = LinkEvent::Summary {
            region,
            number: *number,
            summary,
        };
        apply(control, event.clone(), now, refused);
        apply(control, event, now, refused);
    }
    let up_to = control.taken_in(region).summaries;
    apply(fleet, LinkEvent::SummariesTaken { up_to }, now, refused);
    is_moving
}

fn carry_down(
    control: &mut Fleet,
    region: &Region,
    fleet: &mut Fleet,
    now: Timestamp,
    refused: &mut Vec<String>,
) -> bool {
    let untaken = control.untaken(region).expect("it was met").clone();
    for (number, told) in &untaken {
        let told = Box::new(told.clone());
        let event = LinkEvent::Told {
            number: *number,
            told,
        };
        apply(fleet, event.clone(), now, refused);
        apply(fleet, event, now, refused);
    }
    let failed = fleet.take_refused();
    refused.extend(
        failed
            .iter()
            .map(|error| format!("{region} could not take in: {error:?}")),
    );
    let (region, up_to) = (region.clone(), fleet.told_up_to());
    apply(
        control,
        LinkEvent::ToldTaken { region, up_to },
        now,
        refused,
    );
    !untaken.is_empty()
}

fn apply(fleet: &mut Fleet, event: LinkEvent, now: Timestamp, refused: &mut Vec<String>) {
    let event = FleetEvent::Link { event };
    if let Err(error) = fleet.apply(&event, now) {
        refused.push(format!("{event:?} is refused: {error:?}"));
    }
}

fn take_form(fleet: &mut Fleet, form: Form) {
    let taken = fleet.apply(
        &FleetEvent::FormTaken {
            form,
            store: Incarnation(0),
        },
        Timestamp(0),
    );
    taken.expect("an empty fleet takes any form");
}
