//! What becomes of packages, platform by platform.

use crate::render::table::{indented, table};
use cofferdam_proto::operator::{PackageChangeView, PlatformChangeView};

/// The most packages of a platform that are shown; JSON has all.
const SHOWN_PACKAGES: usize = 20;

/// The most replaced versions that one line names.
const NAMED_VERSIONS: usize = 3;

/// The part of a plan that says what becomes of packages. Empty when it has none.
pub(super) fn text(changes: &[PlatformChangeView]) -> String {
    changes.iter().map(platform).collect()
}

fn platform(change: &PlatformChangeView) -> String {
    let PlatformChangeView {
        platform,
        hosts,
        unaffected,
        ..
    } = change;
    let by = change.advisory.as_deref().map(|id| format!(" by {id}"));
    let by = by.unwrap_or_default();
    let mut text = format!("\nWhat changes on {platform}{by} ({hosts} hosts)\n");
    if *unaffected > 0 {
        text += &format!("  {unaffected} need none of it and are left alone\n");
    }
    let rows = change.packages.iter().take(SHOWN_PACKAGES).map(package);
    let header = ["package", "from", "to", "hosts"];
    text += &indented(&table(header, rows.collect()));
    match change.packages.len().saturating_sub(SHOWN_PACKAGES) {
        0 => text,
        more => format!("{text}  and {more} more\n"),
    }
}

fn package(change: &PackageChangeView) -> [String; 4] {
    let named = change.from.iter().take(NAMED_VERSIONS).cloned();
    let mut from: Vec<String> = named.collect();
    match change.from.len().saturating_sub(NAMED_VERSIONS) {
        0 => {}
        more => from.push(format!("{more} more")),
    }
    if change.added > 0 {
        from.push("new".to_owned());
    }
    [
        change.name.clone(),
        from.join(", "),
        change.to.clone(),
        (change.replaced + change.added).to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, from: &[&str], replaced: u64, added: u64) -> PackageChangeView {
        PackageChangeView {
            name: name.to_owned(),
            from: from.iter().map(|version| (*version).to_owned()).collect(),
            to: "3.0.15-1".to_owned(),
            replaced,
            added,
        }
    }

    #[test]
    fn each_platform_says_what_its_hosts_replace_and_which_need_nothing() {
        let change = PlatformChangeView {
            platform: "debian-12/amd64".to_owned(),
            advisory: Some("DSA-5678-1".to_owned()),
            hosts: 12,
            unaffected: 3,
            packages: vec![
                package("libssl3", &["3.0.11-1", "3.0.14-1"], 9, 0),
                package("openssl-data", &[], 0, 9),
                package("ssl", &["1", "2", "3", "4", "5"], 4, 1),
            ],
        };
        insta::assert_snapshot!(text(&[change]), @r"

        What changes on debian-12/amd64 by DSA-5678-1 (12 hosts)
          3 need none of it and are left alone
          PACKAGE       FROM                  TO        HOSTS
          libssl3       3.0.11-1, 3.0.14-1    3.0.15-1  9
          openssl-data  new                   3.0.15-1  9
          ssl           1, 2, 3, 2 more, new  3.0.15-1  5
        ");
        assert_eq!(text(&[]), "");
    }
}
