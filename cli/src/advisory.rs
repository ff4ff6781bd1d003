//! The advisory beside a rollout file: of OSV, or of Debian's security tracker.

use crate::exit::UsageError;
use anyhow::{Context as _, Result};
use cofferdam_engine::advisory::{Advisory, Osv, Tracker};
use std::{fs, path::Path};

/// The most bytes of an advisory's file: the tracker's holds all of Debian's flaws (guess: it was
/// 70 MB in 2026).
const MAX_BYTES: u64 = 256 << 20;

/// Reads what a file says of an advisory.
///
/// # Errors
/// When the file cannot be read, is in neither form, or does not say it.
pub fn read(path: &Path, id: &str) -> Result<Advisory> {
    let reading = || format!("cannot read {}, the advisory's file", path.display());
    let bytes = fs::metadata(path).with_context(reading)?.len();
    if bytes > MAX_BYTES {
        let path = path.display();
        let message =
            format!("{path}: {bytes} bytes are too many for an advisory, {MAX_BYTES} at most");
        return Err(UsageError(message).into());
    }
    let text = fs::read(path).with_context(reading)?;
    parse(&text, id)
        .map_err(|why| UsageError(format!("{}: {why}", path.display())))
        .map_err(Into::into)
}

fn parse(text: &[u8], id: &str) -> Result<Advisory, String> {
    let not_osv = match serde_json::from_slice::<Osv>(text) {
        Ok(osv) => return osv.advisory(id).map_err(|why| why.to_string()),
        Err(error) => error,
    };
    match serde_json::from_slice::<Tracker>(text) {
        Ok(tracker) => tracker.advisory(id).map_err(|why| why.to_string()),
        Err(not_tracker) => Err(format!(
            "is no advisory: not in OSV's form ({not_osv}), not in that of Debian's security \
             tracker ({not_tracker})"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::{self, Exit};

    const OSV: &str = r#"{"id": "DSA-1-1", "affected": [{"package": {"ecosystem": "Debian:12",
        "name": "curl"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "8"}]}]}]}"#;
    const TRACKER: &str = r#"{"curl": {"CVE-2026-1": {"releases": {"bookworm":
        {"status": "resolved", "fixed_version": "8"}}}}}"#;

    #[test]
    fn both_forms_are_told_apart_by_what_they_hold() {
        for (text, id) in [(OSV, "DSA-1-1"), (TRACKER, "CVE-2026-1")] {
            let advisory = parse(text.as_bytes(), id).unwrap();
            assert_eq!(
                (&*advisory.id, &*advisory.fixes["debian-12"]["curl"]),
                (id, "8")
            );
        }
    }

    #[test]
    fn a_file_that_is_none_is_a_mistake_of_the_caller_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("DSA.json");
        for text in [
            "",
            "[]",
            "{\"a\": 1}",
            "\u{0}",
            "{\"id\": 3, \"affected\": []}",
            "[[[[",
        ] {
            fs::write(&path, text).unwrap();
            let error = read(&path, "DSA-1-1").unwrap_err();
            assert_eq!(exit::of_error(&error), Exit::Usage, "{text}");
            assert!(
                error.to_string().contains("DSA.json: is no advisory"),
                "{error}"
            );
        }
        fs::write(&path, OSV).unwrap();
        let error = read(&path, "DSA-2-1").unwrap_err();
        assert!(error.to_string().contains("not of DSA-2-1"), "{error}");
        let error = read(&folder.path().join("absent"), "DSA-1-1").unwrap_err();
        assert!(error.to_string().contains("absent"), "{error}");
    }
}
