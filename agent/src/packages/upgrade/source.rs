//! Which source packages the installed packages were built of.

use std::collections::BTreeMap;

/// The format in which dpkg-query is asked.
pub const FORMAT: &str =
    "${db:Status-Abbrev}|${Package}|${Architecture}|${source:Package}|${source:Version}\\n";

/// The source package of each package that is fully installed, by the package's name. A package of
/// another architecture than the host's is named with it, as in `libc6:i386`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources(pub BTreeMap<String, Source>);

/// A source package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Sources {
    /// Reads the answer to [`FORMAT`]. Lines of another form are left out.
    pub fn parse(text: &str, architecture: &str) -> Self {
        let sources = text.lines().filter_map(|line| source(line, architecture));
        Self(sources.collect())
    }
}

fn source(line: &str, native: &str) -> Option<(String, Source)> {
    let mut columns = line.split('|');
    let mut column = || columns.next();
    let (status, package, architecture) = (column()?, column()?, column()?);
    let (name, version) = (column()?, column()?);
    let is_installed = status.as_bytes().get(1) == Some(&b'i');
    if !is_installed || package.is_empty() || name.is_empty() || version.is_empty() {
        return None;
    }
    let package = match architecture {
        of if of == native || of == "all" => package.to_owned(),
        other => format!("{package}:{other}"),
    };
    let source = Source {
        name: name.to_owned(),
        version: version.to_owned(),
    };
    Some((package, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together by hand, in the form of dpkg-query 1.21.22 with [`FORMAT`] where there is a second
    /// architecture.
    const SAMPLE: &str = "\
ii |libssl3|amd64|openssl|3.0.11-1~deb12u2
hi |libssl3|i386|openssl|3.0.11-1~deb12u2
ii |libgcc-s1|amd64|gcc-12|12.2.0-14
ii |tzdata|all|tzdata|2024a-0+deb12u1
rc |gone|amd64|gone|1
";

    #[test]
    fn packages_are_found_by_the_source_that_they_are_of() {
        let sources = Sources::parse(SAMPLE, "amd64").0;
        let names: Vec<_> = sources.keys().map(String::as_str).collect();
        assert_eq!(names, ["libgcc-s1", "libssl3", "libssl3:i386", "tzdata"]);
        assert_eq!(sources["libssl3:i386"].name, "openssl");
        assert_eq!(sources["libgcc-s1"].version, "12.2.0-14");
    }

    #[test]
    fn garbage_is_no_source() {
        for garbage in [
            "",
            "ii ",
            "ii |a|b|c",
            "ii |a|b|c|",
            "i|a|b|c|d",
            "é|a|b|c|d",
        ] {
            assert_eq!(
                Sources::parse(garbage, "amd64"),
                Sources::default(),
                "{garbage}"
            );
        }
    }
}
