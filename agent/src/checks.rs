//! Whether the host is well: the programs of `checks.d` and the probes of the agent's config.

pub mod http;
pub mod probe;
pub mod program;
pub mod stability;
pub mod verdict;

use crate::host::{command::Runner, settings::HostSettings};
use verdict::Reading;

/// Makes every check and probe once, all at the same time, each with its own deadline. In order of
/// names, programs first.
pub async fn read_all(runner: &dyn Runner, settings: &HostSettings) -> Vec<Reading> {
    let programs = program::read_all(runner, settings);
    let probes = probe::read_all(&settings.probes);
    let (mut readings, probed) = tokio::join!(programs, probes);
    readings.extend(probed);
    readings
}

/// Runs futures side by side on this thread, and gives their results in the same order.
pub(crate) async fn side_by_side<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.into_iter().map(|f| (Box::pin(f), None)).collect();
    std::future::poll_fn(|context| {
        let mut all_done = true;
        for (future, result) in &mut waiting {
            if result.is_some() {
                continue;
            }
            match future.as_mut().poll(context) {
                std::task::Poll::Ready(value) => *result = Some(value),
                std::task::Poll::Pending => all_done = false,
            }
        }
        if all_done {
            return std::task::Poll::Ready(());
        }
        std::task::Poll::Pending
    })
    .await;
    waiting
        .into_iter()
        .filter_map(|(_, result)| result)
        .collect()
}
