//! Tasks that are all told to stop, and joined, before the process ends.

use std::{future::Future, time::Duration};
use tokio::sync::{mpsc, watch};

/// Starts tasks, and is how they are waited for. Clones start tasks of the same set.
#[derive(Debug, Clone)]
pub(crate) struct Tasks {
    alive: mpsc::Sender<()>,
}

/// Waits for a set of tasks.
#[derive(Debug)]
pub(crate) struct Joiner {
    all: mpsc::Receiver<()>,
}

/// Tells everything to stop. Dropping it does too.
#[derive(Debug)]
pub(crate) struct StopSign {
    sender: watch::Sender<bool>,
}

/// Learns that everything is to stop. Clones learn the same.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    receiver: watch::Receiver<bool>,
}

impl StopSign {
    /// A sign that is not given yet.
    pub(crate) fn new() -> Self {
        let (sender, _) = watch::channel(false);
        Self { sender }
    }

    /// Whoever is to learn of it.
    pub(crate) fn watch(&self) -> Stop {
        let receiver = self.sender.subscribe();
        Stop { receiver }
    }

    /// Gives the sign.
    pub(crate) fn give(&self) {
        self.sender.send_replace(true);
    }
}

impl Stop {
    /// Resolves when everything is to stop.
    pub(crate) async fn asked(&mut self) {
        // An error says that the sign is gone, and with it whoever could keep things running.
        self.receiver.wait_for(|asked| *asked).await.ok();
    }
}

/// Some tasks did not end in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("some tasks did not end within {} s", grace.as_secs())]
pub(crate) struct StillRunning {
    grace: Duration,
}

/// An empty set of tasks.
pub(crate) fn tasks() -> (Tasks, Joiner) {
    let (alive, all) = mpsc::channel(1);
    (Tasks { alive }, Joiner { all })
}

impl Tasks {
    /// Starts a task.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let alive = self.alive.clone();
        tokio::spawn(async move {
            task.await;
            drop(alive);
        });
    }
}

impl Joiner {
    /// Waits until every task has ended and nobody can start another.
    pub(crate) async fn join(mut self, grace: Duration) -> Result<(), StillRunning> {
        match tokio::time::timeout(grace, self.all.recv()).await {
            Ok(_) => Ok(()),
            Err(_) => Err(StillRunning { grace }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[tokio::test]
    async fn all_tasks_are_waited_for() {
        let (tasks, joiner) = tasks();
        let (done, mut ended) = mpsc::channel(1);
        tasks.spawn(async move {
            tokio::task::yield_now().await;
            done.try_send(()).unwrap();
        });
        drop(tasks);

        assert!(joiner.join(Duration::from_secs(10)).await.is_ok());
        assert_eq!(ended.try_recv(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_never_ends_is_not_waited_for_for_ever() {
        let (tasks, joiner) = tasks();
        tasks.spawn(pending());
        drop(tasks);

        assert!(joiner.join(Duration::from_secs(10)).await.is_err());
    }
}
