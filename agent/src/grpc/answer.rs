//! The coordinator's half of a session that may not have begun.

use cofferdam_proto::v1;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio_stream::Stream;
use tonic::{Response, Status, Streaming};

type Messages = Streaming<v1::ToAgent>;
type Call = Pin<Box<dyn Future<Output = Result<Response<Messages>, Status>>>>;

/// What the coordinator says, from the call on.
///
/// It answers the call when it has read the hello, and the agent says hello on an open link: so the
/// link is open before the call is answered, and a refusal is the first and last thing heard on it.
pub(super) enum Answer {
    /// The call is not answered yet.
    Awaited(Call),
    /// It is.
    Given(Box<Messages>),
    /// It was refused.
    Refused,
}

impl Answer {
    /// The answer to a call.
    pub(super) fn to(
        call: impl Future<Output = Result<Response<Messages>, Status>> + 'static,
    ) -> Self {
        Self::Awaited(Box::pin(call))
    }
}

impl Stream for Answer {
    type Item = Result<v1::ToAgent, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match this {
                Self::Awaited(call) => match ready!(call.as_mut().poll(context)) {
                    Ok(answer) => *this = Self::Given(Box::new(answer.into_inner())),
                    Err(status) => {
                        *this = Self::Refused;
                        return Poll::Ready(Some(Err(status)));
                    }
                },
                Self::Given(messages) => return Pin::new(messages).poll_next(context),
                Self::Refused => return Poll::Ready(None),
            }
        }
    }
}
