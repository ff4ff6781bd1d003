//! What a rollback would do.

use super::{
    bounds::MAX_ENTRIES,
    field::{At, FieldError},
    read, write,
};
use crate::{
    operator::{NotTakenBack, RollbackPreview, RolloutRequest},
    v1,
};

impl From<RolloutRequest> for v1::PreviewRollbackRequest {
    fn from(request: RolloutRequest) -> Self {
        let rollout = request.rollout.into();
        Self { rollout }
    }
}

impl TryFrom<v1::PreviewRollbackRequest> for RolloutRequest {
    type Error = FieldError;
    fn try_from(wire: v1::PreviewRollbackRequest) -> Result<Self, FieldError> {
        let rollout = read::name(wire.rollout).at("rollout")?;
        Ok(Self { rollout })
    }
}

impl From<RollbackPreview> for v1::RollbackPreview {
    fn from(preview: RollbackPreview) -> Self {
        Self {
            rollout: preview.rollout.into(),
            cells: write::list(preview.cells),
            not_now: write::list(preview.not_now),
            at_most_ms: preview.at_most_ms,
        }
    }
}

impl TryFrom<v1::RollbackPreview> for RollbackPreview {
    type Error = FieldError;
    fn try_from(wire: v1::RollbackPreview) -> Result<Self, FieldError> {
        Ok(Self {
            rollout: read::name(wire.rollout).at("rollout")?,
            cells: read::list(wire.cells, MAX_ENTRIES).at("cells")?,
            not_now: read::list(wire.not_now, MAX_ENTRIES).at("not_now")?,
            at_most_ms: wire.at_most_ms,
        })
    }
}

impl From<NotTakenBack> for v1::NotTakenBack {
    fn from(host: NotTakenBack) -> Self {
        Self {
            host: host.host.into(),
            why: write::line(&host.why),
        }
    }
}

impl TryFrom<v1::NotTakenBack> for NotTakenBack {
    type Error = FieldError;
    fn try_from(wire: v1::NotTakenBack) -> Result<Self, FieldError> {
        Ok(Self {
            host: read::name(wire.host).at("host")?,
            why: read::filled_line(wire.why).at("why")?,
        })
    }
}
