//! What monitoring asks over plain HTTP: `GET /metrics` and `GET /healthz`.

mod gauges;
mod health;

use self::{gauges::Gauges, health::Health};
use crate::{clock::Clock, driver::DriverHandle, metrics::Metrics, tasks::Stop};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use cofferdam_engine::time::WallStep;
use cofferdam_proto::error_chain;
use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// How long the driver may take to answer before it counts as stuck: a batch takes milliseconds, a
/// disk in trouble seconds (guess).
const PATIENCE: Duration = Duration::from_secs(5);

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const HEALTH_JSON: &str = "application/health+json";

/// What the pages are made of.
#[derive(Debug, Clone)]
pub(crate) struct Web {
    pub(crate) driver: DriverHandle,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Serves until the stop is asked for and open requests are over.
pub(crate) async fn serve(listener: TcpListener, web: Web, mut stop: Stop) {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .with_state(web);
    let served = axum::serve(listener, router)
        .with_graceful_shutdown(async move { stop.asked().await })
        .await;
    if let Err(error) = served {
        tracing::error!(error = error_chain(&error), "the HTTP server ended");
    }
}

async fn metrics(State(web): State<Web>) -> Response {
    let asked = web.driver.ask(Gauges::of);
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(gauges)) => gauges.show(&web.metrics),
        // What was counted so far still helps, and the gauges' absence tells.
        Ok(Err(_)) | Err(_) => Gauges::default().show(&web.metrics),
    }
    let step = web.clock.wall_step();
    web.metrics
        .clock_step_seconds
        .set(step.map_or(0, WallStep::seconds));
    match web.metrics.encode() {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn healthz(State(web): State<Web>) -> Response {
    let asked = web.driver.ask(|situation| situation.fleet.epoch());
    let health = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(epoch)) => Health::well(epoch, web.clock.wall_step()),
        Ok(Err(stopping)) => Health::bad(&stopping.to_string()),
        Err(_) => Health::bad(&format!("no answer within {} s", PATIENCE.as_secs())),
    };
    let status = match health.is_well() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, [(CONTENT_TYPE, HEALTH_JSON)], health.json()).into_response()
}
