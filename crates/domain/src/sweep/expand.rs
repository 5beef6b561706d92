//! From a sweep to its variants, experiments and jobs.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use serde_json::Value;

use super::{
    Axis, Expansion, MAX_JOBS, Sample, SweepSpec, label::ShortNames, point, point::Setting, rules, sampling, settings,
};
use crate::{
    Digest,
    job::JobKind,
    score_jobs,
    spec::{ExperimentSpec, Violations, canonical},
};

/// A sweep written out.
#[derive(Debug, Clone, PartialEq)]
pub struct Expanded {
    /// The rows of the result table, in table order.
    pub variants: Vec<Variant>,
    /// Every variant under every seed, variant by variant.
    pub experiments: Vec<PlannedExperiment>,
}

/// An experiment without its seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// The settings that tell this variant apart, such as `mask=cycle`.
    pub label: String,
    /// The SHA-256 of the resolved canonical document.
    pub fingerprint: Digest,
    /// The document.
    pub spec: ExperimentSpec,
}

/// One experiment to run: a variant and a seed. It becomes one train job, one evaluate job per OOD dataset, and one
/// inspect job if its document says what to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedExperiment {
    /// Index into [`Expanded::variants`].
    pub variant: usize,
    /// The seed.
    pub seed: u64,
    /// Identity of variant and seed together.
    pub fingerprint: Digest,
}

impl Expanded {
    /// Jobs of the whole sweep.
    #[must_use]
    pub fn job_count(&self) -> usize {
        JobKind::ALL.into_iter().map(|kind| self.jobs_of_kind(kind)).sum()
    }

    /// Jobs of one kind.
    #[must_use]
    pub fn jobs_of_kind(&self, kind: JobKind) -> usize {
        let of = |experiment: &PlannedExperiment| {
            let spec = &self.variants[experiment.variant].spec;
            match kind {
                JobKind::Train => 1,
                JobKind::Evaluate => spec.evaluation.out.len(),
                JobKind::Inspect => usize::from(spec.inspection.is_some()),
                JobKind::Score | JobKind::Probe => {
                    let scores = spec.opt_in_scores();
                    spec.evaluation.out.len() * score_jobs::jobs_of_experiment(kind, &scores)
                }
            }
        };
        let over_seeds = |variant: &Variant| {
            let outs = variant.spec.evaluation.out.len();
            outs * score_jobs::jobs_of_variant(kind, &variant.spec.opt_in_scores())
        };
        self.experiments.iter().map(of).sum::<usize>() + self.variants.iter().map(over_seeds).sum::<usize>()
    }
}

pub(super) fn expand(sweep: &SweepSpec) -> Result<Expanded, Violations> {
    let mut found = settings::check(sweep);
    if let Err(violations) = sweep.base.validate("base") {
        found.extend(violations);
    }
    check_size(sweep, &mut found);
    found.into_result()?;

    let mut variants = build_variants(sweep)?;
    rules::check(sweep, &variants).into_result()?;
    add_backgrounds(&mut variants);
    let experiments = variants
        .iter()
        .enumerate()
        .flat_map(|(variant, document)| {
            sweep.seeds.iter().map(move |&seed| PlannedExperiment {
                variant,
                seed,
                fingerprint: identity(document, seed),
            })
        })
        .collect();
    let expanded = Expanded { variants, experiments };
    if expanded.job_count() > MAX_JOBS {
        return Err(too_many(expanded.job_count() as u64));
    }
    Ok(expanded)
}

/// Adds the background models that variants compare with, behind all of them; variants that compare with the same one share it.
fn add_backgrounds(variants: &mut Vec<Variant>) {
    let mut known: HashSet<Digest> = variants.iter().map(|variant| variant.fingerprint).collect();
    for place in 0..variants.len() {
        let Some(spec) = variants[place].spec.background() else { continue };
        let fingerprint = spec.fingerprint();
        if known.insert(fingerprint) {
            let label = format!("background of {}", variants[place].label).trim_end().to_owned();
            variants.push(Variant { label, fingerprint, spec });
        }
    }
}

/// Refuses a sweep that is too large before any point is built: a document of a kilobyte can name a grid of millions.
fn check_size(sweep: &SweepSpec, found: &mut Violations) {
    let points = match &sweep.expansion {
        Expansion::Grid(grid) => grid_size(&grid.axes),
        Expansion::List(list) => list.points.len() as u64,
        Expansion::Random(sample) | Expansion::Sobol(sample) => u64::from(sample.draws),
    };
    let jobs = points.saturating_mul(sweep.seeds.len() as u64).saturating_mul(2);
    if jobs > MAX_JOBS as u64 {
        found.extend(too_many(jobs));
    }
}

fn too_many(jobs: u64) -> Violations {
    Violations::one(
        "expansion",
        format!("{jobs} jobs or more: at most {MAX_JOBS} allowed; split the sweep or draw at random"),
    )
}

fn grid_size(axes: &[Axis]) -> u64 {
    axes.iter().fold(1, |product, axis| product.saturating_mul(axis.values.len() as u64))
}

fn build_variants(sweep: &SweepSpec) -> Result<Vec<Variant>, Violations> {
    let base = serde_json::to_value(&sweep.base).expect("an experiment has text keys and serialises to JSON");
    let mut found = Violations::default();
    let mut variants: Vec<Variant> = Vec::new();
    let mut seen: HashMap<Digest, usize> = HashMap::new();
    let points = points(&sweep.expansion)?;
    let names = ShortNames::of(&points);
    for settings in points {
        let label = names.label(&settings);
        let spec = match point::build(&base, &settings, &label) {
            Ok(spec) => spec.resolved(),
            Err(violations) => {
                found.extend(violations);
                continue;
            }
        };
        let fingerprint = spec.fingerprint();
        if let Some(&first) = seen.get(&fingerprint) {
            let twin = &variants[first].label;
            found.add("expansion", format!("variant `{label}` is the same experiment as `{twin}`: leave one out"));
            continue;
        }
        seen.insert(fingerprint, variants.len());
        variants.push(Variant { label, fingerprint, spec });
    }
    found.into_result().map(|()| variants)
}

fn points(expansion: &Expansion) -> Result<Vec<Vec<Setting<'_>>>, Violations> {
    Ok(match expansion {
        Expansion::Grid(grid) => {
            (0..grid_size(&grid.axes)).map(|index| grid_point(&grid.axes, index, "expansion.grid.axes")).collect()
        }
        Expansion::Random(sample) => random_points(sample)?,
        Expansion::Sobol(Sample { axes, draws, seed }) => sampling::sobol(axes, *draws, *seed, "expansion.sobol")?,
        Expansion::List(list) => {
            list.points.iter().enumerate().map(|(index, point)| list_point(point, index)).collect()
        }
    })
}

/// Where there are values only, places in their grid are drawn; a range has no grid.
fn random_points(sample: &Sample) -> Result<Vec<Vec<Setting<'_>>>, Violations> {
    let Sample { axes, draws, seed } = sample;
    if axes.iter().any(|axis| axis.range.is_some()) {
        return sampling::random(axes, *draws, *seed, "expansion.random");
    }
    let places = sampling::distinct(grid_size(axes), *draws, *seed).into_iter();
    Ok(places.map(|index| grid_point(axes, index, "expansion.random.axes")).collect())
}

/// The settings of grid point `index`, the last axis fastest.
fn grid_point<'a>(axes: &'a [Axis], index: u64, at: &str) -> Vec<Setting<'a>> {
    let mut rest = index;
    let mut settings: Vec<Setting<'a>> = axes
        .iter()
        .enumerate()
        .rev()
        .map(|(position, axis)| {
            let count = axis.values.len() as u64;
            let choice = usize::try_from(rest % count).expect("an axis holds fewer values than memory addresses");
            rest /= count;
            Setting {
                field: &axis.field,
                value: Cow::Borrowed(&axis.values[choice]),
                origin: format!("{at}[{position}].values[{choice}]"),
            }
        })
        .collect();
    settings.reverse();
    settings
}

fn list_point(point: &std::collections::BTreeMap<String, Value>, index: usize) -> Vec<Setting<'_>> {
    point
        .iter()
        .map(|(field, value)| Setting {
            field,
            value: Cow::Borrowed(value),
            origin: format!("expansion.list.points[{index}].{field}"),
        })
        .collect()
}

fn identity(variant: &Variant, seed: u64) -> Digest {
    let document = serde_json::json!({ "variant": variant.fingerprint.to_string(), "seed": seed });
    Digest::of(canonical::to_string(&document).as_bytes())
}
