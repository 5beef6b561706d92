//! One attempt at a job: from its checkpoint on this machine's disk to the report of its end.

mod fetch;

use std::{path::Path, sync::Arc};

use domain::{
    fleet::{MAX_OFFERED_ARTIFACTS, Offer},
    job::FailureKind,
    report::{Assignment, Completion, Failure, StatisticsRef, Task},
};
use tracing::{info, warn};

use fetch::Fetched;

use crate::{
    cache::{Cache, Kind},
    child::{
        ArtifactFile, Child, Command, DrawnFigure, ExitReason, Line, Message, Order, Outcome, ProcessError, Resources,
        StatisticsFile,
    },
    lease::Hold,
    outbox::Outbox,
    reporter::{self, Delivered},
    stop::Stop,
    uplink::Uplink,
    verdict::{Next, Verdict},
};

/// What the supervisor's lines in an attempt's log begin with.
const SUPERVISOR: &str = "worker: ";

/// Where attempts are run.
#[derive(Debug, Clone, Copy)]
pub struct Workplace<'a> {
    /// The coordinators.
    pub uplink: &'a Uplink,
    /// When to end.
    pub stop: &'a Stop,
    /// The program that children run.
    pub program: &'a Path,
    /// What children may use.
    pub resources: &'a Resources,
    /// A folder of the worker's own.
    pub scratch: &'a Path,
    /// Checkpoints and statistics that lie on this machine's disk already.
    pub cache: &'a Cache,
    /// What the worker offers, artifacts apart.
    pub offer: &'a Offer,
}

/// How a child ended, as its supervisor saw it.
#[derive(Debug)]
enum ChildEnd {
    Said(Box<Outcome>),
    Crashed(ExitReason),
    Broken(ProcessError),
    Interrupted(Verdict),
}

impl ChildEnd {
    /// What happened, in a line.
    fn describe(&self) -> String {
        match self {
            Self::Said(outcome) => match outcome.as_ref() {
                Outcome::Trained { checkpoint, .. } => format!("child ended: trained {} steps", checkpoint.step),
                Outcome::Evaluated { .. } => "child ended: evaluated".to_owned(),
                Outcome::Inspected { figures, .. } => format!("child ended: drew {} pictures", figures.len()),
                Outcome::Scored { measurements, .. } => {
                    format!("child ended: computed scores, {} numbers", measurements.len())
                }
                Outcome::Stopped => "child ended: stopped as it was told".to_owned(),
                Outcome::Failed(failure) => format!("child ended: failed, {}", failure.message),
            },
            Self::Crashed(reason) => format!("child ended without a result: {}", reason.status()),
            Self::Broken(error) => error.to_string(),
            Self::Interrupted(_) => "child killed".to_owned(),
        }
    }
}

impl Workplace<'_> {
    /// What the worker offers now.
    pub fn offer(&self) -> Offer {
        Offer { artifacts: self.cache.newest(MAX_OFFERED_ARTIFACTS), ..self.offer.clone() }
    }

    /// Runs an attempt and reports its end.
    pub async fn run(&self, assignment: Assignment, hold: &Hold) -> Next {
        let verdict = self.work(assignment, hold).await;
        verdict.deliver(self.uplink, self.stop, hold).await
    }

    async fn work(&self, assignment: Assignment, hold: &Hold) -> Verdict {
        let folder = match tempfile::Builder::new().prefix("attempt-").tempdir_in(self.scratch) {
            Ok(folder) => folder,
            Err(error) => {
                return Verdict::infrastructure(format!(
                    "cannot make a folder in {}: {error}; give a folder with room by --scratch-dir (SPILLWAY_SCRATCH_DIR)",
                    self.scratch.display()
                ));
            }
        };
        let fetched = tokio::select! {
            biased;
            verdict = self.interrupted(hold) => return verdict,
            () = self.stop.draining() => return Verdict::Release,
            () = hold.preempted().cancelled() => return Verdict::Release,
            fetched = self.fetch_files(&assignment, folder.path()) => fetched,
        };
        let Fetched { checkpoint, initial_weights, learned, evaluated } = match fetched {
            Ok(files) => files,
            Err(problem) => return Verdict::infrastructure(problem),
        };
        if let Task::Train { resume, .. } = &assignment.task {
            // Heartbeats say where training stands from the first one on.
            let start = checkpoint.as_ref().and_then(|file| resume.iter().find(|known| known.digest == file.digest));
            let total = u64::from(assignment.spec.training.steps);
            hold.advance(start.map_or(0, |start| start.step), total, 0.0, None);
        }
        let (resources, folder_path) = (self.resources.clone(), folder.path().to_owned());
        let order =
            Order { resources, checkpoint, initial_weights, learned, evaluated, folder: folder_path, assignment };
        let outbox = Arc::new(Outbox::default());
        let supervised = async {
            let end = self.supervise(&order, hold, &outbox).await;
            outbox.add_line(&format!("{SUPERVISOR}{}", end.describe()));
            outbox.close();
            end
        };
        let reported = async {
            tokio::select! {
                biased;
                verdict = self.interrupted(hold) => Err(verdict),
                delivered = reporter::run(self.uplink, self.cache, hold, &outbox) => Ok(delivered),
            }
        };
        let (end, delivered) = tokio::join!(supervised, reported);
        self.judge(end, delivered, hold).await
    }

    /// Waits until the attempt must not go on.
    async fn interrupted(&self, hold: &Hold) -> Verdict {
        tokio::select! {
            biased;
            () = hold.abandoned().cancelled() => Verdict::Drop,
            () = self.stop.out_of_time() => Verdict::Release,
        }
    }

    /// Runs the child to its end, whoever decides it.
    async fn supervise(&self, order: &Order, hold: &Hold, outbox: &Arc<Outbox>) -> ChildEnd {
        let log = Arc::clone(outbox);
        let mut child = match Child::start(self.program, order, move |line| log.add_line(line)).await {
            Ok(child) => child,
            Err(error) => return ChildEnd::Broken(error),
        };
        info!(pid = child.pid(), resumed = order.checkpoint.is_some(), "child started");
        outbox.add_line(&format!("{SUPERVISOR}child started, process {}", child.pid().unwrap_or_default()));
        let mut outcome = None;
        let mut told_to_stop = false;
        let told = async {
            tokio::select! {
                () = self.stop.draining() => "drain",
                () = hold.preempted().cancelled() => "preemption",
            }
        };
        tokio::pin!(told);
        loop {
            let line = tokio::select! {
                biased;
                verdict = self.interrupted(hold) => {
                    child.kill().await;
                    info!(?verdict, "child killed");
                    return ChildEnd::Interrupted(verdict);
                }
                cause = &mut told, if !told_to_stop => {
                    told_to_stop = true;
                    info!(cause, "child told to stop after a checkpoint");
                    outbox.add_line(&format!("{SUPERVISOR}{cause}: child told to stop after a checkpoint"));
                    child.tell(Command::StopAfterCheckpoint).await;
                    continue;
                }
                line = child.next() => line,
            };
            match line {
                Ok(Line::Message(message)) => hear(*message, hold, outbox, &mut outcome).await,
                Ok(Line::End) => break,
                Err(error) => {
                    child.kill().await;
                    return ChildEnd::Broken(error);
                }
            }
        }
        match (child.wait().await, outcome) {
            // What it said last counts, however its process ended afterwards.
            (_, Some(outcome)) => ChildEnd::Said(Box::new(outcome)),
            (Ok(reason), None) => ChildEnd::Crashed(reason),
            (Err(error), None) => ChildEnd::Broken(error),
        }
    }

    /// Decides what the coordinator is told.
    async fn judge(&self, end: ChildEnd, delivered: Result<Delivered, Verdict>, hold: &Hold) -> Verdict {
        if hold.abandoned().is_cancelled() {
            return Verdict::Drop;
        }
        let outcome = match end {
            ChildEnd::Said(outcome) => outcome,
            ChildEnd::Interrupted(verdict) => return verdict,
            ChildEnd::Broken(error) => return Verdict::infrastructure(error.to_string()),
            ChildEnd::Crashed(reason) => {
                let message = proto::convert::failure_message(&reason.describe());
                return Verdict::Fail(Failure { kind: FailureKind::Crash, message });
            }
        };
        match *outcome {
            Outcome::Stopped => Verdict::Release,
            Outcome::Failed(failure) => Verdict::Fail(failure),
            Outcome::Trained { checkpoint, statistics, provenance } => match delivered {
                // It was interrupted on the way to the artifact store: the next attempt trains what is missing.
                Err(verdict) => verdict,
                Ok(delivered) if delivered.checkpoint == Some(checkpoint) => {
                    match self.store_statistics(&statistics, hold).await {
                        Ok(statistics) => completed(Completion::Train { checkpoint, statistics, provenance }),
                        Err(verdict) => verdict,
                    }
                }
                Ok(Delivered { problem, .. }) => {
                    let problem = problem.as_deref().unwrap_or("the child never told of it");
                    Verdict::infrastructure(format!("the final checkpoint was not stored: {problem}"))
                }
            },
            Outcome::Evaluated { measurements, statistics, learned, provenance } => {
                let stored = match self.store_statistics(std::slice::from_ref(&statistics), hold).await {
                    Ok(_) => self.store_statistics(&learned, hold).await,
                    Err(verdict) => Err(verdict),
                };
                match stored {
                    Ok(learned) => {
                        let statistics = statistics.reference;
                        completed(Completion::Evaluate { measurements, statistics, learned, provenance })
                    }
                    Err(verdict) => verdict,
                }
            }
            Outcome::Scored { measurements, scores, provenance } => {
                if let Err(verdict) = self.store("the scores", &scores, hold).await {
                    return verdict;
                }
                let scores = scores.digest;
                Verdict::Complete(Box::new(Completion::Score { measurements, scores, provenance }))
            }
            Outcome::Inspected { figures, provenance } => {
                for figure in &figures {
                    if let Err(verdict) = self.store(&format!("figure {}", figure.name), &figure.file, hold).await {
                        return verdict;
                    }
                }
                let figures = figures.iter().map(DrawnFigure::reference).collect();
                completed(Completion::Inspect { figures, provenance })
            }
        }
    }

    /// Brings statistics into the artifact store, and keeps them for the evaluations that may come here next.
    async fn store_statistics(
        &self,
        statistics: &[StatisticsFile],
        hold: &Hold,
    ) -> Result<Vec<StatisticsRef>, Verdict> {
        for one in statistics {
            let StatisticsRef { dataset, split, .. } = &one.reference;
            self.store(&format!("the statistics of {dataset} ({split})"), &one.file(), hold).await?;
            self.cache.keep(&one.file(), Kind::Statistics).await;
        }
        Ok(statistics.iter().map(|one| one.reference.clone()).collect())
    }

    /// Brings a file of the result into the artifact store, unless the attempt is interrupted or the file cannot be stored.
    async fn store(&self, what: &str, file: &ArtifactFile, hold: &Hold) -> Result<(), Verdict> {
        let stored = tokio::select! {
            biased;
            verdict = self.interrupted(hold) => return Err(verdict),
            stored = reporter::store(self.uplink, hold, file) => stored,
        };
        stored.map_err(|problem| Verdict::infrastructure(format!("{what} could not be stored: {problem}")))
    }
}

fn completed(completion: Completion) -> Verdict {
    Verdict::Complete(Box::new(completion))
}

/// Follows one message of the child. It waits for no coordinator.
async fn hear(message: Message, hold: &Hold, outbox: &Outbox, outcome: &mut Option<Outcome>) {
    match message {
        Message::Progress { done, total, images_per_second, bits_per_dim } => {
            hold.advance(done, total, images_per_second, bits_per_dim);
        }
        Message::Curve(point) => outbox.add_point(point),
        Message::Validation(point) => outbox.add_validation(point),
        Message::Checkpoint(flow) => {
            if let Some(replaced) = outbox.replace_checkpoint(flow) {
                reporter::remove(&replaced.file).await;
            }
        }
        Message::StartedOver { problem } => {
            warn!(problem, "checkpoint is not readable; training starts over");
            outbox.add_line(&format!("{SUPERVISOR}the checkpoint is not readable, training starts over: {problem}"));
        }
        Message::Restarted { problem, to_step, restarts, learning_rate_factor } => {
            warn!(problem, to_step, restarts, learning_rate_factor, "training diverged and restarted");
            outbox.add_line(&format!(
                "{SUPERVISOR}training diverged ({problem}): restart {restarts} from step {to_step}, learning rate × {learning_rate_factor}"
            ));
        }
        Message::Ended(end) => *outcome = Some(end),
    }
}
