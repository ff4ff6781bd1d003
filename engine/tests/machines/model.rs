//! Histories drawn from seeds: faults and operators at random, then peace, and everything must come
//! to its end.
//!
//! `COFFERDAM_HISTORIES` is how many, `COFFERDAM_SEED` the first seed. A seed that failed once is
//! written to `model/seeds.txt`, with what it showed, and is run first ever after; the smallest
//! history that fails in the same way is printed.

mod draw;
mod history;
mod moves;
mod setup;

use crate::env;
use draw::Draw;
use history::{Failed, play};
use moves::{Move, draw_moves};
use setup::Setup;
use std::{
    fmt::Write as _,
    fs,
    num::NonZero,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Histories when nothing else is said: what a continuous build has time for.
const HISTORIES: u64 = 2_000;

/// Times that a smaller history is tried for, to show the smallest that fails.
const MAX_SMALLER: usize = 600;

#[test]
fn no_history_breaks_a_promise_or_hangs() {
    let number = |name| env(name).map(|text| text.parse::<u64>().expect("a number"));
    let count = number("COFFERDAM_HISTORIES").unwrap_or(HISTORIES);
    let first = number("COFFERDAM_SEED").unwrap_or(1);
    let seeds: Vec<u64> = known_seeds()
        .into_iter()
        .chain(first..first + count)
        .collect();
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    run(*seed);
                }
            });
        }
    });
}

fn run(seed: u64) {
    let mut draw = Draw::new(seed);
    let setup = Setup::draw(&mut draw);
    let moves = draw_moves(&mut draw, &setup);
    let Err(failed) = play(&setup, &moves) else {
        return;
    };
    keep(seed);
    let (moves, failed) = smallest(&setup, moves, failed);
    let mut text = String::new();
    for (wait, deed) in &moves {
        writeln!(text, "  after {} ms: {deed:?}", wait.as_millis()).expect("a String takes all");
    }
    panic!("seed {seed}: {setup:#?}\n{text}{failed}");
}

/// Leaves out moves as long as the rest still fails in the same way.
fn smallest(setup: &Setup, mut moves: Vec<Move>, mut failed: Failed) -> (Vec<Move>, Failed) {
    let mut tries = 0;
    let mut place = 0;
    while place < moves.len() && tries < MAX_SMALLER {
        let mut fewer = moves.clone();
        let (wait, _) = fewer.remove(place);
        if let Some((next, _)) = fewer.get_mut(place) {
            *next += wait;
        }
        tries += 1;
        match play(setup, &fewer) {
            Err(smaller) if smaller.is_like(&failed) => {
                moves = fewer;
                failed = smaller;
            }
            Ok(()) | Err(_) => place += 1,
        }
    }
    (moves, failed)
}

fn seeds_file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/machines/model/seeds.txt")
}

fn known_seeds() -> Vec<u64> {
    let text = fs::read_to_string(seeds_file()).expect("the file of seeds is in the repository");
    let first_word = |line: &str| line.split_whitespace().next().map(ToOwned::to_owned);
    let words = text.lines().filter(|line| !line.starts_with('#'));
    words
        .filter_map(first_word)
        .map(|word| word.parse().expect("a line begins with its seed"))
        .collect()
}

/// Adds a seed to those that are run first.
fn keep(seed: u64) {
    if known_seeds().contains(&seed) {
        return;
    }
    let mut text = fs::read_to_string(seeds_file()).expect("it was read before");
    writeln!(text, "{seed}").expect("a String takes all");
    // Where the sources are read-only, the seed is in the panic's text.
    fs::write(seeds_file(), text).ok();
}
