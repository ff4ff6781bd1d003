//! Two regions of forty agents each in bad weather: which links are cut or slow, and which processes die, and when, is
//! drawn by the seed, over a network that says things twice, late and out of order. An operator has a host for some
//! seconds meanwhile.

use crate::{assert_every_host_is_patched_once, seeds, split};
use cofferdam_engine::{id::HostId, seed};
use cofferdam_tests::simulation::{Fault, Scene};
use std::{ops::Range, time::Duration};

/// Agents in each of the four racks, so that each region has forty.
const MANY: usize = 20;

/// What goes wrong in one scene.
const FAULTS: u64 = 4;

/// When something begins to go wrong: from the first order on, until most hosts are patched (measured).
const BEGINS_MS: Range<u64> = 3_000..30_000;

/// For how long: from what nobody notices to far longer than three heartbeats.
const LASTS_MS: Range<u64> = 500..15_000;

/// Seeds that found something: an act that came again by a region's link, and was done again.
const FOUND: [u64; 1] = [8];

/// Numbers that a seed repeats.
struct Draws(u64, u64);

impl Draws {
    fn within(&mut self, range: Range<u64>) -> u64 {
        self.1 += 1;
        let drawn = seed::of(&["weather", &self.0.to_string(), &self.1.to_string()]);
        range.start + drawn % (range.end - range.start)
    }
}

/// What can go wrong with one process or its link, and what mends it. The control plane is the last.
fn faults_of(process: u64) -> Vec<[Fault; 2]> {
    let number = process as usize;
    match number {
        0..4 => vec![
            [Fault::Cut(number), Fault::Mend(number)],
            [Fault::KillRack(number), Fault::StartRack(number)],
            [Fault::Slow(number), Fault::Quick(number)],
        ],
        4..6 => vec![
            [Fault::CutRegion(number - 4), Fault::MendRegion(number - 4)],
            [
                Fault::KillRegion(number - 4),
                Fault::StartRegion(number - 4),
            ],
            [Fault::KillRegion(number - 4), Fault::BootRegion(number - 4)],
        ],
        _ => vec![[Fault::KillCoordinator, Fault::StartCoordinator]],
    }
}

/// Each process has one thing go wrong at most, so that what mends it is clear; several go wrong at once.
fn bad_weather(seed: u64) -> Scene {
    let mut draws = Draws(seed, 0);
    let mut processes: Vec<u64> = (0..7).collect();
    let mut faults = Vec::new();
    for _ in 0..FAULTS {
        let drawn = draws.within(0..processes.len() as u64);
        let process = processes.remove(drawn as usize);
        let kinds = faults_of(process);
        let [fault, mended] = kinds[draws.within(0..kinds.len() as u64) as usize];
        let begins = draws.within(BEGINS_MS);
        let ends = begins + draws.within(LASTS_MS);
        faults.push((Duration::from_millis(begins), fault));
        faults.push((Duration::from_millis(ends), mended));
    }
    faults.sort_by_key(|(at, _)| *at);
    let host = HostId::new("z0-03").expect("a good name");
    Scene {
        seats: MANY,
        unruly: true,
        // For less time than an ask for it may come again.
        taken: Some((host, Duration::from_secs(1)..Duration::from_secs(4))),
        ..split(seed, faults)
    }
}

#[test]
fn eighty_agents_of_two_regions_are_patched_once_whatever_the_weather_is() {
    for seed in FOUND.into_iter().chain(0..).take(seeds() as usize) {
        let scene = bad_weather(seed);
        let ending = scene.play();
        assert_every_host_is_patched_once(&ending);
    }
}
