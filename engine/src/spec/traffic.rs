//! The `[traffic]` table of a rollout file: what it says otherwise than its hosts do.

use super::Refusal;
use crate::{
    document::{Table, quote},
    duration,
    policy::Deadlines,
    traffic::{OnExpiry, RampSteps, TrafficWish, longest_ramp},
};

/// Reads the table; what is absent or wrong is as each host says.
pub(super) fn read(top: &mut Table<'_, Refusal>, deadlines: &Deadlines) -> TrafficWish {
    let Some(mut table) = top.table("traffic", "[traffic]") else {
        return TrafficWish::default();
    };
    let wish = TrafficWish {
        on_expiry: table.choice("on_expiry", &OnExpiry::WORDS),
        ramp: table.duration("ramp"),
        ramp_steps: ramp_steps(&mut table),
    };
    if let Some(ramp) = wish.ramp
        && ramp > longest_ramp(deadlines.drain)
    {
        let why = Refusal::RampTooLong {
            ramp: duration::format(ramp),
            drain: duration::format(deadlines.drain),
        };
        table.refuse("ramp", why);
    }
    table.finish(&[], &[]);
    wish
}

fn ramp_steps(table: &mut Table<'_, Refusal>) -> Option<RampSteps> {
    match RampSteps::parse(&table.texts("ramp_steps")?) {
        Ok(steps) => Some(steps),
        Err(why) => {
            table.refuse("ramp_steps", why);
            None
        }
    }
}

/// The table, as a file says it in one line.
pub(super) fn entry(wish: &TrafficWish) -> String {
    let TrafficWish {
        on_expiry,
        ramp,
        ramp_steps,
    } = wish;
    let said = [
        on_expiry.map(|word| format!("on_expiry = {}", quote(&word.to_string()))),
        ramp.map(|ramp| format!("ramp = {}", quote(&duration::format(ramp)))),
        ramp_steps
            .as_ref()
            .map(|steps| format!("ramp_steps = {steps}")),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    match said.is_empty() {
        true => "{}".to_owned(),
        false => format!("{{ {} }}", said.join(", ")),
    }
}
