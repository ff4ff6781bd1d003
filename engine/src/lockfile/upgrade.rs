//! What a lock file says of upgrades beside their bits: where new packages come from, and which
//! fixes they are.

use super::Refusal;
use crate::{
    advisory,
    document::{Table, quote},
    package,
    patch::{Fixes, LockedPackage, LockedPlatform},
    reach::Reach,
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn write(text: &mut String, entry: &LockedPlatform) {
    if let Reach::Upgrade { needed_by } = &entry.reach {
        *text += "upgrade_only = true\nadded = [\n";
        for (name, by) in needed_by {
            let by: Vec<_> = by.iter().map(|name| quote(name)).collect();
            let by = by.join(", ");
            *text += &format!("  {{ name = {}, needed_by = [{by}] }},\n", quote(name));
        }
        *text += "]\n";
    }
    if let Some(Fixes { advisory, sources }) = &entry.fixes {
        *text += &format!("advisory = {}\nfixes = [\n", quote(advisory));
        for (source, version) in sources {
            let (source, version) = (quote(source), quote(version));
            *text += &format!("  {{ source = {source}, version = {version} }},\n");
        }
        *text += "]\n";
    }
}

/// Nothing when it is wrong.
pub(super) fn reach(table: &mut Table<'_, Refusal>, packages: &[LockedPackage]) -> Option<Reach> {
    let is_upgrade = table.flag("upgrade_only").unwrap_or_default();
    if !is_upgrade {
        return Some(Reach::Every);
    }
    let rows = table.tables("added", "added").unwrap_or_default();
    let known = |name: &str| match packages.iter().any(|package| package.name == name) {
        true => Ok(name.to_owned()),
        false => Err(Refusal::NotLocked(name.to_owned())),
    };
    let mut needed_by = BTreeMap::new();
    let mut is_whole = true;
    for mut row in rows {
        row.require("name", "name = \"openssl\"");
        row.require("needed_by", "needed_by = [\"libssl3\"]");
        let name = row.text("name", known);
        let by = row.texts("needed_by").unwrap_or_default();
        let unknown = by.iter().find_map(|name| known(name).err());
        is_whole &= name.is_some() && unknown.is_none();
        if let Some(why) = unknown {
            row.refuse("needed_by", why);
        }
        needed_by.extend(name.map(|name| (name, by.into_iter().collect::<BTreeSet<_>>())));
        row.finish(&[], &[]);
    }
    is_whole.then_some(Reach::Upgrade { needed_by })
}

/// Nothing when they are wrong; `Some(None)` when there are none.
pub(super) fn fixes(table: &mut Table<'_, Refusal>) -> Option<Option<Fixes>> {
    if !table.has("advisory") {
        return Some(None);
    }
    let advisory = table.text("advisory", |text| {
        advisory::check_id(text).map(|()| text.to_owned())
    });
    let mut sources = BTreeMap::new();
    let mut is_whole = true;
    for mut row in table.tables("fixes", "fixes").unwrap_or_default() {
        row.require("source", "source = \"openssl\"");
        row.require("version", "version = \"3.0.15-1\"");
        let source = row.text("source", |text| {
            package::check_name(text).map(|()| text.to_owned())
        });
        let version = row.text("version", |text| {
            package::check_version(text).map(|()| text.to_owned())
        });
        is_whole &= source.is_some() && version.is_some();
        sources.extend(source.zip(version));
        row.finish(&[], &[]);
    }
    let advisory = advisory?;
    is_whole.then_some(Some(Fixes { advisory, sources }))
}
