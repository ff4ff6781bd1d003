//! One thing at a time that goes on beside the driver's loop.

use std::{future::Future, pin::Pin};

/// At most one future that runs beside a loop on the same thread. Dropping it, or starting another,
/// cancels it.
pub(crate) struct Task<T>(Option<Pin<Box<dyn Future<Output = T>>>>);

impl<T> Task<T> {
    /// Nothing goes on.
    pub(crate) fn idle() -> Self {
        Self(None)
    }

    /// Starts something, in place of what goes on.
    pub(crate) fn start(&mut self, work: impl Future<Output = T> + 'static) {
        self.0 = Some(Box::pin(work));
    }

    /// Cancels what goes on.
    pub(crate) fn cancel(&mut self) {
        self.0 = None;
    }

    /// Whether nothing goes on.
    pub(crate) fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// Leaves what goes on to itself: it is neither run on nor dropped, so processes that it
    /// started are not killed.
    pub(crate) fn abandon(&mut self) {
        std::mem::forget(self.0.take());
    }

    /// Waits for its outcome; for ever when nothing goes on. May be cancelled and called again.
    pub(crate) async fn outcome(&mut self) -> T {
        let Some(work) = &mut self.0 else {
            return std::future::pending().await;
        };
        let outcome = work.await;
        self.0 = None;
        outcome
    }
}
