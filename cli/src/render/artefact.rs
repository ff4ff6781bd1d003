//! Files in the artefact store.

use crate::render::{
    View,
    table::{ago, table},
};
use cofferdam_engine::{digest::Digest, patch::Source, time::Timestamp};
use cofferdam_proto::operator::{ArtefactStored, ArtefactView};
use serde::Serialize;

/// A file that is stored now.
#[derive(Debug, Serialize)]
pub struct Put {
    /// The digest of its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// What a rollout file calls it.
    pub source: String,
}

impl From<ArtefactStored> for Put {
    fn from(stored: ArtefactStored) -> Self {
        let ArtefactStored { digest, size } = stored;
        let source = Source::Stored(digest).to_string();
        Self {
            digest,
            size,
            source,
        }
    }
}

impl View for Put {
    fn text(&self) -> String {
        format!(
            "stored {} bytes; in the rollout file of a config patch:\n\n  source = \"{}\"\n",
            self.size, self.source
        )
    }
}

/// All files that are stored, in order of their digests.
#[derive(Debug, Serialize)]
pub struct ArtefactList {
    /// The files.
    pub artefacts: Vec<ArtefactView>,
    /// The moment at which they are looked at.
    #[serde(skip)]
    pub now: Timestamp,
}

impl View for ArtefactList {
    fn text(&self) -> String {
        if self.artefacts.is_empty() {
            return "nothing is stored: cofferdam artefact put FILE stores a file\n".to_owned();
        }
        let headings = ["sha256", "bytes", "what", "stored", "needed"];
        let rows = self.artefacts.iter().map(|one| self.row(one));
        table(headings, rows.collect())
    }
}

impl ArtefactList {
    fn row(&self, one: &ArtefactView) -> [String; 5] {
        [
            one.digest.to_string(),
            one.size.to_string(),
            one.package.clone().unwrap_or_else(|| "a file".to_owned()),
            ago(one.stored_at_ms, self.now),
            if one.needed { "yes" } else { "no" }.to_owned(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_file_is_named_as_a_rollout_file_names_it() {
        let digest = Digest::of("x");
        let text = Put::from(ArtefactStored { digest, size: 1 }).text();
        let line = format!("source = \"sha256:{digest}\"");
        assert!(text.contains(&line), "{text}");
    }

    #[test]
    fn packages_are_told_from_other_files() {
        let artefact = |package: Option<&str>| ArtefactView {
            digest: Digest::of("x"),
            size: 7,
            stored_at_ms: Timestamp(0),
            package: package.map(str::to_owned),
            needed: package.is_some(),
        };
        let list = ArtefactList {
            artefacts: vec![artefact(Some("tool 1 (debian-12/amd64)")), artefact(None)],
            now: Timestamp(60_000),
        };
        let text = list.text();
        for part in ["tool 1 (debian-12/amd64)", "a file", "yes", "no"] {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
    }
}
