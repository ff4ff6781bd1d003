//! The configuration that apt runs with, as pure text.
//!
//! It goes in by `APT_CONFIG`, since options come after the machine's own configuration was read, and with
//! it the machine's hooks. What the host's configuration must not overrule comes by options too, see
//! [`last_word`]. Two files are written: *online* knows the repositories;
//! *offline* knows only what is installed and the files on the command line, so that what is
//! installed is what was staged, whatever the repositories say by then, or none of it.

use crate::host::root::Root;
use std::{num::NonZeroU32, path::Path};

/// Configuration for looking at repositories and fetching from them, at no more than `rate` KiB a
/// second. Absent: as fast as apt can.
pub fn online(root: &Root, rate: Option<NonZeroU32>) -> String {
    let limits = rate.map(limits).into_iter().flatten();
    let limits = limits.map(|(key, rate)| format!("{key} \"{rate}\";\n"));
    base(root) + &limits.collect::<String>()
}

/// What keeps apt from fetching more than so many KiB a second: settings and their value.
pub(super) fn limits(rate: NonZeroU32) -> [(String, NonZeroU32); 2] {
    ["http", "https"].map(|method| (format!("Acquire::{method}::Dl-Limit"), rate))
}

fn base(root: &Root) -> String {
    if root.is_machine() {
        // Only adds: what the host's own files say stays in force.
        return format!("{COMMON}{}", options(root));
    }
    let folder = root.path().display();
    format!(
        r#"Dir "{folder}";
Dir::Etc "{folder}/etc/apt";
Dir::Etc::main "none";
Dir::Etc::parts "apt.conf.d";
Dir::State "{folder}/var/lib/apt";
Dir::State::status "{folder}/var/lib/dpkg/status";
Dir::Cache "{folder}/var/cache/apt";
Dir::Log "{folder}/var/log/apt";
Dir::Bin::Methods "/usr/lib/apt/methods";
APT::Sandbox::User "";
Acquire::Languages "none";
DPkg::Inhibit-Shutdown "false";
{COMMON}{}"#,
        options(root)
    )
}

/// Configuration for installing files that are on this host. `no_lists` is an empty folder.
pub fn offline(root: &Root, no_lists: &Path) -> String {
    format!(
        r#"{}Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "{}";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"#,
        base(root),
        no_lists.display()
    )
}

/// What holds on any root: no terminal, a name is a name and no pattern, and an update that misses
/// an index has failed.
const COMMON: &str = r#"Dpkg::Use-Pty "false";
APT::Cmd::Pattern-Only "true";
APT::Update::Error-Mode "any";
"#;

/// What dpkg does about config files, whatever the host's `dpkg.cfg` and `apt.conf.d` say of it: the host's own
/// version of a changed one stays, and one that was removed does not come back, without a question.
const CONFFILES: [&str; 4] = [
    "--no-force-confnew",
    "--no-force-confask",
    "--no-force-confmiss",
    "--force-confold",
];

/// The options with which every program of apt is run, beside its configuration. Of dpkg's options the last ones
/// count, and those of the host's `apt.conf.d` come after those of `APT_CONFIG`. A terminal of its own would
/// take dpkg out of the group in which its scripts are watched.
pub fn last_word() -> Vec<String> {
    let dpkg = CONFFILES.map(|option| format!("Dpkg::Options::={option}"));
    let mut options = vec!["-o".to_owned(), "Dpkg::Use-Pty=false".to_owned()];
    options.extend(
        dpkg.into_iter()
            .flat_map(|option| ["-o".to_owned(), option]),
    );
    options
}

/// The options that dpkg gets, from apt and from the agent alike.
pub fn dpkg_options(root: &Root) -> Vec<String> {
    let mut options: Vec<String> = CONFFILES.map(str::to_owned).to_vec();
    if !root.is_machine() {
        let folder = root.path().display();
        options.push(format!("--root={folder}"));
        options.push("--force-not-root".to_owned());
        options.push(format!("--log={folder}/var/log/dpkg.log"));
    }
    options
}

fn options(root: &Root) -> String {
    let quoted: Vec<String> = dpkg_options(root)
        .iter()
        .map(|option| format!("\"{option}\"; "))
        .collect();
    format!("Dpkg::Options {{ {}}};\n", quoted.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_the_machine_itself_only_what_is_needed_is_added() {
        let text = online(&Root::machine(), None);
        assert!(!text.contains("Dir"), "{text}");
        assert!(text.contains("\"--force-confold\"; };"), "{text}");
    }

    #[test]
    fn another_root_sees_nothing_of_the_machine() {
        let text = online(&Root::new("/srv/r 1").unwrap(), None);
        assert!(text.contains("Dir::Etc \"/srv/r 1/etc/apt\";"), "{text}");
        assert!(
            text.contains("\"--root=/srv/r 1\"; \"--force-not-root\";"),
            "{text}"
        );
    }

    #[test]
    fn only_what_is_fetched_has_a_rate() {
        let limit = "Acquire::https::Dl-Limit \"512\";";
        let text = online(&Root::machine(), NonZeroU32::new(512));
        assert!(text.contains(limit), "{text}");
        assert!(!online(&Root::machine(), None).contains("Dl-Limit"));
    }

    #[test]
    fn offline_there_are_no_repositories() {
        let text = offline(&Root::machine(), Path::new("/var/lib/x"));
        assert!(text.contains("Dir::State::lists \"/var/lib/x\";"), "{text}");
        assert!(
            text.contains("Dir::Etc::sourcelist \"/dev/null\";"),
            "{text}"
        );
    }
}
