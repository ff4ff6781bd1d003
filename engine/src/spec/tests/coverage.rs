//! What the canary has to meet, and what is waived.

use super::mistakes_with;

#[test]
fn coverage_names_labels_and_pairs_of_labels() {
    for (top, mistake) in [
        ("coverage = []", "coverage: names no label"),
        ("coverage = [\"a\", \"a\"]", "names the label a twice"),
        ("coverage = [\"\"]", "a label has a name"),
        ("coverage = \"a\"", "a list of texts is expected"),
        (
            "coverage_pairs = [\"a\"]",
            "a list of lists of texts is expected",
        ),
        (
            "coverage_pairs = [[\"a\"]]",
            "a pair has two labels, this one has 1",
        ),
        (
            "coverage_pairs = [[\"a\", \"a\"]]",
            "names the label a twice",
        ),
        (
            "coverage_pairs = [[\"a\", \"b\"], [\"b\", \"a\"]]",
            "names the pair b with a twice",
        ),
    ] {
        let found = mistakes_with(top, "");
        assert!(found.contains(mistake), "{top}: {found}");
    }
}

#[test]
fn a_waiver_says_what_why_and_until_when() {
    let waiver = |keys: &str| format!("[[waiver]]\n{keys}\n");
    let good = "stratum = \"zone=r1/a\"\nreason = \"x\"\nexpires = \"2026-12-31\"";
    for (end, mistake) in [
        (
            good.replace("zone=r1/a", "zone"),
            "stratum in [[waiver]]: is no stratum",
        ),
        (
            good.replace("\"x\"", "\" \""),
            "reason in [[waiver]]: says nothing",
        ),
        (good.replace("12-31", "11-31"), "`2026-11-31` is not a day"),
        (
            format!("{good}\n[[waiver]]\n{good}"),
            "another waiver names this stratum already",
        ),
        (
            "reason = \"x\"".to_owned(),
            "\"stratum\" in [[waiver]] is missing",
        ),
    ] {
        let found = mistakes_with("", &waiver(&end));
        assert!(found.contains(mistake), "{end}: {found}");
    }
}
