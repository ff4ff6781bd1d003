//! Reads what is installed on the hosts of a kind: a table of its own, or the name of a set that several kinds have.

use super::{Refusal, texts};
use crate::{document::Table, inventory::PackageSet, package, shared::Shared};
use std::collections::BTreeMap;

/// The sets that the file says once, by their names. One with a mistake is there, so that who names it is not told
/// that it is not.
pub(super) type Sets = BTreeMap<String, Shared<PackageSet>>;

/// The `[packages.NAME]` of a file.
pub(super) fn sets(top: &mut Table<'_, Refusal>) -> Sets {
    let tables = top.named_tables("packages").into_iter();
    let sets = tables.map(|(name, table)| (name.to_owned(), installed(&table).unwrap_or_default()));
    sets.collect()
}

/// The packages of a kind. Nothing when a mistake was noted.
pub(super) fn of_kind(table: &mut Table<'_, Refusal>, sets: &Sets) -> Option<Shared<PackageSet>> {
    if !table.has("packages") {
        return Some(Shared::default());
    }
    if table.is_text("packages") {
        return table.text("packages", |name| {
            let set = sets.get(name).cloned();
            set.ok_or_else(|| Refusal::NoSuchSet(name.to_owned()))
        });
    }
    installed(&table.table("packages", "packages")?)
}

fn installed(table: &Table<'_, Refusal>) -> Option<Shared<PackageSet>> {
    let installed = texts(table, |name, version| {
        package::check_name(name)?;
        Ok(package::check_version(version)?)
    });
    installed.map(|installed| PackageSet(installed).into())
}
