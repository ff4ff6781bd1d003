//! Where a version that apt would install is from, as an `Inst` line says it.

/// The label of Debian's own security archive; its derivatives keep it.
const SECURITY_LABEL: &str = "Debian-Security";

/// How the names of security suites end, as in `jammy-security` and `stable-security`.
const SECURITY_SUITE: &str = "-security";

/// A repository, as its release file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its label. Empty: it has none.
    pub label: String,
    /// Its suite; of a repository without one, the site that it is on.
    pub suite: String,
}

impl Origin {
    /// A repository of security updates.
    pub fn security() -> Self {
        Self {
            label: SECURITY_LABEL.to_owned(),
            suite: String::new(),
        }
    }

    /// Whether what is from there is a security update: its label or its suite says so.
    pub fn is_security(&self) -> bool {
        self.label == SECURITY_LABEL || self.suite.ends_with(SECURITY_SUITE)
    }
}

/// Reads `LABEL:VERSION/SUITE, LABEL:SUITE, SITE [ARCHITECTURE]`; a label may hold blanks.
pub(super) fn parse(text: &str) -> Vec<Origin> {
    let text = match text.rsplit_once('[') {
        Some((origins, _)) => origins,
        None => text,
    };
    let each = text.split(", ").map(str::trim);
    each.filter(|origin| !origin.is_empty())
        .map(origin)
        .collect()
}

fn origin(text: &str) -> Origin {
    let (label, rest) = text.rsplit_once(':').unwrap_or(("", text));
    let suite = rest.split_once('/').map_or(rest, |(_, suite)| suite);
    Origin {
        label: label.to_owned(),
        suite: suite.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_or_the_suite_marks_security_updates() {
        let cases = [
            (" Debian-Security:12/stable-security [amd64]", true),
            (
                " Debian:12.4/stable, Debian-Security:12/stable-security [amd64]",
                true,
            ),
            (" Ubuntu:22.04/jammy-security [amd64]", true),
            (" Debian-Security:oldstable [all]", true),
            (" Ubuntu:22.04/jammy-updates [amd64]", false),
            (" Debian Backports:12/stable-backports [amd64]", false),
            (" security.example.org [amd64]", false),
            (" localhost, local-deb [all]", false),
            (" My Debian-Security:1/x [all]", false),
            ("", false),
            (" [", false),
        ];
        for (text, expected) in cases {
            let is_security = parse(text).iter().any(Origin::is_security);
            assert_eq!(is_security, expected, "{text}");
        }
    }
}
