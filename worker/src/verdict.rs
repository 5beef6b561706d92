//! The end of an attempt, and how the coordinator hears of it.

use std::time::Duration;

use domain::{
    job::FailureKind,
    report::{Completion, Failure},
};
use tokio::time::sleep;
use tracing::{error, info, warn};

use crate::{
    lease::Hold,
    retry::until_answered,
    stop::Stop,
    uplink::{Uplink, UplinkError},
};

/// How long the last report may take once there is no time left.
const LAST_CALL_LIMIT: Duration = Duration::from_secs(5);

/// What the coordinator is told of an attempt's end.
#[derive(Debug)]
pub enum Verdict {
    /// The result.
    Complete(Box<Completion>),
    /// Why there is none.
    Fail(Failure),
    /// Interrupted: the job goes back.
    Release,
    /// Nothing: the attempt is no longer this worker's.
    Drop,
}

/// What a worker does after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Claims again.
    Claim,
    /// Claims again after a pause: it may be this machine that is broken.
    ClaimAfterPause,
    /// Replaces its session: the coordinator still counts the job as this session's.
    ReplaceSession,
}

impl Verdict {
    /// A failure of this machine or of what it depends on.
    pub fn infrastructure(message: String) -> Self {
        Self::Fail(Failure { kind: FailureKind::Infrastructure, message })
    }

    /// Tells the coordinator until it has answered, as long as there is time.
    pub async fn deliver(&self, uplink: &Uplink, stop: &Stop, hold: &Hold) -> Next {
        let told = async {
            match self.tell(uplink, hold).await {
                Err(refusal) if refusal.is_refusal() => {
                    error!(%refusal, "report of the attempt's end was refused");
                    let message = format!("the coordinator refused the attempt's result: {refusal}");
                    Self::infrastructure(message).tell(uplink, hold).await
                }
                answered => answered,
            }
        };
        let out_of_time = async {
            stop.out_of_time().await;
            sleep(LAST_CALL_LIMIT).await;
        };
        let answer = tokio::select! {
            biased;
            answer = told => answer,
            () = out_of_time => {
                warn!(verdict = self.name(), "attempt's end was not reported: no coordinator answered in time");
                return Next::ReplaceSession;
            }
        };
        match answer {
            Ok(()) => {
                info!(verdict = self.name(), "attempt ended");
                self.next()
            }
            Err(refusal) if refusal.is_refusal() => {
                error!(%refusal, "failure report was refused too; the session is replaced to give the job back");
                Next::ReplaceSession
            }
            Err(stale) => {
                info!(%stale, "attempt was no longer this worker's; its result is dropped");
                Next::Claim
            }
        }
    }

    async fn tell(&self, uplink: &Uplink, hold: &Hold) -> Result<(), UplinkError> {
        if matches!(self, Self::Drop) {
            return Ok(());
        }
        let attempt = hold.attempt();
        until_answered("report of the attempt's end", async || {
            hold.lease().trusted().await?;
            match self {
                Self::Complete(completion) => uplink.complete(attempt, completion).await,
                Self::Fail(failure) => uplink.fail(attempt, failure).await,
                Self::Release => uplink.release(attempt).await,
                Self::Drop => Ok(()),
            }
        })
        .await
    }

    fn next(&self) -> Next {
        match self {
            Self::Fail(Failure { kind: FailureKind::Infrastructure, .. }) => Next::ClaimAfterPause,
            Self::Fail(_) | Self::Complete(_) | Self::Release | Self::Drop => Next::Claim,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Complete(_) => "complete",
            Self::Fail(_) => "fail",
            Self::Release => "release",
            Self::Drop => "drop",
        }
    }
}
