//! The supervisor's loop: a session, in it one claim after another, for each job one attempt.

use std::{io, time::Duration};

use domain::{
    fleet::{DeviceKind, Offer},
    report::{Assignment, Attempt, Task},
};
use thiserror::Error;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, error, info, info_span, warn};

use crate::{
    attempt::Workplace,
    cache::Cache,
    config::Config,
    cuda::{self, CudaError},
    memory,
    retry::pauses,
    scratch::Scratch,
    session::{Goodbye, Session, SessionError},
    stop::Stop,
    uplink::{Claim, Uplink, UplinkError},
    verdict::{Next, Verdict},
};

/// Shortest time between two claims that bring nothing: a coordinator that shuts down answers at once.
const EMPTY_CLAIM_PAUSE: Duration = Duration::from_secs(1);

/// Why the worker ended other than by a drain.
#[derive(Debug, Error)]
pub enum WorkerError {
    /// CUDA was asked for and does not work.
    #[error(transparent)]
    Cuda(#[from] CudaError),
    /// There is no session to be had.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// There is no folder to work in.
    #[error(
        "cannot make a folder for files on their way: {0}; give one with room by --scratch-dir (SPILLWAY_SCRATCH_DIR)"
    )]
    Scratch(#[source] io::Error),
    /// There is no folder for checkpoints that are kept.
    #[error(
        "cannot make a folder for checkpoints that are kept: {0}; give one with room by --cache-dir (SPILLWAY_CACHE_DIR)"
    )]
    Cache(#[source] io::Error),
    /// The program cannot find itself.
    #[error("cannot find this program's own file, which child processes run: {0}")]
    Program(#[source] io::Error),
}

/// Claims and runs jobs until the worker drains.
///
/// # Errors
/// The worker cannot do its work here: [`WorkerError`] with the remedy. Outages are waited for, and jobs that fail are
/// reported.
pub async fn run(config: &Config, stop: &Stop) -> Result<(), WorkerError> {
    let program = std::env::current_exe().map_err(WorkerError::Program)?;
    if config.resources.device == DeviceKind::Cuda {
        cuda::ask(&program, config.resources.cuda_library.as_deref()).await?;
    }
    let scratch = Scratch::claim(config.scratch.as_deref()).map_err(WorkerError::Scratch)?;
    let beside = config.cache.as_deref().map(|parent| Scratch::claim(Some(parent))).transpose();
    let beside = beside.map_err(WorkerError::Cache)?;
    let cache = Cache::new(beside.as_ref().unwrap_or(&scratch).path().join("cache"), config.cache_bytes);
    let cache = cache.map_err(WorkerError::Cache)?;
    let offer = offer(config).await;
    let uplink = Uplink::new(&config.endpoints);
    let _bound = AbortOnDropHandle::new(tokio::spawn(stop.clone().bound_drain(config.grace)));
    let workplace = Workplace {
        uplink: &uplink,
        stop,
        program: &program,
        resources: &config.resources,
        scratch: scratch.path(),
        cache: &cache,
        offer: &offer,
    };

    let mut unheard = None;
    while let Some(session) = Session::open(config, &workplace.offer(), &uplink, stop).await? {
        let opened = Instant::now();
        // A coordinator answers again.
        if let Some(goodbye) = unheard.take() {
            Goodbye::say(goodbye, &uplink).await;
        }
        serve(config, workplace, &session).await;
        unheard = session.close().await;
        // A coordinator that opens sessions and refuses claims must not be asked in a tight loop.
        tokio::select! {
            () = stop.draining() => {}
            () = sleep_until(opened + EMPTY_CLAIM_PAUSE) => {}
        }
    }
    info!(worker_id = config.name, "worker drained");
    Ok(())
}

/// What the worker offers, artifacts apart.
async fn offer(config: &Config) -> Offer {
    let device = config.resources.device;
    let memory_bytes = match config.memory_bytes {
        Some(given) => given,
        None => memory::bytes_of(device).await,
    };
    Offer { device, memory_bytes, labels: config.labels.clone(), artifacts: Vec::new() }
}

/// Claims and runs jobs until the worker drains or the session should be replaced.
async fn serve(config: &Config, workplace: Workplace<'_>, session: &Session) {
    let mut pauses_after_faults = pauses();
    loop {
        let asked = Instant::now();
        let offer = workplace.offer();
        let claim = tokio::select! {
            biased;
            () = workplace.stop.draining() => return,
            () = session.lease().lost() => return,
            claim = workplace.uplink.claim(session.id(), &offer) => claim,
        };
        let next = match claim {
            Ok(Claim::Job(assignment)) => run_job(config, workplace, session, *assignment).await,
            Ok(Claim::Unreadable(attempt, violations)) => {
                let message =
                    format!("this worker (version {}) cannot read the job: {violations}", crate::config::VERSION);
                refuse_job(workplace, session, attempt, message).await
            }
            Ok(Claim::Nothing) => {
                tokio::select! {
                    () = workplace.stop.draining() => return,
                    () = sleep_until(asked + EMPTY_CLAIM_PAUSE) => continue,
                }
            }
            Err(problem) => {
                report_failed_claim(&problem);
                return;
            }
        };
        match next {
            Next::Claim => pauses_after_faults = pauses(),
            Next::ReplaceSession => return,
            // A machine with a full disk, say, must not spend the budgets of a whole sweep in a minute.
            Next::ClaimAfterPause => {
                let pause = pauses_after_faults.next().unwrap_or(EMPTY_CLAIM_PAUSE);
                tokio::select! {
                    () = workplace.stop.draining() => return,
                    () = sleep(pause) => {}
                }
            }
        }
    }
}

/// A claim whose answer was lost may have brought this session a job that the worker never saw. Nothing runs now, so
/// the session is closed, which releases that job, and a new one opened.
fn report_failed_claim(problem: &UplinkError) {
    match problem {
        UplinkError::Outage { .. } | UplinkError::NoRoom { .. } => {
            warn!(%problem, "claim was not answered; the session is replaced")
        }
        UplinkError::Stale(_) | UplinkError::Unknown(_) => info!(%problem, "session ended; it is replaced"),
        UplinkError::Fault { .. } | UplinkError::Damaged(_) | UplinkError::Refused(_) | UplinkError::Malformed(_) => {
            error!(%problem, "claim failed; the session is replaced");
        }
    }
}

async fn run_job(config: &Config, workplace: Workplace<'_>, session: &Session, assignment: Assignment) -> Next {
    let hold = session.lease().hold(assignment.attempt);
    let span = info_span!(
        "run",
        experiment_id = %assignment.experiment,
        job_id = %assignment.attempt.job,
        attempt = %assignment.attempt.epoch,
        worker_id = config.name,
    );
    async {
        info!(seed = assignment.seed, task = task_name(&assignment), "job claimed");
        workplace.run(assignment, &hold).await
    }
    .instrument(span)
    .await
}

async fn refuse_job(workplace: Workplace<'_>, session: &Session, attempt: Attempt, message: String) -> Next {
    error!(job_id = %attempt.job, attempt = %attempt.epoch, message, "job was not understood");
    let hold = session.lease().hold(attempt);
    Verdict::infrastructure(message).deliver(workplace.uplink, workplace.stop, &hold).await
}

fn task_name(assignment: &Assignment) -> &'static str {
    match assignment.task {
        Task::Train { .. } => "train",
        Task::Evaluate { .. } => "evaluate",
        Task::Inspect { .. } => "inspect",
        Task::Score { .. } => "score",
    }
}
