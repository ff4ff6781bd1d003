//! What is wrong is refused, and the field is named by its path.

use crate::sample::{hello, order};
use cofferdam_proto::{
    convert::bounds::{MAX_CHUNK_BYTES, MAX_LABELS, MAX_LINE_BYTES},
    session::{FromAgent, ToAgent},
    v1,
};

fn refusal_of_order(change: impl FnOnce(&mut v1::Order)) -> String {
    let mut wire = v1::Order::from(order());
    change(&mut wire);
    refusal_to_agent(v1::to_agent::Message::Order(wire))
}

fn refusal_of_hello(change: impl FnOnce(&mut v1::Hello)) -> String {
    let mut wire = v1::Hello::from(hello());
    change(&mut wire);
    refusal_from_agent(v1::from_agent::Message::Hello(wire))
}

fn refusal_to_agent(message: v1::to_agent::Message) -> String {
    let message = Some(message);
    let refused = ToAgent::try_from(v1::ToAgent { message });
    refused.unwrap_err().to_string()
}

fn refusal_from_agent(message: v1::from_agent::Message) -> String {
    let message = Some(message);
    let refused = FromAgent::try_from(v1::FromAgent { message });
    refused.unwrap_err().to_string()
}

#[test]
fn an_empty_message_is_refused() {
    let refused = ToAgent::try_from(v1::ToAgent { message: None });
    assert_eq!(refused.unwrap_err().to_string(), "message: is missing");
}

#[test]
fn a_part_that_is_missing_is_named() {
    assert_eq!(
        refusal_of_order(|order| order.key = None),
        "order.key: is missing"
    );
    assert_eq!(
        refusal_of_order(|order| order.content = Some(v1::Content { content: None })),
        "order.content: is missing"
    );
    assert_eq!(
        refusal_of_order(|order| order.direction = 0),
        "order.direction: is missing"
    );
    assert_eq!(
        refusal_of_hello(|hello| hello.facts.as_mut().unwrap().platform = None),
        "hello.facts.platform: is missing"
    );
}

#[test]
fn a_name_that_is_none_is_refused() {
    assert_eq!(
        refusal_of_order(|order| order.grant.as_mut().unwrap().cell = "../etc".to_owned()),
        "order.grant.cell: `../etc` is not a cell name: letters, digits, `.`, `_` and `-`, \
         beginning with a letter or a digit"
    );
    assert_eq!(
        refusal_of_hello(|hello| hello.host.clear()),
        "hello.host: a host name must not be empty"
    );
}

#[test]
fn a_number_out_of_its_range_is_refused() {
    assert_eq!(
        refusal_of_order(|order| order.token = 0),
        "order.token: is 0; it begins at 1"
    );
    assert_eq!(
        refusal_of_order(|order| order.attempt = 0),
        "order.attempt: is 0; it begins at 1"
    );
    assert_eq!(
        refusal_of_order(|order| order.reboot = 77),
        "order.reboot: has the value 77, which this version does not know"
    );
    assert_eq!(
        refusal_of_order(|order| order.deadlines.as_mut().unwrap().apply_ms = u64::MAX),
        "order.deadlines.apply_ms: is 18446744073709551615 ms, at most 31622400000 ms are allowed"
    );
    let welcome = v1::Welcome {
        epoch: 1,
        heartbeat_ms: 0,
        want_packages: false,
        heard: None,
    };
    assert_eq!(
        refusal_to_agent(v1::to_agent::Message::Welcome(welcome)),
        "welcome.heartbeat_ms: is 0; it begins at 1"
    );
}

#[test]
fn a_digest_that_is_none_is_refused() {
    assert_eq!(
        refusal_of_order(|order| order.grant.as_mut().unwrap().lock_digest = vec![1; 31]),
        "order.grant.lock_digest: has 31 bytes, a SHA-256 has 32"
    );
}

fn refusal_of_package(name: &str, version: &str, size: u64) -> String {
    let package = v1::LockedPackage {
        name: name.to_owned(),
        version: version.to_owned(),
        sha256: vec![0; 32],
        size,
    };
    let packages = vec![package];
    let content = v1::content::Content::Packages(v1::content::Packages {
        packages,
        upgrade_only: None,
    });
    refusal_of_order(|order| {
        let content = Some(content);
        order.content = Some(v1::Content { content });
    })
}

#[test]
fn an_entry_of_a_list_is_named_by_its_place() {
    let refusal = refusal_of_package("bash", "", 1);
    let place = "order.content.packages.packages[0].version: ";
    assert!(refusal.starts_with(place), "{refusal}");
}

#[test]
fn what_a_tool_of_the_host_would_read_as_more_than_a_name_is_refused() {
    for name in ["", "-oDpkg::Pre-Invoke::=sh", "bash-", "./evil.deb", "a b"] {
        let refusal = refusal_of_package(name, "1", 1);
        assert!(refusal.contains("is not a package name"), "{refusal}");
    }
    for version in ["-1", "1=2", "1/sid"] {
        let refusal = refusal_of_package("bash", version, 1);
        assert!(refusal.contains("is not a package version"), "{refusal}");
    }
    let wish = v1::PackageWish {
        name: "*".to_owned(),
        version: None,
    };
    let simulate = v1::Simulate {
        request: 1,
        packages: vec![wish],
        upgrade: None,
    };
    let refusal = refusal_to_agent(v1::to_agent::Message::Simulate(simulate));
    assert!(
        refusal.starts_with("simulate.packages[0].name: "),
        "{refusal}"
    );
    for unit in ["*", "--root=/x", "a b"] {
        let refusal = refusal_of_config(|config| config.reload = Some(unit.to_owned()));
        let place = "order.content.config.config.reload: ";
        assert!(refusal.starts_with(place), "{refusal}");
    }
    for path in ["etc/a", "/etc/../a", "/", ""] {
        let refusal = refusal_of_config(|config| config.path = path.to_owned());
        let place = "order.content.config.config.path: ";
        assert!(refusal.starts_with(place), "{refusal}");
    }
}

fn refusal_of_config(change: impl FnOnce(&mut v1::ConfigPatch)) -> String {
    let mut config = v1::ConfigPatch {
        path: "/etc/app.conf".to_owned(),
        source: "app.conf".to_owned(),
        validate: None,
        reload: None,
    };
    change(&mut config);
    let file = v1::LockedFile {
        sha256: vec![0; 32],
        size: 1,
    };
    let content = v1::content::Content::Config(v1::content::Config {
        config: Some(config),
        file: Some(file),
    });
    refusal_of_order(|order| {
        let content = Some(content);
        order.content = Some(v1::Content { content });
    })
}

#[test]
fn several_config_files_are_refused_where_one_is_none_or_stands_twice() {
    let file = || v1::ConfigFile {
        path: "/etc/a".to_owned(),
        source: "a".to_owned(),
        mode: Some(0o640),
        owner: Some("root".to_owned()),
        group: None,
        file: Some(v1::LockedFile {
            sha256: vec![0; 32],
            size: 1,
        }),
    };
    let refusal = |files: Vec<v1::ConfigFile>| {
        let files = v1::content::ConfigFiles {
            files,
            validate: None,
            reload: None,
        };
        let content = Some(v1::content::Content::ConfigFiles(files));
        refusal_of_order(|order| order.content = Some(v1::Content { content }))
    };
    let of = |change: fn(&mut v1::ConfigFile)| {
        let mut file = file();
        change(&mut file);
        refusal(vec![file])
    };
    for (refused, says) in [
        (refusal(Vec::new()), ".files: is missing"),
        (
            refusal(vec![file(), file()]),
            ".files: holds `/etc/a` twice",
        ),
        (refusal(vec![file(); 101]), ".files: has 101 entries"),
        (of(|file| file.mode = Some(0o4755)), "[0].mode: "),
        (
            of(|file| file.owner = Some("a:b".to_owned())),
            "[0].owner: ",
        ),
        (of(|file| file.path = "/etc/../a".to_owned()), "[0].path: "),
        (of(|file| file.file = None), "[0].file: is missing"),
    ] {
        assert!(refused.contains(says), "{refused}, {says}");
    }
}

#[test]
fn a_size_that_sums_could_overflow_with_is_refused() {
    assert_eq!(
        refusal_of_package("bash", "1", u64::MAX),
        "order.content.packages.packages[0].size: says 18446744073709551615 bytes, at most \
         1099511627776 are allowed"
    );
}

#[test]
fn a_text_that_is_too_long_or_would_drive_a_terminal_is_refused() {
    assert_eq!(
        refusal_of_hello(|hello| hello.version = "v".repeat(MAX_LINE_BYTES + 1)),
        "hello.version: has 4097 bytes, at most 4096 are allowed"
    );
    assert_eq!(
        refusal_of_hello(|hello| hello.boot_id = "\x1b[2J".to_owned()),
        "hello.boot_id: holds a control character"
    );
    assert_eq!(
        refusal_of_hello(|hello| {
            hello.labels.insert("zone".to_owned(), "a\nb".to_owned());
        }),
        "hello.labels.zone: holds a control character"
    );
}

#[test]
fn a_list_that_is_too_long_is_refused() {
    assert_eq!(
        refusal_of_hello(|hello| {
            let labels = 0..=MAX_LABELS;
            hello.labels = labels.map(|n| (n.to_string(), String::new())).collect();
        }),
        "hello.labels: has 65 entries, at most 64 are allowed"
    );
}

#[test]
fn an_ending_belongs_to_the_end_and_only_there() {
    let key = Some(v1::OrderKey {
        epoch: 1,
        sequence: 1,
    });
    let open = |phase: v1::Phase, ending: v1::Ending| {
        refusal_of_hello(|hello| {
            let (phase, ending) = (phase.into(), ending.into());
            let state = Some(v1::RunState { phase, ending });
            hello.open = Some(v1::OpenRun { key, state });
        })
    };
    assert_eq!(
        open(v1::Phase::Ended, v1::Ending::Unspecified),
        "hello.open.state.ending: is missing"
    );
    assert_eq!(
        open(v1::Phase::Draining, v1::Ending::Patched),
        "hello.open.state.ending: must be absent here"
    );
}

#[test]
fn a_path_that_leaves_its_folder_is_refused() {
    for path in ["etc/motd", "/etc/../root", "/", "", "/etc/.."] {
        let config = v1::ConfigPatch {
            path: path.to_owned(),
            source: "motd".to_owned(),
            validate: None,
            reload: None,
        };
        let file = v1::LockedFile {
            sha256: vec![0; 32],
            size: 1,
        };
        let content = v1::content::Content::Config(v1::content::Config {
            config: Some(config),
            file: Some(file),
        });
        let refusal = refusal_of_order(|order| {
            let content = Some(content);
            order.content = Some(v1::Content { content });
        });
        assert!(
            refusal.starts_with("order.content.config.config.path: "),
            "{refusal}"
        );
    }
}

#[test]
fn a_wish_said_twice_is_refused() {
    let wish = v1::PackageWish {
        name: "bash".to_owned(),
        version: None,
    };
    let simulate = |packages| {
        let request = 1;
        refusal_to_agent(v1::to_agent::Message::Simulate(v1::Simulate {
            request,
            packages,
            upgrade: None,
        }))
    };
    assert_eq!(simulate(vec![]), "simulate.packages: is empty");
    assert_eq!(
        simulate(vec![wish.clone(), wish]),
        "simulate.packages: holds `bash` twice"
    );
}

#[test]
fn a_chunk_holds_something_but_not_too_much() {
    let chunk = |len| {
        let data = vec![0; len];
        v1::Chunk { data }.into_bytes()
    };
    assert_eq!(chunk(0).unwrap_err().to_string(), "data: is empty");
    assert!(chunk(MAX_CHUNK_BYTES).is_ok());
    assert!(chunk(MAX_CHUNK_BYTES + 1).is_err());
}
