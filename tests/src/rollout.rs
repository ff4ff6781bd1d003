//! Rollout files of tests, with everything that takes time made short.

/// The start of a rollout file that changes nothing on any host. A test appends its waves; `more`
/// stands among the keys at the top.
pub fn noop(name: &str, more: &str) -> String {
    hasty(name, more, "kind = \"noop\"")
}

/// The same, for one package in one version, or `latest`.
pub fn package(name: &str, package: &str, version: &str) -> String {
    let patch = format!("kind = \"packages\"\npackages = {{ {package} = \"{version}\" }}");
    hasty(name, "", &patch)
}

fn hasty(name: &str, more: &str, patch: &str) -> String {
    format!(
        r#"
name = "{name}"
grace = "0s"
stage_within = "0s"
start_spacing = "0s"
cells_gap = "0s"
order = "none"
stable_for = "10ms"
settle = "3s"
retry_backoff = "500ms"
{more}

[patch]
{patch}

[select]
match = 'service == "web"'

[[limits]]
floor = [{{ group_by = ["service", "zone"], min_in_service = "50%" }}]
"#
    )
}

/// One wave of all hosts.
pub const ALL_AT_ONCE: &str = r#"
[[wave]]
name = "full"
to = "100%"
bake = "0s"
"#;

/// A canary, then all others.
pub const CANARY_FIRST: &str = r#"
[[wave]]
name = "canary"
to = "1%"
bake = "0s"

[[wave]]
name = "full"
to = "100%"
bake = "0s"
"#;
