//! A change of packages, as a hook hears of it.

/// A change of packages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transaction {
    /// What becomes of which package, for people, as in `tea 1 -> 2`. Empty: not known.
    pub packages: Vec<String>,
    /// The names of all of its packages, where the package manager itself says them. Absent: it does not,
    /// and a file's name proves nothing.
    pub names: Option<Vec<String>>,
    /// Whether it changes this machine.
    pub target: Target,
}

/// What a transaction changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Target {
    /// This machine.
    #[default]
    Machine,
    /// Another root tree, or nothing at all: no business of the guard.
    Elsewhere,
}
