//! What a region and its control plane say to each other.

use super::{Draws, UnderWay};
use cofferdam_coordinator::link::{Dial, Dialled, Inbound, Opening};
use cofferdam_proto::v1::{self, from_control, from_region};
use tokio::sync::mpsc;
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};
use tonic::transport::Channel;

/// Messages that wait on a side of the shim at most.
const QUEUE: usize = 64;

/// A region's network is as unruly as its seed says.
#[derive(Debug)]
pub(in crate::simulation) struct UnrulyDial<D> {
    pub(in crate::simulation) inner: D,
    pub(in crate::simulation) under_way: UnderWay<v1::FromRegion, v1::FromControl>,
    pub(in crate::simulation) draws: Draws,
}

impl<D: Dial> Dial for UnrulyDial<D> {
    fn dial(&self) -> Dialled {
        self.inner.dial()
    }

    fn open(&self, channel: Channel, said: mpsc::Receiver<v1::FromRegion>) -> Opening {
        let (there, passed) = mpsc::channel(QUEUE);
        let opening = self.inner.open(channel, passed);
        let (up, down) = (self.under_way.up.clone(), self.under_way.down.clone());
        let draws = self.draws.clone();
        Box::pin(async move {
            let drawn = draws.clone();
            tokio::spawn(async move {
                let said = ReceiverStream::new(said);
                up.pass(said, there, &drawn, is_said_in_order).await;
            });
            // An error is the link's end, as the end is.
            let said = opening.await?.map_while(Result::ok);
            let (tell, told) = mpsc::channel(QUEUE);
            tokio::spawn(async move {
                down.pass(said, tell, &draws, is_told_in_order).await;
            });
            let inbound: Inbound = Box::pin(ReceiverStream::new(told).map(Ok));
            Ok(inbound)
        })
    }
}

/// Whether what a region says must not be late the first time.
fn is_said_in_order(said: &v1::FromRegion) -> bool {
    use from_region::Message;
    said.message.as_ref().is_some_and(|message| match message {
        Message::Hello(_)
        | Message::News(_)
        | Message::Summary(_)
        | Message::Copy(_)
        | Message::Acted(_) => true,
        Message::ToldTaken(_) | Message::Said(_) | Message::SignOfLife(_) => false,
    })
}

/// Whether what a control plane tells must not be late the first time.
fn is_told_in_order(told: &v1::FromControl) -> bool {
    use from_control::Message;
    told.message.as_ref().is_some_and(|message| match message {
        Message::Hello(_) | Message::Told(_) | Message::Act(_) => true,
        Message::Taken(_) | Message::ToHost(_) | Message::SignOfLife(_) => false,
    })
}
