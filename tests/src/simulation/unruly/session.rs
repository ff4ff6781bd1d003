//! What a host and its coordinator say to each other.

use super::{Draws, UnderWay};
use cofferdam_agent::link::{Connector, Coordinator, LINK_CAPACITY, Link, LinkError};
use cofferdam_proto::session::{FromAgent, ToAgent};
use tokio::{sync::mpsc, task::spawn_local};
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};

/// A host's network is as unruly as its seed says.
pub(in crate::simulation) struct Unruly<K> {
    pub(in crate::simulation) inner: K,
    pub(in crate::simulation) under_way: UnderWay<FromAgent, ToAgent>,
    pub(in crate::simulation) draws: Draws,
}

impl<K: Connector> Connector for Unruly<K> {
    async fn connect(&self, coordinator: &Coordinator) -> Result<Link, LinkError> {
        let link = self.inner.connect(coordinator).await?;
        let (outbound, said) = mpsc::channel(LINK_CAPACITY);
        let (tell, told) = mpsc::channel(LINK_CAPACITY);
        let (draws, late) = (self.draws.clone(), self.under_way.up.clone());
        let there = link.outbound;
        spawn_local(async move {
            let said = ReceiverStream::new(said);
            late.pass(said, there, &draws, is_in_order).await;
        });
        let (draws, late) = (self.draws.clone(), self.under_way.down.clone());
        // An error is the session's end, as the end is.
        let said = link.inbound.map_while(Result::ok);
        spawn_local(async move {
            late.pass(said, tell, &draws, |_| false).await;
        });
        let inbound = Box::pin(ReceiverStream::new(told).map(Ok));
        Ok(Link { outbound, inbound })
    }
}

/// Whether a message must not be late the first time.
fn is_in_order(said: &FromAgent) -> bool {
    matches!(said, FromAgent::Report(_))
}
