//! Reads a `services.toml`.

use super::{LAST_TIER, MAX_SERVICES, Service, Services, cycle::cycles};
use crate::{
    document::{Mistakes, Table},
    id::{NameError, OperatorId, ServiceName},
};
use std::collections::{BTreeMap, BTreeSet};

/// Every mistake of a `services.toml`.
pub type ServicesErrors = Mistakes<Refusal>;

/// The most bytes of a description: what a line of a message may have.
const MAX_DESCRIPTION: usize = 4096;

/// Why a value of a `services.toml`, or how it goes with others, is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More services than any fleet has.
    #[error(
        "{0} services are declared, and at most {MAX_SERVICES} are read; declare those that something depends on"
    )]
    TooMany(usize),
    /// It is not a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A service that nobody answers for.
    #[error("names nobody; name at least one operator who answers for the service")]
    NoOwner,
    /// A tier that is none.
    #[error("{0} is no tier: 1 is the most important, {LAST_TIER} the least")]
    Tier(u64),
    /// A description that is no line of text.
    #[error("must be one line of at most {MAX_DESCRIPTION} bytes")]
    NotALine,
    /// A dependency on the service itself.
    #[error("the service depends on itself; leave it out")]
    Itself,
    /// A dependency that is not declared.
    #[error("no service is called {0}; declare it as [service.{0}], or leave it out")]
    Unknown(ServiceName),
    /// Services that depend on each other in a circle.
    #[error(
        "{} depend on each other in a circle: none of them could be worked on without another; leave one of these dependencies out",
        circle(.0)
    )]
    Cycle(Vec<ServiceName>),
}

fn circle(members: &[ServiceName]) -> String {
    let names: Vec<&str> = members
        .iter()
        .chain(members.first())
        .map(ServiceName::as_str)
        .collect();
    names.join(" -> ")
}

/// Reads the whole file; what it makes of a file with a mistake is of no use.
pub(super) fn read(mut top: Table<'_, Refusal>) -> Option<Services> {
    let mut tables = top.named_tables("service");
    if tables.len() > MAX_SERVICES {
        top.refuse("service", Refusal::TooMany(tables.len()));
        return None;
    }
    let declared: BTreeSet<ServiceName> = tables
        .iter()
        .filter_map(|(name, _)| ServiceName::new(*name).ok())
        .collect();
    let mut services = BTreeMap::new();
    for (name, table) in &mut tables {
        let name = ServiceName::new(*name)
            .map_err(|why| table.refuse_whole(why))
            .ok();
        let service = service(name.as_ref(), table, &declared);
        services.extend(name.zip(service));
    }
    for members in cycles(&services) {
        let first = tables
            .iter()
            .find(|(name, _)| members.iter().any(|m| m.as_str() == *name));
        if let Some((_, table)) = first {
            table.refuse("depends_on", Refusal::Cycle(members));
        }
    }
    for (_, table) in tables {
        table.finish(&[], &[]);
    }
    top.finish(&[], &[]);
    Some(Services(services))
}

fn service(
    name: Option<&ServiceName>,
    table: &mut Table<'_, Refusal>,
    declared: &BTreeSet<ServiceName>,
) -> Option<Service> {
    table.require("owners", "owners = [\"ana\"]");
    table.require("tier", "tier = 1");
    let owners = table.names("owners", |text| OperatorId::new(text));
    if owners.as_ref().is_some_and(BTreeSet::is_empty) {
        table.refuse("owners", Refusal::NoOwner);
    }
    let tier = tier(table);
    let description = description(table);
    let depends_on = match table.has("depends_on") {
        true => table.names("depends_on", |text| ServiceName::new(text)),
        false => Some(BTreeSet::new()),
    };
    for needed in depends_on.iter().flatten() {
        if Some(needed) == name {
            table.refuse("depends_on", Refusal::Itself);
        } else if !declared.contains(needed) {
            table.refuse("depends_on", Refusal::Unknown(needed.clone()));
        }
    }
    // What a service needs of itself is noted already, and is no circle besides.
    let is_other = |needed: &ServiceName| Some(needed) != name;
    Some(Service {
        owners: owners?,
        tier: tier?,
        depends_on: depends_on?.into_iter().filter(is_other).collect(),
        description,
    })
}

fn tier(table: &mut Table<'_, Refusal>) -> Option<u8> {
    let written: u64 = table.count("tier", 1)?;
    let tier = u8::try_from(written)
        .ok()
        .filter(|tier| (1..=LAST_TIER).contains(tier));
    if tier.is_none() {
        table.refuse("tier", Refusal::Tier(written));
    }
    tier
}

/// Empty when it is not said, or was refused.
fn description(table: &mut Table<'_, Refusal>) -> String {
    let line =
        |text: &str| match text.len() <= MAX_DESCRIPTION && !text.chars().any(char::is_control) {
            true => Ok(text.to_owned()),
            false => Err(Refusal::NotALine),
        };
    table.text("description", line).unwrap_or_default()
}
