//! Sessions over gRPC.

mod answer;
mod artefact;

use self::answer::Answer;
use crate::link::{Connector, Coordinator, Inbound, LINK_CAPACITY, Link, LinkError};
use cofferdam_proto::{
    error_chain,
    session::ToAgent,
    status::CallError,
    tls,
    v1::{self, agent_client::AgentClient},
};
use std::{cell::RefCell, error::Error, future::Future, rc::Rc};
use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt, wrappers::ReceiverStream};
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

/// Opens sessions over channels that `open` makes of an address: over mutual TLS and TCP in
/// production, over a fake network in a simulation.
pub struct GrpcConnector<F> {
    open: F,
    current: CurrentChannel,
}

/// The channel of the session that was opened last, for other calls to the same coordinator. Clones
/// are the same.
#[derive(Debug, Clone, Default)]
pub struct CurrentChannel(Rc<RefCell<Option<Channel>>>);

impl CurrentChannel {
    /// The channel. Absent: no session was opened yet. It may be broken; a call on it fails then.
    pub fn get(&self) -> Option<Channel> {
        self.0.borrow().clone()
    }
}

impl<F> GrpcConnector<F> {
    /// A connector over channels that `open` makes.
    pub fn new(open: F) -> Self {
        Self {
            open,
            current: CurrentChannel::default(),
        }
    }

    /// The channel of the session that is open, now and later.
    pub fn current(&self) -> CurrentChannel {
        self.current.clone()
    }
}

impl<F, Opening, Failed> Connector for GrpcConnector<F>
where
    F: Fn(Endpoint) -> Opening + 'static,
    Opening: Future<Output = Result<Channel, Failed>>,
    Failed: Error + Send + Sync + 'static,
{
    async fn connect(&self, coordinator: &Coordinator) -> Result<Link, LinkError> {
        let uri = tls::uri(&coordinator.0).map_err(|error| failed(coordinator, error))?;
        let channel = (self.open)(Endpoint::from(uri)).await;
        let channel = channel.map_err(|error| failed(coordinator, error))?;
        *self.current.0.borrow_mut() = Some(channel.clone());
        let (outbound, queue) = mpsc::channel(LINK_CAPACITY);
        let outgoing = ReceiverStream::new(queue).map(v1::FromAgent::from);
        let mut api = AgentClient::new(channel);
        let answer = Answer::to(async move { api.session(outgoing).await });
        let inbound = checked(coordinator.clone(), answer);
        Ok(Link { outbound, inbound })
    }
}

/// What the coordinator says, checked. What cannot be understood is passed over, so that a newer
/// coordinator's message costs that message and not the session.
fn checked(
    coordinator: Coordinator,
    messages: impl Stream<Item = Result<v1::ToAgent, Status>> + 'static,
) -> Inbound {
    Box::pin(messages.filter_map(move |message| {
        if matches!(&message, Ok(v1::ToAgent { message: None })) {
            tracing::warn!(%coordinator, "passed over a message of a kind that is not known");
            return None;
        }
        let checked = message.map(ToAgent::try_from);
        match checked {
            Ok(Ok(message)) => Some(Ok(message)),
            Ok(Err(error)) => {
                tracing::error!(%coordinator, "passed over a message: {}", error_chain(&error));
                None
            }
            Err(status) => Some(Err(refused(&coordinator, status))),
        }
    }))
}

fn refused(coordinator: &Coordinator, status: Status) -> LinkError {
    failed(coordinator, CallError::from(status))
}

fn failed(coordinator: &Coordinator, error: impl Error + Send + Sync + 'static) -> LinkError {
    LinkError {
        coordinator: coordinator.clone(),
        source: Box::new(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_proto::v1::to_agent::Message;

    #[tokio::test]
    async fn what_a_later_coordinator_says_costs_that_message_and_not_the_session() {
        let later = v1::ToAgent { message: None };
        // As a later release's content would: an order without one that is known.
        let unread = v1::ToAgent {
            message: Some(Message::Order(v1::Order::default())),
        };
        let known = || v1::ToAgent::from(ToAgent::Heartbeat);
        let said = [known(), later, unread, known()].map(Ok);
        let coordinator = Coordinator("r1:7300".to_owned());

        let heard = checked(coordinator, tokio_stream::iter(said));

        let heard: Vec<ToAgent> = heard.map(Result::unwrap).collect().await;
        assert_eq!(heard, [ToAgent::Heartbeat, ToAgent::Heartbeat]);
    }
}
