//! dpkg's book as a change would leave it, so that apt can be asked in thought what comes then.

use super::{Apt, conf, simulation::Simulation, stanza::field, transaction::Change, whole};
use crate::host::{command::Command, durable};
use cofferdam_engine::failure::Failure;
use std::path::{Path, PathBuf};

/// The text of dpkg's status file when these packages are installed beside and instead of what is there.
/// `controls` are their control files, each a stanza.
pub fn status(now: &str, controls: &[String]) -> String {
    let is_replaced = |old: &&str| controls.iter().any(|new| is_same(old, new));
    let stay = now.split("\n\n").filter(|stanza| !stanza.trim().is_empty());
    let stay = stay.filter(|old| !is_replaced(old)).map(str::to_owned);
    let come = controls
        .iter()
        .map(|control| format!("Status: install ok installed\n{}", control.trim()));
    let stanzas = stay
        .chain(come)
        .map(|stanza| stanza.trim().to_owned() + "\n\n");
    stanzas.collect()
}

/// Whether two stanzas are of one package, which another architecture's is not.
fn is_same(one: &str, other: &str) -> bool {
    let of = |stanza, name| field(stanza, name).unwrap_or_default().to_owned();
    let (here, there) = (of(one, "Architecture"), of(other, "Architecture"));
    of(one, "Package") == of(other, "Package") && (here == there || here == "all" || there == "all")
}

impl Apt {
    /// What a change would do on a host on which these package files were installed before, without
    /// doing either. Writes what apt is asked with into an empty folder.
    ///
    /// # Errors
    /// A [`Failure`] that says why apt could not do it with its files alone.
    pub async fn rehearse_after(
        &self,
        installed: &[PathBuf],
        change: &Change,
        folder: &Path,
    ) -> Result<Simulation, Failure> {
        let mut controls = Vec::new();
        for deb in installed {
            let command = Command::new("dpkg-deb").arg("--field").arg(deb);
            let output = self.must(&command).await?;
            whole(&command, &output)?;
            controls.push(output.stdout.text());
        }
        let now = durable::read(&self.root.join("var/lib/dpkg/status"))?.unwrap_or_default();
        let (book, conf) = (folder.join("status"), folder.join("apt.conf"));
        let text = status(&String::from_utf8_lossy(&now), &controls);
        durable::write(&book, text.as_bytes())?;
        let text = conf::offline(&self.root, &self.no_lists);
        let text = format!("{text}Dir::State::status \"{}\";\n", book.display());
        durable::write(&conf, text.as_bytes())?;
        let command = self
            .with("apt-get", &conf)
            .args(["--simulate", "--allow-downgrades"]);
        self.simulated(command, change).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "Package: tea\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n\
        Package: tea\nStatus: install ok installed\nVersion: 1\nArchitecture: i386\n\n\
        Package: cup\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n";

    #[test]
    fn what_comes_takes_the_place_of_the_same_package_and_of_no_other() {
        let control = |text: &str| text.to_owned();
        let new = [
            control("Package: tea\nVersion: 2\nArchitecture: amd64\nDepends: milk\n"),
            control("Package: milk\nVersion: 1\nArchitecture: all\n"),
        ];
        let text = status(NOW, &new);
        let versions: Vec<String> = text
            .split_terminator("\n\n")
            .map(|one| {
                let of = |name| field(one, name).unwrap();
                format!("{} {} {}", of("Package"), of("Version"), of("Architecture"))
            })
            .collect();
        let expected = ["tea 1 i386", "cup 1 all", "tea 2 amd64", "milk 1 all"];
        assert_eq!(versions, expected);
        assert_eq!(text.matches("Status: install ok installed").count(), 4);
        assert_eq!(status("", &[]), "");
    }
}
