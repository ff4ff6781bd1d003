//! A fleet as a file.

use crate::render::View;
use cofferdam_engine::modelled_fleet::ModelledFleet;
use serde::Serialize;

/// A fleet file.
#[derive(Debug, Serialize)]
pub struct FleetFile {
    /// How many hosts it has.
    pub hosts: usize,
    /// How many kinds of hosts that are alike.
    pub kinds: usize,
    /// The file's text.
    pub toml: String,
}

impl FleetFile {
    /// The file of a fleet, which begins with lines for people.
    pub fn new(fleet: &ModelledFleet, head: &[String]) -> Self {
        let head: String = head.iter().map(|line| format!("# {line}\n")).collect();
        Self {
            hosts: fleet.len(),
            kinds: fleet.kinds().len(),
            toml: format!("{head}\n{fleet}"),
        }
    }
}

impl View for FleetFile {
    fn text(&self) -> String {
        self.toml.clone()
    }
}
