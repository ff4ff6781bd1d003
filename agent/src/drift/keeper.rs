//! Drift in the running agent: compared at boot before the host is let in, then each hour, and after each
//! change that an order made or the guard let pass.
//!
//! ```text
//!  an order changes the host:  before.json --> the change --> expected.json follows, before.json goes
//!  a look:                     stamps --moved--> read, compare --changed--> report.json
//!  first boot:                 let in once it has come to rest, and was compared after that
//!  let in:                     let-in.json: from here on drift is a warning
//! ```
//!
//! An agent that dies in a change leaves `before.json`: the next look, or the step that is done again,
//! accounts for what was changed until then. While an order changes the host nothing is compared.

use super::{
    compare::{CompareError, Comparer, Comparison, Subject},
    contents::stamp,
    hang::{self, Beside, Progress},
    image,
    report::{Effect, Report, Standing},
    rest::Rest,
    settings::DriftSettings,
    store::{LetIn, Under},
};
use crate::{
    checks::verdict::{Reading, Verdict},
    guard::places::Places,
    host::{
        command::Runner,
        leftover,
        notice::{Notice, pause},
        root::Root,
        stamp::Stamp,
    },
    step::admit::Gate,
    telling::Found,
};
use cofferdam_engine::digest::Digest;
use cofferdam_proto::error_chain;
use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    mem,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};
use tokio::{
    sync::{Mutex, Notify},
    time::{self, Instant},
};

/// How often a host is compared, in [`GLANCE_EVERY`]: once an hour, as design and operators are promised.
const GLANCES: u32 = 60;

/// How often it is looked whether the host was sealed anew: one question to the file system.
const GLANCE_EVERY: Duration = Duration::from_secs(60);

/// How often a host is compared that is held back, and how soon again when it was being changed: a person
/// waits, or a fleet that grows (guess).
const SOON: Duration = Duration::from_secs(2);

/// How long an agent that starts waits for the first look (guess: some thousand files that nobody has
/// read since the boot).
const FIRST_WITHIN: Duration = Duration::from_secs(2);

/// The name under which pages show it.
const NAME: &str = "drift";

/// What the agent knows of its host's drift.
pub struct Drift {
    subject: Subject,
    own_change: PathBuf,
    comparer: Mutex<(Comparer, Beside)>,
    /// How long a look may stand at one file.
    patience: Duration,
    known: RefCell<Option<Known>>,
    is_changing: Cell<bool>,
    was_changed: Notify,
    is_in: Cell<bool>,
    rest: Rest,
    /// What was still under way when the host was last compared. Absent: nothing.
    unrest: RefCell<Option<String>>,
    /// Whether somebody began to work on packages since it was asked about.
    was_disturbed: Cell<bool>,
    /// Where hooks write down whom they let pass, and what was last looked at of it. Absent: nowhere.
    passed: Option<PathBuf>,
    seen_passed: Cell<Option<Stamp>>,
    /// Who tells the coordinator. Absent: nobody does.
    found: Option<Found>,
}

/// What the last look found.
struct Known {
    image: Option<Stamp>,
    seal: Option<Digest>,
    is_first_boot: bool,
    report: Report,
}

/// While it lives, an order changes the host. A change that is dropped halfway is accounted for soon.
struct Changing<'a>(&'a Drift);

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.is_changing.set(false);
        self.0.was_changed.notify_one();
    }
}

impl Drift {
    /// Drift of which nothing is known yet.
    pub fn new(root: Root, state_dir: &Path, settings: &DriftSettings) -> Self {
        Self {
            rest: Rest::of(root.clone()),
            unrest: RefCell::new(Some(
                "it is not known yet whether the boot is over".to_owned(),
            )),
            was_disturbed: Cell::new(false),
            subject: Subject::new(root, state_dir, settings.first_boot),
            own_change: Places::new(state_dir, Path::new("")).own_change(),
            comparer: Mutex::default(),
            patience: hang::PATIENCE,
            known: RefCell::default(),
            is_changing: Cell::new(false),
            was_changed: Notify::new(),
            is_in: Cell::new(false),
            passed: None,
            seen_passed: Cell::new(None),
            found: None,
        }
    }

    /// The same, with another patience for files that do not answer.
    #[cfg(test)]
    #[must_use]
    pub(super) fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The same, with an eye on the changes that the guard of this host lets pass.
    #[must_use]
    pub(crate) fn heeding(self, guard: &Places) -> Self {
        Self {
            passed: Some(guard.passed()),
            ..self
        }
    }

    /// The same, with somebody who asks systemd whether a first boot is over.
    #[must_use]
    pub(crate) fn asking(self, runner: Rc<dyn Runner>) -> Self {
        let rest = self.rest.asking(runner);
        Self { rest, ..self }
    }

    /// The same, with what it finds told to the coordinator.
    #[must_use]
    pub(crate) fn telling(self, found: Found) -> Self {
        Self {
            found: Some(found),
            ..self
        }
    }

    /// Looks for the first time. An agent that starts does not wait longer than a moment for it: until it
    /// has looked, the host is held.
    pub(crate) async fn start(&self) {
        if time::timeout(FIRST_WITHIN, self.look_at_rest())
            .await
            .is_err()
        {
            tracing::info!("the host is being compared with its image");
        }
    }

    /// Looks for as long as the agent runs. What goes wrong with it is said, and stops nothing else that an
    /// agent does.
    pub(crate) async fn watch(&self) -> Infallible {
        loop {
            // Costs next to nothing where the first look is just over.
            let has_looked = self.look_at_rest().await;
            if !has_looked || self.judge().verdict != Verdict::Pass {
                time::sleep(SOON).await;
                continue;
            }
            self.until_moved().await;
        }
    }

    /// Waits for an hour, or until something may have moved: an order was at work, the host was sealed anew,
    /// a change that the guard let pass has ended, or a file that hung has answered.
    async fn until_moved(&self) {
        let next = Instant::now() + GLANCE_EVERY * GLANCES;
        let folder = self.passed.as_deref().and_then(Path::parent);
        // Where the kernel notices nothing, the next glance does.
        let mut notice = folder.and_then(|folder| Notice::of(folder).ok());
        while Instant::now() < next {
            let wait = match self.is_changed_by_others() {
                Some(true) => return,
                Some(false) => SOON,
                None => GLANCE_EVERY,
            };
            tokio::select! {
                biased;
                () = self.was_changed.notified() => return,
                watch = pause(notice.take(), wait) => notice = watch,
            }
            if self.is_sealed_anew() || self.has_answered() {
                return;
            }
        }
    }

    /// Whether a change that the guard let pass has ended since it was last looked. Absent: there is no new
    /// one.
    fn is_changed_by_others(&self) -> Option<bool> {
        let file = self.passed.as_deref()?;
        let now = stamp(file)?;
        if self.seen_passed.get() == Some(now) {
            return None;
        }
        // A file that cannot be read is read again.
        let has_ended = leftover::find(file).is_ok_and(|running| running.is_none());
        if has_ended {
            self.seen_passed.set(Some(now));
        }
        Some(has_ended)
    }

    /// Carries out a change that an order wants, and expects from then on what it made of the host, also
    /// where it failed halfway. What cannot be written down is drift later, and keeps no order from being
    /// carried out.
    pub(crate) async fn account<T>(&self, change: impl Future<Output = T>) -> T {
        self.is_changing.set(true);
        let changing = Changing(self);
        if let Err(error) = self.work(note_before).await {
            let error = error_chain(&error);
            tracing::warn!(error, "what the order changes will be taken for drift");
        }
        let done = change.await;
        drop(changing);
        self.look().await;
        done
    }

    /// Compares, and before that finds out whether a first boot has come to rest: what ends after it was asked
    /// about is compared once more.
    async fn look_at_rest(&self) -> bool {
        if self.known.borrow().is_none() {
            self.look().await;
        }
        self.was_disturbed.set(false);
        let unrest = match self.holds() {
            true => self.rest.unrest().await,
            false => None,
        };
        let has_looked = self.look().await;
        if unrest.is_some() || !self.was_disturbed.get() {
            *self.unrest.borrow_mut() = unrest;
        }
        has_looked
    }

    /// Whether drift would keep the host out of traffic.
    fn holds(&self) -> bool {
        let known = self.known.borrow();
        let report = known.as_ref().map(|known| &known.report);
        report.is_some_and(|report| report.effect == Effect::Holds)
    }

    /// What a first boot waits for. Absent: nothing. Who began since the last look is waited for too, and the
    /// host is compared when he is done.
    fn waits_for(&self) -> Option<String> {
        let unrest = self.unrest.borrow().clone();
        if unrest.is_some() {
            return unrest;
        }
        let began = self.rest.package_manager()?;
        *self.unrest.borrow_mut() = Some(began.clone());
        self.was_disturbed.set(true);
        self.was_changed.notify_one();
        Some(began)
    }

    /// Compares, where anything has moved. Not while the host is being changed: then it says so.
    async fn look(&self) -> bool {
        match leftover::find(&self.own_change) {
            Ok(None) if !self.is_changing.get() => {}
            Ok(Some(_) | None) => return false,
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "nobody knows who changes it");
            }
        }
        let image = image_stamp(&self.subject);
        match self.work(compare).await {
            Ok(Some(comparison)) => self.learn(image, comparison),
            Ok(None) => {}
            Err(error) => self.learn(image, Comparison::unknown(&self.subject, &error)),
        }
        if self.is_in.get() {
            self.mark();
        }
        true
    }

    /// Works beside the agent's one thread, one thing after the other. What hangs is given up, and holds up
    /// nothing but later looks.
    async fn work<T: Send + 'static>(
        &self,
        work: fn(&mut Comparer, &Subject, &Progress) -> Result<T, CompareError>,
    ) -> Result<T, CompareError> {
        let mut held = self.comparer.lock().await;
        let (known, beside) = &mut *held;
        let mut comparer = mem::take(known);
        let subject = self.subject.clone();
        let working = beside.work(self.patience, move |progress| {
            let done = work(&mut comparer, &subject, progress);
            (comparer, done)
        });
        let (comparer, done) = working.await?;
        *known = comparer;
        done
    }

    /// Whether what the last look hung at has answered. While somebody looks, that is for him to say.
    pub(super) fn has_answered(&self) -> bool {
        let held = self.comparer.try_lock();
        held.is_ok_and(|held| held.1.is_free_again())
    }

    fn learn(&self, image: Option<Stamp>, comparison: Comparison) {
        let mut known = self.known.borrow_mut();
        let is_first = known.is_none();
        let last = match known.take() {
            Some(known) => Some(known.report),
            // One that cannot be read is written anew.
            None => self.subject.store.report().unwrap_or_default(),
        };
        let found = comparison.report;
        let report = found.following(last.as_ref(), self.subject.now());
        let is_news = match &last {
            Some(last) => *last != report,
            None => report.standing != Standing::Unsealed,
        };
        if is_news {
            self.write(&report);
        }
        // A host that never was sealed has no drift that anybody could know of.
        let was_sealed = last.is_some();
        let none = || was_sealed.then(|| report.no_longer_sealed());
        if let (Some(found), Some(summary)) = (&self.found, report.summary().or_else(none)) {
            found.drift(summary);
        }
        match report.line() {
            line if !line.is_empty() && (is_first || is_news) => {
                tracing::warn!("not as its image says: {line}");
            }
            _ if is_news => tracing::info!("the host is as its image says"),
            _ => {}
        }
        *known = Some(Known {
            image,
            seal: comparison.seal,
            is_first_boot: comparison.is_first_boot,
            report,
        });
    }

    fn write(&self, report: &Report) {
        if let Err(error) = self.subject.store.save_report(report) {
            let error = error_chain(&error);
            tracing::warn!(error, "the report of drift is not written down");
        }
    }

    /// Writes down, once a seal, that the host was let in.
    fn mark(&self) {
        let mut known = self.known.borrow_mut();
        let Some(known) = known.as_mut().filter(|known| known.is_first_boot) else {
            return;
        };
        let Some(seal) = known.seal else { return };
        let let_in = LetIn {
            seal,
            machine: self.subject.machine.clone(),
        };
        match self.subject.store.save_let_in(&let_in) {
            Ok(()) => {
                known.is_first_boot = false;
                known.report.effect = Effect::Warns;
                self.write(&known.report);
            }
            Err(error) => {
                let error = error_chain(&error);
                tracing::warn!(error, "the next boot will be taken for the first again");
            }
        }
    }

    fn is_sealed_anew(&self) -> bool {
        let known = self.known.borrow();
        known
            .as_ref()
            .is_none_or(|known| known.image != image_stamp(&self.subject))
    }
}

impl Gate for Drift {
    fn judge(&self) -> Reading {
        let known = self.known.borrow();
        let Some(Known { report, .. }) = known.as_ref() else {
            let why = "the host is not compared with its image yet";
            return Reading::new(NAME, Verdict::NoData, why);
        };
        let line = report.line();
        let (verdict, line) = match (&report.standing, report.effect) {
            (_, Effect::Warns) | (Standing::Unsealed, _) => (Verdict::Pass, line),
            (Standing::Same, Effect::Holds) => match self.waits_for() {
                Some(unrest) => (Verdict::NoData, unrest),
                None => (Verdict::Pass, line),
            },
            (Standing::Drifted, Effect::Holds) => (Verdict::Fail, line),
            (Standing::Unknown { .. }, Effect::Holds) => (Verdict::NoData, line),
        };
        Reading::new(NAME, verdict, &line)
    }

    fn let_in(&self) {
        self.is_in.set(true);
        self.mark();
    }
}

fn image_stamp(subject: &Subject) -> Option<Stamp> {
    stamp(&image::place(&subject.root).ok()?)
}

/// Writes down what is there before a change. What an earlier change that was cut short wrote down stays.
fn note_before(
    comparer: &mut Comparer,
    subject: &Subject,
    progress: &Progress,
) -> Result<(), CompareError> {
    let Some(now) = comparer.now(subject, progress)? else {
        return Ok(());
    };
    if subject.store.before(now.seal)?.is_none() {
        subject.store.save_before(&now)?;
    }
    Ok(())
}

/// Compares, and accounts for a change that an order made. Absent: nothing has moved since the last time.
fn compare(
    comparer: &mut Comparer,
    subject: &Subject,
    progress: &Progress,
) -> Result<Option<Comparison>, CompareError> {
    if comparer.is_settled(subject, progress) {
        return Ok(None);
    }
    let mut comparison = comparer.compare(subject, progress);
    if let (Some(seal), Some(contents)) = (comparison.seal, comparison.accounted.take())
        && let Err(error) = subject.store.account(&Under { seal, contents })
    {
        let error = error_chain(&error);
        tracing::warn!(error, "what an order changed is not accounted for yet");
        comparer.forget();
    }
    Ok(Some(comparison))
}
