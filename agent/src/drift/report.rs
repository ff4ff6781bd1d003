//! What drift was found, for people, for programs, and for whoever carries it on.

use super::{
    contents::{Contents, FileFacts, Holds, differences},
    image::Sealed,
    logs::{Became, Cause, Causes},
};
use crate::host::root::Root;
use cofferdam_engine::{
    digest::Digest,
    drift::{DRIFT_LINES, DriftSummary},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The most changes that are listed, packages first; the others are counted (guess: more is another
/// image, not drift).
pub const MOST_CHANGES: usize = 200;

/// How many changes a line for people names.
const NAMED: usize = 3;

/// What drift was found on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// When just this was found first, by the agent's clock.
    pub found_at: Timestamp,
    /// What the host was compared with. Absent: it is not sealed, or its seal cannot be used.
    pub image: Option<ImageFacts>,
    /// How the host stands to it.
    pub standing: Standing,
    /// What drift does to this host now.
    pub effect: Effect,
    /// What is otherwise than expected, at most [`MOST_CHANGES`], packages first, each kind in order.
    pub changes: Vec<Change>,
    /// How many more changes there are.
    pub more: u64,
    /// The logs that could not be asked for causes, each with why.
    pub unread: Vec<String>,
}

/// What a host was compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// The digest of the seal.
    pub seal: Digest,
    /// When it was sealed.
    pub sealed_at: Timestamp,
    /// How many packages were on it.
    pub packages: u64,
    /// How many files were recorded.
    pub files: u64,
}

/// How a host stands to its image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Standing {
    /// It is of no sealed image, so nothing is expected of it.
    Unsealed,
    /// It is as it was sealed, or as orders have made it since.
    Same,
    /// It is not.
    Drifted,
    /// That cannot be told.
    Unknown {
        /// Why not, in one line.
        why: String,
    },
}

/// What drift does to a host now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It keeps it out of traffic: the host was not let in since its image was made.
    Holds,
    /// It is a warning.
    Warns,
}

/// One thing that is otherwise than expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Change {
    /// A package.
    Package {
        /// Its name and architecture, as in `tea:all`.
        name: String,
        /// The version that was expected. Absent: none.
        was: Option<String>,
        /// The version that is there. Absent: none.
        is: Option<String>,
        /// How it came to that. Absent: no log says.
        cause: Option<Cause>,
    },
    /// A file that is watched.
    File {
        /// Its path.
        path: String,
        /// What was expected. Absent: that there is none.
        was: Option<FileFacts>,
        /// What is there. Absent: nothing.
        is: Option<FileFacts>,
    },
}

impl Report {
    /// Compares what is on a host with what is expected. When it was found is for the caller to say.
    pub fn compare(
        root: &Root,
        sealed: &Sealed,
        expected: &Contents,
        now: &Contents,
        effect: Effect,
    ) -> Self {
        let packages = differences(&expected.packages, &now.packages);
        let files = differences(&expected.files, &now.files);
        let all = packages.len() + files.len();
        let became: Became<'_> = packages
            .iter()
            .map(|(name, _, is)| (name.as_str(), is.map(String::as_str)))
            .collect();
        let mut causes = Causes::find(root, &became);
        let packages = packages.into_iter().map(|(name, was, is)| Change::Package {
            cause: causes.of.remove(name),
            name: name.clone(),
            was: was.cloned(),
            is: is.cloned(),
        });
        let files = files.into_iter().map(|(path, was, is)| Change::File {
            path: path.clone(),
            was: was.cloned(),
            is: is.cloned(),
        });
        let changes: Vec<Change> = packages.chain(files).take(MOST_CHANGES).collect();
        Self {
            found_at: Timestamp::default(),
            image: Some(ImageFacts::of(sealed)),
            standing: match changes.is_empty() {
                true => Standing::Same,
                false => Standing::Drifted,
            },
            effect,
            more: (all - changes.len()) as u64,
            changes,
            unread: causes.unread,
        }
    }

    /// The report of a host that was compared with nothing.
    pub fn without_image(standing: Standing, effect: Effect) -> Self {
        Self {
            found_at: Timestamp::default(),
            image: None,
            standing,
            effect,
            changes: Vec::new(),
            more: 0,
            unread: Vec::new(),
        }
    }

    /// What is not as expected, in one line: the first changes and how many there are. Empty: nothing is.
    pub fn line(&self) -> String {
        match &self.standing {
            Standing::Unsealed | Standing::Same => String::new(),
            Standing::Unknown { why } => format!("it cannot be compared with its image: {why}"),
            Standing::Drifted => {
                let named = self.changes.iter().take(NAMED).map(ToString::to_string);
                let mut line = named.collect::<Vec<_>>().join("; ");
                let others = self.total() - self.changes.len().min(NAMED) as u64;
                if others > 0 {
                    line += &format!("; and {others} more, by `cofferdam-agent drift`");
                }
                line
            }
        }
    }

    /// Goes on from the report before: what is the same was found when that was, and a cause that has
    /// left the logs since is still known.
    #[must_use]
    pub fn following(mut self, last: Option<&Self>, now: Timestamp) -> Self {
        self.found_at = now;
        let Some(last) = last else {
            return self;
        };
        for change in &mut self.changes {
            if let Change::Package { cause: None, .. } = change {
                change.learn_from(&last.changes);
            }
        }
        let found = |report: &Self| (report.standing.clone(), report.changes.clone(), report.more);
        if found(&self) == found(last) {
            self.found_at = last.found_at;
        }
        self
    }

    /// What the coordinator is told. Absent: nothing is expected of the host.
    pub fn summary(&self) -> Option<DriftSummary> {
        let lines = match &self.standing {
            Standing::Unsealed => return None,
            Standing::Same => Vec::new(),
            Standing::Unknown { .. } => vec![self.line()],
            Standing::Drifted => {
                let changes = self.changes.iter().take(DRIFT_LINES);
                changes.map(ToString::to_string).collect()
            }
        };
        let is_package = |change: &&Change| matches!(change, Change::Package { .. });
        let packages = self.changes.iter().filter(is_package).count() as u64;
        let files = self.changes.len() as u64 - packages;
        // Packages come first: what is not listed is of the last one's kind, or comes after it.
        let is_all_packages = files == 0;
        Some(DriftSummary {
            at: self.found_at,
            packages: packages + if is_all_packages { self.more } else { 0 },
            files: files + if is_all_packages { 0 } else { self.more },
            lines,
        })
    }

    /// What the coordinator is told in place of drift that it may know of: nothing is expected of the host any
    /// more.
    pub fn no_longer_sealed(&self) -> DriftSummary {
        DriftSummary {
            at: self.found_at,
            packages: 0,
            files: 0,
            lines: vec!["the host is not sealed any more".to_owned()],
        }
    }

    /// How many things are not as expected.
    pub fn total(&self) -> u64 {
        self.changes.len() as u64 + self.more
    }
}

impl ImageFacts {
    /// What is told of an image.
    pub fn of(sealed: &Sealed) -> Self {
        let contents = &sealed.image.contents;
        Self {
            seal: sealed.seal,
            sealed_at: sealed.image.sealed_at,
            packages: contents.packages.len() as u64,
            files: contents.files.len() as u64,
        }
    }
}

impl Change {
    /// Takes the cause from the same change as it was found before.
    fn learn_from(&mut self, before: &[Self]) {
        for other in before {
            let mut blank = other.clone();
            let Self::Package { cause: found, .. } = &mut blank else {
                continue;
            };
            *found = None;
            if *self == blank {
                *self = other.clone();
                return;
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Package {
                name,
                was,
                is,
                cause,
            } => {
                match (was, is) {
                    (Some(was), Some(is)) => write!(f, "{name} {was} -> {is}")?,
                    (None, Some(is)) => write!(f, "{name} {is} added")?,
                    (Some(was), None) => write!(f, "{name} {was} removed")?,
                    (None, None) => write!(f, "{name}")?,
                }
                match cause {
                    Some(cause) => write!(f, ", {cause}"),
                    None => Ok(()),
                }
            }
            Self::File { path, was, is } => match (was, is) {
                (Some(was), Some(is)) => write!(f, "{path} {}", between(was, is)),
                (None, Some(_)) => write!(f, "{path} added"),
                (Some(_), None) => write!(f, "{path} missing"),
                (None, None) => write!(f, "{path}"),
            },
        }
    }
}

/// What is different between two states of a file, in words.
fn between(was: &FileFacts, is: &FileFacts) -> String {
    let mut words = Vec::new();
    match (&was.holds, &is.holds) {
        (one, other) if one == other => {}
        (_, Holds::Link(target)) => words.push(format!("leads to {target}")),
        (Holds::Link(_), Holds::Sha256(_)) => words.push("no symlink any more".to_owned()),
        (Holds::Sha256(_), Holds::Sha256(_)) => words.push("other content".to_owned()),
    }
    if was.mode != is.mode {
        words.push(format!("mode {:04o} -> {:04o}", was.mode, is.mode));
    }
    if (was.uid, was.gid) != (is.uid, is.gid) {
        words.push(format!(
            "owner {}:{} -> {}:{}",
            was.uid, was.gid, is.uid, is.gid
        ));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::{image::Image, pattern::Pattern};
    use std::collections::BTreeMap;

    fn facts(content: &str) -> FileFacts {
        FileFacts {
            holds: Holds::Sha256(Digest::of(content)),
            mode: 0o644,
            uid: 0,
            gid: 0,
        }
    }

    fn link(target: &str) -> FileFacts {
        FileFacts {
            holds: Holds::Link(target.to_owned()),
            ..facts("")
        }
    }

    fn contents(packages: &[(&str, &str)], files: &[(&str, FileFacts)]) -> Contents {
        let packages = packages.iter().map(|&(n, v)| (n.to_owned(), v.to_owned()));
        let files = files.iter().map(|(p, f)| ((*p).to_owned(), f.clone()));
        Contents {
            packages: packages.collect(),
            files: files.collect(),
        }
    }

    fn report(expected: &Contents, now: &Contents) -> Report {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path()).unwrap();
        let sealed = Sealed {
            seal: Digest::of("seal"),
            image: Image {
                sealed_at: Timestamp(1),
                watched: [Pattern::parse("/etc").unwrap()].into(),
                contents: expected.clone(),
            },
        };
        Report::compare(&root, &sealed, expected, now, Effect::Holds)
    }

    #[test]
    fn each_difference_is_said_once_and_packages_come_first() {
        let expected = contents(
            &[("gone:all", "1"), ("same:all", "1"), ("tea:all", "1")],
            &[
                ("/etc/gone", facts("a")),
                ("/etc/link", link("a")),
                ("/etc/mode", facts("a")),
                ("/etc/same", facts("a")),
                ("/etc/text", facts("a")),
                ("/etc/was-link", link("a")),
            ],
        );
        let owned = FileFacts {
            mode: 0o4755,
            uid: 7,
            ..facts("a")
        };
        let now = contents(
            &[("new:amd64", "3"), ("same:all", "1"), ("tea:all", "2")],
            &[
                ("/etc/link", link("b")),
                ("/etc/mode", owned),
                ("/etc/new", facts("x")),
                ("/etc/same", facts("a")),
                ("/etc/text", facts("b")),
                ("/etc/was-link", facts("a")),
            ],
        );
        let report = report(&expected, &now);
        let said: Vec<String> = report.changes.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "gone:all 1 removed",
                "new:amd64 3 added",
                "tea:all 1 -> 2",
                "/etc/gone missing",
                "/etc/link leads to b",
                "/etc/mode mode 0644 -> 4755, owner 0:0 -> 7:0",
                "/etc/new added",
                "/etc/text other content",
                "/etc/was-link no symlink any more",
            ]
        );
        assert_eq!(report.standing, Standing::Drifted);
        assert!(
            report
                .line()
                .ends_with("tea:all 1 -> 2; and 6 more, by `cofferdam-agent drift`")
        );
        let summary = report.summary().unwrap();
        assert_eq!((summary.packages, summary.files), (3, 6));
        assert_eq!(summary.lines, said);
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    }

    #[test]
    fn a_host_that_is_as_expected_says_nothing() {
        let same = contents(&[("tea:all", "1")], &[("/etc/a", facts("a"))]);
        let report = report(&same, &same);
        assert_eq!(
            (&report.standing, report.line().as_str()),
            (&Standing::Same, "")
        );
        assert_eq!(report.summary(), Some(DriftSummary::default()));
        let unsealed = Report::without_image(Standing::Unsealed, Effect::Warns);
        assert_eq!(unsealed.summary(), None);
        let why = "its seal is damaged".to_owned();
        let unknown = Report::without_image(Standing::Unknown { why }, Effect::Warns);
        let summary = unknown.summary().unwrap();
        assert_eq!((summary.changes(), summary.lines.len()), (0, 1));
    }

    #[test]
    fn a_report_that_says_the_same_keeps_its_time_and_the_causes_that_left_the_logs() {
        let expected = contents(&[("tea:all", "1")], &[]);
        let drifted = |version| report(&expected, &contents(&[("tea:all", version)], &[]));
        let mut first = drifted("2").following(None, Timestamp(5));
        let Change::Package { cause, .. } = &mut first.changes[0] else {
            panic!("{first:?}");
        };
        *cause = Some(Cause {
            at: "2026-11-28 01:00:00".to_owned(),
            command: Some("apt-get install tea".to_owned()),
            by: None,
        });
        assert_eq!(drifted("2").following(Some(&first), Timestamp(9)), first);
        let other = drifted("3").following(Some(&first), Timestamp(9));
        assert_eq!(other.found_at, Timestamp(9));
        assert_eq!(other.line(), "tea:all 1 -> 3");
    }

    #[test]
    fn another_image_is_cut_short_and_counted() {
        let many: BTreeMap<String, String> = (0..500)
            .map(|n| (format!("p{n}:all"), "1".to_owned()))
            .collect();
        let now = Contents {
            packages: many,
            ..Contents::default()
        };
        let report = report(&Contents::default(), &now);
        assert_eq!((report.changes.len(), report.more), (MOST_CHANGES, 300));
        assert!(report.line().contains("and 497 more"), "{}", report.line());
    }
}
