//! The `[[wave]]` tables of a rollout file.

use super::{Fan, Refusal, few_tables, settings::Settings, settings_keys};
use crate::{document::Table, id::WaveName, policy::Profile, select::Selection, share::Share};
use std::{cmp::Ordering, time::Duration};

/// A stage of a rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave {
    /// Its name, unique within the rollout.
    pub name: WaveName,
    /// Up to where it goes.
    pub size: WaveSize,
    /// Which selected hosts it may take. Absent: all.
    pub selection: Option<Selection>,
    /// The wait after it while gates watch.
    pub bake: Duration,
    /// The most of its cells that work at once. At least 1.
    pub cells_at_once: usize,
    /// The wait between a cell's end and the next cell's start.
    pub gap: Duration,
    /// The wait after a zone of a region before the region's next zone.
    pub zone_bake: Duration,
    /// The share of its hosts that may be left out because their cells are unknown; none may in the
    /// first wave.
    pub unknown_share: Share,
    /// In which order its regions open. Absent: in that of the rollout.
    pub fan: Option<Fan>,
}

/// Up to where a wave goes, said cumulatively: hosts that earlier waves took count.
///
/// A wave with a selection of its own counts only the hosts of that selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaveSize {
    /// Up to this share of the selected hosts, rounded up. More than 0 %.
    To(Share),
    /// Up to this many hosts. At least 1.
    Hosts(usize),
    /// All selected hosts of this many cells of each region. At least 1.
    CellsPerRegion(usize),
}

impl WaveSize {
    /// How far it goes beside another. Nothing when they are said in different units.
    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::To(a), Self::To(b)) => Some(a.cmp(&b)),
            (Self::Hosts(a), Self::Hosts(b))
            | (Self::CellsPerRegion(a), Self::CellsPerRegion(b)) => Some(a.cmp(&b)),
            (Self::To(_) | Self::Hosts(_) | Self::CellsPerRegion(_), _) => None,
        }
    }
}

const SIZES: [&str; 3] = ["to", "hosts", "cells_per_region"];

/// Keys whose part is not built.
const NOT_BUILT: [&str; 4] = ["approval", "gates", "promote", "window"];

/// What one `[[wave]]` table says; what it does not say comes from elsewhere.
#[derive(Debug)]
pub(super) struct WaveFragment {
    name: Option<WaveName>,
    size: Option<WaveSize>,
    selection: Option<Selection>,
    bake: Option<Duration>,
    cells_at_once: Option<usize>,
    gap: Option<Duration>,
    zone_bake: Option<Duration>,
    unknown_share: Option<Share>,
    fan: Option<Fan>,
}

impl WaveFragment {
    /// All waves of a file, or those of its profile. Mistakes that need other waves to be seen are
    /// noted too.
    pub(super) fn read_all(top: &mut Table<'_, Refusal>, profile: Profile) -> Vec<Self> {
        let Some(tables) = few_tables(top, "wave") else {
            return profile.waves().map(Self::default_wave).into();
        };
        if tables.is_empty() {
            top.refuse("wave", Refusal::NoWaves);
        }
        let mut waves: Vec<Self> = Vec::new();
        for mut table in tables {
            let wave = Self::read(&mut table);
            wave.check_after(&waves, &table);
            table.finish(&NOT_BUILT, &settings_keys());
            waves.push(wave);
        }
        waves
    }

    fn default_wave((name, share): (&str, Share)) -> Self {
        let name = WaveName::new(name).expect("the default waves have good names");
        Self {
            name: Some(name),
            size: Some(WaveSize::To(share)),
            selection: None,
            bake: None,
            cells_at_once: None,
            gap: None,
            zone_bake: None,
            unknown_share: None,
            fan: None,
        }
    }

    fn read(table: &mut Table<'_, Refusal>) -> Self {
        table.require("name", "name = \"canary\"");
        Self {
            name: table.text("name", |text| WaveName::new(text)),
            size: size(table),
            selection: table.selection("match"),
            bake: table.duration("bake"),
            cells_at_once: table.count("cells_at_once", 1),
            gap: table.duration("gap"),
            zone_bake: table.duration("zone_bake"),
            unknown_share: table.share("unknown_share"),
            fan: Fan::read(table),
        }
    }

    /// Notes what is wrong with it beside the waves before it.
    fn check_after(&self, before: &[Self], table: &Table<'_, Refusal>) {
        let taken = before.iter().find(|wave| wave.name == self.name);
        if let Some(name) = taken.and_then(|wave| wave.name.clone()) {
            table.refuse("name", Refusal::WaveNameTaken(name));
        }
        let Some(size) = self.size else { return };
        let shrinks = |wave: &&Self| {
            wave.selection == self.selection
                && wave
                    .size
                    .is_some_and(|before| size.compare(before) == Some(Ordering::Less))
        };
        let Some(before) = before.iter().find(shrinks) else {
            return;
        };
        if let (Some(key), Some(before)) = (SIZES.iter().find(|key| table.has(key)), &before.name) {
            let before = before.clone();
            table.refuse(key, Refusal::Shrinks { before });
        }
    }
}

/// The size of a wave. Nothing, and a mistake, when it says none, several, or a wrong one.
fn size(table: &mut Table<'_, Refusal>) -> Option<WaveSize> {
    let said: Vec<_> = SIZES.iter().filter(|key| table.has(key)).collect();
    let to = table.share("to");
    let hosts = table.count("hosts", 1);
    let cells = table.count("cells_per_region", 1);
    if said.is_empty() {
        table.require("to", "to = \"10%\"");
    }
    if let Some(second) = said.get(1) {
        table.refuse(second, Refusal::SizeTwice);
        return None;
    }
    if to == Some(Share::percent(0)) {
        table.refuse("to", Refusal::NoSize);
        return None;
    }
    to.map(WaveSize::To)
        .or(hosts.map(WaveSize::Hosts))
        .or(cells.map(WaveSize::CellsPerRegion))
}

/// The waves with all that their file leaves to defaults. Nothing when one is wrong.
///
/// A wave that says no bake has that of the file's top, but for the last one: nothing waits for
/// its bake, so it has none.
pub(super) fn check(fragments: &[WaveFragment], settings: &Settings) -> Option<Vec<Wave>> {
    let last = fragments.len().checked_sub(1)?;
    fragments
        .iter()
        .enumerate()
        .map(|(place, wave)| {
            let default_bake = if place == last {
                Duration::ZERO
            } else {
                settings.bake
            };
            Some(Wave {
                name: wave.name.clone()?,
                size: wave.size?,
                selection: wave.selection.clone(),
                bake: wave.bake.unwrap_or(default_bake),
                cells_at_once: wave.cells_at_once.unwrap_or(settings.pace.cells_at_once),
                gap: wave.gap.unwrap_or(settings.pace.cells_gap),
                zone_bake: wave.zone_bake.unwrap_or(settings.zone_bake),
                unknown_share: wave.unknown_share.unwrap_or(settings.unknown_share),
                fan: wave.fan.clone(),
            })
        })
        .collect()
}
