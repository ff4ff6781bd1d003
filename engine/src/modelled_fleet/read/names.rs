//! Reads how the hosts of a kind are called.

use super::{super::Names, Refusal};
use crate::{document::Table, id::HostId};

/// The names that a kind says. Nothing when a mistake was noted.
pub(super) fn read(table: &mut Table<'_, Refusal>) -> Option<Names> {
    let is_listed = table.has("names");
    let is_numbered = table.has("prefix") || table.has("count");
    let listed = listed(table);
    let numbered = numbered(table);
    match (is_listed, is_numbered) {
        (true, false) => listed,
        (false, true) => {
            table.require("prefix", "prefix = \"web-\"");
            table.require("count", "count = 20");
            numbered
        }
        (true, true) => {
            let key = if table.has("prefix") {
                "prefix"
            } else {
                "count"
            };
            table.refuse(key, Refusal::NamesInTwoWays);
            None
        }
        (false, false) => {
            table.refuse_whole(Refusal::NoNames);
            None
        }
    }
}

fn listed(table: &mut Table<'_, Refusal>) -> Option<Names> {
    let texts = table.texts("names")?;
    if texts.is_empty() {
        table.refuse("names", Refusal::NamesNobody);
        return None;
    }
    let name = |text| HostId::new(text).map_err(|why| table.refuse("names", why));
    let names: Vec<_> = texts.into_iter().map(name).collect();
    let names = names.into_iter().collect::<Result<_, _>>().ok()?;
    Some(Names::Listed(names))
}

fn numbered(table: &mut Table<'_, Refusal>) -> Option<Names> {
    let count: Option<usize> = table.count("count", 1);
    // The longest name that the prefix has to go with; a count that is wrong is noted already.
    let longest = count.unwrap_or(1);
    let prefix = table.text("prefix", |prefix| {
        HostId::new(format!("{prefix}{longest}")).map(|_| prefix.to_owned())
    });
    Some(Names::Numbered {
        prefix: prefix?,
        count: count?,
    })
}
