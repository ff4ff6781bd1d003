//! A person takes a host at its keyboard: it is entered when it is heard of.

use super::{AT_ONCE, floor, mins, secs};
use crate::world::{Crash, World, file, id};
use cofferdam_engine::id::HostId;
use std::time::Duration;

/// Eight hosts of which two may be out, and a rollout over all of them that is ready to start.
fn started() -> World {
    let mut world = World::new().hosts("web", "r1/a", 8);
    let text = AT_ONCE.to_owned() + &floor("75%");
    world.start(&file("ssl", "openssl", "", &text));
    world
}

impl World {
    fn tell_window(&mut self, host: &HostId, lasts: Option<Duration>) {
        self.try_tell_window(host, lasts).unwrap();
    }

    /// Whom the ledger says that a host is held by.
    fn holder(&self, host: &HostId) -> Option<String> {
        let (cell, _) = self.owner.fleet.host(host)?;
        Some(cell.ledger().entry(host)?.holder.to_string())
    }
}

const PERSON: &str = "uid 1000 at the host (full disk)";

#[test]
fn no_rollout_starts_a_host_that_a_person_has_and_the_hold_says_who_and_until_when() {
    let mut world = started();
    let host = id("web-a-1");
    world.tell_window(&host, Some(mins(60)));
    let until = world.now.after(mins(60));
    world.pass(mins(50));

    assert_eq!(world.count("ssl", "passed"), 7);
    let holds = world.holds();
    let held = holds.iter().find(|hold| hold.reason.rule() == "held");
    let reason = &held.expect("it is held").reason;
    assert_eq!(reason.to_string(), format!("the host is held by {PERSON}"));
    assert_eq!(reason.until(), Some(until));

    world.wait_for("ssl", "done");
    assert!(world.now >= until, "it waits until the window ends");
    assert_eq!(world.count("ssl", "passed"), 8);
    world.assert_sound();
}

#[test]
fn a_window_that_is_closed_gives_its_host_back_at_once() {
    let mut world = started();
    let host = id("web-a-1");
    world.tell_window(&host, Some(mins(600)));
    world.pass(mins(10));
    assert_eq!(world.holder(&host).as_deref(), Some(PERSON));
    world.tell_window(&host, None);
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 8);
    world.assert_sound();
}

#[test]
fn a_host_that_a_person_has_takes_up_the_allowance() {
    let mut world = started();
    for name in ["web-a-1", "web-a-2"] {
        world.tell_window(&id(name), Some(mins(30)));
    }
    world.pass(mins(20));
    assert_eq!(world.orders().count(), 0);
    let refused = world.try_reserve("anna", &[id("web-a-1")], mins(5));
    let refused = refused.unwrap_err().to_string();
    assert_eq!(refused, format!("host web-a-1 is held by {PERSON}"));
    let back = world.try_unreserve("anna", &[id("web-a-1")], true);
    assert_eq!(
        back.unwrap_err().to_string(),
        "host web-a-1 is reserved by no operator"
    );
    world.wait_for("ssl", "done");
    world.assert_sound();
}

#[test]
fn a_window_at_a_host_that_somebody_has_is_entered_when_it_is_given_back() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    let host = id("web-a-1");
    let one = [host.clone()];
    world.try_reserve("anna", &one, mins(10)).unwrap();
    world.tell_window(&host, Some(mins(30)));
    assert_eq!(world.holder(&host).as_deref(), Some("anna (new disk)"));
    world.try_unreserve("anna", &one, false).unwrap();
    assert_eq!(world.holder(&host).as_deref(), Some(PERSON));
    world.pass(mins(31));
    assert_eq!(world.holder(&host), None);
    world.assert_sound();
}

#[test]
fn an_order_that_a_window_overtakes_is_not_let_past_its_claim() {
    let mut world = started();
    let first = world.turns("ssl", 0).remove(0);
    world.until("an order is out", |world| world.active(&first).is_some());
    world.tell_window(&first, Some(mins(30)));
    world.pass(mins(1));
    assert_eq!(world.holder(&first).as_deref(), Some(PERSON));
    assert!(world.active(&first).is_none());
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 8);
    world.assert_sound();
}

#[test]
fn a_host_that_fell_is_taken_and_counts_as_fallen_again_afterwards() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    let host = id("web-a-1");
    world.fall(&host);
    world.pass(secs(1));
    world.tell_window(&host, Some(mins(10)));
    assert_eq!(world.holder(&host).as_deref(), Some(PERSON));
    world.pass(mins(11));
    assert_eq!(world.ledger(), [(host, "casualty")]);
    world.assert_sound();
}

#[test]
fn a_window_outlives_the_coordinator_and_ends_at_its_time() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    let host = id("web-a-1");
    world.tell_window(&host, Some(mins(10)));
    world.crash_owner(Crash::BeforeSend, mins(2));
    world.pass(mins(5));
    assert_eq!(world.holder(&host).as_deref(), Some(PERSON));
    world.crash_owner(Crash::BeforeSend, mins(9));
    world.pass(mins(10));
    assert_eq!(world.holder(&host), None);
    world.assert_sound();
}
