//! One attempt at a job: from its checkpoint on this machine's disk to the report of its end.

use std::{path::Path, sync::Arc};

use domain::{
    fleet::{MAX_OFFERED_ARTIFACTS, Offer},
    job::FailureKind,
    report::{Assignment, CheckpointRef, Completion, Failure, Task},
};
use tracing::{info, warn};

use crate::{
    cache::Cache,
    child::{
        ArtifactFile, Child, Command, DrawnFigure, ExitReason, Line, Message, Order, Outcome, ProcessError, Resources,
    },
    download::{Download, download},
    lease::Hold,
    outbox::Outbox,
    reporter::{self, Delivered},
    retry::until_answered,
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
    /// Checkpoints that lie on this machine's disk already.
    pub cache: &'a Cache,
    /// What the worker offers, artifacts apart.
    pub offer: &'a Offer,
}

/// How a child ended, as its supervisor saw it.
#[derive(Debug)]
enum ChildEnd {
    Said(Outcome),
    Crashed(ExitReason),
    Broken(ProcessError),
    Interrupted(Verdict),
}

impl ChildEnd {
    /// What happened, in a line.
    fn describe(&self) -> String {
        match self {
            Self::Said(Outcome::Trained { checkpoint, .. }) => {
                format!("child ended: trained {} steps", checkpoint.step)
            }
            Self::Said(Outcome::Evaluated { .. }) => "child ended: evaluated".to_owned(),
            Self::Said(Outcome::Inspected { figures, .. }) => format!("child ended: drew {} pictures", figures.len()),
            Self::Said(Outcome::Stopped) => "child ended: stopped as it was told".to_owned(),
            Self::Said(Outcome::Failed(failure)) => format!("child ended: failed, {}", failure.message),
            Self::Crashed(reason) => format!("child ended without a result: {}", reason.status()),
            Self::Broken(error) => error.to_string(),
            Self::Interrupted(_) => "child killed".to_owned(),
        }
    }
}

/// A checkpoint that was asked for.
enum Fetched {
    /// It is here and its digest is right.
    File(ArtifactFile),
    /// Its bytes are absent or damaged, for this reason.
    Unusable(String),
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
        let (checkpoint, initial_weights) = match fetched {
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
        let order = Order { resources, checkpoint, initial_weights, folder: folder_path, assignment };
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

    /// Brings what the attempt needs to this machine: the checkpoint to go on from, or else the weights to begin with.
    async fn fetch_files(
        &self,
        assignment: &Assignment,
        folder: &Path,
    ) -> Result<(Option<ArtifactFile>, Option<ArtifactFile>), String> {
        let checkpoint = self.fetch_checkpoint(&assignment.task, folder).await?;
        let initial = assignment.spec.training.initial_weights;
        let (None, Some(digest), Task::Train { .. }) = (&checkpoint, initial, &assignment.task) else {
            return Ok((checkpoint, None));
        };
        match self.fetch(CheckpointRef { digest, step: 0 }, folder).await? {
            Fetched::File(file) => Ok((None, Some(file))),
            Fetched::Unusable(reason) => Err(format!(
                "the initial weights {digest} did not verify: {reason}; store them again with `spillway checkpoint import --store`"
            )),
        }
    }

    /// Brings the checkpoint that the task needs to this machine; none when training starts from the beginning.
    async fn fetch_checkpoint(&self, task: &Task, folder: &Path) -> Result<Option<ArtifactFile>, String> {
        match task {
            Task::Train { resume, .. } => {
                for checkpoint in resume {
                    match self.fetch(*checkpoint, folder).await? {
                        Fetched::File(file) => {
                            info!(step = checkpoint.step, "checkpoint verified; training continues from it");
                            return Ok(Some(file));
                        }
                        Fetched::Unusable(reason) => {
                            warn!(step = checkpoint.step, reason, "checkpoint did not verify");
                        }
                    }
                }
                Ok(None)
            }
            Task::Evaluate { checkpoint, .. } | Task::Inspect { checkpoint } => {
                match self.fetch(*checkpoint, folder).await? {
                    Fetched::File(file) => Ok(Some(file)),
                    Fetched::Unusable(reason) => Err(format!(
                        "the trained checkpoint {} did not verify: {reason}; if it is damaged in the artifact store, submit the experiment under a new sweep name",
                        checkpoint.digest
                    )),
                }
            }
        }
    }

    /// Brings one checkpoint to this machine.
    ///
    /// # Errors
    /// This machine or the coordinator is at fault, whatever the checkpoint.
    async fn fetch(&self, checkpoint: CheckpointRef, folder: &Path) -> Result<Fetched, String> {
        let path = folder.join(format!("start-{}.safetensors", checkpoint.step));
        if let Some(file) = self.cache.find(checkpoint.digest, &path).await {
            info!(digest = %checkpoint.digest, "checkpoint found on this machine's disk");
            return Ok(Fetched::File(file));
        }
        let fetched = until_answered("download", async || download(self.uplink, checkpoint.digest, &path).await).await;
        match fetched {
            Ok(Download::Verified(file)) => {
                info!(digest = %checkpoint.digest, "checkpoint downloaded");
                self.cache.keep(&file).await;
                Ok(Fetched::File(file))
            }
            Ok(Download::Unusable(reason)) => {
                self.uplink.distrust(checkpoint.digest);
                Ok(Fetched::Unusable(reason))
            }
            Ok(Download::Unwritable(error)) => {
                Err(format!("cannot write {}: {error}; check the scratch folder's disk", path.display()))
            }
            Err(refusal) => Err(format!("cannot fetch checkpoint {}: {refusal}", checkpoint.digest)),
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
            (_, Some(outcome)) => ChildEnd::Said(outcome),
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
        match outcome {
            Outcome::Stopped => Verdict::Release,
            Outcome::Failed(failure) => Verdict::Fail(failure),
            Outcome::Trained { checkpoint, provenance } => match delivered {
                // It was interrupted on the way to the artifact store: the next attempt trains what is missing.
                Err(verdict) => verdict,
                Ok(delivered) if delivered.checkpoint == Some(checkpoint) => {
                    Verdict::Complete(Completion::Train { checkpoint, provenance })
                }
                Ok(Delivered { problem, .. }) => {
                    let problem = problem.as_deref().unwrap_or("the child never told of it");
                    Verdict::infrastructure(format!("the final checkpoint was not stored: {problem}"))
                }
            },
            Outcome::Evaluated { measurements, statistics, provenance } => {
                if let Err(verdict) = self.store("the statistics", &statistics, hold).await {
                    return verdict;
                }
                let statistics = statistics.digest;
                Verdict::Complete(Completion::Evaluate { measurements, statistics, provenance })
            }
            Outcome::Inspected { figures, provenance } => {
                for figure in &figures {
                    if let Err(verdict) = self.store(&format!("figure {}", figure.name), &figure.file, hold).await {
                        return verdict;
                    }
                }
                let figures = figures.iter().map(DrawnFigure::reference).collect();
                Verdict::Complete(Completion::Inspect { figures, provenance })
            }
        }
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
