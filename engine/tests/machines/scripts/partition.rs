//! What happens where the link between the rollouts and a region is cut.

use super::{compare, secs};
use crate::world::{World, file};
use cofferdam_engine::{id::WaveIndex, rollout::Action};

const WAVES: &str = r#"
[[wave]]
name = "canary"
to = "1%"
[[wave]]
name = "most"
to = "80%"
[[wave]]
name = "rest"
to = "100%"
unknown_share = "0%"
[[limits]]
floor = [{ group_by = ["service", "zone"], min_in_service = "50%" }]
"#;

/// Two regions of five hosts each, and a rollout that goes on without one of them; in a region so long
/// lies between two starts.
fn two_regions(spacing: &str) -> World {
    let mut world = World::new();
    world.owner.keeps_holds = true;
    world.add_hosts("web", "r1/a", "plain", 5);
    world.add_hosts("web", "r2/c", "plain", 5);
    world.pass(secs(1));
    let top = "unknown_after = \"5m\"\nunknown_share = \"60%\"\n";
    let top = format!("{top}start_spacing = \"{spacing}\"");
    world.start(&file("ssl", "openssl", &top, WAVES));
    world
}

fn until_wave_runs(world: &mut World, wave: u32) {
    world.until("the wave runs", |world| {
        let running = world.hosts_that_are("ssl", "running");
        let is_there = running
            .iter()
            .any(|host| host.as_str().starts_with("web-c"));
        world.rollout("ssl").wave() == WaveIndex(wave) && is_there
    });
}

#[test]
fn a_region_that_is_cut_off_in_a_wave_goes_on_until_its_warrant_ends_and_the_other_goes_on() {
    let mut world = two_regions("20m");
    until_wave_runs(&mut world, 1);
    let cell = world.cell_of("web-c-1");
    world.cut_cell(&cell);
    world.pass(secs(90 * 60));
    world.mend_cell(&cell);
    compare("partition", world);
}

#[test]
fn a_region_that_is_cut_off_in_the_canary_is_waited_for() {
    let mut world = two_regions("0s");
    until_wave_runs(&mut world, 0);
    let cell = world.cell_of("web-c-1");
    world.cut_cell(&cell);
    world.pass(secs(45 * 60));
    world.mend_cell(&cell);
    compare("partition_in_canary", world);
}

#[test]
fn a_rollback_reaches_a_region_that_was_cut_off_before_it_starts_anything() {
    let mut world = two_regions("0s");
    until_wave_runs(&mut world, 1);
    let cell = world.cell_of("web-c-1");
    world.cut_cell(&cell);
    // It is lost: nobody has noticed yet.
    world.ask("ssl", Action::Pause);
    world.pass(secs(60));
    world.ask("ssl", Action::Rollback);
    world.pass(secs(15 * 60));
    world.mend_cell(&cell);
    compare("partition_and_rollback", world);
}
