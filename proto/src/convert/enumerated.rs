//! Enums without data, which travel as numbers.

use super::field::Problem;
use crate::{
    operator::{Action, RolloutState, SubjectKind, WaveState},
    v1,
};
use cofferdam_engine::{
    cord::Span,
    denial::Scope,
    exception::Word,
    failure::FailureKind,
    guard::{Fate, GuardMode},
    lint::Severity,
    order::{ClaimPoint, Direction},
    patch::{ConffilePolicy, RebootPolicy},
    plan::ImpactKind,
    run::Ending,
    traffic::OnExpiry,
};

/// An enum without data.
pub(super) trait Enumerated: Sized {
    /// Its number in messages.
    fn number(self) -> i32;

    /// Reads the number of a message.
    fn read(number: i32) -> Result<Self, Problem>;
}

macro_rules! enumerated {
    ($name:ident: $($variant:ident)+) => {
        impl Enumerated for $name {
            fn number(self) -> i32 {
                let wire = match self {
                    $(Self::$variant => v1::$name::$variant,)+
                };
                wire.into()
            }

            fn read(number: i32) -> Result<Self, Problem> {
                let unknown = |_| Problem::UnknownValue(number);
                match v1::$name::try_from(number).map_err(unknown)? {
                    v1::$name::Unspecified => Err(Problem::Missing),
                    $(v1::$name::$variant => Ok(Self::$variant),)+
                }
            }
        }
    };
}

enumerated!(Action: Pause Resume Abort Rollback Promote Approve);
enumerated!(ClaimPoint: BeforeDrain BeforeApply);
enumerated!(ConffilePolicy: Keep Replace Fail);
enumerated!(Direction: Patch Rollback);
enumerated!(Ending: Patched RolledBack Undone Cancelled Quarantined);
enumerated!(Fate: Refused Observed AgentDead InWindow Reserved Skipped WouldSkip);
enumerated!(GuardMode: Off Observe Enforce);
enumerated!(ImpactKind: Patched Direct Indirect);
enumerated!(OnExpiry: Abort Force);
enumerated!(RebootPolicy: Never IfRequired Always);
enumerated!(
    RolloutState: Planned Running Paused Done Aborting Aborted RollingBack RolledBack
);
enumerated!(Severity: Error Warning);
enumerated!(SubjectKind: Rollout Cell Host);
enumerated!(Word: Exclude Skip Retry);
enumerated!(WaveState: Pending Running Baking Passed Stopped RollingBack RolledBack);
enumerated!(
    FailureKind: Network Locked DiskFull Signature NotFound Dependency MaintainerScript Kernel
    Conffile Hook PackageManager NoWayBack Validate Service Unhealthy NoData Drain TimedOut
    Reboot Io Unsupported NotSigned
);

impl Enumerated for Span {
    fn number(self) -> i32 {
        let wire = match self {
            Self::Fleet => v1::CordSpan::Fleet,
            Self::Region => v1::CordSpan::Region,
        };
        wire.into()
    }

    fn read(number: i32) -> Result<Self, Problem> {
        let unknown = |_| Problem::UnknownValue(number);
        match v1::CordSpan::try_from(number).map_err(unknown)? {
            v1::CordSpan::Unspecified => Err(Problem::Missing),
            v1::CordSpan::Fleet => Ok(Self::Fleet),
            v1::CordSpan::Region => Ok(Self::Region),
        }
    }
}

impl Enumerated for Scope {
    fn number(self) -> i32 {
        let wire = match self {
            Self::Fleet => v1::DenialReach::Fleet,
            Self::Cell => v1::DenialReach::Cell,
            Self::Host => v1::DenialReach::Host,
        };
        wire.into()
    }

    fn read(number: i32) -> Result<Self, Problem> {
        let unknown = |_| Problem::UnknownValue(number);
        match v1::DenialReach::try_from(number).map_err(unknown)? {
            v1::DenialReach::Unspecified => Err(Problem::Missing),
            v1::DenialReach::Fleet => Ok(Self::Fleet),
            v1::DenialReach::Cell => Ok(Self::Cell),
            v1::DenialReach::Host => Ok(Self::Host),
        }
    }
}
