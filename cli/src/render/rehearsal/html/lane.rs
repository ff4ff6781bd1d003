//! Lanes: rows of a picture of time, each with its name to the left.

use super::{
    axis::{LEFT, RIGHT, Tenths, TimeAxis},
    wide,
};
use maud::{Markup, html};

/// How wide a letter is at most, in units of the sheet, at the size of a lane's words.
const LETTER: u64 = 6;

/// How far words keep from the edges.
const GAP: u64 = 12;

/// How short a bar may be: what took no time is still to be seen.
const SHORTEST: u64 = 20;

/// A row of a picture of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lane {
    /// What it is about.
    pub(super) label: String,
    /// What happened. The later in the list lies above the earlier.
    pub(super) items: Vec<Item>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// It lasted.
    Bar {
        /// Since when, in milliseconds.
        from_ms: u64,
        /// Until when, in milliseconds.
        to_ms: u64,
        /// A class of `page.css`.
        class: &'static str,
        /// What is said of it to who points at it.
        says: String,
    },
    /// It struck: a triangle.
    Strike {
        /// When, in milliseconds.
        at_ms: u64,
        /// What is said of it to who points at it.
        says: String,
    },
    /// Somebody saw it: a circle.
    Sight {
        /// When, in milliseconds.
        at_ms: u64,
        /// What is said of it to who points at it.
        says: String,
    },
    /// Words beside a stretch of time, after it or, where there is more room, before it. Cut short where
    /// that is not enough.
    Words {
        /// Since when, in milliseconds.
        from_ms: u64,
        /// Until when, in milliseconds.
        to_ms: u64,
        /// The words.
        words: String,
    },
}

/// How a group of lanes is spread over the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spacing {
    /// From lane to lane.
    pub(super) pitch: u64,
    /// How thick a bar is.
    pub(super) bar: u64,
    /// A class of `page.css`, for the size of the labels.
    pub(super) class: &'static str,
}

/// Draws lanes below each other.
pub(super) fn draw(lanes: &[Lane], axis: &TimeAxis, top: u64, spacing: Spacing) -> Markup {
    let rows = (top..).step_by(usize::try_from(spacing.pitch).unwrap_or(1));
    html! {
        @for (lane, row) in lanes.iter().zip(rows) {
            @let middle = row * 10 + spacing.pitch * 5;
            text class=(spacing.class) x=(LEFT - 10) y=(Tenths(middle + 36)) text-anchor="end" {
                (cut(&lane.label, (LEFT - 20) / LETTER))
            }
            @for item in &lane.items { (draw_item(item, axis, middle, spacing)) }
        }
    }
}

fn draw_item(item: &Item, axis: &TimeAxis, middle: u64, spacing: Spacing) -> Markup {
    match item {
        Item::Bar {
            from_ms,
            to_ms,
            class,
            says,
        } => {
            let (from, to) = (axis.x(*from_ms), axis.x(*to_ms));
            let long = to.0.saturating_sub(from.0).max(SHORTEST);
            let from = from.0.min(RIGHT * 10 - long);
            let y = Tenths(middle - spacing.bar * 5);
            html! {
                rect class=(class) x=(Tenths(from)) y=(y) width=(Tenths(long)) height=(spacing.bar)
                    rx="1.5" { title { (says) } }
            }
        }
        Item::Strike { at_ms, says } => {
            let (x, top) = (axis.x(*at_ms).0, Tenths(middle - 50));
            let corner = Tenths(x - 55);
            html! { path.strike d={ "M" (corner) " " (top) "h11l-5.5 10z" } { title { (says) } } }
        }
        Item::Sight { at_ms, says } => html! {
            circle.sight cx=(axis.x(*at_ms)) cy=(Tenths(middle)) r="4.5" { title { (says) } }
        },
        Item::Words {
            from_ms,
            to_ms,
            words,
        } => draw_words(axis.x(*from_ms), axis.x(*to_ms), words, middle),
    }
}

fn draw_words(from: Tenths, to: Tenths, words: &str, middle: u64) -> Markup {
    let (before, after) = (from.0 / 10 - LEFT, RIGHT - to.0 / 10);
    let long = wide(words.chars().count()).saturating_mul(LETTER) + GAP;
    let (x, anchor, room) = match long > after && before > after {
        true => (from.0 - 100, "end", before),
        false => (to.0 + 100, "start", after),
    };
    html! {
        text.words x=(Tenths(x)) y=(Tenths(middle + 38)) text-anchor=(anchor) {
            title { (words) }
            (cut(words, room.saturating_sub(GAP) / LETTER))
        }
    }
}

/// The first so many letters, of which the last says that there are more.
pub(super) fn cut(text: &str, most: u64) -> String {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let kept = text.chars().take(most.saturating_sub(1));
            kept.chain(['…']).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_only_where_it_is_too_long() {
        let cases = [("größe", 5, "größe"), ("größer", 5, "größ…"), ("", 5, "")];
        for (text, most, shown) in cases {
            assert_eq!(cut(text, most), shown);
        }
    }
}
