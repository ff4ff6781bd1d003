//! Advisories.

use super::{
    bounds::MAX_ENTRIES,
    field::{At, FieldError, Problem},
    read,
};
use crate::v1;
use cofferdam_engine::advisory::{self, Advisory};
use std::collections::BTreeMap;

impl From<Advisory> for v1::Advisory {
    fn from(advisory: Advisory) -> Self {
        let fixes = advisory
            .fixes
            .into_iter()
            .flat_map(|(os_release, sources)| {
                sources
                    .into_iter()
                    .map(move |(source, version)| v1::SourceFix {
                        os_release: os_release.clone(),
                        source,
                        version,
                    })
            });
        Self {
            id: advisory.id,
            fixes: fixes.collect(),
        }
    }
}

impl TryFrom<v1::Advisory> for Advisory {
    type Error = FieldError;
    fn try_from(wire: v1::Advisory) -> Result<Self, FieldError> {
        advisory::check_id(&wire.id)
            .map_err(Problem::from)
            .at("id")?;
        let read = read::list(wire.fixes, MAX_ENTRIES).at("fixes")?;
        let mut fixes: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for SourceFix {
            os_release,
            source,
            version,
        } in read
        {
            let sources = fixes.entry(os_release).or_default();
            if sources.insert(source.clone(), version).is_some() {
                return Err(Problem::Twice(source)).at("fixes");
            }
        }
        Ok(Self { id: wire.id, fixes })
    }
}

struct SourceFix {
    os_release: String,
    source: String,
    version: String,
}

impl TryFrom<v1::SourceFix> for SourceFix {
    type Error = FieldError;
    fn try_from(wire: v1::SourceFix) -> Result<Self, FieldError> {
        Ok(Self {
            os_release: read::filled_line(wire.os_release).at("os_release")?,
            source: read::package_name(wire.source).at("source")?,
            version: read::package_version(wire.version).at("version")?,
        })
    }
}
