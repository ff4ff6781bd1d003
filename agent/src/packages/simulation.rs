//! What apt says it would do: the `Inst` and `Remv` lines of `apt-get -s`.

mod origin;

pub use origin::Origin;

/// What apt would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Simulation {
    /// What it would install, in its order.
    pub installs: Vec<Install>,
    /// The names of what it would remove.
    pub removals: Vec<String>,
}

/// One package that apt would install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Install {
    /// Its name; with its architecture if that is not the host's.
    pub name: String,
    /// The version that is there now. Absent: none.
    pub installed: Option<String>,
    /// The version that would be there.
    pub version: String,
    /// Where that version is from.
    pub origins: Vec<Origin>,
}

impl Simulation {
    /// Reads apt's answer. Absent: it holds an `Inst` line that is not understood.
    pub fn parse(text: &str) -> Option<Self> {
        let mut simulation = Self::default();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("Inst ") {
                simulation.installs.push(install(rest)?);
            } else if let Some(rest) = line.strip_prefix("Remv ").or(line.strip_prefix("Purg ")) {
                simulation.removals.push(rest.split(' ').next()?.to_owned());
            }
        }
        Some(simulation)
    }
}

/// Reads `NAME [OLD] (NEW ORIGIN, ORIGIN [ARCH]) ...`; `[OLD]` only where one is installed.
fn install(rest: &str) -> Option<Install> {
    let (name, rest) = rest.split_once(' ')?;
    let (before, rest) = rest.split_once('(')?;
    let installed = before
        .trim()
        .strip_prefix('[')
        .and_then(|old| old.strip_suffix(']'));
    let version = rest
        .split([' ', ')'])
        .next()
        .filter(|version| !version.is_empty())?;
    let (inside, _) = rest.split_once(')').unwrap_or((rest, ""));
    let origins = inside.strip_prefix(version).unwrap_or_default();
    Some(Install {
        origins: origin::parse(origins),
        name: name.to_owned(),
        installed: installed.map(str::to_owned),
        version: version.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together by hand, in the form of `apt-get -s install tool` of apt 2.6.1: tool 1.0 is upgraded, its
    /// dependency new, a package of another architecture upgraded and a conflicting one removed.
    const SAMPLE: &str = "\
Reading package lists...
Building dependency tree...
The following packages will be upgraded:
  tool tool-data
2 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.
Remv lone [1.0]
Inst tool [1.0] (1:2.0~rc1-1 localhost, local-deb [all]) []
Inst tool-data (2.0 Debian:12.4/stable, Debian-Security:12/stable-security [amd64])
Inst libc6:i386 [2.36] (2.37 local-deb [i386])
Conf tool-data (2.0 localhost [all])
Conf tool (1:2.0~rc1-1 localhost, local-deb [all])
";

    #[test]
    fn installs_and_removals_are_read_with_their_versions() {
        let simulation = Simulation::parse(SAMPLE).unwrap();
        let installs: Vec<_> = simulation
            .installs
            .iter()
            .map(|i| (&*i.name, i.installed.as_deref(), &*i.version))
            .collect();
        let expected = [
            ("tool", Some("1.0"), "1:2.0~rc1-1"),
            ("tool-data", None, "2.0"),
            ("libc6:i386", Some("2.36"), "2.37"),
        ];
        assert_eq!(installs, expected);
        let security: Vec<_> = simulation
            .installs
            .iter()
            .map(|install| install.origins.iter().any(Origin::is_security))
            .collect();
        assert_eq!(security, [false, true, false]);
        assert_eq!(simulation.removals, ["lone"]);
    }

    #[test]
    fn an_answer_that_is_not_understood_is_none() {
        for garbage in ["Inst ", "Inst a", "Inst a b", "Inst a (", "Inst a ()"] {
            assert_eq!(Simulation::parse(garbage), None, "{garbage}");
        }
        assert_eq!(Simulation::parse(""), Some(Simulation::default()));
    }
}
