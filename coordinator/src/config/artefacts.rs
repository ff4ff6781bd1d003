//! Reads where artefacts are, and what of them is taken and kept.

use super::read::Refusal;
use crate::artefact::{Limits, Location};
use cofferdam_engine::document::Table;
use std::{num::NonZeroU32, path::Path};
use url::Url;

/// The folder of artefacts in the data folder.
const FOLDER: &str = "artefacts";

/// Reads `[artefacts]`, which may be absent.
pub(super) fn read(top: &mut Table<'_, Refusal>, data_dir: &Path) -> (Location, Limits) {
    let usual = Location::Folder(data_dir.join(FOLDER));
    let limits = Limits::default();
    let Some(mut table) = top.table("artefacts", "[artefacts]") else {
        return (usual, limits);
    };
    let location = table.text("store", location).unwrap_or(usual);
    let limits = Limits {
        quota: mib(&mut table, "quota_mib").unwrap_or(limits.quota),
        largest: mib(&mut table, "largest_mib").unwrap_or(limits.largest),
        rate: table
            .count("rate_kib", 1)
            .and_then(|kib: u32| NonZeroU32::new(kib.saturating_mul(1024))),
        transfers: table
            .count("transfers", 1)
            .map_or(limits.transfers, |n: u16| n.into()),
        packages: table.flag("packages").unwrap_or(limits.packages),
        supply_within: table
            .duration("supply_within")
            .unwrap_or(limits.supply_within),
        retention: table.duration("retention").unwrap_or(limits.retention),
    };
    table.finish(&[], &[]);
    (location, limits)
}

fn mib(table: &mut Table<'_, Refusal>, key: &'static str) -> Option<u64> {
    let mib: u32 = table.count(key, 1)?;
    Some(u64::from(mib) << 20)
}

fn location(text: &str) -> Result<Location, Refusal> {
    if text.starts_with('/') {
        return Ok(Location::Folder(text.into()));
    }
    match Url::parse(text) {
        Ok(url) if !url.cannot_be_a_base() => Ok(Location::Remote(url)),
        Ok(_) | Err(_) => Err(Refusal::Artefacts(text.to_owned())),
    }
}
