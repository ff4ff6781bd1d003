//! The `[[waiver]]` tables of a rollout file.

use super::{Refusal, few_tables, settings_keys};
use crate::{
    date::Date,
    document::{Table, quote},
};
use std::fmt::Write as _;

/// Lets a rollout start though its first wave has no host of a stratum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The stratum, as plans show it: `instance_type=r5.24xlarge`. Each has one waiver at most.
    pub stratum: String,
    /// Why, for people. Not empty.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Date,
}

/// All waivers of a file. Nothing when one is wrong.
pub(super) fn read_all(top: &mut Table<'_, Refusal>) -> Option<Vec<Waiver>> {
    let tables = few_tables(top, "waiver").unwrap_or_default();
    let mut waivers: Vec<Waiver> = Vec::new();
    let mut is_whole = true;
    for mut table in tables {
        let waiver = read(&mut table);
        let twice = |waiver: &Waiver| waivers.iter().any(|w| w.stratum == waiver.stratum);
        if waiver.as_ref().is_some_and(twice) {
            table.refuse("stratum", Refusal::WaivedTwice);
        }
        table.finish(&[], &settings_keys());
        is_whole &= waiver.is_some();
        waivers.extend(waiver);
    }
    is_whole.then_some(waivers)
}

fn read(table: &mut Table<'_, Refusal>) -> Option<Waiver> {
    table.require("stratum", "stratum = \"instance_type=r5.24xlarge\"");
    table.require("reason", "reason = \"one left, goes next month\"");
    table.require("expires", "expires = \"2026-12-31\"");
    let stratum = table.text("stratum", |text| {
        let is_one = text
            .split_once('=')
            .is_some_and(|(label, _)| !label.is_empty());
        is_one.then(|| text.to_owned()).ok_or(Refusal::NoStratum)
    });
    let reason = table.text("reason", |text| {
        let is_said = !text.trim().is_empty();
        is_said.then(|| text.to_owned()).ok_or(Refusal::NoReason)
    });
    let expires = table.text("expires", Date::parse);
    Some(Waiver {
        stratum: stratum?,
        reason: reason?,
        expires: expires?,
    })
}

/// Waivers as a file says them.
pub(super) fn text(waivers: &[Waiver]) -> String {
    let mut text = String::new();
    for waiver in waivers {
        let Waiver {
            stratum,
            reason,
            expires,
        } = waiver;
        writeln!(
            text,
            "\n[[waiver]]\nstratum = {}\nreason = {}\nexpires = \"{expires}\"",
            quote(stratum),
            quote(reason)
        )
        .expect("a String takes all that is written to it");
    }
    text
}
