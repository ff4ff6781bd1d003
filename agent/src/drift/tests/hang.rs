//! A watched folder with a mount below it whose server does not answer.

use super::*;
use crate::drift::{
    hang::{Beside, LookError},
    report::Standing,
};
use std::{
    io::Read,
    path::Path,
    process::{Child, Command, Stdio},
};

/// A file system in user space of which nobody answers the kernel's questions.
struct HungMount {
    server: Child,
    place: PathBuf,
}

impl HungMount {
    /// Absent: this machine has none. Then the test run says so, and counts it.
    fn at(place: &Path) -> Option<Self> {
        let options = "fd=9,rootmode=40000,user_id=0,group_id=0";
        let mount = format!(
            "exec 9<>/dev/fuse && mount -i -t fuse -o {options} none \"$0\" && echo x && exec sleep 600"
        );
        let mut server = Command::new("sh")
            .args(["-c", &mount])
            .arg(place)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = server.stdout.as_mut().unwrap().read_exact(&mut [0]);
        if said.is_err() {
            server.wait().unwrap();
            let why = "left out: a mount that hangs (mounting one needs root and /dev/fuse)";
            eprintln!("{why}");
            return None;
        }
        let place = place.to_owned();
        Some(Self { server, place })
    }
}

impl Drop for HungMount {
    fn drop(&mut self) {
        // The kernel answers for a server that is gone: with an error.
        self.server.kill().unwrap();
        self.server.wait().unwrap();
        let mut unmount = Command::new("umount");
        unmount.arg("--lazy").arg(&self.place);
        assert!(unmount.status().unwrap().success());
    }
}

/// An agent that has one thread for all that may hang, and so finds out where a second one is wanted.
fn with_one_thread_beside(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(test);
}

const SOON: Duration = Duration::from_millis(50);

#[test]
fn a_watched_mount_that_hangs_is_named_and_holds_up_neither_the_agent_nor_an_order() {
    let lab = Lab::new();
    let mount = lab.root.join("etc/app/share");
    fs::create_dir(&mount).unwrap();
    lab.seal();
    let Some(hung) = HungMount::at(&mount) else {
        return;
    };
    with_one_thread_beside(async {
        let settings = lab.settings();
        let drift = Drift::new(lab.root.clone(), &lab.state(), &settings).patient(SOON);
        for _ in 0..3 {
            drift.start().await;
            let reading = drift.judge();
            assert_eq!(reading.verdict, Verdict::NoData);
            let named = "etc/app/share has not answered for";
            assert!(reading.output.contains(named), "{}", reading.output);
            assert!(matches!(lab.report().standing, Standing::Unknown { .. }));
        }
        assert!(!drift.has_answered());
        // What an order changes meanwhile cannot be told from drift, and is not held up.
        assert_eq!(drift.account(async { lab.install("2") }).await, ());
        drop(hung);
        while !drift.has_answered() {
            tokio::task::yield_now().await;
        }
        drift.start().await;
        assert_eq!(drift.judge(), Reading::new("drift", Verdict::Fail, TEA));
    });
}

#[test]
fn a_look_that_is_slow_and_gets_on_is_waited_for_and_one_that_is_given_up_ends_itself() {
    with_one_thread_beside(async {
        let mut beside = Beside::default();
        let place = Path::new("/srv/share");
        let slow = beside.work(SOON, move |progress| {
            let until = std::time::Instant::now() + 3 * SOON;
            while std::time::Instant::now() < until {
                progress.at(place).unwrap();
            }
            "done"
        });
        assert_eq!(slow.await.unwrap(), "done");

        let (let_go, held) = std::sync::mpsc::channel::<()>();
        let (say, said) = std::sync::mpsc::channel();
        let hangs = beside.work(SOON, move |progress| {
            progress.at(place).unwrap();
            held.recv().ok();
            say.send(progress.at(place).is_err() && progress.done().is_err())
        });
        let error = hangs.await.unwrap_err();
        assert!(matches!(error, LookError::Hangs(_)), "{error}");
        let second = beside.work(SOON, |_| ()).await.unwrap_err();
        assert_eq!(second.to_string(), error.to_string());
        drop(let_go);
        assert!(said.recv().unwrap(), "it was told that nobody waits");
        while !beside.is_free_again() {
            tokio::task::yield_now().await;
        }
        beside.work(SOON, |_| ()).await.unwrap();
    });
}

#[test]
fn a_look_that_nobody_waits_for_any_more_is_over_before_the_next_begins() {
    with_one_thread_beside(async {
        let mut beside = Beside::default();
        let (let_go, held) = std::sync::mpsc::channel::<()>();
        let first = beside.work(SOON, move |progress| {
            progress.at(Path::new("/srv/share")).unwrap();
            held.recv().is_err()
        });
        assert!(time::timeout(SOON / 2, first).await.is_err());
        let release = async {
            tokio::task::yield_now().await;
            drop(let_go);
        };
        let (second, ()) = tokio::join!(beside.work(SOON, |_| "second"), release);
        assert_eq!(second.unwrap(), "second");
    });
}
