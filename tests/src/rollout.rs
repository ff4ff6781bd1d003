//! Rollout files of tests: patches that change nothing, and waits that a test can wait for.

/// The start of a noop rollout file for every host, with everything that takes time made short. A
/// test appends its waves; `more` stands among the keys at the top.
pub fn noop(name: &str, more: &str) -> String {
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
kind = "noop"

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
