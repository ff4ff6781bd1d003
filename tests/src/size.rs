//! How much of a test runs: a sample with `make test`, all of it with `make soak`.

/// The variable that asks for the large size.
const VARIABLE: &str = "COFFERDAM_SOAK";

/// How much of a test runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// A sample that fits the minutes of CI.
    Small,
    /// Everything, by hand or by night.
    Soak,
}

impl Size {
    /// What this run was asked for.
    pub fn asked() -> Self {
        if std::env::var_os(VARIABLE).is_some_and(|value| value == "1") {
            Self::Soak
        } else {
            Self::Small
        }
    }

    /// One of two values.
    pub fn pick<T>(self, small: T, soak: T) -> T {
        match self {
            Self::Small => small,
            Self::Soak => soak,
        }
    }
}
