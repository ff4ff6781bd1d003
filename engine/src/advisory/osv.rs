//! Advisories as OSV writes them: one file an advisory, <https://ossf.github.io/osv-schema/>.

use super::{Advisory, AdvisoryError, Fixed};
use serde::Deserialize;

/// What is read of a file in OSV's form.
#[derive(Debug, Clone, Deserialize)]
pub struct Osv {
    id: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    related: Vec<String>,
    #[serde(default)]
    upstream: Vec<String>,
    /// When it was taken back. Absent: it holds.
    withdrawn: Option<String>,
    affected: Vec<Affected>,
}

#[derive(Debug, Clone, Deserialize)]
struct Affected {
    package: Option<Package>,
    #[serde(default)]
    ranges: Vec<Range>,
}

#[derive(Debug, Clone, Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Range {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Debug, Clone, Deserialize)]
struct Event {
    fixed: Option<String>,
}

impl Osv {
    /// What the file says of an advisory: of its own id, or of a flaw that it names.
    ///
    /// # Errors
    /// [`AdvisoryError`] when it is of another one, or names no fix.
    pub fn advisory(&self, id: &str) -> Result<Advisory, AdvisoryError> {
        // What is related is not the same: only older files of Debian's name there the flaws that they mend.
        let related = self
            .related
            .iter()
            .filter(|other| other.starts_with("CVE-"));
        let mut others = self.aliases.iter().chain(&self.upstream).chain(related);
        let is_named = self.id == id || others.any(|other| other == id);
        if !is_named {
            return Err(AdvisoryError::OtherId {
                wanted: id.to_owned(),
                has: self.id.clone(),
            });
        }
        if let Some(at) = &self.withdrawn {
            return Err(AdvisoryError::Withdrawn {
                id: self.id.clone(),
                at: at.clone(),
            });
        }
        let mut fixed = Fixed::default();
        for affected in &self.affected {
            let Some(package) = &affected.package else {
                continue;
            };
            let Some(os_release) = os_release(&package.ecosystem) else {
                continue;
            };
            for version in affected.fixed_versions() {
                fixed.add(&os_release, &package.name, version)?;
            }
        }
        fixed.advisory(id)
    }
}

impl Affected {
    fn fixed_versions(&self) -> impl Iterator<Item = &String> {
        let ranges = self.ranges.iter().filter(|range| range.kind == "ECOSYSTEM");
        let events = ranges.flat_map(|range| &range.events);
        events.filter_map(|event| event.fixed.as_ref())
    }
}

/// `Debian:12` is what hosts call `debian-12`, `Ubuntu:22.04:LTS` is `ubuntu-22.04`. Nothing of an
/// ecosystem without a release.
fn os_release(ecosystem: &str) -> Option<String> {
    let mut parts = ecosystem.split(':');
    let (name, release) = (parts.next()?, parts.next()?);
    let is_release = release.starts_with(|c: char| c.is_ascii_digit());
    is_release.then(|| format!("{}-{release}", name.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the form that OSV gives for Debian's advisories, shortened.
    const SAMPLE: &str = r#"{
        "schema_version": "1.7.0", "id": "DSA-5678-1", "modified": "2026-11-02T00:00:00Z",
        "summary": "openssl - security update", "upstream": ["CVE-2026-12345"],
        "affected": [
            {"package": {"ecosystem": "Debian:12", "name": "openssl", "purl": "pkg:deb/debian/openssl"},
             "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0.15-1~deb12u1"}]}],
             "versions": ["3.0.11-1"]},
            {"package": {"ecosystem": "Debian:11", "name": "openssl"},
             "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1.1w-0+deb11u2"}, {"fixed": "1.1.1w-0+deb11u1"}]},
                        {"type": "GIT", "events": [{"fixed": "not a version"}]}]},
            {"package": {"ecosystem": "Ubuntu:22.04:LTS", "name": "openssl"},
             "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "3.0.2-0ubuntu1.18"}]}]},
            {"package": {"ecosystem": "Debian", "name": "openssl"},
             "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "9"}]}]},
            {"ranges": []}
        ]}"#;

    fn advisory(text: &str, id: &str) -> Result<Advisory, AdvisoryError> {
        serde_json::from_str::<Osv>(text).unwrap().advisory(id)
    }

    #[test]
    fn each_release_has_its_fixed_version() {
        let found = advisory(SAMPLE, "DSA-5678-1").unwrap();
        let fixed: Vec<_> = found
            .fixes
            .iter()
            .map(|(release, sources)| (release.as_str(), sources["openssl"].as_str()))
            .collect();
        let expected = [
            ("debian-11", "1.1.1w-0+deb11u2"),
            ("debian-12", "3.0.15-1~deb12u1"),
            ("ubuntu-22.04", "3.0.2-0ubuntu1.18"),
        ];
        assert_eq!(fixed, expected);
        assert_eq!(
            advisory(SAMPLE, "CVE-2026-12345").unwrap().fixes,
            found.fixes
        );
    }

    #[test]
    fn another_advisory_and_what_fixes_nothing_are_refused() {
        let other = advisory(SAMPLE, "DSA-1-1").unwrap_err().to_string();
        assert!(
            other.contains("is of DSA-5678-1, not of DSA-1-1"),
            "{other}"
        );
        let related = SAMPLE.replace("\"upstream\": [", "\"related\": [\"DSA-1-1\", ");
        assert!(advisory(&related, "DSA-1-1").is_err());
        assert!(advisory(&related, "CVE-2026-12345").is_ok());
        let withdrawn = SAMPLE.replace("\"summary\"", "\"withdrawn\": \"2026-11-03\", \"summary\"");
        let withdrawn = advisory(&withdrawn, "DSA-5678-1").unwrap_err().to_string();
        assert!(withdrawn.starts_with("DSA-5678-1 was withdrawn on 2026-11-03"));
        let none = SAMPLE.replace("\"fixed\"", "\"last_affected\"");
        let none = advisory(&none, "DSA-5678-1").unwrap_err();
        assert_eq!(none, AdvisoryError::NoFix("DSA-5678-1".to_owned()));
        let odd = SAMPLE.replace("\"3.0.15-1~deb12u1\"", "\"-o=x\"");
        let odd = advisory(&odd, "DSA-5678-1").unwrap_err().to_string();
        assert!(odd.contains("openssl in debian-12"), "{odd}");
    }
}
