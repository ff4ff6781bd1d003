use super::*;
use crate::select::{Comparison, tests::joined};
use crate::{
    digest::Digest,
    id::HostId,
    inventory::{Facts, Labels, Platform},
    package::PackageFormat,
};
use proptest::prelude::*;

/// A web server of `eu` with kernel `6.1.0-25-amd64`.
fn host() -> Host {
    let labels = [("service", "web"), ("region", "eu"), ("package", "deb")];
    Host {
        id: HostId::new("web-1").unwrap(),
        labels: Labels::from_iter(labels.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        facts: Facts {
            platform: Platform {
                os_release: "debian-12".to_owned(),
                architecture: "amd64".to_owned(),
            },
            kernel: "6.1.0-25-amd64".to_owned(),
            packages: Digest::of(""),
        }
        .into(),
    }
}

fn installed(name: &str, version: &str) -> Installed {
    Installed {
        name: name.to_owned(),
        version: version.to_owned(),
        is_whole: true,
    }
}

/// What that host finds.
fn found() -> Found {
    let packages = [
        ("openssl", vec![installed("openssl", "3.0.13-1~deb12u1")]),
        (
            "libc6",
            vec![
                installed("libc6", "2.36-9+deb12u10"),
                installed("libc6:i386", "2.36-9+deb12u4"),
            ],
        ),
        (
            "broken",
            vec![Installed {
                is_whole: false,
                ..installed("broken", "1")
            }],
        ),
    ];
    let unit = |active: &str, load: &str| UnitFound {
        active: active.to_owned(),
        load: load.to_owned(),
    };
    Found {
        format: PackageFormat::Deb,
        packages: packages.map(|(name, all)| (name.to_owned(), all)).into(),
        kernel: Some(Kernel {
            release: "6.1.0-25-amd64".to_owned(),
            version: "6.1.106-3".to_owned(),
        }),
        units: [
            ("nginx.service".to_owned(), unit("failed", "loaded")),
            ("gone.service".to_owned(), unit("inactive", "not-found")),
        ]
        .into(),
    }
}

fn about(text: &str) -> Decision {
    let query = Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    query.about(&host())
}

fn answer(text: &str) -> Answer {
    let question = Question::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    question.answer(&found())
}

#[test]
fn a_host_is_asked_only_for_what_its_labels_leave_open() {
    for (text, left) in [
        ("package openssl", Some("package openssl")),
        (
            r#"service == "web" and package openssl < 3"#,
            Some("package openssl < 3"),
        ),
        (r#"service == "db" and package openssl < 3"#, None),
        (r#"service == "web" or unit nginx failed"#, None),
        (
            r#"not (service == "db" or kernel < 6.2) and unit a.socket active"#,
            Some("not kernel < 6.2 and unit a.socket active"),
        ),
        (
            r#"(region == "eu" and (package a or package b) or service == "db") and package c"#,
            Some("(package a or package b) and package c"),
        ),
        (
            r#"(package a and service == "web" or service == "db") and package c"#,
            Some("package a and package c"),
        ),
    ] {
        match (about(text), left) {
            (Decision::Known(_), None) => {}
            (Decision::Ask(question), Some(left)) => assert_eq!(question.to_string(), left),
            (other, _) => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn labels_and_facts_may_be_called_as_conditions_begin() {
    for (text, holds) in [
        (r#"kernel == "6.1.0-25-amd64""#, true),
        (r#"kernel not in ("6.1.0-25-amd64")"#, false),
        (r#"package == "deb""#, true),
        (r#"unit != "a""#, true),
    ] {
        assert_eq!(about(text), Decision::Known(holds), "{text}");
    }
}

#[test]
fn an_answer_goes_by_what_the_host_found() {
    for (text, holds) in [
        ("package openssl", true),
        ("package openssl < 3.0.15", true),
        ("package openssl<3.0.13", false),
        ("package openssl >= 3.0.13-1~deb12u1", true),
        ("package openssl == 3.0.13-1~deb12u1", true),
        (r#"package "openssl" > "3.0.13""#, true),
        ("package broken == 1", true),
        ("package none", false),
        ("package none < 9", false),
        ("package none != 9", false),
        ("not package none", true),
        // One architecture is enough.
        ("package libc6 == 2.36-9+deb12u10", true),
        ("package libc6 < 2.36-9+deb12u5", true),
        ("package libc6 > 2.37", false),
        ("kernel < 6.1.120", true),
        ("kernel < 6.1.106", false),
        ("kernel >= 6.1.106-3", true),
        ("unit nginx failed", true),
        ("unit nginx.service active", false),
        ("unit gone inactive", true),
        ("unit other.timer inactive", false),
        (
            "package openssl > 4 or unit nginx failed and kernel < 7",
            true,
        ),
    ] {
        assert_eq!(answer(text).holds, holds, "{text}");
    }
}

#[test]
fn a_kernel_without_a_version_of_its_own_is_compared_by_its_release_without_its_flavour() {
    let release = "6.8.0-1021-aws".to_owned();
    let found = Found {
        kernel: Some(Kernel {
            version: release.clone(),
            release,
        }),
        ..Found::default()
    };
    for (text, holds) in [
        ("kernel < 6.8.0-1022", true),
        ("kernel < 6.8.0-1021-aws", false),
        ("kernel <= 6.8.0-1021-azure", true),
        ("kernel > 6.8", true),
    ] {
        let question = Question::parse(text).unwrap();
        assert_eq!(question.answer(&found).holds, holds, "{text}");
    }
    let said = Question::parse("kernel < 7")
        .unwrap()
        .answer(&found)
        .evidence;
    assert_eq!(said, "kernel 6.8.0-1021-aws");
}

#[test]
fn the_evidence_names_each_thing_once_as_it_is() {
    let text = "package openssl < 3 or package libc6 and not package openssl < 2 and package none \
                or package broken or kernel < 6 or unit nginx failed or unit gone failed";
    assert_eq!(
        answer(text).evidence,
        "openssl 3.0.13-1~deb12u1, libc6 2.36-9+deb12u10, libc6:i386 2.36-9+deb12u4, \
         none not installed, broken 1 (in part), kernel 6.1.106-3 (6.1.0-25-amd64), \
         nginx.service failed, gone.service inactive (not-found)"
    );
}

#[test]
fn a_host_looks_only_for_what_it_is_asked() {
    let question = Question::parse("package a < 1 and (package b or not unit c failed)").unwrap();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(
        question.wants(),
        Wants {
            packages: names(&["a", "b"]),
            kernel: false,
            units: names(&["c.service"]),
        }
    );
}

#[test]
fn an_error_says_where_and_what_was_expected() {
    for (text, error) in [
        (
            "",
            "at character 1: a label, `package`, `kernel`, `unit`, `not` or `(` is expected, the end stands there",
        ),
        (
            "package openssl < ",
            "at character 19: a version, as `3.0.15-1`, is expected, the end stands there",
        ),
        (
            "package openssl < and",
            "at character 19: a version, as `3.0.15-1`, is expected, `and` stands there",
        ),
        (
            "package openssl 3.0",
            "at character 17: `and`, `or` or the end is expected, `3.0` stands there",
        ),
        (
            r#"package "a b""#,
            "at character 9: `a b` is not a package name: letters, digits and `+ . _ : -`, beginning with \
             a letter or a digit and not ending in `-`",
        ),
        (
            "package a < ~1",
            "at character 13: `~1` is not a package version: letters, digits and `+ . _ : ~ ^ -`, \
             beginning with a letter or a digit",
        ),
        (
            "kernel 6.1",
            "at character 8: `==`, `!=`, `in` or `not in` is expected, `6.1` stands there",
        ),
        (
            "kernel == 6.1",
            "at character 11: a text in double quotes is expected, `6.1` stands there",
        ),
        (
            "unit ../x failed",
            "at character 6: `../x` is no name of a systemd unit, as in \"nginx.service\"",
        ),
        (
            "unit nginx broken",
            "at character 12: `active`, `inactive`, `failed`, `activating`, `deactivating`, `reloading`, \
             `refreshing` or `maintenance` is expected, `broken` stands there",
        ),
        (
            "service < 3",
            "at character 9: `==`, `!=`, `in` or `not in` is expected, `<` stands there",
        ),
    ] {
        let said = Query::parse(text).unwrap_err();
        assert_eq!(said.to_string(), error, "{text}");
    }
    let said = Question::parse(r#"package a and service == "web""#).unwrap_err();
    assert_eq!(
        said.to_string(),
        "at character 15: `service` is a label, which no host is asked for"
    );
}

#[test]
fn a_misspelt_condition_is_told_as_that() {
    let begins = "begins nothing that hosts can be asked: a query begins with a label that is compared, or with \
                  `package`, `kernel` or `unit`; did you mean";
    for (text, at, found, meant) in [
        ("pakage openssl", 1, "pakage", "package"),
        (r#"zone == "ä" and kernl < 6.1"#, 17, "kernl", "kernel"),
        ("not units nginx failed", 5, "units", "unit"),
    ] {
        let said = Query::parse(text).unwrap_err().to_string();
        let expected = format!("at character {at}: `{found}` {begins} `{meant}`?");
        assert_eq!(said, expected, "{text}");
    }
    // What is compared is a label, whatever it is called.
    assert!(Query::parse(r#"pakage == "openssl""#).is_ok());
}

fn any_host_condition() -> impl Strategy<Value = HostCondition> {
    let word = "and|or|not|in|[a-z0-9][a-z0-9+._:-]{0,6}[a-z0-9]";
    let version = "in|[0-9a][a-z0-9+._:~^-]{0,6}";
    let bounds = [
        Relation::Less,
        Relation::AtMost,
        Relation::Greater,
        Relation::AtLeast,
    ];
    let relations = [&bounds[..], &[Relation::Equal, Relation::Unequal]].concat();
    let package = (
        word,
        prop::option::of((prop::sample::select(relations), version)),
    );
    let unit = (
        r"and|[a-z0-9][a-z0-9:@._\\-]{0,6}",
        prop::sample::select(UnitState::ALL.to_vec()),
    );
    prop_oneof![
        package.prop_map(|(name, version)| HostCondition::Package { name, version }),
        (prop::sample::select(bounds.to_vec()), version)
            .prop_map(|(relation, version)| HostCondition::Kernel(relation, version)),
        unit.prop_map(|(name, state)| HostCondition::Unit {
            name: crate::unit::with_type(&name),
            state
        }),
    ]
}

fn any_expr() -> impl Strategy<Value = Expr<Term>> {
    let label = ("service|region|kernel|unit|package", "web|eu|x\"").prop_map(|(label, text)| {
        Term::Label(Condition {
            label,
            comparison: Comparison::Is(text),
        })
    });
    let term = prop_oneof![label, any_host_condition().prop_map(Term::Host)];
    let term = term.prop_map(Expr::Condition);
    joined(term)
}

proptest! {
    /// Also: what the coordinator decides and what a host then answers come to the whole query.
    #[test]
    fn a_query_reads_back_and_is_decided_in_two_parts_as_in_one(expr in any_expr()) {
        let text = Query(expr.clone()).to_string();
        let read = Query::parse(&text).unwrap();
        prop_assert_eq!(Query::parse(&read.to_string()), Ok(read.clone()));
        let (host, found) = (host(), found());
        let whole = expr.holds(&|term| match term {
            Term::Label(condition) => condition.holds(&|label| host.value(label)),
            Term::Host(condition) => condition.holds(&found),
        });
        let parts = match read.about(&host) {
            Decision::Known(holds) => holds,
            Decision::Ask(question) => {
                let sent = question.to_string();
                let arrived = Question::parse(&sent).unwrap();
                prop_assert_eq!(&arrived, &question, "{}", sent);
                arrived.answer(&found).holds
            }
        };
        prop_assert_eq!(parts, whole, "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(
        text in "\\PC*|([(),\"\\\\!=<>~ a1]|and|not|in|package |kernel |unit |failed){0,40}"
    ) {
        Query::parse(&text).ok();
        Question::parse(&text).ok();
    }
}

#[test]
fn versions_are_compared_as_the_packages_of_the_host_are() {
    let release = "5.14.0-70.13.1.el9_0.x86_64".to_owned();
    let found = |format| Found {
        format,
        packages: [("bash".to_owned(), vec![installed("bash", "5.1-6.el9")])].into(),
        kernel: Some(Kernel {
            version: release.clone(),
            release: release.clone(),
        }),
        ..Found::default()
    };
    for (text, as_rpm) in [
        ("kernel > 5.14.0-70.el9.x86_64", true),
        ("package bash < 5.1-6.1.el9", true),
    ] {
        let question = Question::parse(text).unwrap();
        for (format, holds) in [(PackageFormat::Rpm, as_rpm), (PackageFormat::Deb, !as_rpm)] {
            assert_eq!(
                question.answer(&found(format)).holds,
                holds,
                "{text} {format:?}"
            );
        }
    }
}
