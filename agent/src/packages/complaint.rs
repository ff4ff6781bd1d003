//! What apt and dpkg complain about: their output to a typed failure.

use crate::host::command::{Command, Output};
use cofferdam_engine::failure::{
    Failure,
    FailureKind::{
        self, Conffile, Dependency, DiskFull, Io, Locked, MaintainerScript, Network, NotFound,
        PackageManager, Signature,
    },
};

/// Words of apt and dpkg, each with what it means. The first that is found decides, so causes stand
/// before their consequences: a hash that does not match also "failed to fetch".
const MEANINGS: [(&str, FailureKind); 50] = [
    ("Could not get lock", Locked),
    ("Unable to acquire the dpkg frontend lock", Locked),
    ("Unable to lock", Locked),
    ("was locked by another process", Locked),
    ("No space left on device", DiskFull),
    ("Disk quota exceeded", DiskFull),
    ("You don't have enough free space", DiskFull),
    ("Read-only file system", Io),
    ("Input/output error", Io),
    ("Hash Sum mismatch", Signature),
    ("File has unexpected size", Signature),
    ("could not be authenticated", Signature),
    ("cannot be authenticated", Signature),
    ("unauthenticated packages", Signature),
    ("The following signatures", Signature),
    ("is not signed", Signature),
    ("NO_PUBKEY", Signature),
    ("GPG error", Signature),
    ("Clearsigned file isn't valid", Signature),
    ("is not valid yet", Signature),
    ("Release file for", Signature),
    ("conffile prompt", Conffile),
    ("maintainer script", MaintainerScript),
    ("pre-installation script", MaintainerScript),
    ("post-installation script", MaintainerScript),
    ("pre-removal script", MaintainerScript),
    ("post-removal script", MaintainerScript),
    ("pre-configuration script", MaintainerScript),
    ("Unable to locate package", NotFound),
    ("was not found", NotFound),
    ("has no installation candidate", NotFound),
    ("Can't find a source to download", NotFound),
    ("does not have a Release file", NotFound),
    ("No packages found", NotFound),
    ("404  Not Found", NotFound),
    ("Failed to stat", NotFound),
    ("unmet dependencies", Dependency),
    ("held broken packages", Dependency),
    ("dependency problems", Dependency),
    ("remove is disabled", Dependency),
    ("which is also in package", Dependency),
    ("Conflicts:", Dependency),
    ("conflicting packages", Dependency),
    ("pre-dependency problem", Dependency),
    ("Failed to fetch", Network),
    ("Could not connect", Network),
    ("Could not resolve", Network),
    ("Temporary failure resolving", Network),
    ("Connection timed out", Network),
    ("Connection failed", Network),
];

/// What a program's output means. Maintainer scripts write to the same output, whatever they like: the
/// lines of apt and dpkg decide, where they say anything. But for a full disk, which a script meets
/// first.
pub fn classify(text: &str) -> FailureKind {
    let said: Vec<&str> = text.lines().filter(|line| is_complaint(line)).collect();
    match meaning(&MEANINGS, &said.join("\n")) {
        Some(MaintainerScript) if meaning(&MEANINGS, text) == Some(DiskFull) => DiskFull,
        Some(kind) => kind,
        None => meaning(&MEANINGS, text).unwrap_or(PackageManager),
    }
}

/// What the first of these words means that is found.
pub(super) fn meaning(meanings: &[(&str, FailureKind)], text: &str) -> Option<FailureKind> {
    let found = meanings.iter().find(|(words, _)| text.contains(words));
    found.map(|&(_, kind)| kind)
}

/// The failure of a program of the package manager that did not end with status 0.
pub fn failure(command: &Command, output: &Output) -> Failure {
    let text = output.text();
    let program = command.program.to_string_lossy();
    let said = in_one_line(&text);
    Failure::new(
        classify(&text),
        format!("{program} ended with {}: {said}", output.exit),
    )
}

/// Whether it is a line in which apt or dpkg say what is wrong, or the detail below one.
fn is_complaint(line: &str) -> bool {
    let is_detail = line.starts_with(' ') && !line.starts_with("  ");
    is_detail
        || ["E: ", "dpkg: error", "dpkg-deb: error"]
            .iter()
            .any(|start| line.starts_with(start))
}

fn in_one_line(text: &str) -> String {
    said(text, text.lines().filter(|line| is_complaint(line)))
}

/// The lines that say what is wrong, in one line. Without any, the last lines.
pub(super) fn said<'a>(text: &'a str, complaints: impl Iterator<Item = &'a str>) -> String {
    let mut lines: Vec<&str> = complaints.map(str::trim).collect();
    if lines.is_empty() {
        let rest: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        lines = rest[rest.len().saturating_sub(3)..].to_vec();
    }
    lines.dedup();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each made with apt 2.6.1 and dpkg 1.21.22 in a private root, as its comment says.
    const SAMPLES: [(&str, FailureKind); 14] = [
        // lock-frontend locked by another process, then `apt-get install`
        (
            "E: Could not get lock /r/var/lib/dpkg/lock-frontend. It is held by process 8129 (python3)\n\
             E: Unable to acquire the dpkg frontend lock (/r/var/lib/dpkg/lock-frontend), is another process using it?\n",
            Locked,
        ),
        // lock locked by another process, then `dpkg --configure -a`
        (
            "dpkg: error: dpkg database lock was locked by another process with pid 8181\n",
            Locked,
        ),
        // the root on a tmpfs of 300 KiB, a package with 2 MB
        (
            "Unpacking big (1) ...\ndpkg: error processing archive /tmp/big.deb (--unpack):\n \
             cannot copy extracted data for './usr/share/big/x' to '/r/usr/share/big/x.dpkg-new': failed to write (No space left on device)\n\
             E: Sub-process /usr/bin/dpkg returned an error code (1)\n",
            DiskFull,
        ),
        // a package in the repository replaced by another
        (
            "E: Failed to fetch copy:/repo/./tool_1.0_all.deb  Hash Sum mismatch\n",
            Signature,
        ),
        // a repository without signature, marked allow-insecure
        (
            "E: There were unauthenticated packages and -y was used without --allow-unauthenticated\n",
            Signature,
        ),
        ("E: Some packages could not be authenticated\n", Signature),
        // a postinst that ends with 3
        (
            "dpkg: error processing package scr (--configure):\n \
             installed scr package post-installation script subprocess returned error exit status 3\n\
             E: Sub-process /usr/bin/dpkg returned an error code (1)\n",
            MaintainerScript,
        ),
        // a name and a version that no repository has
        ("E: Unable to locate package nosuch\n", NotFound),
        ("E: Version '9' for 'tool' was not found\n", NotFound),
        // a package file deleted from the repository
        (
            "E: Failed to fetch copy:/repo/./tool_1.0_all.deb  Failed to stat - stat (2: No such file or directory)\n",
            NotFound,
        ),
        // a package that depends on one that is nowhere
        (
            "The following packages have unmet dependencies:\n needy : Depends: absent but it is not installable\n\
             E: Unable to correct problems, you have held broken packages.\n",
            Dependency,
        ),
        // a package that conflicts with an installed one, with --no-remove
        (
            "E: Packages need to be removed but remove is disabled.\n",
            Dependency,
        ),
        // a repository on a port on which nothing listens
        (
            "E: Failed to fetch http://127.0.0.1:9/debian/dists/stable/InRelease  Could not connect to 127.0.0.1:9 (127.0.0.1). - connect (111: Connection refused)\n",
            Network,
        ),
        // a file in dpkg's updates folder
        (
            "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem. \n",
            PackageManager,
        ),
    ];

    #[test]
    fn each_complaint_has_its_kind() {
        for (text, kind) in SAMPLES {
            assert_eq!(classify(text), kind, "{text}");
        }
    }

    #[test]
    fn the_lines_that_say_what_is_wrong_are_kept() {
        let said = in_one_line(SAMPLES[6].0);
        assert!(
            said.starts_with("dpkg: error processing package scr (--configure):; installed scr"),
            "{said}"
        );
        assert_eq!(in_one_line("a\n\nb\nc\nd\n"), "b; c; d");
        assert_eq!(in_one_line(""), "");
    }
}
