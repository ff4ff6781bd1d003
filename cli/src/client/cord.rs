//! The cord.

use super::{ANSWER, Client};
use anyhow::Result;
use cofferdam_proto::{
    operator::{CordRequest, CordView},
    v1,
};

impl Client {
    /// Pulls the cord.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn pull_cord(&self, request: CordRequest) -> Result<CordView> {
        let mut api = self.api.clone();
        let call = api.pull_cord(v1::PullCordRequest::from(request));
        self.answer("pull the cord", ANSWER, call).await
    }

    /// Releases the cord.
    ///
    /// # Errors
    /// When the call fails, or it is not pulled there.
    pub async fn release_cord(&self, request: CordRequest) -> Result<CordView> {
        let mut api = self.api.clone();
        let call = api.release_cord(v1::ReleaseCordRequest::from(request));
        self.answer("release the cord", ANSWER, call).await
    }

    /// How the cord stands.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn cord(&self) -> Result<CordView> {
        let mut api = self.api.clone();
        let call = api.show_cord(v1::ShowCordRequest {});
        self.answer("show the cord", ANSWER, call).await
    }
}
