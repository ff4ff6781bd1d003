//! Who brings which file: one host, while the others wait for the store.
//!
//! A host that takes too long, gives up or goes away is replaced by the next that asks. When several
//! could not bring a file, nobody waits for it any more for a while: each host asks its own
//! repositories, and fares as it would without a store.

use cofferdam_engine::{digest::Digest, duration, id::HostId};
use cofferdam_proto::artefact::{PackageFile, SuppliedArtefact, WantedArtefact};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};
use tokio::time::Instant;

/// So many hosts try to bring a file before the others are sent to their repositories (guess: a file
/// that three repositories do not have is gone).
const TRIES: usize = 3;

/// For how long they are (guess: an archive's mirrors agree within minutes).
const REST: Duration = Duration::from_secs(60);

/// How long a host that sends a file may send nothing (guess).
const STALL: Duration = Duration::from_secs(30);

/// An errand that nobody asked about for so long is over.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// A host that did not ask for so long does not wait any more: it asks again after 20 s.
const WAITS: Duration = Duration::from_secs(45);

/// What is brought: exact bits, or any file of a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Bits(Digest),
    Package(PackageFile),
}

impl Subject {
    /// What a host asks for.
    pub(super) fn of(wanted: &WantedArtefact) -> Self {
        match &wanted.locked {
            Some(file) => Self::Bits(file.sha256),
            None => Self::Package(wanted.package.clone()),
        }
    }

    /// What a file that is brought is asked for as.
    pub(super) fn both(supplied: &SuppliedArtefact) -> [Self; 2] {
        [
            Self::Bits(supplied.file.sha256),
            Self::Package(supplied.package.clone()),
        ]
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bits(digest) => digest.fmt(f),
            Self::Package(package) => package.fmt(f),
        }
    }
}

/// What a host is to do about a file that the store lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Bring it.
    Bring,
    /// Wait: somebody else brings it, as this says.
    Wait(String),
    /// Get it elsewhere, for this reason.
    Elsewhere(String),
}

/// A host brings a file that it was not asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("host {host} was not asked to bring {subject}")]
pub(crate) struct NotAsked {
    host: HostId,
    subject: String,
}

/// Who brings which file.
#[derive(Debug, Default)]
pub(super) struct Desk {
    errands: BTreeMap<Subject, Errand>,
}

#[derive(Debug)]
struct Errand {
    /// What whoever brings exact bits may call them.
    package: PackageFile,
    holder: Option<Holder>,
    failed: BTreeSet<HostId>,
    failed_at: Instant,
    /// When each last asked.
    waiting: BTreeMap<HostId, Instant>,
    asked_at: Instant,
}

#[derive(Debug)]
struct Holder {
    host: HostId,
    has_it: bool,
    since: Instant,
    until: Instant,
}

impl Desk {
    /// Says what a host is to do about a file. One that has it takes the errand over from one that is
    /// still looking for it.
    pub(super) fn ask(
        &mut self,
        host: &HostId,
        wanted: &WantedArtefact,
        patience: Duration,
        now: Instant,
    ) -> Answer {
        let has_it = wanted.has_it;
        self.errands
            .retain(|_, errand| now < errand.asked_at + FORGOTTEN);
        let errand = self.errands.entry(Subject::of(wanted));
        let errand = errand.or_insert_with(|| Errand::new(wanted.package.clone(), now));
        errand.asked_at = now;
        errand.expire(now);
        if let Some(answer) = errand.rests(now) {
            return answer;
        }
        let holds = match &errand.holder {
            Some(holder) if holder.host == *host => return Answer::Bring,
            Some(holder) => holder.has_it || !has_it,
            None => false,
        };
        if let (true, Some(holder)) = (holds, &errand.holder) {
            errand.waiting.insert(host.clone(), now);
            return Answer::Wait(holder.in_words(now));
        }
        if errand.failed.contains(host) && !has_it {
            return Answer::Elsewhere("this host could not bring it".to_owned());
        }
        errand.waiting.remove(host);
        errand.holder = Some(Holder {
            host: host.clone(),
            has_it,
            since: now,
            until: now + patience,
        });
        Answer::Bring
    }

    /// Takes in that a host cannot bring a file.
    pub(super) fn cannot(&mut self, host: &HostId, subject: &Subject, now: Instant) {
        if let Some(errand) = self.errands.get_mut(subject)
            && errand.is_held_by(host)
        {
            errand.fail(now);
        }
    }

    /// Takes in that a host is gone; returns whether anybody may wait for it.
    pub(super) fn gone(&mut self, host: &HostId, now: Instant) -> bool {
        let held = self.errands.values_mut().filter(|e| e.is_held_by(host));
        held.map(|errand| errand.fail(now)).count() > 0
    }

    /// Whether a host is the one that brings a file.
    ///
    /// # Errors
    /// [`NotAsked`] when it is not.
    pub(super) fn check(&self, host: &HostId, supplied: &SuppliedArtefact) -> Result<(), NotAsked> {
        let errands = Subject::both(supplied);
        let held = |subject| {
            let errand = self.errands.get(subject);
            errand.is_some_and(|e| e.is_held_by(host) && e.package == supplied.package)
        };
        if errands.iter().any(held) {
            return Ok(());
        }
        Err(NotAsked {
            host: host.clone(),
            subject: errands[1].to_string(),
        })
    }

    /// Takes in that more of a file came.
    pub(super) fn goes_on(&mut self, host: &HostId, supplied: &SuppliedArtefact, now: Instant) {
        for subject in Subject::both(supplied) {
            let errand = self.errands.get_mut(&subject);
            let holder = errand.and_then(|errand| errand.holder.as_mut());
            if let Some(holder) = holder.filter(|holder| holder.host == *host) {
                holder.until = holder.until.max(now + STALL);
            }
        }
    }

    /// Takes in that a file is there.
    pub(super) fn brought(&mut self, bits: Digest, package: Option<&PackageFile>) {
        self.errands.remove(&Subject::Bits(bits));
        if let Some(package) = package {
            self.errands.remove(&Subject::Package(package.clone()));
        }
    }

    /// When the first host has taken too long. Nothing when nobody brings anything.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        let holders = self.errands.values().filter_map(|e| e.holder.as_ref());
        holders.map(|holder| holder.until).min()
    }

    /// What these hosts wait for, one line a file.
    pub(super) fn waits(&self, is_meant: impl Fn(&HostId) -> bool, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        for (subject, errand) in &self.errands {
            let waits =
                |(host, asked): &(&HostId, &Instant)| now < **asked + WAITS && is_meant(host);
            let hosts = errand.waiting.iter().filter(waits).count();
            if let (true, Some(holder)) = (hosts > 0, &errand.holder) {
                lines.push(format!(
                    "{hosts} waiting for {subject}: {}",
                    holder.in_words(now)
                ));
            }
        }
        lines
    }
}

impl Errand {
    fn new(package: PackageFile, now: Instant) -> Self {
        Self {
            package,
            holder: None,
            failed: BTreeSet::new(),
            failed_at: now,
            waiting: BTreeMap::new(),
            asked_at: now,
        }
    }

    fn is_held_by(&self, host: &HostId) -> bool {
        self.holder
            .as_ref()
            .is_some_and(|holder| holder.host == *host)
    }

    fn expire(&mut self, now: Instant) {
        if self
            .holder
            .as_ref()
            .is_some_and(|holder| holder.until <= now)
        {
            self.fail(now);
        }
    }

    fn fail(&mut self, now: Instant) {
        if let Some(holder) = self.holder.take() {
            self.failed.insert(holder.host);
            self.failed_at = now;
        }
    }

    /// The answer while nobody waits for the file. After that it is looked for anew.
    fn rests(&mut self, now: Instant) -> Option<Answer> {
        if self.failed.len() < TRIES {
            return None;
        }
        if now >= self.failed_at + REST {
            self.failed.clear();
            return None;
        }
        let failed: Vec<&str> = self.failed.iter().map(HostId::as_str).collect();
        let reason = format!("{} could not bring it", failed.join(", "));
        Some(Answer::Elsewhere(reason))
    }
}

impl Holder {
    fn in_words(&self, now: Instant) -> String {
        let whole = Duration::from_secs(now.duration_since(self.since).as_secs());
        format!(
            "host {} brings it to the artefact store, since {}",
            self.host,
            duration::format(whole)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::{inventory::Platform, patch::LockedFile};

    const PATIENCE: Duration = Duration::from_secs(100);

    fn host(name: &str) -> HostId {
        HostId::new(name).unwrap()
    }

    fn bits() -> Subject {
        Subject::Bits(Digest::of("bits"))
    }

    fn ask(desk: &mut Desk, name: &str, has_it: bool, now: Instant) -> &'static str {
        let wanted = wanted("bits", has_it);
        match desk.ask(&host(name), &wanted, PATIENCE, now) {
            Answer::Bring => "bring",
            Answer::Wait(_) => "wait",
            Answer::Elsewhere(_) => "elsewhere",
        }
    }

    #[test]
    fn one_brings_and_the_others_wait() {
        let (mut desk, now) = (Desk::default(), Instant::now());
        assert_eq!(ask(&mut desk, "a", false, now), "bring");
        for name in ["b", "c"] {
            assert_eq!(ask(&mut desk, name, false, now), "wait");
        }
        assert_eq!(ask(&mut desk, "a", false, now), "bring", "asked again");
        let waits = desk.waits(|host| host.as_str() != "c", now);
        assert_eq!(waits.len(), 1);
        assert!(waits[0].starts_with("1 waiting for"), "{waits:?}");
        assert!(waits[0].contains("host a brings it"), "{waits:?}");
        desk.brought(Digest::of("bits"), None);
        assert!(desk.waits(|_| true, now).is_empty());
    }

    #[test]
    fn a_slow_one_is_replaced_and_one_that_sends_is_not() {
        let (mut desk, now) = (Desk::default(), Instant::now());
        ask(&mut desk, "a", false, now);
        let late = now + PATIENCE;
        let supplied = supplied();
        desk.goes_on(&host("a"), &supplied, late - Duration::from_secs(1));
        assert_eq!(ask(&mut desk, "b", false, late), "wait");
        let stalled = late + STALL;
        assert_eq!(ask(&mut desk, "b", false, stalled), "bring");
        assert!(desk.check(&host("b"), &supplied).is_ok());
        assert!(desk.check(&host("a"), &supplied).is_err());
        assert_eq!(ask(&mut desk, "a", false, stalled), "wait");
    }

    #[test]
    fn one_that_is_gone_or_gives_up_is_replaced_and_after_three_nobody_waits() {
        let (mut desk, now) = (Desk::default(), Instant::now());
        ask(&mut desk, "a", false, now);
        assert!(desk.gone(&host("a"), now));
        assert_eq!(ask(&mut desk, "a", false, now), "elsewhere");
        for name in ["b", "c"] {
            assert_eq!(ask(&mut desk, name, false, now), "bring");
            desk.cannot(&host("other"), &bits(), now);
            desk.cannot(&host(name), &bits(), now);
        }
        assert_eq!(ask(&mut desk, "d", false, now), "elsewhere");
        assert_eq!(ask(&mut desk, "d", false, now + REST), "bring");
    }

    #[test]
    fn one_that_has_the_file_takes_over_from_one_that_looks_for_it() {
        let (mut desk, now) = (Desk::default(), Instant::now());
        ask(&mut desk, "a", false, now);
        assert_eq!(ask(&mut desk, "b", true, now), "bring");
        assert_eq!(ask(&mut desk, "a", false, now), "wait");
        assert_eq!(ask(&mut desk, "c", true, now), "wait");
    }

    #[test]
    fn errands_that_nobody_asks_about_are_forgotten() {
        let (mut desk, now) = (Desk::default(), Instant::now());
        ask(&mut desk, "a", false, now);
        let other = wanted("other", false);
        desk.ask(&host("a"), &other, PATIENCE, now + FORGOTTEN);
        assert_eq!(desk.errands.len(), 1);
    }

    fn package() -> PackageFile {
        PackageFile {
            platform: Platform {
                os_release: "debian-12".to_owned(),
                architecture: "amd64".to_owned(),
            },
            name: "tool".to_owned(),
            version: "1".to_owned(),
        }
    }

    fn file(content: &str) -> LockedFile {
        LockedFile {
            sha256: Digest::of(content),
            size: content.len() as u64,
        }
    }

    fn wanted(content: &str, has_it: bool) -> WantedArtefact {
        WantedArtefact {
            package: package(),
            locked: Some(file(content)),
            has_it,
            refused: BTreeSet::new(),
        }
    }

    fn supplied() -> SuppliedArtefact {
        SuppliedArtefact {
            package: package(),
            file: file("bits"),
        }
    }

    #[test]
    fn bits_are_called_what_they_were_asked_for_as() {
        let (mut desk, now) = (Desk::default(), Instant::now());
        ask(&mut desk, "a", false, now);
        let mut other = supplied();
        other.package.name = "libc6".to_owned();
        assert!(desk.check(&host("a"), &other).is_err());
        assert!(desk.check(&host("a"), &supplied()).is_ok());
    }
}
