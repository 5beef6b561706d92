//! Waiting until the coordinator serves.

use std::time::Duration;

use anyhow::anyhow;
use tokio::time::{sleep, timeout};
use tonic::transport::Endpoint;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use super::running::Running;
use crate::failure::Failure;

/// How long the coordinator may take: it migrates the database first.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time between two questions.
const INTERVAL: Duration = Duration::from_millis(50);

/// Waits until the coordinator at `endpoint` says that it serves, unless it ends before.
pub async fn wait(endpoint: &str, coordinator: &mut Running) -> Result<(), Failure> {
    let endpoint = Endpoint::from_shared(endpoint.to_owned()).map_err(anyhow::Error::from)?;
    let served = async {
        while !serves(&endpoint).await {
            sleep(INTERVAL).await;
        }
    };
    let outcome = tokio::select! {
        served = timeout(PATIENCE, served) => served.map_err(|_| format!("did not serve within {} s", PATIENCE.as_secs())),
        ended = coordinator.ended() => Err(format!("ended before it served ({})", ended?)),
    };
    outcome.map_err(|what| {
        let (log, said) = (coordinator.invocation().log.display(), coordinator.last_words());
        anyhow!("the coordinator {what}; the end of {log} says:\n{said}").into()
    })
}

async fn serves(endpoint: &Endpoint) -> bool {
    let mut client = HealthClient::new(endpoint.connect_lazy());
    let answer = client.check(HealthCheckRequest { service: String::new() }).await;
    answer.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
}
