//! Which files of packages are not as their packages have them: the lines of `rpm --verify`.

use super::{Dnf, dotted};
use crate::packages::{verify, whole};
use cofferdam_engine::failure::Failure;
use std::path::PathBuf;

/// Reads the answer of `rpm --verify`, as dpkg's is read.
pub fn parse(text: &str) -> Vec<PathBuf> {
    // Two blanks, the kind of the file, a blank.
    verify::changed(text, "    ")
}

impl Dnf {
    /// The files of these packages whose content is not that of the package, but for config files.
    ///
    /// # Errors
    /// A [`Failure`] when rpm cannot be asked.
    pub async fn foreign_files(&self, names: &[&str]) -> Result<Vec<PathBuf>, Failure> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let command = self
            .rpm()
            .args(["--verify", "--nodeps", "--noscripts", "--"])
            .args(names.iter().map(|name| dotted(name)))
            .deadline(verify::DEADLINE);
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

    /// Of rpm 4.18.0: a changed program, a changed config file, a file that was deleted.
    const SAMPLE: &str = "\
S.5....T.    /usr/share/tool/a b
S.5....T.  c /etc/tool.conf
missing     /usr/share/tool/version
";

    #[test]
    fn only_files_with_another_content_are_foreign() {
        assert_eq!(parse(SAMPLE), [Path::new("/usr/share/tool/a b")]);
        assert_eq!(
            parse("S.5\n\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}    /x\n"),
            [] as [&Path; 0]
        );
    }
}
