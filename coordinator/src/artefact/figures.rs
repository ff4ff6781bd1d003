//! What the artefact store counts, for `GET /metrics`.

use super::index::Index;
use cofferdam_proto::artefact::{WantedArtefact, Whereabouts};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

/// What the artefact store counts. Clones count into the same.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// The bytes that it holds.
    pub bytes: Gauge,
    /// The files that it holds.
    pub files: Gauge,
    /// Package files that agents asked for and it held.
    pub hits: Counter,
    /// Package files that agents asked for and had to fetch themselves.
    pub misses: Counter,
    /// The bytes that agents were sent.
    pub served_bytes: Counter,
    /// The bytes that were stored.
    pub stored_bytes: Counter,
    /// Files that were found damaged, and removed.
    pub damaged: Counter,
    /// Files that nothing needed any more, and were removed.
    pub collected: Counter,
}

impl Figures {
    pub(super) fn holds(&self, index: &Index) {
        let gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.bytes.set(gauge(index.bytes()));
        self.files.set(gauge(index.files() as u64));
    }

    pub(super) fn answered(&self, wanted: &[WantedArtefact], found: &[Whereabouts]) {
        for (_, found) in wanted.iter().zip(found).filter(|(one, _)| !one.has_it) {
            match found {
                Whereabouts::Stored(_) => self.hits.inc(),
                Whereabouts::Bring | Whereabouts::Elsewhere { .. } => self.misses.inc(),
                Whereabouts::Wait { .. } => continue,
            };
        }
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        let r = registry.sub_registry_with_prefix("artefacts");
        r.register("bytes", "Bytes that are stored", self.bytes.clone());
        r.register("files", "Files that are stored", self.files.clone());
        r.register(
            "hits",
            "Package files that agents wanted and found stored",
            self.hits.clone(),
        );
        r.register(
            "misses",
            "Package files that agents wanted and fetched themselves",
            self.misses.clone(),
        );
        r.register(
            "served_bytes",
            "Bytes that agents were sent",
            self.served_bytes.clone(),
        );
        r.register(
            "stored_bytes",
            "Bytes that were stored",
            self.stored_bytes.clone(),
        );
        r.register(
            "damaged",
            "Files that were found damaged",
            self.damaged.clone(),
        );
        r.register(
            "collected",
            "Files that nothing needed any more",
            self.collected.clone(),
        );
    }
}
