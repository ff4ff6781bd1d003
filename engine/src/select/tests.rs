use super::*;
use proptest::prelude::*;

fn holds(text: &str) -> bool {
    let selection = Selection::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let value = |label: &str| match label {
        "service" => Some("web"),
        "region" => Some("r1"),
        "team.example/owner" => Some("a \"b\" \\ c"),
        _ => None,
    };
    selection.expr().holds(&|condition| condition.holds(&value))
}

#[test]
fn a_selection_compares_labels_with_texts() {
    for (text, expected) in [
        (r#"service == "web""#, true),
        (r#"service == "api""#, false),
        (r#"service != "web""#, false),
        (r#"service != "api""#, true),
        (r#"service in ("web", "api")"#, true),
        (r#"service in ("api",)"#, false),
        (r#"service not in ("web", "api")"#, false),
        (r#"service not in ("api")"#, true),
        (r#"team.example/owner == "a \"b\" \\ c""#, true),
        (
            r#"service in ("web", "api") and region != "ap-southeast-1""#,
            true,
        ),
    ] {
        assert_eq!(holds(text), expected, "{text}");
    }
}

#[test]
fn a_label_that_is_not_there_equals_nothing() {
    assert!(!holds(r#"zone == "a""#));
    assert!(!holds(r#"zone == """#));
    assert!(!holds(r#"zone in ("a")"#));
    assert!(holds(r#"zone != "a""#));
    assert!(holds(r#"zone not in ("a")"#));
    assert!(holds(r#"not zone == "a""#));
}

#[test]
fn not_binds_before_and_before_or() {
    for (text, expected) in [
        (
            r#"service == "web" or region == "x" and region == "x""#,
            true,
        ),
        (
            r#"(service == "web" or region == "x") and region == "x""#,
            false,
        ),
        (r#"not service == "x" and region == "r1""#, true),
        (r#"not (service == "x" or region == "r1")"#, false),
        (r#"not not service == "web""#, true),
    ] {
        assert_eq!(holds(text), expected, "{text}");
    }
}

#[test]
fn a_selection_is_written_canonically() {
    for (text, canonical) in [
        (r#" ( service=="a" ) "#, r#"service == "a""#),
        (
            r#"(a=="1" and (b=="2" and c=="3"))or d=="4""#,
            r#"a == "1" and b == "2" and c == "3" or d == "4""#,
        ),
        (
            r#"(a=="1" or b=="2") and not(c=="3" or d=="4")"#,
            r#"(a == "1" or b == "2") and not (c == "3" or d == "4")"#,
        ),
        (r#"a in("1","2",)"#, r#"a in ("1", "2")"#),
        (r#"a not  in ("\"\\")"#, r#"a not in ("\"\\")"#),
    ] {
        let selection = Selection::parse(text).unwrap();
        assert_eq!(selection.to_string(), canonical);
        assert_eq!(Selection::parse(canonical), Ok(selection));
    }
}

#[test]
fn an_error_says_where_and_what_was_expected() {
    for (text, error) in [
        (
            "",
            "at character 1: a label, `not` or `(` is expected, the end stands there",
        ),
        (
            "service",
            "at character 8: `==`, `!=`, `in` or `not in` is expected, the end stands there",
        ),
        (
            r#"service = "web""#,
            "at character 9: `==` is expected, `=` stands there",
        ),
        (
            "service == web",
            "at character 12: a text in double quotes is expected, `web` stands there",
        ),
        (
            r#"service == "web"#,
            "at character 12: the text that begins here has no closing `\"`",
        ),
        (
            r#"a == "1" b == "2""#,
            "at character 10: `and`, `or` or the end is expected, `b` stands there",
        ),
        (
            r#"(a == "1""#,
            "at character 10: `and`, `or` or `)` is expected, the end stands there",
        ),
        (
            r#"a in ()"#,
            "at character 7: a text in double quotes is expected, `)` stands there",
        ),
        (
            r#"a in ("1" "2")"#,
            "at character 11: `,` or `)` is expected, the text \"2\" stands there",
        ),
        (
            r#"a not == "1""#,
            "at character 7: `in` is expected, `==` stands there",
        ),
        (
            r#"a == "\n""#,
            "at character 7: `\\n` is no escape: only `\\\"` and `\\\\` are",
        ),
        ("a & b", "at character 3: `&` means nothing here"),
        ("ä == 1", "at character 1: `ä` means nothing here"),
        (
            r#"a == "ää" b"#,
            "at character 11: `and`, `or` or the end is expected, `b` stands there",
        ),
    ] {
        assert_eq!(
            Selection::parse(text).unwrap_err().to_string(),
            error,
            "{text}"
        );
    }
}

#[test]
fn words_that_only_queries_have_are_no_labels_and_compare_none() {
    for (text, error) in [
        (
            r#"zone == "a" and te~am == "b""#,
            "at character 19: `~` means nothing here",
        ),
        (
            "service < 3",
            "at character 9: `==`, `!=`, `in` or `not in` is expected, `<` stands there",
        ),
    ] {
        let said = Selection::parse(text).unwrap_err();
        assert_eq!(said.to_string(), error, "{text}");
    }
}

#[test]
fn what_only_a_host_can_tell_selects_nothing_and_is_sent_to_query() {
    for (condition, begins) in [
        ("package openssl < 3.0.15", "package openssl"),
        ("kernel < 6.1.120", "kernel <"),
        ("unit nginx.service failed", "unit nginx.service"),
    ] {
        let text = format!(r#"service == "web" and {condition}"#);
        let said = Selection::parse(&text).unwrap_err();
        assert_eq!(said.at(), 22);
        assert_eq!(
            said.to_string(),
            format!(
                "at character 22: `{begins}` asks the hosts themselves, and a selection goes by labels and \
                 facts alone: `cofferdam query` asks hosts"
            )
        );
    }
    for labels in [
        r#"package == "a""#,
        r#"kernel != "6.1.0-25-amd64""#,
        r#"unit not in ("a")"#,
    ] {
        assert!(Selection::parse(labels).is_ok(), "{labels}");
    }
}

#[test]
fn a_selection_is_bounded_in_depth_and_length() {
    let nested = |levels: usize| format!("{}a == \"1\"{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Selection::parse(&nested(MAX_SELECTION_DEPTH)).is_ok());
    assert_eq!(
        Selection::parse(&nested(MAX_SELECTION_DEPTH + 1)),
        Err(SelectError::TooDeep {
            at: MAX_SELECTION_DEPTH + 2
        })
    );
    assert!(Selection::parse(&"not ".repeat(4000)).is_err());
    let long = "x".repeat(MAX_SELECTION_LEN + 1);
    assert!(matches!(
        Selection::parse(&long),
        Err(SelectError::TooLong { .. })
    ));
}

#[test]
fn a_long_chain_is_not_deep() {
    let chain = vec![r#"a == "1""#; 1000].join(" or ");
    assert!(Selection::parse(&chain).is_ok());
}

fn any_expr() -> impl Strategy<Value = Expr<Condition>> {
    let text = "[a-z\"\\\\ é]{0,4}";
    let comparison = prop_oneof![
        text.prop_map(Comparison::Is),
        text.prop_map(Comparison::IsNot),
        prop::collection::vec(text, 1..3).prop_map(Comparison::In),
        prop::collection::vec(text, 1..3).prop_map(Comparison::NotIn),
    ];
    let condition = ("x[a-z_./-]{0,4}", comparison)
        .prop_map(|(label, comparison)| Expr::Condition(Condition { label, comparison }));
    joined(condition)
}

/// Conditions, and what `and`, `or` and `not` make of them.
pub(crate) fn joined<C: fmt::Debug + Clone + 'static>(
    condition: impl Strategy<Value = Expr<C>> + 'static,
) -> impl Strategy<Value = Expr<C>> {
    condition.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            inner.prop_map(|expr| Expr::Not(Box::new(expr))),
        ]
    })
}

proptest! {
    #[test]
    fn a_selection_reads_back_as_what_it_says(expr in any_expr(), labels: [Option<bool>; 4]) {
        let text = expr.to_string();
        let read = Selection::parse(&text).unwrap();
        prop_assert_eq!(Selection::parse(&read.to_string()), Ok(read.clone()));
        let value = |label: &str| labels[label.len() % 4].map(|set| if set { "a" } else { "" });
        let judge = |condition: &Condition| condition.holds(&value);
        prop_assert_eq!(read.expr().holds(&judge), expr.holds(&judge), "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*|([(),\"\\\\!= a]|and|or|not|in){0,40}") {
        Selection::parse(&text).ok();
    }
}
