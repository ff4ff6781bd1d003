//! Releases of kernels, as `uname -r` prints them.

/// A release as its version and its flavour: `6.1.0-25-cloud-amd64` is `6.1.0-25` and `cloud-amd64`.
pub fn parts(release: &str) -> (&str, &str) {
    let begins_flavour = |at: &usize| {
        let rest = release.get(at + 1..).unwrap_or_default();
        rest.starts_with(|c: char| c.is_ascii_alphabetic())
    };
    let mut marks = release.match_indices('-').map(|(at, _)| at);
    match marks.find(begins_flavour) {
        Some(at) => (&release[..at], &release[at + 1..]),
        None => (release, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_a_version_and_a_flavour() {
        for (release, expected) in [
            ("6.1.0-25-cloud-amd64", ("6.1.0-25", "cloud-amd64")),
            ("6.8.0-1021-aws", ("6.8.0-1021", "aws")),
            ("5.14.0-427.el9.x86_64", ("5.14.0-427.el9.x86_64", "")),
            ("6.1.119-1~bpo12+1", ("6.1.119-1~bpo12+1", "")),
            ("6.1.0-é", ("6.1.0-é", "")),
            ("-", ("-", "")),
            ("", ("", "")),
        ] {
            assert_eq!(parts(release), expected);
        }
    }
}
