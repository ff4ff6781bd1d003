//! A host with two packages, and a repository with the next versions.

use super::*;
use crate::packages::lab::Deb;

/// A host with `tool` and its `data` at 1, and a repository with 1 and 2 of both.
pub(super) struct Tool {
    pub(super) lab: Lab,
    /// Version 2 of both, as a lock file has them, in order of names.
    pub(super) two: Vec<LockedPackage>,
}

pub(super) fn tool(version: &'static str) -> Deb<'static> {
    let needs = match version {
        "2" => "Depends: data (= 2)\n",
        _ => "Depends: data (= 1)\n",
    };
    Deb::new("tool", version).with(needs)
}

impl Tool {
    pub(super) fn new() -> Self {
        let lab = Lab::new();
        lab.install(&[tool("1"), Deb::new("data", "1")]);
        lab.publish(tool("1"));
        lab.publish(Deb::new("data", "1"));
        let two = vec![lab.publish(Deb::new("data", "2")), lab.publish(tool("2"))];
        Self { lab, two }
    }

    /// An order to go to 2.
    pub(super) fn order(&self) -> Order {
        order("r2", packages(&self.two))
    }

    /// What the files of `tool` and `data` on the host say.
    pub(super) fn versions(&self) -> (String, String) {
        let version = |name| self.lab.installed_file(name).unwrap_or_default();
        (version("tool"), version("data"))
    }
}

pub(super) fn both(version: &str) -> (String, String) {
    (version.to_owned(), version.to_owned())
}
