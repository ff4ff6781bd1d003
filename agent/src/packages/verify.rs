//! Which files of packages are not as their packages have them: the lines of `dpkg --verify`, which are
//! those of `rpm --verify` but for a blank.

use super::{Apt, whole};
use cofferdam_engine::failure::Failure;
use std::{path::PathBuf, time::Duration};

/// How long the files of a patch's packages may be read (guess: 10 GB from a slow disk).
pub(super) const DEADLINE: Duration = Duration::from_secs(300);

/// Reads the answer of `dpkg --verify`: the files whose content is another, but for config files. What
/// is missing may have been left out on purpose, as documentation is in containers.
pub fn parse(text: &str) -> Vec<PathBuf> {
    // A blank, the kind of the file, a blank.
    changed(text, "   ")
}

/// The same of any such lines. `blanks` stand between the marks and the path of a file of no kind.
pub(super) fn changed(text: &str, blanks: &str) -> Vec<PathBuf> {
    let changed = text.lines().filter_map(|line| {
        let (marks, rest) = line.split_at_checked(9)?;
        let is_other = marks.as_bytes().get(2) == Some(&b'5');
        let path = rest
            .strip_prefix(blanks)
            .filter(|path| path.starts_with('/'))?;
        is_other.then(|| PathBuf::from(path))
    });
    changed.collect()
}

impl Apt {
    /// The files of these packages whose content is not that of the package, but for config files.
    ///
    /// # Errors
    /// A [`Failure`] when dpkg cannot be asked.
    pub async fn foreign_files(&self, names: &[&str]) -> Result<Vec<PathBuf>, Failure> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let command = self.dpkg().arg("--verify").args(names).deadline(DEADLINE);
        // Its status says only whether there is any.
        let output = self.runner.run(&command).await?;
        whole(&command, &output)?;
        Ok(parse(&output.stdout.text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Put together by hand, in the form of `dpkg --verify` of dpkg 1.21.22: a changed program, a changed config
    /// file and a manual page that was deleted.
    const SAMPLE: &str = "\
??5??????   /usr/bin/tool one
??5?????? c /etc/tool.conf
missing     /usr/share/man/man1/tool.1.gz
";

    #[test]
    fn only_files_with_another_content_are_foreign() {
        assert_eq!(parse(SAMPLE), [Path::new("/usr/bin/tool one")]);
        assert_eq!(
            parse("??5\n\u{e9}\u{e9}\u{e9}\u{e9}\u{e9} x\n"),
            [] as [&Path; 0]
        );
    }
}
