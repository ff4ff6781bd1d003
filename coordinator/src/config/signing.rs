//! Reads whose signatures count.

use super::read::{Refusal, path};
use cofferdam_engine::document::Table;
use std::path::PathBuf;

/// Whose signatures over rollouts count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signing {
    /// The file of allowed signers. Absent: signatures are passed on to hosts, and not looked at.
    pub allowed_signers: Option<PathBuf>,
    /// Whether a rollout that nobody signed is refused. Default: where there are allowed signers.
    pub require: bool,
}

/// Reads `[signing]`, which may be absent.
pub(super) fn read(top: &mut Table<'_, Refusal>) -> Signing {
    let Some(mut table) = top.table("signing", "[signing]") else {
        return Signing::default();
    };
    let allowed_signers = table.text("allowed_signers", path);
    let require = table.flag("require");
    if require == Some(true) && allowed_signers.is_none() {
        table.refuse("require", Refusal::NobodySigns);
    }
    table.finish(&[], &[]);
    Signing {
        require: require.unwrap_or(allowed_signers.is_some()),
        allowed_signers,
    }
}
