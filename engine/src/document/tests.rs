use super::*;
use crate::share::ShareError;

/// Reads a file that has a share, a count of at least 2, a flag, a list and tables.
fn mistakes(text: &str) -> String {
    let read = |mut top: Table<'_, ShareError>| {
        top.require("share", "share = \"5%\"");
        top.share("share");
        top.count::<u32>("count", 2);
        top.flag("flag");
        top.texts("list");
        top.counts::<u16>("ports", 1);
        for mut row in top.tables("row", "[[row]]").unwrap_or_default() {
            row.share("size");
            row.finish(&["later"], &["flag"]);
        }
        top.finish(&[], &[]);
        Some(())
    };
    super::read("f.toml", text, read)
        .map_or_else(|mistakes| mistakes.to_string(), |()| String::new())
}

#[test]
fn a_file_without_mistakes_is_read() {
    let text =
        "share = \"5%\"\ncount = 0x10\nflag = true\nlist = [\"a\"]\n[[row]]\nsize = \"1%\"\n";
    assert_eq!(mistakes(text), "");
}

#[test]
fn a_value_of_another_type_is_named_with_what_is_expected() {
    for (text, mistake) in [
        (
            "share = 5",
            "share: a text in quotes is expected, this is 5",
        ),
        (
            "share = 5.5",
            "share: a text in quotes is expected, this is a fraction",
        ),
        (
            "count = 1",
            "count: a whole number of at least 2 is expected, this is 1",
        ),
        (
            "count = -3",
            "count: a whole number of at least 2 is expected, this is -3",
        ),
        ("count = 99999999999", "this is 99999999999"),
        (
            "count = \"3\"",
            "count: a whole number of at least 2 is expected, this is \"3\"",
        ),
        (
            "ports = [80, 70000]",
            "ports: a whole number of at least 1 is expected, this is 70000",
        ),
        (
            "ports = 80",
            "ports: a list of whole numbers is expected, this is 80",
        ),
        (
            "flag = \"yes\"",
            "flag: true or false is expected, this is \"yes\"",
        ),
        (
            "list = \"a\"",
            "list: a list of texts is expected, this is \"a\"",
        ),
        ("list = [1]", "list: a list of texts is expected, this is 1"),
        (
            "row = {}",
            "row: a list of tables is expected, this is a table",
        ),
        (
            "row = [2026-11-01]",
            "row: a list of tables is expected, this is a date",
        ),
    ] {
        let found = mistakes(text);
        assert!(found.contains(mistake), "{text}: {found}");
    }
}

#[test]
fn an_unknown_key_gets_the_nearest_known_one() {
    for (text, mistake) in [
        (
            "shar = 1",
            "f.toml:1:1: unknown key \"shar\"; did you mean \"share\"?",
        ),
        (
            "cuont = 1",
            "unknown key \"cuont\"; did you mean \"count\"?",
        ),
        ("colour = 1", "unknown key \"colour\"; leave it out"),
        (
            "[[row]]\nsiez = 1",
            "f.toml:2:1: unknown key \"siez\" in [[row]]; did you mean \"size\"?",
        ),
        (
            "[[row]]\nlater = 1",
            "\"later\" in [[row]] is not built yet; leave it out",
        ),
        (
            "[[row]]\nflag = true",
            "unknown key \"flag\" in [[row]]; it belongs at the top of the file, before the first [table]",
        ),
    ] {
        let found = mistakes(text);
        assert!(found.contains(mistake), "{text}: {found}");
    }
}

#[test]
fn a_place_counts_lines_and_characters() {
    assert_eq!(
        mistakes("# ä\nshare = \"5%\"\n\"ä\" = x"),
        "f.toml:3:7: string values must be quoted, expected literal string"
    );
    assert!(mistakes("share = \"5%\"\r\nlist = [\"ä\", 1]").starts_with("f.toml:2:14: "));
}

#[test]
fn mistakes_stand_in_order_of_their_places_and_are_bounded() {
    let rows = "[[row]]\nsize = \"x\"\n".repeat(MAX_MISTAKES + 5);
    let found = mistakes(&rows);
    assert!(found.starts_with("f.toml:1:1: \"share\" is missing"));
    assert_eq!(found.lines().count(), MAX_MISTAKES + 1);
    assert!(found.ends_with("f.toml: and perhaps more"));
}

#[test]
fn a_file_is_bounded_in_length_and_depth() {
    let long = "#".repeat(MAX_FILE_LEN + 1);
    assert!(mistakes(&long).contains("at most 4194304 are read"));
    let deep = mistakes(&format!("list = {}", "[".repeat(100_000)));
    assert!(deep.contains("recurs"), "{deep}");
}
