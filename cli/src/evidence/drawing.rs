//! Pictures of what the coordinator says.

use std::f64::consts::LN_2;

use anyhow::anyhow;
use domain::spec::ScoreName;
use pictures::{
    AurocRow, Band, ForestPlot, Histogram, Picture, RocPlot, RocSeries, SeedCurve, Side, TrainingPlot, TrainingSeries,
};
use proto::v1::{TableRow, TrainingCurveResponse};
use scoring::Scored;

use super::{Aurocs, Evidence, Examples, MAX_SEEDS};
use crate::failure::Failure;

/// Steps of the grid on which a confidence band is computed.
const BAND_STEPS: u32 = 200;
/// Resamples of a confidence band.
const BAND_RESAMPLES: u32 = 400;
/// Where the resamples begin: the same picture every time.
const BAND_SEED: u64 = 1;

/// The horizontal axis of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Log-likelihoods in bits per dimension: lower is more likely.
    BitsPerDimension,
    /// Log-likelihoods in nats: higher is more likely.
    Nats,
    /// A score: higher is more out-of-distribution.
    Score(ScoreName),
}

/// AUROC of `variants` against one dataset under one score.
pub fn auroc_by_variant(
    sweep: &str,
    (out, score): (&str, &str),
    variants: &[&str],
    Aurocs { cells, seeds }: &Aurocs,
) -> Result<Picture, Failure> {
    let cell = |variant: &str| cells.iter().find(|cell| cell.variant == variant);
    let labels: Vec<String> = variants.iter().map(|variant| label(variant, cell(variant))).collect();
    let row = |(variant, label)| {
        let cell = cell(variant);
        let interval = cell.and_then(|cell| cell.ci_low.zip(cell.ci_high));
        let of_variant = seeds.iter().filter(|seed| seed.variant == variant).filter_map(|seed| seed.mean);
        AurocRow { label, mean: cell.and_then(|cell| cell.mean), interval, seeds: of_variant.collect() }
    };
    let rows = variants.iter().copied().zip(labels.iter().map(String::as_str)).map(row).collect();
    let title = format!("{sweep}: AUROC against {out}, {score}");
    let subtitle = "square: mean over seeds; bar: its 95 % interval; dots: single seeds";
    drawn(ForestPlot { title: &title, subtitle, rows }.draw())
}

/// A variant, and how many of its seeds the number rests on when some are missing.
fn label(variant: &str, cell: Option<&TableRow>) -> String {
    match cell {
        Some(cell) if cell.seeds < cell.seeds_planned => {
            format!("{variant} ({} of {} seeds)", cell.seeds, cell.seeds_planned)
        }
        _ => variant.to_owned(),
    }
}

/// Training curves of `variants`, at most [`MAX_SEEDS`] seeds of each. With it, how many seeds were left out.
pub async fn training(
    evidence: &Evidence<'_>,
    variants: &[&str],
    seed: Option<u64>,
) -> Result<(Picture, usize), Failure> {
    let mut series = Vec::new();
    let mut left_out = 0;
    for &variant in variants {
        let experiments = evidence.experiments(variant, seed);
        left_out += experiments.len().saturating_sub(MAX_SEEDS);
        let mut seeds = Vec::new();
        for experiment in experiments.into_iter().take(MAX_SEEDS) {
            seeds.push(curve(&evidence.curve(experiment).await?));
        }
        series.push(TrainingSeries { label: variant, seeds });
    }
    let title = format!("{}: training", evidence.name());
    let subtitle = seed.map_or(String::new(), |seed| format!("seed {seed}"));
    let plot = TrainingPlot { title: &title, subtitle: &subtitle, quantity: "bits per dimension", variants: series };
    Ok((drawn(plot.draw())?, left_out))
}

fn curve(response: &TrainingCurveResponse) -> SeedCurve {
    let training = response.points.iter().map(|point| (point.step as f64, point.bits_per_dim)).collect();
    let validated = response.validation.iter();
    let validation = validated.filter_map(|point| Some((point.step as f64, point.bits_per_dim?))).collect();
    SeedCurve { training, validation }
}

/// What one flow makes of its own test data and of `outs`.
pub async fn likelihoods(
    evidence: &Evidence<'_>,
    examples: &mut Examples<'_>,
    (variant, seed): (&str, u64),
    outs: &[&str],
    measure: Measure,
) -> Result<Picture, Failure> {
    let name = evidence.name();
    let (title, quantity, sides) = match measure {
        Measure::Score(score) => {
            let mut sides = Vec::new();
            for out in outs {
                let Scored { inside, outside } = examples.scored(variant, seed, out, score).await?;
                if sides.is_empty() {
                    sides.push((evidence.in_dataset(variant).to_owned(), inside));
                }
                sides.push(((*out).to_owned(), outside));
            }
            (format!("{name}: {score} of test examples"), format!("{score} (higher: more out-of-distribution)"), sides)
        }
        Measure::BitsPerDimension | Measure::Nats => {
            let found = examples.likelihoods(variant, seed, outs).await?;
            let scaled = found.into_iter().map(|side| {
                let scale = if measure == Measure::Nats { 1.0 } else { -1.0 / (LN_2 * side.dimensions as f64) };
                (side.dataset, side.nats.iter().map(|nats| nats * scale).collect())
            });
            let quantity = match measure {
                Measure::Nats => "log-likelihood (nats per example)",
                _ => "bits per dimension (lower: more likely)",
            };
            (format!("{name}: likelihoods of test examples"), quantity.to_owned(), scaled.collect::<Vec<_>>())
        }
    };
    let learned = evidence.in_dataset(variant);
    let label = |dataset: &str| format!("{dataset}{}", if dataset == learned { ", in-distribution" } else { ", OOD" });
    let labels: Vec<String> = sides.iter().map(|(dataset, _)| label(dataset)).collect();
    let sides = labels.iter().zip(&sides).map(|(label, (_, values))| Side { label, values }).collect();
    let subtitle = format!("{variant}, seed {seed}");
    drawn(Histogram { title: &title, subtitle: &subtitle, quantity: &quantity, sides }.draw())
}

/// ROC curves of `variants` under one score, each of the first of its seeds that has statistics. With it, the variants that have none.
pub async fn roc_by_variant<'v>(
    evidence: &Evidence<'_>,
    examples: &mut Examples<'_>,
    variants: &[&'v str],
    seed: Option<u64>,
    (out, score): (&str, ScoreName),
) -> Result<(Picture, Vec<&'v str>), Failure> {
    let mut curves = Vec::new();
    let mut missing = Vec::new();
    for &variant in variants {
        let Some(seed) = examples.first_seed(variant, seed, &[out]) else {
            missing.push(variant);
            continue;
        };
        let scored = examples.scored(variant, seed, out, score).await?;
        curves.push(roc(variant, &format!(", seed {seed}"), &scored)?);
    }
    let title = format!("{}: ROC against {out}, {score}", evidence.name());
    Ok((drawn(RocPlot { title: &title, subtitle: BANDS, curves }.draw())?, missing))
}

/// ROC curves of one flow under several scores.
pub async fn roc_by_score(
    evidence: &Evidence<'_>,
    examples: &mut Examples<'_>,
    (variant, seed): (&str, u64),
    out: &str,
    scores: &[ScoreName],
) -> Result<Picture, Failure> {
    let names: Vec<String> = scores.iter().map(ToString::to_string).collect();
    let mut curves = Vec::new();
    for (score, name) in scores.iter().zip(&names) {
        curves.push(roc(name, "", &examples.scored(variant, seed, out, *score).await?)?);
    }
    let title = format!("{}: ROC against {out}", evidence.name());
    let subtitle = format!("{variant}, seed {seed}");
    drawn(RocPlot { title: &title, subtitle: &subtitle, curves }.draw())
}

/// What the shades are.
const BANDS: &str = "shade: pointwise 95 % bootstrap band over images; AUROC with DeLong's 95 % interval";

/// One curve with its band and its AUROC.
fn roc<'l>(label: &'l str, of: &str, scored: &Scored) -> Result<RocSeries<'l>, Failure> {
    let Scored { inside, outside } = scored;
    let failed =
        |error: ood::AurocError| Failure::Other(anyhow!(error).context(format!("no ROC curve of {label}{of}")));
    let curve = ood::roc_curve(inside, outside).map_err(failed)?;
    let band = ood::roc_band(inside, outside, BAND_STEPS, BAND_RESAMPLES, BAND_SEED).map_err(failed)?;
    let auroc = ood::auroc(inside, outside).map_err(failed)?;
    let ood::Interval { low, high, .. } = auroc.interval;
    Ok(RocSeries {
        label,
        note: format!("{of}: AUROC {:.3} ({low:.3} to {high:.3})", auroc.value),
        points: curve.points.iter().map(|point| (point.fpr, point.tpr)).collect(),
        band: Some(Band { points: band.iter().map(|at| (at.fpr, at.interval.low, at.interval.high)).collect() }),
    })
}

fn drawn(picture: Result<Picture, pictures::PictureError>) -> Result<Picture, Failure> {
    picture.map_err(|error| Failure::Other(error.into()))
}
