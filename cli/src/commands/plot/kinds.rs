//! What each kind of picture takes from a sweep.

use anyhow::anyhow;
use domain::spec::ScoreName;
use pictures::Picture;

use super::{Arguments, By, Unit};
use crate::{
    evidence::{self, Evidence, Examples, MAX_SEEDS, MAX_VARIANTS, Measure, choose},
    failure::Failure,
};

/// Most rows of the picture of AUROCs.
const MAX_ROWS: usize = 60;

pub(super) async fn likelihoods(
    arguments: &Arguments,
    scores: &[ScoreName],
    evidence: &Evidence<'_>,
) -> Result<Picture, Failure> {
    let outs = match &arguments.out {
        Some(out) => vec![known_out(evidence, out)?],
        None => evidence.out_datasets(),
    };
    let measure = match (scores, arguments.unit) {
        ([score, ..], _) => Measure::Score(*score),
        ([], Unit::BitsPerDim) => Measure::BitsPerDimension,
        ([], Unit::Nats) => Measure::Nats,
    };
    let variant = only_variant(arguments, evidence)?;
    let mut examples = Examples::list(evidence).await?;
    // A flow that is trained has likelihoods of its own data before any evaluation has ended.
    let needed = match measure {
        Measure::Score(_) => outs.as_slice(),
        Measure::BitsPerDimension | Measure::Nats => &[],
    };
    // A seed that has seen both sides says more than one that came first.
    let seed = examples
        .first_seed(variant, arguments.seed, &outs)
        .or_else(|| examples.first_seed(variant, arguments.seed, needed))
        .ok_or_else(|| nothing_yet(arguments, variant))?;
    evidence::likelihoods(evidence, &mut examples, (variant, seed), &outs, measure).await
}

pub(super) async fn roc(
    arguments: &Arguments,
    scores: &[ScoreName],
    evidence: &Evidence<'_>,
) -> Result<Picture, Failure> {
    let out = only_out(arguments, evidence)?;
    let mut examples = Examples::list(evidence).await?;
    if arguments.by == By::Score {
        let variant = only_variant(arguments, evidence)?;
        let seed = examples.first_seed(variant, arguments.seed, &[out]);
        let seed = seed.ok_or_else(|| nothing_yet(arguments, variant))?;
        let (scores, others) =
            if scores.is_empty() { examples.default_scores(variant).await? } else { (scores.to_vec(), Vec::new()) };
        if !others.is_empty() {
            let names: Vec<String> = others.iter().map(ToString::to_string).collect();
            eprintln!("left out: {}; --score chooses at most {MAX_VARIANTS}", names.join(", "));
        }
        return evidence::roc_by_score(evidence, &mut examples, (variant, seed), out, &scores).await;
    }
    let variants = several_variants(arguments, evidence, MAX_VARIANTS)?;
    let score = scores.first().copied().unwrap_or(ScoreName::LogLikelihood);
    let drawn = evidence::roc_by_variant(evidence, &mut examples, &variants, arguments.seed, (out, score));
    let (picture, missing) = drawn.await?;
    for variant in missing {
        eprintln!("`{variant}` is left out: it has no results against {out} yet");
    }
    Ok(picture)
}

pub(super) async fn training(arguments: &Arguments, evidence: &Evidence<'_>) -> Result<Picture, Failure> {
    let variants = several_variants(arguments, evidence, MAX_VARIANTS)?;
    let (picture, left_out) = evidence::training(evidence, &variants, arguments.seed).await?;
    if left_out > 0 {
        eprintln!("{left_out} seeds are left out: at most {MAX_SEEDS} of each variant are drawn; --seed chooses one");
    }
    Ok(picture)
}

pub(super) async fn auroc(
    arguments: &Arguments,
    scores: &[ScoreName],
    evidence: &Evidence<'_>,
) -> Result<Picture, Failure> {
    if arguments.seed.is_some() {
        return Err(anyhow!("the picture of AUROCs is over seeds: leave --seed out").into());
    }
    let out = only_out(arguments, evidence)?;
    let score = scores.first().copied().unwrap_or(ScoreName::LogLikelihood).to_string();
    let variants = several_variants(arguments, evidence, MAX_ROWS)?;
    let numbers = evidence.aurocs(out, &score).await?;
    evidence::auroc_by_variant(evidence.name(), (out, &score), &variants, &numbers)
}

/// The variants asked for, or the first ones; what is left out is said.
fn several_variants<'e>(
    arguments: &Arguments,
    evidence: &'e Evidence<'_>,
    most: usize,
) -> Result<Vec<&'e str>, Failure> {
    let (variants, left_out) = choose(&evidence.variants(), &arguments.variant, most)?;
    if left_out > 0 {
        eprintln!("{left_out} variants are left out: at most {most} are drawn; --variant chooses them");
    }
    Ok(variants)
}

/// The one variant asked for, or the first one, which is said where there are more.
fn only_variant<'e>(arguments: &Arguments, evidence: &'e Evidence<'_>) -> Result<&'e str, Failure> {
    let all = evidence.variants();
    let (variants, left_out) = choose(&all, &arguments.variant, 1)?;
    let first = variants.first().copied().ok_or_else(|| anyhow!("the sweep has no variants"))?;
    if left_out > 0 {
        eprintln!("drawing the variant `{first}`, the first of {}; --variant chooses another", all.len());
    }
    Ok(first)
}

/// The one OOD dataset asked for, or the only one.
fn only_out<'e>(arguments: &'e Arguments, evidence: &'e Evidence<'_>) -> Result<&'e str, Failure> {
    if let Some(out) = &arguments.out {
        return known_out(evidence, out);
    }
    match evidence.out_datasets().as_slice() {
        [] => Err(anyhow!("the sweep is evaluated against no dataset").into()),
        [only] => Ok(only),
        several => Err(anyhow!("name one dataset with --out: {}", several.join(", ")).into()),
    }
}

fn known_out<'e>(evidence: &'e Evidence<'_>, out: &str) -> Result<&'e str, Failure> {
    let all = evidence.out_datasets();
    all.iter().copied().find(|known| *known == out).ok_or_else(|| {
        Failure::NotFound(format!("the sweep is not evaluated against `{out}`: one of {} expected", all.join(", ")))
    })
}

fn nothing_yet(arguments: &Arguments, variant: &str) -> Failure {
    let sweep = &arguments.sweep;
    let of_seed = arguments.seed.map_or(String::new(), |seed| format!(" with seed {seed}"));
    anyhow!("`{variant}`{of_seed} has no such results yet: `spillway watch {sweep}` shows how far the sweep is").into()
}
