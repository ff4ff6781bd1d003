//! How long the owner waits for a host whose change has begun.

use super::{AT_ONCE, floor, mins};
use crate::world::{Does, Step, World, file};

/// What the owner makes of a host on which the patch goes in so, as long as it is not heard of again.
fn outcome(top: &str, reboot: &str, apply: Does) -> &'static str {
    let mut world = World::new().hosts("web", "r1/a", 4);
    let kind = "kind = \"packages\"";
    let text = file("ssl", "openssl", top, &(AT_ONCE.to_owned() + &floor("75%")));
    world.start(&text.replace(kind, &format!("{kind}\nreboot = \"{reboot}\"")));
    let first = world.turns("ssl", 0).remove(0);
    world.always(first.as_str(), Step::Apply, apply);
    world.until("the first is over", |world| {
        ["passed", "silent"].contains(&world.outcome("ssl", &first))
    });
    world.outcome("ssl", &first)
}

#[test]
fn a_change_of_six_minutes_is_late_only_where_there_is_no_reboot() {
    let (slow, reboots) = (Does::Well(mins(6)), Does::NeedsReboot(mins(6)));
    for (top, reboot, apply, expected) in [
        ("", "never", slow, "silent"),
        ("", "if-required", slow, "silent"),
        ("", "if-required", reboots, "passed"),
        ("", "always", slow, "passed"),
        ("late_deadline = \"15m\"", "never", slow, "passed"),
        ("late_deadline = \"15m\"", "if-required", slow, "passed"),
    ] {
        assert_eq!(
            outcome(top, reboot, apply),
            expected,
            "{reboot}, {apply:?}, {top}"
        );
    }
}
