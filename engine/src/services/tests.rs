use super::*;

const SHOP: &str = r#"
[service.web]
owners = ["ana"]
tier = 1
depends_on = ["db", "auth"]
description = "the shop"

[service.auth]
owners = ["ben", "ana"]
tier = 2
depends_on = ["db"]

[service.db]
owners = ["carl"]
tier = 1
"#;

fn mistakes(text: &str) -> String {
    match Services::parse("services.toml", text) {
        Ok(services) => panic!("no mistake was found: {services:?}"),
        Err(mistakes) => mistakes.to_string(),
    }
}

fn names(names: impl IntoIterator<Item = impl ToString>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    names.join(" ")
}

#[test]
fn services_are_read_with_owners_tiers_and_dependencies() {
    let services = Services::parse("services.toml", SHOP).unwrap();
    let web = services.get("web").unwrap();
    assert_eq!(names(&web.owners), "ana");
    assert_eq!(web.tier, 1);
    assert_eq!(names(&web.depends_on), "auth db");
    assert_eq!(web.description, "the shop");
    assert_eq!(names(services.dependants_of("db")), "auth web");
    assert_eq!(names(services.dependants_of("web")), "");
    for name in services.all().keys() {
        let of_all = services.dependants().remove(name).unwrap_or_default();
        assert_eq!(of_all, services.dependants_of(name.as_str()));
    }
    assert_eq!(services.get("queue"), None);
}

#[test]
fn a_file_without_services_declares_none() {
    assert_eq!(
        Services::parse("services.toml", ""),
        Ok(Services::default())
    );
}

#[test]
fn what_was_stored_reads_back() {
    let services = Services::parse("services.toml", SHOP).unwrap();
    let stored = serde_json::to_string(&services).unwrap();
    assert_eq!(serde_json::from_str::<Services>(&stored).unwrap(), services);
}

#[test]
fn every_mistake_is_reported_at_once_with_what_to_do() {
    let text = r#"
servce = 1
[service.web]
owners = []
tier = 6
depends_on = ["dbb", "web"]
dependson = ["db"]
[service."we b"]
owners = ["a b"]
tier = 0
description = "two\nlines"
[service.db]
tier = "high"
"#;
    insta::assert_snapshot!(mistakes(text), @r#"
    services.toml:2:1: unknown key "servce"; did you mean "service"?
    services.toml:4:10: owners in [service.web]: names nobody; name at least one operator who answers for the service
    services.toml:5:8: tier in [service.web]: 6 is no tier: 1 is the most important, 5 the least
    services.toml:6:14: depends_on in [service.web]: no service is called dbb; declare it as [service.dbb], or leave it out
    services.toml:6:14: depends_on in [service.web]: the service depends on itself; leave it out
    services.toml:7:1: unknown key "dependson" in [service.web]; did you mean "depends_on"?
    services.toml:8:1: [service.we b]: `we b` is not a service name: letters, digits, `.`, `_` and `-`, beginning with a letter or a digit
    services.toml:9:10: owners in [service.we b]: `a b` is not a operator name: letters, digits, `.`, `_` and `-`, beginning with a letter or a digit
    services.toml:10:8: tier in [service.we b]: a whole number of at least 1 is expected, this is 0
    services.toml:11:15: description in [service.we b]: must be one line of at most 4096 bytes
    services.toml:12:1: "owners" in [service.db] is missing; write it as in `owners = ["ana"]`
    services.toml:13:8: tier in [service.db]: a whole number of at least 1 is expected, this is "high"
    "#);
}

#[test]
fn a_circle_of_dependencies_is_named_whole() {
    let circle = |edges: &[(&str, &str)]| -> String {
        let table = |(name, needs): &(&str, &str)| {
            format!("[service.{name}]\nowners = [\"ana\"]\ntier = 1\ndepends_on = [{needs}]\n")
        };
        mistakes(&edges.iter().map(table).collect::<String>())
    };
    let three = circle(&[("a", "\"b\""), ("b", "\"c\""), ("c", "\"a\"")]);
    assert!(three.contains("a -> b -> c -> a"), "{three}");
    let beside = circle(&[("a", "\"b\""), ("b", "\"c\""), ("c", "\"b\"")]);
    assert!(beside.contains(" b -> c -> b "), "{beside}");
    assert_eq!(beside.lines().count(), 1, "{beside}");
    let two = circle(&[
        ("a", "\"b\""),
        ("b", "\"a\""),
        ("c", "\"d\""),
        ("d", "\"c\""),
    ]);
    assert_eq!(two.lines().count(), 2, "{two}");
}

#[test]
fn a_long_chain_is_no_circle() {
    let link = |n: usize| {
        let needs = if n == 0 {
            String::new()
        } else {
            format!("\"s{}\"", n - 1)
        };
        format!("[service.s{n}]\nowners = [\"ana\"]\ntier = 5\ndepends_on = [{needs}]\n")
    };
    let text: String = (0..MAX_SERVICES).map(link).collect();
    let services = Services::parse("services.toml", &text).unwrap();
    assert_eq!(services.all().len(), MAX_SERVICES);

    let one_more = text + &link(MAX_SERVICES);
    let refused = Services::parse("services.toml", &one_more).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "services.toml:1:2: service: 10001 services are declared, and at most 10000 are read; declare those that something depends on"
    );
}
