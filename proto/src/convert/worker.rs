//! What workers offer, what they are given and told, and how far they are.

use std::time::Duration;

use domain::{
    fleet::{MAX_LABELS, MAX_OFFERED_ARTIFACTS, Offer},
    job::RetryScope,
    lease::{Directive, LeaseTerms},
    report::{Assignment, Attempt, CheckpointRef, Progress, Task},
    spec::Violations,
};

use super::{Fields, FromWire, ToWire, score, seed_from_wire, statistics::statistics_from_wire};
use crate::v1;

impl ToWire for Attempt {
    type Wire = v1::Attempt;

    fn to_wire(&self) -> v1::Attempt {
        let Self { job, epoch } = self;
        v1::Attempt { job_id: job.to_wire(), epoch: epoch.to_wire() }
    }
}

impl FromWire for Attempt {
    type Wire = v1::Attempt;

    fn from_wire(wire: v1::Attempt, at: &str) -> Result<Self, Violations> {
        let v1::Attempt { job_id, epoch } = wire;
        let mut fields = Fields::at(at);
        let job = fields.plain("job_id", job_id);
        let epoch = fields.plain("epoch", epoch);
        fields.finish(|| Some(Self { job: job?, epoch: epoch? }))
    }
}

impl ToWire for Offer {
    type Wire = v1::Offer;

    fn to_wire(&self) -> v1::Offer {
        let Self { device, memory_bytes, labels, artifacts } = self;
        v1::Offer {
            device: device.to_string(),
            memory_bytes: *memory_bytes,
            labels: labels.iter().map(ToString::to_string).collect(),
            artifacts: artifacts.iter().map(ToWire::to_wire).collect(),
        }
    }
}

impl FromWire for Offer {
    type Wire = v1::Offer;

    fn from_wire(wire: v1::Offer, at: &str) -> Result<Self, Violations> {
        let v1::Offer { device, memory_bytes, labels, artifacts } = wire;
        let mut fields = Fields::at(at);
        let device = fields.named("device", &device);
        let memory_bytes = fields.count("memory_bytes", memory_bytes);
        let labels = fields.at_most("labels", labels, MAX_LABELS);
        let labels = labels.and_then(|labels| fields.repeated_named("labels", &labels));
        let artifacts = fields.at_most("artifacts", artifacts, MAX_OFFERED_ARTIFACTS);
        let artifacts = artifacts.and_then(|artifacts| fields.repeated("artifacts", artifacts));
        fields.finish(|| {
            Some(Self {
                device: device?,
                memory_bytes: memory_bytes?,
                labels: labels?.into_iter().collect(),
                artifacts: artifacts?,
            })
        })
    }
}

impl ToWire for LeaseTerms {
    type Wire = v1::LeaseTerms;

    fn to_wire(&self) -> v1::LeaseTerms {
        let Self { ttl, beat, grace } = self;
        v1::LeaseTerms { ttl_millis: millis(*ttl), beat_millis: millis(*beat), grace_millis: millis(*grace) }
    }
}

impl FromWire for LeaseTerms {
    type Wire = v1::LeaseTerms;

    fn from_wire(wire: v1::LeaseTerms, at: &str) -> Result<Self, Violations> {
        let v1::LeaseTerms { ttl_millis, beat_millis, grace_millis } = wire;
        let mut fields = Fields::at(at);
        let longest = millis(Duration::from_secs(24 * 60 * 60));
        let ttl = fields.within("ttl_millis", ttl_millis, &(2..=longest));
        // A beat as long as the lease would let every lease run out.
        let beat = fields.within("beat_millis", beat_millis, &(1..=ttl.map_or(longest, |ttl| ttl - 1)));
        let grace = fields.within("grace_millis", grace_millis, &(0..=longest));
        fields.finish(|| {
            Some(Self {
                ttl: Duration::from_millis(ttl?),
                beat: Duration::from_millis(beat?),
                grace: Duration::from_millis(grace?),
            })
        })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl ToWire for Assignment {
    type Wire = v1::Assignment;

    fn to_wire(&self) -> v1::Assignment {
        let Self { attempt, sweep, experiment, spec, seed, task } = self;
        v1::Assignment {
            attempt: Some(attempt.to_wire()),
            sweep_id: sweep.to_wire(),
            experiment_id: experiment.to_wire(),
            spec: Some(spec.to_wire()),
            seed: *seed,
            task: Some(task.to_wire()),
        }
    }
}

impl FromWire for Assignment {
    type Wire = v1::Assignment;

    fn from_wire(wire: v1::Assignment, at: &str) -> Result<Self, Violations> {
        let v1::Assignment { attempt, sweep_id, experiment_id, spec, seed, task } = wire;
        let mut fields = Fields::at(at);
        let attempt = fields.required("attempt", attempt);
        let sweep = fields.plain("sweep_id", sweep_id);
        let experiment = fields.plain("experiment_id", experiment_id);
        let spec = fields.required("spec", spec);
        let seed = fields.keep(seed_from_wire(seed, &fields.path("seed")));
        let task = match task {
            None => fields.keep(Err(Violations::one(at, "missing: one of train, evaluate, inspect, score expected"))),
            Some(task) => fields.keep(Task::from_wire(task, at)),
        };
        fields.finish(|| {
            Some(Self {
                attempt: attempt?,
                sweep: sweep?,
                experiment: experiment?,
                spec: spec?,
                seed: seed?,
                task: task?,
            })
        })
    }
}

impl ToWire for Task {
    type Wire = v1::assignment::Task;

    fn to_wire(&self) -> v1::assignment::Task {
        match self {
            Self::Train { resume, checkpoint_secs } => v1::assignment::Task::Train(v1::TrainTask {
                resume: resume.to_wire(),
                checkpoint_secs: *checkpoint_secs,
            }),
            Self::Evaluate { checkpoint, out, learned } => v1::assignment::Task::Evaluate(v1::EvaluateTask {
                checkpoint: Some(checkpoint.to_wire()),
                out_dataset: out.to_string(),
                learned: learned.to_wire(),
            }),
            Self::Inspect { checkpoint } => {
                v1::assignment::Task::Inspect(v1::InspectTask { checkpoint: Some(checkpoint.to_wire()) })
            }
            Self::Score { scores, out, evaluated, checkpoint } => v1::assignment::Task::Score(v1::ScoreTask {
                scores: scores.iter().map(ToString::to_string).collect(),
                out_dataset: out.to_string(),
                evaluated: evaluated.to_wire(),
                checkpoint: checkpoint.as_ref().map(ToWire::to_wire),
            }),
        }
    }
}

impl FromWire for Task {
    type Wire = v1::assignment::Task;

    fn from_wire(wire: v1::assignment::Task, at: &str) -> Result<Self, Violations> {
        match wire {
            v1::assignment::Task::Train(v1::TrainTask { resume, checkpoint_secs }) => {
                let mut fields = Fields::at(&Fields::at(at).path("train"));
                let resume = fields.repeated("resume", resume);
                fields.finish(|| Some(Self::Train { resume: resume?, checkpoint_secs }))
            }
            v1::assignment::Task::Evaluate(v1::EvaluateTask { checkpoint, out_dataset, learned }) => {
                let within = Fields::at(at).path("evaluate");
                let mut fields = Fields::at(&within);
                let checkpoint = fields.required("checkpoint", checkpoint);
                let out = fields.named("out_dataset", &out_dataset);
                let learned = fields.keep(statistics_from_wire(learned, "learned", &within));
                fields.finish(|| Some(Self::Evaluate { checkpoint: checkpoint?, out: out?, learned: learned? }))
            }
            v1::assignment::Task::Inspect(v1::InspectTask { checkpoint }) => {
                let mut fields = Fields::at(&Fields::at(at).path("inspect"));
                let checkpoint = fields.required("checkpoint", checkpoint);
                fields.finish(|| Some(Self::Inspect { checkpoint: checkpoint? }))
            }
            v1::assignment::Task::Score(task) => score::task_from_wire(task, at),
        }
    }
}

impl ToWire for CheckpointRef {
    type Wire = v1::CheckpointRef;

    fn to_wire(&self) -> v1::CheckpointRef {
        let Self { digest, step } = self;
        v1::CheckpointRef { digest: digest.to_wire(), step: *step }
    }
}

impl FromWire for CheckpointRef {
    type Wire = v1::CheckpointRef;

    fn from_wire(wire: v1::CheckpointRef, at: &str) -> Result<Self, Violations> {
        let v1::CheckpointRef { digest, step } = wire;
        let mut fields = Fields::at(at);
        let digest = fields.plain("digest", digest);
        let step = fields.count("step", step);
        fields.finish(|| Some(Self { digest: digest?, step: step? }))
    }
}

impl ToWire for Progress {
    type Wire = v1::Progress;

    fn to_wire(&self) -> v1::Progress {
        let Self { attempt, done, total, images_per_second, bits_per_dim } = *self;
        v1::Progress { attempt: Some(attempt.to_wire()), done, total, images_per_second, bits_per_dim }
    }
}

impl FromWire for Progress {
    type Wire = v1::Progress;

    fn from_wire(wire: v1::Progress, at: &str) -> Result<Self, Violations> {
        let v1::Progress { attempt, done, total, images_per_second, bits_per_dim } = wire;
        let mut fields = Fields::at(at);
        let attempt = fields.required("attempt", attempt);
        let done = fields.count("done", done);
        let total = fields.count("total", total);
        let images_per_second = fields.finite("images_per_second", images_per_second);
        let bits_per_dim = fields.finite_or_absent("bits_per_dim", bits_per_dim);
        fields.finish(|| {
            Some(Self {
                attempt: attempt?,
                done: done?,
                total: total?,
                images_per_second: images_per_second?,
                bits_per_dim: bits_per_dim?,
            })
        })
    }
}

impl ToWire for Directive {
    type Wire = v1::Directive;

    fn to_wire(&self) -> v1::Directive {
        let kind = match self {
            Self::Abandon { job, epoch } => {
                v1::directive::Kind::Abandon(v1::Attempt { job_id: job.to_wire(), epoch: epoch.to_wire() })
            }
            Self::Preempt { job, epoch } => {
                v1::directive::Kind::Preempt(v1::Attempt { job_id: job.to_wire(), epoch: epoch.to_wire() })
            }
            Self::Drain => v1::directive::Kind::Drain(v1::Drain {}),
            Self::SessionLost => v1::directive::Kind::SessionLost(v1::SessionLost {}),
        };
        v1::Directive { kind: Some(kind) }
    }
}

impl FromWire for Directive {
    type Wire = v1::Directive;

    fn from_wire(wire: v1::Directive, at: &str) -> Result<Self, Violations> {
        let v1::Directive { kind } = wire;
        match kind {
            None => Err(Violations::one(at, "missing: one of abandon, drain, session_lost, preempt expected")),
            Some(v1::directive::Kind::Abandon(attempt)) => {
                let Attempt { job, epoch } = Attempt::from_wire(attempt, &Fields::at(at).path("abandon"))?;
                Ok(Self::Abandon { job, epoch })
            }
            Some(v1::directive::Kind::Preempt(attempt)) => {
                let Attempt { job, epoch } = Attempt::from_wire(attempt, &Fields::at(at).path("preempt"))?;
                Ok(Self::Preempt { job, epoch })
            }
            Some(v1::directive::Kind::Drain(v1::Drain {})) => Ok(Self::Drain),
            Some(v1::directive::Kind::SessionLost(v1::SessionLost {})) => Ok(Self::SessionLost),
        }
    }
}

impl ToWire for RetryScope {
    type Wire = i32;

    fn to_wire(&self) -> i32 {
        let scope = match self {
            Self::Failed => v1::RetryScope::Failed,
            Self::Missing => v1::RetryScope::Missing,
        };
        scope.into()
    }
}

impl FromWire for RetryScope {
    type Wire = i32;

    fn from_wire(wire: i32, at: &str) -> Result<Self, Violations> {
        match v1::RetryScope::try_from(wire) {
            Ok(v1::RetryScope::Unspecified) => Ok(Self::default()),
            Ok(v1::RetryScope::Failed) => Ok(Self::Failed),
            Ok(v1::RetryScope::Missing) => Ok(Self::Missing),
            Err(_) => Err(Violations::one(
                at,
                format!("{wire} is no scope: RETRY_SCOPE_FAILED or RETRY_SCOPE_MISSING expected"),
            )),
        }
    }
}
