//! A query, as the command asks it and reads the answers.

use super::{ANSWER, Client};
use anyhow::{Context as _, Result};
use cofferdam_proto::{
    operator::{QueryAnswer, QueryRequest},
    status::{CallError, CallErrorKind},
    v1,
};
use std::time::Duration;
use tokio::time::timeout;
use tonic::Streaming;

/// What a query does, in messages.
const WHAT: &str = "ask the hosts";

/// A query that is under way. Dropping it ends it.
pub struct Asking {
    stream: Streaming<v1::QueryAnswer>,
    client: Client,
    patience: Duration,
}

impl Client {
    /// Asks hosts.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn query(&self, request: QueryRequest) -> Result<Asking> {
        let patience = request.within + ANSWER;
        let mut api = self.api.clone();
        let call = api.query(v1::QueryRequest::from(request));
        Ok(Asking {
            stream: self.reply(WHAT, patience, call).await?.into_inner(),
            client: self.clone(),
            patience,
        })
    }
}

impl Asking {
    /// The next answer. The last one is the summary.
    ///
    /// # Errors
    /// When the connection breaks, or the coordinator ends the query before its summary.
    pub async fn next(&mut self) -> Result<QueryAnswer> {
        let next = timeout(self.patience, self.stream.message()).await;
        let next = next.map_err(|_| self.client.silent(WHAT, self.patience))?;
        let next = next.map_err(|status| self.client.failed(WHAT, status))?;
        let next = next.ok_or_else(|| {
            let message = "the coordinator ended it before its summary, as it does when it stops";
            CallError::new(CallErrorKind::Unavailable, message)
        });
        let answer = next.with_context(|| format!("cannot {WHAT}"))?;
        self.client.checked(WHAT, QueryAnswer::try_from(answer))
    }
}
