//! What a rollout file says that no rollout can be.

use super::MAX_TABLES;
use crate::{
    advisory::AdvisoryIdError,
    date::DateError,
    digest::DigestError,
    duration::DurationError,
    id::{NameError, WaveName},
    package::PackageError,
    patch::{MAX_FILES, RightsError, SourceError},
    select::SelectError,
    share::ShareError,
    time_zone::TimeZoneError,
    traffic::RampStepsError,
    unit::UnitError,
    window::TimeOfDayError,
};

/// Why a value of a rollout file, or how it goes with others, is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not a duration.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// It is not a share.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// It is not a digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// It is not a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It is not a selection.
    #[error(transparent)]
    Selection(#[from] SelectError),
    /// It is not a package's name or version.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A duration that must not be nothing.
    #[error("must be longer than 0s")]
    Zero,
    /// Health cannot last that long before verify ends.
    #[error(
        "every host would fail: {stable_for} of {stable} does not fit into the {verify} of verify_deadline"
    )]
    NeverStable {
        /// The key that says how long health must last.
        stable_for: &'static str,
        /// How long.
        stable: String,
        /// How long verify may take.
        verify: String,
    },
    /// They are no steps of a ramp.
    #[error(transparent)]
    RampSteps(#[from] RampStepsError),
    /// A ramp that leaves no time for steps back.
    #[error(
        "a ramp takes at most half of drain_deadline, which traffic has to come back in: {ramp} is more than half of {drain}"
    )]
    RampTooLong {
        /// How long the ramp takes.
        ramp: String,
        /// How long drain may take.
        drain: String,
    },
    /// It is not a day.
    #[error(transparent)]
    Date(#[from] DateError),
    /// A kind of patch that no file may have.
    #[error("`{0}` is no kind of patch: \"packages\", \"config\" or \"noop\" is expected")]
    PatchKind(String),
    /// What is updated otherwise than by a rollout.
    #[error("patches of kind \"{kind}\" are refused: {instead}")]
    PatchKindOutside {
        /// The kind.
        kind: String,
        /// Why, and what to do instead.
        instead: &'static str,
    },
    /// A kind of patch that is not built.
    #[error("patches of kind \"{0}\" are not built yet; use \"packages\", \"config\" or \"noop\"")]
    PatchKindNotBuilt(String),
    /// What is to become of changed config files is none of the things that can.
    #[error(
        "`{0}` is nothing that a config file can meet: \"keep\", \"replace\" or \"fail\" is expected"
    )]
    ConffilePolicy(String),
    /// A key of another kind of patch.
    #[error("a patch of kind \"{kind}\" has none; leave it out")]
    OtherKind {
        /// The kind that the patch is.
        kind: &'static str,
    },
    /// It is not an advisory's id.
    #[error(transparent)]
    Advisory(#[from] AdvisoryIdError),
    /// A patch of packages that says what it takes more than once.
    #[error(
        "a patch takes its packages from `packages`, from `security` or from `advisory`; keep one"
    )]
    WishTwice,
    /// A patch of packages without one.
    #[error("names no package; name at least one, or use kind = \"noop\" for practice")]
    NoPackages,
    /// A path on the host that is none.
    #[error(
        "`{0}` is no path of a file on a host: it begins with `/`, does not end with it and has no `.` or `..` in it"
    )]
    HostPath(String),
    /// It is no source of a config file.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It is no mode, or no name of an owner.
    #[error(transparent)]
    Rights(#[from] RightsError),
    /// A file in the table itself, beside others.
    #[error("belongs into a `[[patch.files]]` of its own, since there are others")]
    BesideFiles,
    /// No file at all.
    #[error("holds no file; write at least one `[[patch.files]]`")]
    NoFiles,
    /// More files than one patch may have.
    #[error("there are {0} files, and at most {MAX_FILES} are one patch; make it several rollouts")]
    TooManyFiles(usize),
    /// Two files for one place.
    #[error("{0} stands there twice; keep one")]
    FileTwice(String),
    /// A validate command's name that is none.
    #[error("`{0}` is no name of a validate command: letters, digits, `.`, `_` and `-`")]
    ValidateName(String),
    /// A unit's name that is none.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// A rollout without waves.
    #[error("holds no wave; leave it out for the default waves, or write at least one")]
    NoWaves,
    /// Two waves of one name.
    #[error("another wave is named {0} already; give each its own name")]
    WaveNameTaken(WaveName),
    /// A wave that says its size more than once.
    #[error("a wave says its size once: as `to`, as `hosts` or as `cells_per_region`; keep one")]
    SizeTwice,
    /// A wave of nothing.
    #[error("a wave takes more than 0%")]
    NoSize,
    /// A wave that goes less far than one before it.
    #[error(
        "goes less far than wave {before}: sizes are cumulative, so each wave goes at least as far as those before it"
    )]
    Shrinks {
        /// The wave before it.
        before: WaveName,
    },
    /// A fan, or a turn of it, without regions.
    #[error(
        "a fan has turns and each turn has regions, as in [[\"first\"], [\"largest\"], [\"rest\"]]"
    )]
    EmptyTurn,
    /// The rest of the regions before others.
    #[error("\"rest\" is all that is left, so it stands in the last turn")]
    RestNotLast,
    /// A region that a fan names twice.
    #[error("\"{0}\" is in the fan already; a region has one turn")]
    RegionTwice(String),
    /// A rollout that stands for hosts which it does not take.
    #[error(
        "a rollout stands for hosts that come later, and {against} leaves those as they are; keep one of the two"
    )]
    StandsForNobody {
        /// What leaves them, as the file says it.
        against: &'static str,
    },
    /// A fan beside another order.
    #[error(
        "only order = \"fan-out\" opens regions by their fan; write that, or leave the fan out"
    )]
    FanUnused,
    /// More tables of a kind than any rollout needs.
    #[error("there are {0} of them, and at most {MAX_TABLES} are read; put what is alike together")]
    TooMany(usize),
    /// A limit that no host reaches.
    #[error(
        "no host reaches this limit: the first match wins, and an earlier limit has no match and so takes every host; move that one to the end"
    )]
    NeverReached,
    /// A limit that limits nothing.
    #[error("limits nothing; give it `at_once_per_cell` or `floor`, or leave it out")]
    NoLimit,
    /// Floors that stand where no floors are read.
    #[error(
        "floors stand in [[limits]]: write `[[limits]]` at the end of the file and `floor = [..]` under it"
    )]
    FloorOutsideLimits,
    /// A key of which the value is the same for every rollout.
    #[error("cannot be set, {0}; leave it out")]
    Fixed(String),
    /// A floor without rules.
    #[error("holds no rule; leave it out for the default floor")]
    NoFloor,
    /// A capacity group of no labels.
    #[error(
        "names no label; write [\"service\", \"zone\"] or what makes hosts stand in for each other"
    )]
    NoLabels,
    /// A capacity group that names a label twice.
    #[error("names the label {0} twice; name it once")]
    LabelTwice(String),
    /// It is not a time of the day.
    #[error(transparent)]
    TimeOfDay(#[from] TimeOfDayError),
    /// It is not a time zone.
    #[error(transparent)]
    TimeZone(#[from] TimeZoneError),
    /// A day of the week that is none.
    #[error(
        "`{0}` is no day: \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\" and \"sun\" are expected"
    )]
    Day(String),
    /// A window without days.
    #[error("holds no day; leave it out for all days, or write at least one")]
    NoDays,
    /// A window that opens when its day is over.
    #[error("a window opens before the end of its day; write \"00:00\" and the next day")]
    StartsAtDaysEnd,
    /// A rollout that covers nothing.
    #[error("names no label; leave it out for the default labels, or name at least one")]
    NoCoverage,
    /// A pair of labels that is none.
    #[error(
        "a pair has two labels, this one has {0}; write as in [[\"instance_type\", \"kernel\"]]"
    )]
    NoPair(usize),
    /// A pair of labels that is named twice.
    #[error("names the pair {0} twice; name it once, in either order")]
    PairTwice(String),
    /// A stratum that is none.
    #[error(
        "is no stratum; write it as `cofferdam plan` shows it, as in \"instance_type=r5.24xlarge\""
    )]
    NoStratum,
    /// A stratum that two waivers name.
    #[error("another waiver names this stratum already; keep one")]
    WaivedTwice,
    /// A waiver that does not say why.
    #[error("says nothing; say why, for who reads it next")]
    NoReason,
    /// A label without a name.
    #[error("a label has a name")]
    NoLabel,
}
