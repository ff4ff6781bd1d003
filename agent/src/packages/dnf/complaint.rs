//! What dnf and rpm complain about: their output to a typed failure.

use crate::{
    host::command::{Command, Output},
    packages::complaint::{meaning, said},
};
use cofferdam_engine::failure::{
    Failure,
    FailureKind::{
        self, Dependency, DiskFull, Io, Locked, MaintainerScript, Network, NotFound,
        PackageManager, Signature, Unsupported,
    },
};

/// Words of dnf and rpm, each with what it means. The first that is found decides, so causes stand before
/// their consequences.
const MEANINGS: [(&str, FailureKind); 42] = [
    ("can't create transaction lock", Locked),
    ("Failed to obtain the transaction lock", Locked),
    ("Failed to obtain rpm transaction lock", Locked),
    ("already locked by", Locked),
    ("No space left on device", DiskFull),
    ("Disk quota exceeded", DiskFull),
    ("more space on the", DiskFull),
    ("Disk Requirements", DiskFull),
    ("Not enough disk space", DiskFull),
    // rpm 4.18 has lost the reason by the time it says so: with a full disk, as with one that breaks.
    ("cpio: write failed", DiskFull),
    ("Read-only file system", Io),
    ("Input/output error", Io),
    ("GPG check FAILED", Signature),
    ("checking of packages via GPG keys", Signature),
    ("is not signed", Signature),
    ("GPG signature verification error", Signature),
    ("Bad GPG signature", Signature),
    ("incorrect checksum", Signature),
    ("hecksum doesn't match", Signature),
    ("does not match the expected", Signature),
    ("not an rpm package", Signature),
    (": BAD", Signature),
    ("NOKEY", Signature),
    ("scriptlet failed", MaintainerScript),
    ("lua script failed", MaintainerScript),
    ("No such command: download", Unsupported),
    ("Unable to find a match", NotFound),
    ("No match for argument", NotFound),
    ("No package", NotFound),
    ("Status code: 404", NotFound),
    ("There are no enabled repositories", NotFound),
    ("is not installed", NotFound),
    ("Failed dependencies", Dependency),
    ("is needed by", Dependency),
    ("conflicts with", Dependency),
    ("nothing provides", Dependency),
    (" Problem", Dependency),
    ("protected packages", Dependency),
    ("Curl error", Network),
    ("Cannot download", Network),
    ("Failed to download", Network),
    ("All mirrors were tried", Network),
];

/// What a program's output means. Scripts write to the same output, whatever they like: the lines of dnf
/// and rpm decide, where they say anything. But for a full disk, which a script meets first.
pub fn classify(text: &str) -> FailureKind {
    let said: Vec<&str> = complaints(text).collect();
    match meaning(&MEANINGS, &said.join("\n")) {
        Some(MaintainerScript) if meaning(&MEANINGS, text) == Some(DiskFull) => DiskFull,
        Some(kind) => kind,
        None => meaning(&MEANINGS, text).unwrap_or(PackageManager),
    }
}

/// The line in which rpm says that a script failed. Absent: none did.
pub fn failed_script(text: &str) -> Option<&str> {
    let mut lines = complaints(text);
    lines.find(|line| meaning(&MEANINGS, line) == Some(MaintainerScript))
}

/// The failure of a program of the package manager that did not end with status 0.
pub fn failure(command: &Command, output: &Output) -> Failure {
    let text = output.text();
    let program = command.program.to_string_lossy();
    let said = said(&text, complaints(&text));
    let kind = classify(&text);
    let advice = match kind == Unsupported {
        true => "; install dnf's download command, of dnf-plugins-core",
        false => "",
    };
    Failure::new(
        kind,
        format!("{program} ended with {}: {said}{advice}", output.exit),
    )
}

/// The lines in which dnf or rpm say what is wrong, and the detail below one.
fn complaints(text: &str) -> impl Iterator<Item = &str> {
    const BEGIN: [&str; 7] = [
        "error: ",
        "Error: ",
        "Error in ",
        "warning: %",
        " Problem",
        "  - ",
        "\t",
    ];
    let is_one = |line: &&str| BEGIN.iter().any(|begin| line.starts_with(begin));
    text.lines().filter(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each made with dnf 4.14 and rpm 4.18.0 in a private root, as its comment says.
    const SAMPLES: [(&str, FailureKind); 17] = [
        // the lock of rpm's database taken by another process
        (
            "error: can't create transaction lock on /r/root/.rpmdb/.rpm.lock (Resource temporarily unavailable)\n",
            Locked,
        ),
        // the process of a shell in metadata_lock.pid
        (
            "metadata already locked by 23211\n  The application with PID 23211 is: bash\n",
            Locked,
        ),
        // a root of 3 MB, and a package with 8
        (
            "Verifying packages...\nPreparing packages...\n\tinstalling package big-1-1.noarch needs 6MB more space \
             on the / filesystem\n",
            DiskFull,
        ),
        // the same with --ignoresize
        (
            "error: unpacking of archive failed on file /usr/share/big/x;6b0ac7a0: cpio: write failed - No such \
             file or directory\nerror: big-1-1.noarch: install failed\n",
            DiskFull,
        ),
        // a repository with gpgcheck and without a key, whose output ends with all that is known of it
        (
            "You have enabled checking of packages via GPG keys. This is a good thing.\nProblem repository: lab\n",
            Signature,
        ),
        // one with a key, and a package without a signature
        (
            "Package data-2-1.noarch.rpm is not signed\nError: GPG check FAILED\n",
            Signature,
        ),
        // a byte more at the end of a package
        (
            "Package \"data-2-1.noarch\" from local repository \"lab\" has incorrect checksum\n\
             Error: Some packages from local repository have incorrect checksum\n",
            Signature,
        ),
        // a package that was cut, and random bytes
        (
            "error: /k/cut.rpm: signature hdr blob(4388): BAD, read returned 0\n\
             error: /k/cut.rpm cannot be installed\n",
            Signature,
        ),
        (
            "error: /k/gar.rpm: not an rpm package (or package manifest)\n",
            Signature,
        ),
        // scripts that end with 4 and 5; the first is no failure to rpm
        (
            "s-1-1.noarch\nwarning: %post(s-1-1.noarch) scriptlet failed, exit status 4\n",
            MaintainerScript,
        ),
        (
            "error: %preun(s-1-1.noarch) scriptlet failed, exit status 5\nerror: s-1-1.noarch: erase failed\n",
            MaintainerScript,
        ),
        // names that no repository has, and one that is not installed
        ("Error: Unable to find a match: nosuch\n", NotFound),
        ("Error: No package nope-0:2-1.noarch available.\n", NotFound),
        ("error: package nothere is not installed\n", NotFound),
        // a package that needs what is nowhere: by rpm, then by dnf
        (
            "error: Failed dependencies:\n\tdata = 2 is needed by tool-2-1.noarch\n",
            Dependency,
        ),
        (
            "Error: \n Problem: conflicting requests\n  - nothing provides fresh needed by tool-2-1.noarch\n",
            Dependency,
        ),
        // a repository at a port where nobody listens
        (
            "Error: Failed to download metadata for repo 'lab': Cannot download repomd.xml: Cannot download \
             repodata/repomd.xml: All mirrors were tried\n",
            Network,
        ),
    ];

    #[test]
    fn what_dnf_and_rpm_say_has_a_kind() {
        for (text, kind) in SAMPLES {
            assert_eq!(classify(text), kind, "{text}");
        }
        assert_eq!(classify(""), PackageManager);
    }

    #[test]
    fn a_script_that_rpm_only_warns_of_is_found_and_what_scripts_say_is_not() {
        let warned = SAMPLES[9].0;
        assert!(
            failed_script(warned)
                .unwrap()
                .contains("%post(s-1-1.noarch)")
        );
        assert_eq!(failed_script("my scriptlet failed, no matter\n"), None);
    }
}
