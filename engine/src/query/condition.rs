//! Conditions that only a host can tell.

use super::{Found, Installed};
use crate::{
    document::nearest,
    kernel,
    package::{self, PackageFormat},
    select::{Parser, SelectError, Word, keyword},
    unit,
};
use std::{cmp::Ordering, fmt};

/// A condition that only a host can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostCondition {
    /// A package is installed, of whatever architecture where its name says none.
    Package {
        /// Its name.
        name: String,
        /// How its version is, and than what. Absent: any version will do.
        version: Option<(Relation, String)>,
    },
    /// How the running kernel is, and than what. Never `Equal` or `Unequal`: those compare the fact.
    Kernel(Relation, String),
    /// systemd calls a unit so.
    Unit {
        /// The unit's name, with its type, as in `nginx.service`.
        name: String,
        /// What it is called.
        state: UnitState,
    },
}

/// How one version is to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `==`.
    Equal,
    /// `!=`.
    Unequal,
    /// `<`.
    Less,
    /// `<=`.
    AtMost,
    /// `>`.
    Greater,
    /// `>=`.
    AtLeast,
}

/// What systemd calls a unit: its `ActiveState`, whose values `systemctl --state=help` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitState {
    /// It runs, or did what it is for.
    Active,
    /// It is active and reads its configuration again.
    Reloading,
    /// It does not run. So are units that are not there.
    Inactive,
    /// It ended badly, or could not begin.
    Failed,
    /// It begins.
    Activating,
    /// It ends.
    Deactivating,
    /// It is under maintenance.
    Maintenance,
    /// It is active and gets its file systems anew.
    Refreshing,
}

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Package,
    Kernel,
    Unit,
}

impl Subject {
    /// What a word and the one after it begin a condition about. Absent: a label, and how it is compared.
    pub(crate) fn of(word: &str, next: &Word) -> Option<Self> {
        let is_name = matches!(next, Word::Bare(_) | Word::Text(_));
        match word {
            "package" if is_name => Some(Self::Package),
            "unit" if is_name => Some(Self::Unit),
            "kernel" if Relation::of_kernel(next).is_some() => Some(Self::Kernel),
            _ => None,
        }
    }

    /// The word that one is nearly, before what would follow that and no label. Absent: there is none.
    pub(crate) fn meant(word: &str, next: &Word) -> Option<String> {
        let meant = nearest(word, &["package", "kernel", "unit"])?;
        (meant != word && Self::of(&meant, next).is_some()).then_some(meant)
    }

    /// Reads the condition, after its first word.
    pub(super) fn read(self, parser: &mut Parser<'_>) -> Result<HostCondition, SelectError> {
        match self {
            Self::Package => package(parser),
            Self::Kernel => running_kernel(parser),
            Self::Unit => unit_state(parser),
        }
    }
}

impl HostCondition {
    /// Whether it holds of what was found.
    pub(super) fn holds(&self, found: &Found) -> bool {
        match self {
            Self::Package { name, version } => {
                let mut installed = found.packages.get(name).into_iter().flatten();
                installed.any(|installed| is_so(installed, version.as_ref(), found.format))
            }
            Self::Kernel(relation, version) => found.kernel.as_ref().is_some_and(|running| {
                let (running, _) = kernel::parts(&running.version);
                let (asked, _) = kernel::parts(version);
                relation.holds(found.format.compare(running, asked))
            }),
            Self::Unit { name, state } => {
                let unit = found.units.get(name);
                unit.is_some_and(|unit| unit.active == state.name())
            }
        }
    }
}

fn is_so(
    installed: &Installed,
    version: Option<&(Relation, String)>,
    format: PackageFormat,
) -> bool {
    version.is_none_or(|(relation, version)| {
        relation.holds(format.compare(&installed.version, version))
    })
}

impl Relation {
    const ALL: [Self; 6] = [
        Self::Equal,
        Self::Unequal,
        Self::Less,
        Self::AtMost,
        Self::Greater,
        Self::AtLeast,
    ];

    /// The relation of a mark. Absent: it is no such mark.
    fn of(word: &Word) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|relation| relation.word() == *word)
    }

    /// The same of a mark after `kernel`, where `==` and `!=` compare the fact.
    fn of_kernel(word: &Word) -> Option<Self> {
        Self::of(word).filter(|relation| !matches!(relation, Self::Equal | Self::Unequal))
    }

    fn word(self) -> Word {
        match self {
            Self::Equal => Word::Equal,
            Self::Unequal => Word::Unequal,
            Self::Less => Word::Less,
            Self::AtMost => Word::AtMost,
            Self::Greater => Word::Greater,
            Self::AtLeast => Word::AtLeast,
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }
}

impl UnitState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Active,
        Self::Reloading,
        Self::Inactive,
        Self::Failed,
        Self::Activating,
        Self::Deactivating,
        Self::Maintenance,
        Self::Refreshing,
    ];

    /// systemd's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Reloading => "reloading",
            Self::Inactive => "inactive",
            Self::Failed => "failed",
            Self::Activating => "activating",
            Self::Deactivating => "deactivating",
            Self::Maintenance => "maintenance",
            Self::Refreshing => "refreshing",
        }
    }
}

fn package(parser: &mut Parser<'_>) -> Result<HostCondition, SelectError> {
    let at = parser.at();
    let name = parser.name("the name of a package")?;
    package::check_name(&name).map_err(|why| SelectError::Package { at, why })?;
    let version = match Relation::of(parser.next()) {
        Some(relation) => {
            parser.advance()?;
            Some((relation, version(parser)?))
        }
        None => None,
    };
    Ok(HostCondition::Package { name, version })
}

fn running_kernel(parser: &mut Parser<'_>) -> Result<HostCondition, SelectError> {
    let Some(relation) = Relation::of_kernel(parser.next()) else {
        return Err(parser.expected("`<`, `<=`, `>` or `>=`"));
    };
    parser.advance()?;
    Ok(HostCondition::Kernel(relation, version(parser)?))
}

fn version(parser: &mut Parser<'_>) -> Result<String, SelectError> {
    let at = parser.at();
    let version = parser.name("a version, as `3.0.15-1`,")?;
    package::check_version(&version).map_err(|why| SelectError::Package { at, why })?;
    Ok(version)
}

fn unit_state(parser: &mut Parser<'_>) -> Result<HostCondition, SelectError> {
    let at = parser.at();
    let name = parser.name("the name of a unit")?;
    unit::check(&name).map_err(|why| SelectError::Unit { at, why })?;
    let name = unit::with_type(&name);
    let is_next = |state: &UnitState| *parser.next() == Word::Bare(state.name().to_owned());
    let Some(state) = UnitState::ALL.into_iter().find(is_next) else {
        return Err(parser.expected(
            "`active`, `inactive`, `failed`, `activating`, `deactivating`, `reloading`, `refreshing` \
             or `maintenance`",
        ));
    };
    parser.advance()?;
    Ok(HostCondition::Unit { name, state })
}

impl fmt::Display for HostCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Package { name, version } => {
                write!(f, "package {}", Named(name))?;
                match version {
                    Some((relation, version)) => write!(f, " {relation} {}", Named(version)),
                    None => Ok(()),
                }
            }
            Self::Kernel(relation, version) => write!(f, "kernel {relation} {}", Named(version)),
            Self::Unit { name, state } => write!(f, "unit {} {}", Named(name), state.name()),
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sign())
    }
}

/// A name or version, in quotes where it would be a word of the language without them. What they are
/// checked for needs no escape.
struct Named<'a>(&'a str);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match keyword(self.0) {
            Some(_) => write!(f, "\"{}\"", self.0),
            None => f.write_str(self.0),
        }
    }
}
