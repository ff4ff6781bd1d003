//! Reads a fleet file.

mod beginning;
mod names;
mod namesakes;
mod packages;

use super::{Kind, MAX_HOSTS, ModelledFleet};
use crate::{
    cells::{self, UnplacedReason},
    digest::DigestError,
    document::{Mistakes, Table},
    duration::{self, DurationError},
    id::{HostId, NameError},
    inventory::{
        ARCHITECTURE, Facts, Host, KERNEL, Labels, OS_RELEASE, PackageSet, Platform, REGION,
        SERVICE, ZONE,
    },
    package::PackageError,
    policy::LONGEST_RESERVATION,
};
use std::collections::BTreeMap;

/// Every mistake of a fleet file.
pub type FleetErrors = Mistakes<Refusal>;

/// What hosts run whose file does not say it: Debian's stable release of 2023, as its last point
/// release left it, on the machines that most fleets are made of.
const DEFAULT_OS_RELEASE: &str = "debian-12";
const DEFAULT_KERNEL: &str = "6.1.0-38-amd64";
const DEFAULT_ARCHITECTURE: &str = "amd64";

/// The labels that decide a host's cell and its capacity group.
const PLACE: [&str; 3] = [SERVICE, REGION, ZONE];

/// The most bytes of a label or a fact: what a line of a message may have.
const MAX_LINE: usize = 4096;

/// Why a value of a fleet file, or how it goes with others, is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It is not a package's name or version.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A file without hosts.
    #[error("the fleet has no host; add a [[hosts]]")]
    NoHost,
    /// More hosts than are modelled.
    #[error("the fleet has {0} hosts; at most {MAX_HOSTS} are modelled")]
    TooManyHosts(usize),
    /// A kind that says no names.
    #[error(
        "no name is said; write `names = [\"web-1\"]`, or `prefix = \"web-\"` and `count = 20`"
    )]
    NoNames,
    /// A kind that says its names in both ways.
    #[error("`names` stands there too; keep that, or `prefix` and `count`")]
    NamesInTwoWays,
    /// A list of no names.
    #[error("names no host; name one, or leave out the whole [[hosts]]")]
    NamesNobody,
    /// A name that two hosts have.
    #[error("another host is called {0} too; a name is in a fleet once")]
    NameTwice(HostId),
    /// A label or a fact that is no line of text.
    #[error("must be one line of at most {MAX_LINE} bytes")]
    NotALine,
    /// A label or a fact that says nothing and must.
    #[error("must not be empty")]
    Empty,
    /// Hosts that can be in no cell.
    #[error("no cell can hold such hosts: {0}")]
    Unplaceable(UnplacedReason),
    /// The name of a set of packages that the file does not say.
    #[error(
        "no set of packages is called {0:?}; add a [packages.NAME] of that name, or write a table of packages here"
    )]
    NoSuchSet(String),
    /// It is not a duration.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// A host that somebody has for no time, or for too long.
    #[error(
        "must be longer than nothing and at most {}; leave out `by` and `for` of a host that is out until it is repaired",
        duration::format(LONGEST_RESERVATION)
    )]
    Lasts,
    /// It is not the digest of bits.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// Something is denied to no host.
    #[error("names no host; name one, or leave `hosts` out to deny it to the whole fleet")]
    DeniedToNobody,
    /// Something is denied to a host that is not in the fleet.
    #[error("no host of the fleet is called {0}")]
    NoSuchHost(HostId),
}

/// Reads the whole file; what it makes of a file with a mistake is of no use.
pub(super) fn read(mut top: Table<'_, Refusal>) -> Option<ModelledFleet> {
    top.require("hosts", "[[hosts]]");
    let tables = top.tables("hosts", "[[hosts]]");
    if tables.as_ref().is_some_and(Vec::is_empty) {
        top.refuse("hosts", Refusal::NoHost);
    }
    let mut tables = tables.unwrap_or_default();
    let sets = packages::sets(&mut top);
    let kinds = tables.iter_mut().map(|table| kind(table, &sets));
    let kinds: Vec<Option<Kind>> = kinds.collect();
    let denied = beginning::denied(&mut top, &kinds);
    refuse_twice(&tables, &kinds);
    refuse_too_many(&tables, &kinds);
    for table in tables {
        table.finish(&[], &[]);
    }
    top.finish(&[], &[]);
    let kinds = kinds.into_iter().collect::<Option<_>>()?;
    Some(ModelledFleet {
        kinds,
        denied: denied?,
    })
}

fn refuse_twice(tables: &[Table<'_, Refusal>], kinds: &[Option<Kind>]) {
    let names = kinds.iter().map(|kind| kind.as_ref().map(|k| &k.names));
    for (index, name) in namesakes::find(names) {
        let key = match tables[index].has("names") {
            true => "names",
            false => "prefix",
        };
        tables[index].refuse(key, Refusal::NameTwice(name));
    }
}

fn refuse_too_many(tables: &[Table<'_, Refusal>], kinds: &[Option<Kind>]) {
    let len = |kind: &Option<Kind>| kind.as_ref().map_or(0, |kind| kind.names.len());
    let hosts = kinds.iter().map(len).fold(0, usize::saturating_add);
    let largest = tables.iter().zip(kinds).max_by_key(|(_, kind)| len(kind));
    if let Some((table, _)) = largest
        && hosts > MAX_HOSTS
    {
        table.refuse("count", Refusal::TooManyHosts(hosts));
    }
}

fn kind(table: &mut Table<'_, Refusal>, sets: &packages::Sets) -> Option<Kind> {
    let names = names::read(table);
    let os_release = fact(table, OS_RELEASE, DEFAULT_OS_RELEASE, filled_line);
    let kernel = fact(table, KERNEL, DEFAULT_KERNEL, line);
    let architecture = fact(table, ARCHITECTURE, DEFAULT_ARCHITECTURE, filled_line);
    let labels = labels(table);
    let packages = packages::of_kind(table, sets);
    let state = beginning::state(table);
    Some(Kind {
        names: names?,
        labels: labels?,
        platform: Platform {
            os_release: os_release?,
            architecture: architecture?,
        },
        kernel: kernel?,
        packages: packages?,
        state: state?,
    })
}

fn fact(
    table: &mut Table<'_, Refusal>,
    key: &'static str,
    default: &str,
    check: impl Fn(&str) -> Result<(), Refusal>,
) -> Option<String> {
    if !table.has(key) {
        return Some(default.to_owned());
    }
    table.text(key, |text| check(text).map(|()| text.to_owned()))
}

fn line(text: &str) -> Result<(), Refusal> {
    match text.len() <= MAX_LINE && !text.chars().any(char::is_control) {
        true => Ok(()),
        false => Err(Refusal::NotALine),
    }
}

fn filled_line(text: &str) -> Result<(), Refusal> {
    match text.is_empty() {
        true => Err(Refusal::Empty),
        false => line(text),
    }
}

fn labels(table: &mut Table<'_, Refusal>) -> Option<Labels> {
    table.require(
        "labels",
        "labels = { service = \"web\", region = \"eu-west-1\", zone = \"eu-west-1a\" }",
    );
    let said = table.table("labels", "labels")?;
    said.require(SERVICE, "service = \"web\"");
    said.require(REGION, "region = \"eu-west-1\"");
    said.require(ZONE, "zone = \"eu-west-1a\"");
    let labels = texts(&said, |label, value| {
        filled_line(label)?;
        match PLACE.contains(&label) {
            true => filled_line(value),
            false => line(value),
        }
    })?;
    let labels = Labels::from(labels);
    if PLACE.iter().all(|label| labels.contains_key(*label))
        && let Some(why) = unplaceable(&labels)
    {
        table.refuse("labels", Refusal::Unplaceable(why));
        return None;
    }
    Some(labels)
}

/// Why hosts with such labels can be in no cell; their names and facts have no part in it.
fn unplaceable(labels: &Labels) -> Option<UnplacedReason> {
    let host = Host {
        id: HostId::new("any").ok()?,
        labels: labels.clone(),
        facts: Facts {
            platform: Platform {
                os_release: DEFAULT_OS_RELEASE.to_owned(),
                architecture: DEFAULT_ARCHITECTURE.to_owned(),
            },
            kernel: DEFAULT_KERNEL.to_owned(),
            packages: PackageSet::default().digest(),
        }
        .into(),
    };
    cells::unplaceable(&host)
}

/// The texts of a table whose keys the file's writer chose. Nothing when one is refused.
fn texts(
    table: &Table<'_, Refusal>,
    check: impl Fn(&str, &str) -> Result<(), Refusal>,
) -> Option<BTreeMap<String, String>> {
    let mut is_whole = true;
    let mut texts = BTreeMap::new();
    for (key, text) in table.all_texts() {
        match check(key, text.text) {
            Ok(()) => drop(texts.insert(key.to_owned(), text.text.to_owned())),
            Err(why) => {
                is_whole = false;
                table.refuse_at(text.span.start, key, why);
            }
        }
    }
    is_whole.then_some(texts)
}
