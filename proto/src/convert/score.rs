//! Jobs that compute scores of what was evaluated.

use domain::{
    report::{Completion, Evaluated, Task},
    spec::Violations,
};

use super::{Fields, FromWire, ToWire, results::refuse_doubles, seed_from_wire};
use crate::v1;

/// Most scores that one request or job names.
pub const MAX_SCORES: usize = 256;
/// Most flows whose statistics one job takes.
const MAX_EVALUATED: usize = 10_000;

impl ToWire for Evaluated {
    type Wire = v1::Evaluated;

    fn to_wire(&self) -> v1::Evaluated {
        let Self { seed, reference, inside, outside } = self;
        v1::Evaluated {
            seed: *seed,
            reference: reference.map(|digest| digest.to_wire()),
            inside: inside.to_wire(),
            outside: outside.to_wire(),
        }
    }
}

impl FromWire for Evaluated {
    type Wire = v1::Evaluated;

    fn from_wire(wire: v1::Evaluated, at: &str) -> Result<Self, Violations> {
        let v1::Evaluated { seed, reference, inside, outside } = wire;
        let mut fields = Fields::at(at);
        let seed = fields.keep(seed_from_wire(seed, &fields.path("seed")));
        let reference = fields.optional("reference", reference);
        let inside = fields.plain("inside", inside);
        let outside = fields.plain("outside", outside);
        fields.finish(|| Some(Self { seed: seed?, reference: reference?, inside: inside?, outside: outside? }))
    }
}

pub(super) fn task_from_wire(wire: v1::ScoreTask, at: &str) -> Result<Task, Violations> {
    let v1::ScoreTask { scores, out_dataset, evaluated, checkpoint } = wire;
    let mut fields = Fields::at(&Fields::at(at).path("score"));
    let scores = fields.at_most("scores", scores, MAX_SCORES);
    let scores = scores.and_then(|scores| fields.repeated_named("scores", &scores));
    let out = fields.named("out_dataset", &out_dataset);
    let evaluated = fields.at_most("evaluated", evaluated, MAX_EVALUATED);
    let evaluated = evaluated.and_then(|evaluated| fields.repeated("evaluated", evaluated));
    let checkpoint = fields.optional("checkpoint", checkpoint);
    if scores.as_ref().is_some_and(Vec::is_empty) {
        fields.refuse("scores", "empty: at least one score expected");
    }
    if evaluated.as_ref().is_some_and(Vec::is_empty) {
        fields.refuse("evaluated", "empty: at least the experiment's own expected");
    }
    fields.finish(|| Some(Task::Score { scores: scores?, out: out?, evaluated: evaluated?, checkpoint: checkpoint? }))
}

pub(super) fn result_from_wire(wire: v1::ScoreResult, at: &str) -> Result<Completion, Violations> {
    let v1::ScoreResult { measurements, scores, provenance } = wire;
    let mut fields = Fields::at(&Fields::at(at).path("score"));
    let measurements = fields.repeated("measurements", measurements);
    let scores = fields.plain("scores", scores);
    let provenance = fields.required("provenance", provenance);
    refuse_doubles(measurements.as_deref().unwrap_or_default(), &mut fields);
    fields.finish(|| Some(Completion::Score { measurements: measurements?, scores: scores?, provenance: provenance? }))
}
