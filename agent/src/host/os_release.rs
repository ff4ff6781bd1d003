//! Which release of which distribution a tree holds: os-release(5).

/// Reads an os-release file: `ID-VERSION_ID`, as in `debian-12`; only `ID` where a rolling release
/// has no version. Absent: the file names no distribution.
pub fn parse(text: &str) -> Option<String> {
    let id = value(text, "ID")?;
    Some(match value(text, "VERSION_ID") {
        Some(version) => format!("{id}-{version}"),
        None => id,
    })
}

/// The distribution that an os-release file names, and those that it is like.
pub fn ids(text: &str) -> Vec<String> {
    let values = ["ID", "ID_LIKE"]
        .into_iter()
        .filter_map(|key| value(text, key));
    let ids = values.flat_map(|value| {
        let words = value.split_whitespace().map(str::to_owned);
        words.collect::<Vec<_>>()
    });
    ids.collect()
}

fn value(text: &str, key: &str) -> Option<String> {
    text.lines()
        .filter_map(|line| line.trim().split_once('='))
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned())
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file of Debian 12's package base-files 12.4.
    const DEBIAN: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n\
        NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\n\
        VERSION_CODENAME=bookworm\nID=debian\nHOME_URL=\"https://www.debian.org/\"\n";

    #[test]
    fn a_release_is_named_by_id_and_version() {
        assert_eq!(parse(DEBIAN).as_deref(), Some("debian-12"));
        assert_eq!(parse("ID='arch'\n").as_deref(), Some("arch"));
    }

    #[test]
    fn a_file_without_an_id_names_nothing() {
        for text in ["", "VERSION_ID=12", "ID=\n", "\0\u{fffd}=="] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
