//! One process start at the coordinator: opens the session and keeps its lease alive from a thread of its own, which
//! nothing else in the worker can stall.

use std::{io, thread::JoinHandle, time::Duration};

use domain::{
    SessionId,
    fleet::Offer,
    lease::{Directive, LeaseTerms},
    report::Attempt,
};
use thiserror::Error;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::{
    config::Config,
    lease::Lease,
    retry::{pauses, until_answered},
    stop::Stop,
    uplink::{Uplink, UplinkError},
};

/// Longest wait for the goodbye to be heard. It is said again once a coordinator answers; at the worker's end the lease runs
/// out.
const GOODBYE_LIMIT: Duration = Duration::from_secs(5);

/// Why there is no session.
#[derive(Debug, Error)]
pub enum SessionError {
    /// The coordinator does not want this worker.
    #[error("cannot open a session: {0}")]
    Refused(#[source] UplinkError),
    /// The system gave no thread or no runtime for the heartbeats.
    #[error("cannot start the heartbeat thread: {0}; raise the limits on threads and open files")]
    Thread(#[from] io::Error),
}

/// An open session.
#[derive(Debug)]
pub struct Session {
    id: SessionId,
    lease: Lease,
    uplink: Uplink,
    ended: CancellationToken,
    heart: JoinHandle<()>,
}

/// The end of a session that no coordinator has heard of. Left unsaid, a job that the session may have been given without
/// its knowledge would wait for the lease to run out, and count it as a crash.
#[derive(Debug)]
pub struct Goodbye {
    session: SessionId,
}

impl Session {
    /// Opens a session, waiting for the coordinator as long as it takes; `None` when the worker drains before that.
    ///
    /// # Errors
    /// The coordinator refuses, or the thread cannot be started.
    pub async fn open(
        config: &Config,
        offer: &Offer,
        uplink: &Uplink,
        stop: &Stop,
    ) -> Result<Option<Self>, SessionError> {
        // One id for all tries: if an answer is lost, the next try opens the same session.
        let id = SessionId(Uuid::new_v4());
        let open = until_answered("open session", async || {
            let sent = Instant::now();
            let terms = uplink.open_session(id, &config.name, offer).await?;
            Ok((sent, terms))
        });
        let (sent, terms) = tokio::select! {
            biased;
            () = stop.draining() => return Ok(None),
            opened = open => opened.map_err(SessionError::Refused)?,
        };
        info!(session_id = %id, worker_id = config.name, beat_millis = terms.beat.as_millis(), "session opened");

        let lease = Lease::new(sent, terms.trusted_for());
        let ended = CancellationToken::new();
        let heart = Heart { id, terms, lease: lease.clone(), stop: stop.clone(), ended: ended.clone() };
        let heart = heart.start(config.endpoints.clone())?;
        Ok(Some(Self { id, lease, uplink: uplink.clone(), ended, heart }))
    }

    /// Its id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Its lease.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Ends the session: the coordinator releases what it may still hold. An unreachable coordinator is not waited for long;
    /// the goodbye that it has not heard is returned.
    pub async fn close(self) -> Option<Goodbye> {
        self.ended.cancel();
        let beaten = tokio::task::spawn_blocking(|| self.heart.join()).await;
        if !matches!(beaten, Ok(Ok(()))) {
            warn!(session_id = %self.id, "heartbeat thread had died");
        }
        if self.lease.is_lost() {
            return None;
        }
        Goodbye { session: self.id }.say(&self.uplink).await
    }
}

impl Goodbye {
    /// Says it, unless no coordinator answers for a while; then it is returned.
    pub async fn say(self, uplink: &Uplink) -> Option<Self> {
        let goodbye = until_answered("close session", async || uplink.close_session(self.session).await);
        match tokio::time::timeout(GOODBYE_LIMIT, goodbye).await {
            Ok(Ok(())) => info!(session_id = %self.session, "session closed"),
            Ok(Err(refusal)) => info!(session_id = %self.session, %refusal, "session had ended before"),
            Err(_) => {
                warn!(session_id = %self.session, "session not closed yet: no coordinator answered");
                return Some(self);
            }
        }
        None
    }
}

/// The heartbeat thread.
struct Heart {
    id: SessionId,
    terms: LeaseTerms,
    lease: Lease,
    stop: Stop,
    ended: CancellationToken,
}

impl Heart {
    fn start(self, endpoints: Vec<Endpoint>) -> io::Result<JoinHandle<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("heartbeat".to_owned()).spawn(move || {
            runtime.block_on(async {
                // A connection of its own: an upload on another one cannot delay a beat.
                let uplink = Uplink::new(&endpoints);
                tokio::select! {
                    () = self.ended.cancelled() => {}
                    () = self.beat(&uplink) => {}
                }
            });
        })
    }

    /// Beats until the session is lost.
    async fn beat(&self, uplink: &Uplink) {
        let mut outage: Option<Outage> = None;
        loop {
            let sent = Instant::now();
            let progress: Vec<_> = self.lease.progress().into_iter().collect();
            let pause = match uplink.heartbeat(self.id, &progress, self.answer_limit()).await {
                Ok(directives) => {
                    self.lease.trust(sent + self.terms.trusted_for());
                    if let Some(outage) = outage.take() {
                        info!(session_id = %self.id, secs = outage.since.elapsed().as_secs_f32(), "coordinator reached again");
                    }
                    directives.into_iter().for_each(|directive| self.follow(directive));
                    self.terms.beat
                }
                Err(UplinkError::Unknown(reason) | UplinkError::Stale(reason)) => {
                    info!(session_id = %self.id, reason, "session lost");
                    self.lease.lose();
                    self.terms.beat
                }
                Err(error) => {
                    let outage = outage.get_or_insert_with(|| {
                        warn!(session_id = %self.id, %error, "heartbeat was not answered; training goes on");
                        Outage { since: sent, pauses: Box::new(pauses()) }
                    });
                    outage.pauses.next().map_or(self.terms.beat, |pause| pause.min(self.terms.beat))
                }
            };
            if self.lease.is_lost() {
                return;
            }
            sleep(pause).await;
        }
    }

    fn follow(&self, directive: Directive) {
        match directive {
            Directive::Abandon { job, epoch } => {
                debug!(job_id = %job, attempt = %epoch, "directive to abandon received");
                self.lease.abandon(Attempt { job, epoch });
            }
            Directive::Preempt { job, epoch } => {
                debug!(job_id = %job, attempt = %epoch, "directive to make room received");
                self.lease.preempt(Attempt { job, epoch });
            }
            Directive::Drain => {
                if !self.stop.is_draining() {
                    info!(session_id = %self.id, "directive to drain received");
                }
                self.stop.drain();
            }
            Directive::SessionLost => {
                info!(session_id = %self.id, "session lost");
                self.lease.lose();
            }
        }
    }

    /// A third of the lease: an answer that is lost leaves time for another try.
    fn answer_limit(&self) -> Duration {
        self.terms.ttl / 3
    }
}

struct Outage {
    since: Instant,
    pauses: Box<dyn Iterator<Item = Duration> + Send>,
}
