use super::*;
use crate::{
    id::{Generation, HostId},
    inventory::{Facts, Host, Platform},
    patch::{
        ConffilePolicy, ConfigFile, ConfigPatch, Content, FileMode, Files, Locked, LockedFile,
        LockedPackage, LockedPlatform, LockedSource, Rights, Source,
    },
    reach::Reach,
    time::Timestamp,
};
use proptest::prelude::*;

const FILE: &str = "name = \"openssl\"\n[patch]\nkind = \"packages\"\npackages = { openssl = \"2\" }\n\
                    conffiles = { openssl = \"replace\" }\n[select]\nmatch = 'service == \"web\"'\n";

fn locked(version: &str) -> LockFile {
    let package = |name: &str| LockedPackage {
        name: name.to_owned(),
        version: version.to_owned(),
        sha256: Digest::of(version),
        size: 7,
    };
    let platform = |os_release: &str| LockedPlatform {
        platform: platform(os_release),
        packages: vec![
            package("libssl3"),
            package(&format!("openssl-{os_release}")),
        ],
        reach: Reach::Every,
        fixes: None,
    };
    LockFile {
        rollout: "openssl".to_owned(),
        content: Locked::Packages {
            platforms: vec![platform("debian-12"), platform("debian-11")],
        },
    }
}

fn platform(os_release: &str) -> Platform {
    Platform {
        os_release: os_release.to_owned(),
        architecture: "amd64".to_owned(),
    }
}

fn content(version: &str, os_release: &str) -> Content {
    let content = locked(version).content_for(&platform(os_release), spec().patch());
    content.unwrap()
}

fn spec() -> Spec {
    Spec::parse("openssl.toml", FILE).unwrap()
}

fn validity() -> Validity {
    let day = |text| Date::parse(text).unwrap();
    let (made, until) = (day("2026-11-28"), day("2027-02-26"));
    Validity { made, until }
}

fn signed() -> Statement {
    Statement::of(&spec(), &locked("2"), None, validity())
}

fn amends() -> Amends {
    Amends {
        rollout: RolloutId::new("before").unwrap(),
        rollout_digest: Digest::of("before"),
        generation: Generation(2),
    }
}

fn host(service: &str, os_release: &str) -> Host {
    Host {
        id: HostId::new("web-1").unwrap(),
        labels: [("service".to_owned(), service.to_owned())].into(),
        facts: Facts {
            platform: platform(os_release),
            kernel: "6.1".to_owned(),
            packages: Digest::of(""),
        }
        .into(),
    }
}

/// What an honest coordinator orders, taken apart so that a bad one can be played.
struct Ordered {
    rollout: RolloutId,
    lock: Digest,
    content: Content,
    conffiles: ConffilePolicies,
    one_way: bool,
    kernel_fallback: KernelFallback,
    run: RunTerms,
}

impl Ordered {
    fn of(statement: &Statement) -> Self {
        let (spec, lock) = (spec(), locked("2"));
        Self {
            rollout: spec.name().clone(),
            lock: lock.digest(),
            content: content("2", "debian-12"),
            conffiles: spec.conffiles().clone(),
            one_way: false,
            kernel_fallback: spec.kernel_fallback(),
            run: RunTerms {
                rollout_digest: statement.rollout_digest(),
                reboot: spec.reboot(),
                restart: spec.restart(),
            },
        }
    }

    fn under(&self, statement: &Statement, host: &Host) -> Result<(), NotCovered> {
        let change = Change {
            rollout: &self.rollout,
            lock: self.lock,
            content: &self.content,
            conffiles: &self.conffiles,
            one_way: self.one_way,
            kernel_fallback: self.kernel_fallback,
            run: Some(self.run),
        };
        statement.covers(&change, host, validity().made.end())
    }
}

#[test]
fn a_statement_can_be_read_by_people() {
    let mut statement = signed();
    statement.amends = Some(amends());
    insta::assert_snapshot!(statement.to_string());
}

/// What a bad coordinator does to an order, and what the refusal says.
type Forgery = (fn(&mut Ordered), &'static str);

const FORGERIES: [Forgery; 12] = [
    (
        |o| o.rollout = RolloutId::new("other").unwrap(),
        "is rollout openssl, and this is other",
    ),
    (|o| o.lock = Digest::of("x"), "another lock file"),
    (
        |o| o.run.rollout_digest = Digest::of("x"),
        "another rollout file",
    ),
    (|o| o.content = content("3", "debian-12"), "other bits"),
    (|o| o.content = content("2", "debian-11"), "other bits"),
    (|o| o.content = Content::Noop, "other bits"),
    (|o| o.conffiles.clear(), "`conffiles`"),
    (
        |o| o.conffiles = [("bash".to_owned(), ConffilePolicy::Replace)].into(),
        "`conffiles`",
    ),
    (
        |o| o.one_way = true,
        "`one_way` is true, and false was signed",
    ),
    (
        |o| o.run.reboot = RebootPolicy::Always,
        "`reboot` is always",
    ),
    (
        |o| o.run.restart = RestartPolicy::Never,
        "`restart` is never",
    ),
    (
        |o| o.kernel_fallback = KernelFallback::None,
        "`kernel_fallback` is none",
    ),
];

#[test]
fn what_was_signed_is_covered_and_nothing_else() {
    let (statement, here) = (signed(), host("web", "debian-12"));
    assert_eq!(Ordered::of(&statement).under(&statement, &here), Ok(()));
    for (forge, expected) in FORGERIES {
        let mut ordered = Ordered::of(&statement);
        forge(&mut ordered);
        let said = ordered.under(&statement, &here).unwrap_err().to_string();
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn each_part_of_a_package_is_signed() {
    let (statement, here) = (signed(), host("web", "debian-12"));
    let changes: [fn(&mut LockedPackage); 4] = [
        |package| package.name += " x",
        |package| package.version += "1",
        |package| package.sha256 = Digest::of("x"),
        |package| package.size += 1,
    ];
    for change in changes {
        let mut ordered = Ordered::of(&statement);
        let Content::Packages { packages, .. } = &mut ordered.content else {
            unreachable!("packages were locked");
        };
        change(&mut packages[1]);
        let refused = Err(NotCovered::OtherBits(platform("debian-12")));
        assert_eq!(ordered.under(&statement, &here), refused);
    }
}

#[test]
fn a_statement_is_for_the_hosts_that_it_selects_on_the_platforms_that_it_names() {
    let statement = signed();
    let ordered = Ordered::of(&statement);
    let under = |service, os_release| ordered.under(&statement, &host(service, os_release));
    assert_eq!(under("web", "debian-12"), Ok(()));
    assert!(matches!(
        under("db", "debian-12"),
        Err(NotCovered::NotSelected(_))
    ));
    assert!(matches!(
        under("web", "debian-11"),
        Err(NotCovered::OtherBits(_))
    ));
    assert!(matches!(
        under("web", "debian-10"),
        Err(NotCovered::NothingFor(_))
    ));
}

#[test]
fn a_statement_is_good_to_the_end_of_its_last_day() {
    let (statement, here) = (signed(), host("web", "debian-12"));
    let ordered = Ordered::of(&statement);
    let change = Change {
        rollout: &ordered.rollout,
        lock: ordered.lock,
        content: &ordered.content,
        conffiles: &ordered.conffiles,
        one_way: false,
        kernel_fallback: ordered.kernel_fallback,
        run: None,
    };
    let end = validity().until.end();
    let last = Timestamp(end.0 - 1);
    assert_eq!(statement.covers(&change, &here, last), Ok(()));
    let over = Err(NotCovered::Over(validity().until));
    assert_eq!(statement.covers(&change, &here, end), over);
}

#[test]
fn a_rollouts_statement_is_none_of_an_amendment() {
    let (own, here) = (signed(), host("web", "debian-12"));
    let amended = Statement::of(&spec(), &locked("2"), Some(amends()), validity());
    let next = Amends {
        generation: Generation(3),
        ..amends()
    };
    let next = Statement::of(&spec(), &locked("2"), Some(next), validity());
    let ordered = Ordered::of(&amended);
    assert_eq!(ordered.under(&amended, &here), Ok(()));
    for other in [own, next] {
        let refused = Err(NotCovered::Other("rollout file or generation"));
        assert_eq!(ordered.under(&other, &here), refused);
    }
}

#[test]
fn a_config_file_is_signed_with_its_place_and_what_follows() {
    let file = FILE.replace(
        "kind = \"packages\"\npackages = { openssl = \"2\" }\nconffiles = { openssl = \"replace\" }",
        "kind = \"config\"\npath = \"/etc/app.conf\"\nsource = \"app.conf\"\nreload = \"app.service\"",
    );
    let spec = Spec::parse("config.toml", &file).unwrap();
    let lock = LockFile {
        rollout: "openssl".to_owned(),
        content: Locked::Config(Files::from(LockedSource {
            file: LockedFile {
                sha256: Digest::of("new"),
                size: 3,
            },
            of: None,
        })),
    };
    let statement = Statement::of(&spec, &lock, None, validity());
    let what = &statement.bits[0].what;
    assert_eq!(what, "file \"/etc/app.conf\", reloads \"app.service\"");
    assert_eq!(statement.bits[0].place, Place::Anywhere);
    assert_eq!(Statement::parse(&statement.to_string()), Ok(statement));
}

#[test]
fn each_file_of_a_config_patch_is_signed_with_its_rights() {
    let file = |path: &str, mode| ConfigFile {
        path: path.into(),
        source: Source::parse("app.conf").unwrap(),
        rights: Rights {
            mode,
            ..Rights::default()
        },
    };
    let digest = |last: ConfigFile, sha256: &str| {
        let files = Files::of([file("/etc/one", None), last]).unwrap();
        let config = ConfigPatch {
            files,
            validate: None,
            reload: None,
        };
        let locked = |text: &str| LockedFile {
            sha256: Digest::of(text),
            size: 3,
        };
        let files = Files::of([locked("one"), locked(sha256)]).unwrap();
        let content = Content::Config { config, files };
        Bits::of(&content, &platform("debian-12")).digest
    };
    let signed = digest(file("/etc/two", None), "two");
    let mode = FileMode::parse("0640").ok();
    for other in [
        digest(file("/etc/two", mode), "two"),
        digest(file("/etc/three", None), "two"),
        digest(file("/etc/two", None), "three"),
    ] {
        assert_ne!(signed, other);
    }
}

#[test]
fn what_is_no_statement_is_refused() {
    let text = signed().to_string();
    let parse = |text: &str| Statement::parse(text).unwrap_err();
    assert_eq!(parse(""), StatementError::NoStatement);
    assert_eq!(
        parse(&text.replace("rollout 1", "rollout 2")),
        StatementError::Version("2".to_owned())
    );
    let (line, key) = (2, "rollout");
    assert_eq!(
        parse("cofferdam-rollout 1\n"),
        StatementError::Line { line, key }
    );
    let (line, key) = (11, "conffiles");
    let mended = text.replace("conffiles ", "conffiles x");
    assert_eq!(parse(&mended), StatementError::Line { line, key });
    for other in [
        text.replace("\n", "\r\n"),
        text.replace("one-way no", "one-way  no"),
        text.trim_end().to_owned(),
        format!("{text}bits any\n"),
        text.replace("match service == \"web\"", "match (service == \"web\")"),
    ] {
        assert!(Statement::parse(&other).is_err(), "{other}");
    }
    let long = "x".repeat(MAX_STATEMENT_LEN + 1);
    assert_eq!(parse(&long), StatementError::TooLong(long.len()));
}

proptest! {
    #[test]
    fn a_mangled_statement_is_refused_or_is_written_as_it_was_read(
        at in 0_usize..700,
        cut in 0_usize..3,
        put in "[ -~\n\r]{0,3}",
    ) {
        let text = signed().to_string();
        let at = at.min(text.len());
        let end = (at + cut).min(text.len());
        let mangled = format!("{}{put}{}", &text[..at], &text[end..]);
        if let Ok(read) = Statement::parse(&mangled) {
            prop_assert_eq!(read.to_string(), mangled);
        }
    }

    #[test]
    fn whatever_a_text_holds_it_is_read_or_refused(text in "(?s).{0,300}") {
        Statement::parse(&format!("cofferdam-rollout 1\n{text}")).ok();
    }
}
