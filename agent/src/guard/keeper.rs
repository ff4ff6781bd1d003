//! The guard's part in the running agent: it brings drop-ins up to the config, says that it lives, and
//! proves each minute that every channel is the guard's.
//!
//! Whatever changes in the guard's folder, be it what a hook wrote down or a person's command, it notices at
//! once, and finds out how things stand: that is told upwards. Where the kernel notices nothing, the next
//! proof does.
//!
//! With each proof it gives hooks a sign of life: see [`life`].
//!
//! A program that comes later, as needrestart may with a rollout, has its channels taken a minute later.
//!
//! An agent never installs the guard where it is not: its packages and people do. Where drop-ins of the guard
//! are and the manifest is lost, it is installed by the config's settings, at once: until then hooks cannot
//! tell, and refuse what they do not know for the agent's own.

use super::{
    events::{self, What},
    install::{self, Changed, InstallError},
    life,
    manifest::Manifest,
    overridden::Overridden,
    places::Places,
    proof::Proof,
    settings::GuardSettings,
    standing::Standing,
    window::Window,
    word::{self, Word},
};
use crate::{
    host::{
        command::Runner,
        durable::FileError,
        notice::{Notice, pause},
        root::Root,
        unit,
    },
    telling::Found,
};
use cofferdam_engine::guard::LostChannel;
use cofferdam_proto::error_chain;
use std::{convert::Infallible, fs, path::Path, time::Duration};

/// How often control is proved: as design and operators are promised.
const PROVE_EVERY: Duration = Duration::from_secs(60);

/// How long until it is looked again whether an install or uninstall is done (guess: it writes a dozen
/// files).
const INSTALLED_WITHIN: Duration = Duration::from_secs(1);

/// Keeps the guard.
pub(crate) struct Keeper {
    root: Root,
    places: Places,
    proof: Proof,
    manifest: Option<Manifest>,
    overridden: Overridden,
    /// The drop-ins that were not in control when it was last written down.
    lost: Vec<String>,
    word: Word,
}

impl Keeper {
    /// A keeper that has proved nothing.
    pub(crate) fn new(root: Root, places: Places) -> Self {
        Self {
            root,
            places,
            proof: Proof::default(),
            manifest: None,
            overridden: Overridden::default(),
            lost: Vec::new(),
            word: Word::default(),
        }
    }

    /// Keeps the guard for as long as the agent runs. What goes wrong with it is said, and stops nothing
    /// else that an agent does.
    pub(crate) async fn keep(
        mut self,
        settings: GuardSettings,
        runner: &dyn Runner,
        found: Found,
    ) -> Infallible {
        // Another root has no channels of this machine.
        let is_machine = self.root.is_machine();
        if is_machine {
            said_alive(life::begin(&self.places));
        }
        let mut is_refreshed = false;
        let mut notice = None;
        loop {
            notice = notice.or_else(|| self.notice());
            if is_machine {
                said_alive(life::sign(&self.places));
            }
            // Half of an install is no loss of control.
            let is_changing = install::is_under_way(&self.places);
            if !is_changing {
                if is_machine && !is_refreshed {
                    self.refresh(&settings, runner).await;
                    is_refreshed = true;
                }
                if is_machine {
                    self.mend(&settings, runner).await;
                }
                self.prove(runner).await;
            }
            found.guard(self.look());
            let wait = match is_changing {
                true => INSTALLED_WITHIN,
                false => PROVE_EVERY,
            };
            notice = pause(notice, wait).await;
        }
    }

    /// Brings what is installed up to the config, once nobody else changes it: a person may have stopped an
    /// install halfway, and must not stop the agent with it.
    async fn refresh(&self, settings: &GuardSettings, runner: &dyn Runner) {
        self.settle(install::refresh(&self.root, &self.places, settings), runner)
            .await;
    }

    /// Installs the guard anew where only its manifest is lost, and takes the channels of programs that came
    /// since it was installed.
    async fn mend(&self, settings: &GuardSettings, runner: &dyn Runner) {
        let (root, places) = (&self.root, &self.places);
        let installed = match Standing::find(root, places) {
            Ok(Standing::Orphaned(_)) => {
                tracing::warn!("the guard's list of its files is lost: it is installed anew");
                install::refresh(root, places, settings)
            }
            Ok(Standing::Listed(manifest))
                if !install::lacking(root, places, &manifest).is_empty() =>
            {
                install::extend(root, places)
            }
            Ok(Standing::Listed(_) | Standing::Nothing) => return,
            Err(error) => Err(error.into()),
        };
        self.settle(installed, runner).await;
    }

    /// Says what became of the drop-ins to whoever has to know.
    async fn settle(&self, installed: Result<Changed, InstallError>, runner: &dyn Runner) {
        let changed = match installed {
            Ok(changed) => changed,
            Err(error) => {
                tracing::error!(error = error_chain(&error), "the guard is as it was");
                return;
            }
        };
        if changed.concerns_systemd()
            && let Err(failure) = unit::read_again(runner).await
        {
            tracing::error!(%failure, "systemd does not know the guard's drop-ins yet");
        }
    }

    /// A watch over the guard's folder. Nothing: the system has none to give.
    fn notice(&self) -> Option<Notice> {
        let events = self.places.events();
        let folder = events.parent().unwrap_or(Path::new("/"));
        let watch = fs::create_dir_all(folder).and_then(|()| Notice::of(folder));
        watch
            .inspect_err(|error| {
                let folder = folder.display();
                tracing::warn!(%error, %folder, "what the guard sees is told a minute later");
            })
            .ok()
    }

    /// How things stand, as far as it can be found out.
    fn look(&mut self) -> Word {
        self.word.window = Window::find(&self.places).unwrap_or_default();
        if let Err(error) = self.word.take_in(events::log(&self.places)) {
            tracing::warn!(
                error = error_chain(&error),
                "what the guard saw is not known"
            );
        }
        self.word.clone()
    }

    /// Writes down when control is lost, and when it is regained.
    async fn prove(&mut self, runner: &dyn Runner) {
        let manifest = match Manifest::find(&self.places) {
            Ok(manifest) => manifest,
            Err(error) => {
                let why = error_chain(&error);
                tracing::error!(error = why, "the guard cannot be proved");
                let channel = "all".to_owned();
                self.word.state.lost = vec![LostChannel { channel, why }];
                return;
            }
        };
        if manifest != self.manifest {
            self.proof.forget();
            self.overridden = Overridden::default();
            self.manifest = manifest;
        }
        let (mut lost, mut overridden) = (Vec::new(), Vec::new());
        if let Some(manifest) = &self.manifest {
            lost = self.proof.lost(&self.root, manifest);
            // Another root has nobody who reads its drop-ins.
            if self.root.is_machine() {
                overridden = self.overridden.look(manifest, &lost, runner).await;
            }
        }
        self.word.state = word::state(&self.root, self.manifest.as_ref(), &lost, &overridden);
        lost.extend(overridden);
        if lost == self.lost {
            return;
        }
        tracing::warn!(?lost, "the guard's hold on the upgrade channels changed");
        let files = lost.clone();
        let what = if lost.is_empty() {
            What::ControlRegained
        } else {
            What::ControlLost { files }
        };
        match events::record(&self.places, what) {
            Ok(()) => self.lost = lost,
            // Tried again in a minute.
            Err(error) => tracing::error!(error = error_chain(&error), "it is not written down"),
        }
    }
}

fn said_alive(said: Result<(), FileError>) {
    if let Err(error) = said {
        let error = error_chain(&error);
        tracing::error!(error, "hooks will take the agent for dead");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        guard::{manifest::FORMAT, manifest::Written, places::PROGRAM, settings::Mode},
        host::command::scripted::Scripted,
    };
    use cofferdam_engine::digest::Digest;

    #[tokio::test]
    async fn control_that_is_lost_and_regained_is_written_down_once_each() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path().join("root")).unwrap();
        fs::create_dir_all(root.path()).unwrap();
        let places = Places::new(&folder.path().join("state"), &folder.path().join("run"));
        let manifest = Manifest {
            format: FORMAT,
            settings: GuardSettings::default(),
            run_dir: places.run_dir().to_owned(),
            files: vec![Written {
                channel: "apt".to_owned(),
                path: "/a".into(),
                sha256: vec![Digest::of("a")],
            }],
            folders: Vec::new(),
        };
        manifest.write(&places).unwrap();
        fs::write(root.join("a"), "a").unwrap();
        let mut keeper = Keeper::new(root.clone(), places.clone());
        let said = || events::all(&places).unwrap().len();
        for (content, events) in [("a", 0), ("b", 1), ("b", 1), ("a", 2), ("a", 2)] {
            fs::write(root.join("a"), content).unwrap();
            keeper.prove(&Scripted::new(|_| (0, ""))).await;
            assert_eq!(said(), events, "{content}");
            let word = keeper.look();
            assert_eq!(word.events.len(), events);
            assert_eq!(word.state.lost.len(), usize::from(content == "b"));
        }
    }

    #[tokio::test]
    async fn a_lost_manifest_and_what_a_later_program_needs_are_written_while_the_agent_runs() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path().join("root")).unwrap();
        fs::create_dir_all(root.join("usr/bin")).unwrap();
        fs::write(root.join(PROGRAM), "").unwrap();
        let places = Places::new(&folder.path().join("state"), &folder.path().join("run"));
        let keeper = Keeper::new(root.clone(), places.clone());
        let settings = GuardSettings {
            mode: Mode::Enforce,
            ..GuardSettings::default()
        };
        let runner = Scripted::new(|_| (0, ""));
        keeper.mend(&settings, &runner).await;
        assert_eq!(Manifest::find(&places).unwrap(), None, "there is no guard");
        install::install(&root, &places, &GuardSettings::default()).unwrap();
        fs::remove_file(places.manifest()).unwrap();
        keeper.mend(&settings, &runner).await;
        let manifest = Manifest::find(&places).unwrap().unwrap();
        assert_eq!(manifest.settings, settings);
        fs::create_dir_all(root.join("etc/needrestart/conf.d")).unwrap();
        keeper.mend(&settings, &runner).await;
        let file = "etc/needrestart/conf.d/zz-cofferdam-guard.conf";
        assert!(root.join(file).exists());
        assert_eq!(
            runner.said().len(),
            1,
            "systemd heard of its own files only"
        );
    }
}
