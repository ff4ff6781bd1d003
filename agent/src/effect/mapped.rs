//! Which files a process runs that are not there any more: `/proc/PID/maps`.

use std::collections::BTreeSet;

/// Where package managers put what processes run. Elsewhere programs map what they made themselves, and
/// remove it at once.
const INSTALLED: [&str; 6] = ["/usr/", "/lib", "/bin/", "/sbin/", "/opt/", "/srv/"];

/// What the kernel adds to the name of a file that was removed or replaced.
const GONE: &str = " (deleted)";

/// What dpkg calls a file while it replaces it.
const BY_DPKG: [&str; 2] = [".dpkg-tmp", ".dpkg-new"];

/// The installed files that a process has mapped to run them, and that were replaced or removed since.
pub fn replaced(maps: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in maps.lines() {
        if let Some(path) = gone(line) {
            found.insert(path.to_owned());
        }
    }
    found
}

/// As in `7f3a9c000000-7f3a9c022000 r-xp 00000000 08:01 1234   /usr/lib/libc.so.6 (deleted)`.
fn gone(line: &str) -> Option<&str> {
    let (_range, rest) = line.split_once(' ')?;
    let (permissions, rest) = rest.split_once(' ')?;
    if permissions.as_bytes().get(2) != Some(&b'x') {
        return None;
    }
    let path = rest.get(rest.find('/')?..)?.strip_suffix(GONE)?;
    let path = BY_DPKG
        .iter()
        .find_map(|suffix| path.strip_suffix(suffix))
        .unwrap_or(path);
    INSTALLED
        .iter()
        .any(|folder| path.starts_with(folder))
        .then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/proc/PID/maps` of Linux 6.18, shortened: a program whose library was replaced as dpkg does it.
    const SAMPLE: &str = include_str!("samples/maps-of-a-replaced-library");

    #[test]
    fn a_library_that_was_replaced_is_named_once() {
        let found = replaced(SAMPLE);
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, ["/opt/tea/lib/libtea.so.1"]);
    }

    #[test]
    fn only_what_is_run_and_was_installed_counts() {
        for (line, is_replaced) in [
            ("1-2 r-xp 0 08:01 9   /usr/sbin/nginx (deleted)", true),
            ("1-2 r-xp 0 08:01 9   /usr/sbin/nginx", false),
            ("1-2 r--p 0 08:01 9   /usr/sbin/nginx (deleted)", false),
            (
                "1-2 r-xp 0 08:01 9   /usr/lib/a.so.dpkg-tmp (deleted)",
                true,
            ),
            ("1-2 r-xp 0 00:05 9   /dev/zero (deleted)", false),
            ("1-2 rwxs 0 00:01 9   /memfd:jit (deleted)", false),
            ("1-2 r-xp 0 08:01 9   /tmp/ffi1 (deleted)", false),
            ("1-2 r-xp 0 00:00 0   [vdso]", false),
            ("1-2 rwxp 0 00:00 0", false),
        ] {
            assert_eq!(!replaced(line).is_empty(), is_replaced, "{line}");
        }
        let renamed = replaced("1-2 r-xp 0 08:01 9   /usr/lib/a.so.dpkg-new (deleted)");
        assert!(renamed.contains("/usr/lib/a.so"), "{renamed:?}");
    }

    #[test]
    fn garbage_names_nothing() {
        for garbage in [
            "",
            " ",
            "a b",
            "a r",
            "1-2 r-x",
            "x rwxp/ (deleted)",
            "\u{fffd} ..x /",
        ] {
            assert!(replaced(garbage).is_empty(), "{garbage}");
        }
    }
}
