//! Reads a sweep and fills the page.

use std::collections::BTreeSet;

use domain::{report::Metric, spec::ScoreName};
use proto::v1::{JobCounts, TableRow};

use super::{
    Arguments, definitions, figures,
    limits::{
        MAX_ARTIFACT_ROWS, MAX_DOCUMENT_BYTES, MAX_DOCUMENTS, MAX_FOREST_ROWS, MAX_FORESTS, MAX_HISTOGRAM_DATASETS,
        MAX_METRIC_ROWS, MAX_ROC_DATASETS, MAX_ROWS,
    },
    page::{Drawn, Page, Variant},
    tables,
};
use crate::{
    commands::{
        list,
        results::{self, Rows, names::FIRST_SCORES},
    },
    evidence::{self, Evidence, Examples, MAX_SEEDS, MAX_VARIANTS, Measure, Numbers, choose},
    failure::Failure,
    output::{Audience, Grid},
};

/// Metrics of the page's own tables, which it always defines.
const ALWAYS_DEFINED: [&str; 3] = ["auroc", "bits-per-dim-mean", "bits-per-dim-median"];

/// Reads what the page shows.
pub async fn collect(arguments: &Arguments, evidence: &Evidence<'_>) -> Result<Page, Failure> {
    let all = evidence.variants();
    let (chosen, left_out) = choose(&all, &arguments.variant, MAX_VARIANTS)?;
    let mut page = Page { versions_cli: env!("CARGO_PKG_VERSION"), ..Page::default() };
    if left_out > 0 {
        page.left_out.push(format!(
            "Likelihoods, ROC curves, training curves and figures of {left_out} of {} variants: `spillway report {} --variant LABEL` draws those that you name.",
            all.len(),
            evidence.name()
        ));
    }
    head(&mut page, evidence);
    numbers(&mut page, evidence).await?;
    let mut examples = Examples::list(evidence).await?;
    histograms(&mut page, evidence, &mut examples, &chosen).await?;
    rocs(&mut page, evidence, &mut examples, &chosen).await?;
    training(&mut page, evidence, &chosen).await?;
    let room = u64::from(arguments.figures_mib) << 20;
    let (shown, note) = figures::fetch(evidence.client(), evidence.name(), &chosen, room).await?;
    page.figures = shown;
    page.left_out.extend(note);
    documents(&mut page, evidence);
    artifacts(&mut page, evidence, &examples);
    commands(&mut page, evidence);
    Ok(page)
}

/// What the sweep is, what it asked for and how far it is.
fn head(page: &mut Page, evidence: &Evidence<'_>) {
    let summary = evidence.summary();
    let counts = summary.jobs.unwrap_or_default();
    let seeds: BTreeSet<u64> = evidence.jobs().iter().map(|job| job.seed).collect();
    let learned: BTreeSet<&str> = evidence.variants().iter().map(|variant| evidence.in_dataset(variant)).collect();
    let newest =
        evidence.description().results.iter().filter_map(|result| result.accepted_at).map(|at| at.seconds).max();
    let fact = |term: &str, value: String| (term.to_owned(), value);
    page.facts = vec![
        fact("sweep", summary.id),
        fact("submitted", time(summary.created_at.map(|at| at.seconds))),
        fact("newest result", newest.map_or("none yet".to_owned(), |at| time(Some(at)))),
        fact("learned", learned.into_iter().collect::<Vec<_>>().join(", ")),
        fact("evaluated against", evidence.out_datasets().join(", ")),
        fact("variants", summary.variants.to_string()),
        fact("seeds", seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
        fact("experiments", summary.experiments.to_string()),
        fact("jobs", list::describe(&counts)),
    ];
    page.missing = missing(&counts, &summary.name);
    page.name = summary.name;
    page.description = summary.description;
}

fn time(seconds: Option<i64>) -> String {
    match list::written(seconds) {
        crate::output::Cell::Text(text) => text,
        _ => String::new(),
    }
}

/// What has no result, and what can be done about it.
fn missing(counts: &JobCounts, sweep: &str) -> Vec<String> {
    let mut missing = Vec::new();
    let open = counts.blocked + counts.ready + counts.running;
    if open > 0 {
        let have = if open == 1 { "job has" } else { "jobs have" };
        missing.push(format!(
            "{open} {have} not ended: means over seeds will change. `spillway watch {sweep}` follows the sweep."
        ));
    }
    let without = counts.failed + counts.quarantined + counts.cancelled;
    if without > 0 {
        let jobs = if without == 1 { "job" } else { "jobs" };
        missing.push(format!(
            "{without} {jobs} ended without a result (failed, quarantined or cancelled). `spillway jobs {sweep}` says why, `spillway retry {sweep}` tries them again."
        ));
    }
    if counts.stopped > 0 {
        missing.push(format!(
            "Jobs stopped early: {}, by the sweep's own rule or budget: their variants stand with fewer seeds.",
            counts.stopped
        ));
    }
    missing
}

/// The tables, and AUROC by variant.
async fn numbers(page: &mut Page, evidence: &Evidence<'_>) -> Result<(), Failure> {
    let auroc = [Metric::Auroc.as_str()];
    let first = evidence.numbers(&FIRST_SCORES, &auroc, MAX_ROWS).await?;
    // None of the first ones was measured: what was is more than nothing.
    let aurocs = if first.rows.is_empty() { evidence.numbers(&[], &auroc, MAX_ROWS).await? } else { first };
    let all = evidence.numbers(&[], &[], MAX_METRIC_ROWS).await?;
    let table = |numbers: &Numbers, most| {
        results::numbers_table(&numbers.rows, Rows::OverSeeds, Audience::People)
            .grid(most)
            .and_left_out(numbers.left_out)
    };
    page.auroc = table(&aurocs, MAX_ROWS);
    page.metrics = table(&all, MAX_METRIC_ROWS);
    let bits = evidence.client().bits_per_dim(evidence.name()).await?;
    page.bits = results::bits_per_dim_table(&bits, Audience::People).grid(MAX_ROWS);
    page.definitions = definitions_of(&all.rows);
    note_rows(page, evidence.name());
    forests(page, evidence, &aurocs.rows).await
}

/// AUROC by variant, against each dataset under the first score that was measured.
async fn forests(page: &mut Page, evidence: &Evidence<'_>, rows: &[TableRow]) -> Result<(), Failure> {
    let name = evidence.name();
    let all = evidence.variants();
    let variants = &all[..all.len().min(MAX_FOREST_ROWS)];
    let Some(score) = FIRST_SCORES.into_iter().find(|score| rows.iter().any(|row| row.score == *score)) else {
        return Ok(());
    };
    let outs = evidence.out_datasets();
    if outs.len() > MAX_FORESTS || all.len() > MAX_FOREST_ROWS {
        page.left_out.push(format!(
            "Pictures of AUROC by variant beyond {MAX_FORESTS} datasets and {MAX_FOREST_ROWS} variants: `spillway plot auroc {name} --out DATASET --variant LABEL -o FILE.svg` draws them."
        ));
    }
    for out in outs.into_iter().take(MAX_FORESTS) {
        let caption = format!("AUROC against {out} under {score}, by variant.");
        let aurocs = evidence.aurocs(out, score).await?;
        push(&mut page.forests, "auroc", &caption, evidence::auroc_by_variant(name, (out, score), variants, &aurocs));
    }
    Ok(())
}

fn note_rows(page: &mut Page, name: &str) {
    let tables = [
        ("AUROC", &page.auroc, " --scores all"),
        ("bits/dim", &page.bits, ""),
        ("all metrics", &page.metrics, " --metric all --scores all"),
    ];
    let notes = tables.into_iter().filter(|(_, grid, _)| grid.left_out > 0).map(|(what, grid, option)| {
        format!(
            "{} rows of the table of {what}: `spillway results {name}{option} --format csv` prints all of them.",
            grid.left_out
        )
    });
    let notes: Vec<String> = notes.collect();
    page.left_out.extend(notes);
}

fn definitions_of(rows: &[TableRow]) -> Vec<(String, String)> {
    let scores: BTreeSet<&str> = rows.iter().map(|row| row.score.as_str()).filter(|score| !score.is_empty()).collect();
    let metrics: BTreeSet<&str> = rows.iter().map(|row| row.metric.as_str()).chain(ALWAYS_DEFINED).collect();
    let scores = scores.into_iter().map(|score| (score.to_owned(), definitions::score(score)));
    scores
        .chain(metrics.into_iter().map(|metric| (metric.to_owned(), definitions::metric(metric).to_owned())))
        .collect()
}

async fn histograms(
    page: &mut Page,
    evidence: &Evidence<'_>,
    examples: &mut Examples<'_>,
    variants: &[&str],
) -> Result<(), Failure> {
    let all = evidence.out_datasets();
    let outs = &all[..all.len().min(MAX_HISTOGRAM_DATASETS)];
    if outs.len() < all.len() {
        page.left_out.push(format!(
            "Likelihoods of {}: `spillway plot likelihoods {} --out DATASET -o FILE.svg` draws them.",
            all[outs.len()..].join(", "),
            evidence.name()
        ));
    }
    for &variant in variants {
        // A seed that has seen both sides says more than one that came first.
        let seed = examples.first_seed(variant, None, outs).or_else(|| examples.first_seed(variant, None, &[]));
        let Some(seed) = seed else {
            let why = "no statistics of single examples; workers record them when a training ends".to_owned();
            page.histograms.push(Drawn::Missing { what: variant.to_owned(), why });
            continue;
        };
        let picture = evidence::likelihoods(evidence, examples, (variant, seed), outs, Measure::BitsPerDimension).await;
        let caption = format!("Likelihoods of test examples under {variant}, seed {seed}.");
        push(&mut page.histograms, "likelihoods", &caption, picture);
    }
    Ok(())
}

async fn rocs(
    page: &mut Page,
    evidence: &Evidence<'_>,
    examples: &mut Examples<'_>,
    variants: &[&str],
) -> Result<(), Failure> {
    let all = evidence.out_datasets();
    let outs = &all[..all.len().min(MAX_ROC_DATASETS)];
    if outs.len() < all.len() {
        page.left_out.push(format!(
            "ROC curves against {}: `spillway plot roc {} --out DATASET -o FILE.svg` draws them.",
            all[outs.len()..].join(", "),
            evidence.name()
        ));
    }
    for &out in outs {
        let what = format!("ROC curves against {out}");
        if variants.iter().all(|variant| examples.first_seed(variant, None, &[out]).is_none()) {
            page.rocs.push(Drawn::Missing {
                what,
                why: "no evaluation has left statistics of single examples yet".to_owned(),
            });
            continue;
        }
        let drawn = evidence::roc_by_variant(evidence, examples, variants, None, (out, ScoreName::LogLikelihood)).await;
        let missing = drawn.as_ref().map(|(_, missing)| missing.join("; ")).unwrap_or_default();
        let mut caption = format!("{what} under log-likelihood, each variant by its first seed.");
        if !missing.is_empty() {
            caption.push_str(&format!(" Without results yet: {missing}."));
        }
        push(&mut page.rocs, "roc", &caption, drawn.map(|(picture, _)| picture));
    }
    Ok(())
}

async fn training(page: &mut Page, evidence: &Evidence<'_>, variants: &[&str]) -> Result<(), Failure> {
    let drawn = evidence::training(evidence, variants, None).await;
    if let Ok((_, left_out @ 1..)) = &drawn {
        page.left_out.push(format!(
            "Training curves of {left_out} seeds beyond the first {MAX_SEEDS} of each variant: `spillway plot training {} --seed SEED -o FILE.svg` draws them.",
            evidence.name()
        ));
    }
    push(&mut page.training, "training", "Training loss by step.", drawn.map(|(picture, _)| picture));
    Ok(())
}

/// Puts a picture on the page, or why it could not be drawn: one that is missing does not take the page with it.
fn push(place: &mut Vec<Drawn>, kind: &str, caption: &str, picture: Result<pictures::Picture, Failure>) {
    let drawn = match picture {
        Ok(picture) => {
            // Ids must be unique in the page.
            let svg = picture.inline_svg(&format!("{kind}-{}", place.len() + 1));
            Drawn::Picture { svg, caption: caption.to_owned() }
        }
        Err(failure) => Drawn::Missing { what: caption.to_owned(), why: failure.to_string() },
    };
    place.push(drawn);
}

fn documents(page: &mut Page, evidence: &Evidence<'_>) {
    let description = evidence.description();
    page.document = readable(&description.document);
    let shown = description.variants.iter().take(MAX_DOCUMENTS).map(|variant| Variant {
        label: variant.label.clone(),
        fingerprint: tables::hexadecimal(&variant.fingerprint),
        document: readable(&variant.document),
    });
    page.variants = shown.collect();
    let left_out = evidence.summary().variants as usize - page.variants.len().min(evidence.summary().variants as usize);
    if left_out > 0 {
        page.left_out.push(format!(
            "Documents of {left_out} variants: the sweep's own document with its expansion says the same, and `select * from experiment_spec` has each."
        ));
    }
}

/// JSON as people read it, cut where it is larger than anybody reads.
fn readable(json: &str) -> String {
    let parsed = serde_json::from_str::<serde_json::Value>(json).ok();
    let mut text =
        parsed.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| json.to_owned());
    if text.len() > MAX_DOCUMENT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_DOCUMENT_BYTES));
        text.push_str("\n… (cut)");
    }
    text
}

fn artifacts(page: &mut Page, evidence: &Evidence<'_>, examples: &Examples<'_>) {
    let description = evidence.description();
    page.versions = tables::versions(description).grid(MAX_ARTIFACT_ROWS);
    page.checkpoints = tables::checkpoints(description).grid(MAX_ARTIFACT_ROWS);
    page.statistics = examples.table().grid(MAX_ARTIFACT_ROWS);
    let left_out = |grid: &Grid| grid.left_out;
    if left_out(&page.checkpoints) + left_out(&page.statistics) > 0 {
        page.left_out.push(
            "Digests of artifacts: the views `trained_model` and `statistics` have all of them, with SQL.".to_owned(),
        );
    }
}

fn commands(page: &mut Page, evidence: &Evidence<'_>) {
    let name = evidence.name();
    let step = |what: &str, command: String| (what.to_owned(), command);
    page.commands = vec![
        step("Start a cluster, or use one that runs.", "spillway up".to_owned()),
        step(
            &format!("Save the sweep's document above as {name}.json and submit it."),
            format!("spillway submit {name}.json"),
        ),
        step("Follow it to its end.", format!("spillway watch {name}")),
        step(
            "Write the tables and this page.",
            format!("spillway results {name}\nspillway report {name} -o {name}.html"),
        ),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_sweeps_say_what_is_missing() {
        let counts = JobCounts { running: 2, blocked: 1, failed: 1, stopped: 4, succeeded: 9, ..JobCounts::default() };

        let lines = missing(&counts, "demo");

        assert!(lines[0].starts_with("3 jobs have not ended"), "{lines:?}");
        assert!(lines[1].starts_with("1 job ended without a result") && lines[1].contains("spillway retry demo"));
        assert!(lines[2].starts_with("Jobs stopped early: 4"));
        assert!(missing(&JobCounts { succeeded: 9, ..JobCounts::default() }, "demo").is_empty());
    }

    #[test]
    fn large_documents_are_cut_between_letters() {
        let long = format!("\"{}\"", "ü".repeat(MAX_DOCUMENT_BYTES));

        let text = readable(&long);

        assert!(text.len() < MAX_DOCUMENT_BYTES + 20 && text.ends_with("(cut)"));
        assert_eq!(readable("{\"a\":1}"), "{\n  \"a\": 1\n}");
    }
}
