//! Fans: in which order the regions of a wave open.

use super::Refusal;
use crate::{
    document::{Table, quote},
    id::Region,
};
use std::{collections::BTreeSet, fmt};

/// In which order the regions of a wave open: turns, one after the other, and the regions of a turn
/// side by side. Not empty, no turn is empty, no region is in it twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fan(Vec<Vec<FanRegion>>);

/// A region of a fan, by its name or by what it is among the regions of the selected hosts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FanRegion {
    /// Of those that the fan does not name, the one with the fewest selected hosts.
    First,
    /// Of those that the fan does not name and that are not the first, the one with the most
    /// selected hosts; of several such the one with the most strata.
    Largest,
    /// The one of this name.
    Named(Region),
    /// All that the fan has not said otherwise. Only in the last turn.
    Rest,
}

const WORDS: [(&str, FanRegion); 3] = [
    ("first", FanRegion::First),
    ("largest", FanRegion::Largest),
    ("rest", FanRegion::Rest),
];

impl Fan {
    /// The turns in order.
    pub fn turns(&self) -> &[Vec<FanRegion>] {
        &self.0
    }

    /// Reads `fan`. Nothing when the table has none, and when it is wrong.
    pub(super) fn read(table: &mut Table<'_, Refusal>) -> Option<Self> {
        let lists = table.text_lists("fan")?;
        if lists.is_empty() || lists.iter().any(Vec::is_empty) {
            table.refuse("fan", Refusal::EmptyTurn);
            return None;
        }
        let last = lists.len() - 1;
        let mut seen = BTreeSet::new();
        let mut turns: Option<Vec<Vec<FanRegion>>> = Some(vec![Vec::new(); lists.len()]);
        for (turn, text) in (0..)
            .zip(&lists)
            .flat_map(|(i, l)| l.iter().map(move |t| (i, t)))
        {
            let why = match FanRegion::parse(text.text) {
                Err(why) => why,
                Ok(FanRegion::Rest) if turn != last => Refusal::RestNotLast,
                Ok(region) if !seen.insert(region.clone()) => {
                    Refusal::RegionTwice(text.text.to_owned())
                }
                Ok(region) => {
                    turns
                        .iter_mut()
                        .for_each(|turns| turns[turn].push(region.clone()));
                    continue;
                }
            };
            table.refuse_at(text.span.start, "fan", why);
            turns = None;
        }
        turns.map(Self)
    }
}

impl Default for Fan {
    /// First, largest, then the rest side by side (S3's practice).
    fn default() -> Self {
        Self(vec![
            vec![FanRegion::First],
            vec![FanRegion::Largest],
            vec![FanRegion::Rest],
        ])
    }
}

/// Writes it as a file says it.
impl fmt::Display for Fan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let turn = |turn: &Vec<FanRegion>| {
            let words: Vec<String> = turn.iter().map(|region| quote(region.word())).collect();
            format!("[{}]", words.join(", "))
        };
        let turns: Vec<String> = self.0.iter().map(turn).collect();
        write!(f, "[{}]", turns.join(", "))
    }
}

impl FanRegion {
    fn parse(text: &str) -> Result<Self, Refusal> {
        if let Some((_, known)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(known.clone());
        }
        Ok(Self::Named(Region::new(text)?))
    }

    fn word(&self) -> &str {
        match self {
            Self::First => "first",
            Self::Largest => "largest",
            Self::Rest => "rest",
            Self::Named(region) => region.as_str(),
        }
    }
}
