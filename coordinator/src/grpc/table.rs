//! Tables of results as streams: a few variants are read at a time, and a few hundred rows sent, however large the sweep is.

use std::{future::Future, ops::RangeInclusive, vec::IntoIter};

use domain::{ExperimentId, SweepId, spec::Violations};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use proto::{
    convert::{Fields, FromWire, seed_from_wire, text_from_wire},
    v1,
};
use store::{Store, StoreError, TableFilter};
use tonic::Status;

use super::{find_sweep, rows, status};
use crate::lifecycle::LifecycleError;

/// Variants whose rows are read at once.
const VARIANTS: usize = 16;
/// Rows in a message: with labels of usual length far below the 4 MiB that clients take.
const ROWS: usize = 500;
/// Most values of a filter.
const MAX_VALUES: usize = 1000;
/// Sizes of a filter's value, in bytes; labels are the longest.
const VALUE_BYTES: RangeInclusive<usize> = 1..=65_536;

/// A parsed request for numbers.
pub(super) struct TableRequest {
    sweep: String,
    variants: Vec<String>,
    filter: TableFilter,
    numbers: Numbers,
}

/// Which of a variant's numbers.
#[derive(Clone)]
enum Numbers {
    OverSeeds,
    OfSeeds(Vec<u64>),
}

/// A parsed request for experiments.
pub(super) struct ExperimentsRequest {
    of: ExperimentsOf,
    settings: Vec<String>,
}

enum ExperimentsOf {
    Experiment(ExperimentId),
    Sweep { sweep: String, variants: Vec<String> },
}

impl TableRequest {
    pub(super) fn parse(request: v1::QueryTableRequest) -> Result<Self, Violations> {
        let v1::QueryTableRequest { sweep, variants, in_datasets, out_datasets, scores, metrics, seeds, per_seed } =
            request;
        let mut fields = Fields::at("");
        let variants = texts(&mut fields, "variants", variants);
        let in_datasets = texts(&mut fields, "in_datasets", in_datasets);
        let out_datasets = texts(&mut fields, "out_datasets", out_datasets);
        let scores = texts(&mut fields, "scores", scores);
        let metrics = texts(&mut fields, "metrics", metrics);
        if !per_seed && !seeds.is_empty() {
            fields.refuse("seeds", "a row over seeds has none: set `per_seed`, or leave `seeds` out");
        }
        let too_many = seeds.len() > MAX_VALUES;
        if too_many {
            fields.refuse("seeds", format!("{} values: at most {MAX_VALUES} allowed", seeds.len()));
        }
        let seeds = seeds.into_iter().take(MAX_VALUES).enumerate();
        let seeds: Option<Vec<u64>> =
            seeds.map(|(index, seed)| fields.keep(seed_from_wire(seed, &format!("seeds[{index}]")))).collect();
        fields.finish(|| {
            let filter = TableFilter {
                in_datasets: in_datasets?,
                out_datasets: out_datasets?,
                scores: scores?,
                metrics: metrics?,
            };
            let numbers = if per_seed { Numbers::OfSeeds(seeds?) } else { Numbers::OverSeeds };
            Some(Self { sweep, variants: variants?, filter, numbers })
        })
    }

    /// The messages that answer it.
    pub(super) async fn answer(
        self,
        store: Store,
    ) -> Result<impl Stream<Item = Result<v1::QueryTableResponse, Status>>, Status> {
        let Self { sweep, variants, filter, numbers } = self;
        let sweep = find_sweep(&store, &sweep).await?;
        let ordinals = find_variants(&store, sweep, &variants).await?;
        let pages = pages(ordinals, move |ordinals| {
            let (store, filter, numbers) = (store.clone(), filter.clone(), numbers.clone());
            async move {
                match numbers {
                    Numbers::OverSeeds => store.score_table(sweep, &ordinals, &filter).await,
                    Numbers::OfSeeds(seeds) => store.numbers(sweep, &ordinals, &filter, &seeds).await,
                }
            }
        });
        Ok(pages.map_ok(|page| v1::QueryTableResponse { rows: page.into_iter().map(rows::table).collect() }))
    }
}

/// The messages that answer a request for bits per dimension.
pub(super) async fn bits_per_dim(
    request: v1::QueryBitsPerDimRequest,
    store: Store,
) -> Result<impl Stream<Item = Result<v1::QueryBitsPerDimResponse, Status>>, Status> {
    let v1::QueryBitsPerDimRequest { sweep, variants } = request;
    let mut fields = Fields::at("");
    let variants = texts(&mut fields, "variants", variants);
    let variants = fields.finish(|| variants).map_err(|refusal| status::refused(&refusal))?;
    let sweep = find_sweep(&store, &sweep).await?;
    let ordinals = find_variants(&store, sweep, &variants).await?;
    let pages = pages(ordinals, move |ordinals| {
        let store = store.clone();
        async move { store.bits_per_dim(sweep, &ordinals).await }
    });
    Ok(pages.map_ok(|page| v1::QueryBitsPerDimResponse { rows: page.into_iter().map(rows::bits_per_dim).collect() }))
}

impl ExperimentsRequest {
    pub(super) fn parse(request: v1::ListExperimentsRequest) -> Result<Self, Violations> {
        let v1::ListExperimentsRequest { sweep, experiment_id, variants, settings } = request;
        let mut fields = Fields::at("");
        let variants = texts(&mut fields, "variants", variants);
        let settings = texts(&mut fields, "settings", settings);
        if experiment_id == 0 {
            return fields.finish(|| {
                Some(Self { of: ExperimentsOf::Sweep { sweep, variants: variants? }, settings: settings? })
            });
        }
        if !sweep.is_empty() || variants.as_ref().is_some_and(|variants| !variants.is_empty()) {
            fields.refuse("experiment_id", "names one experiment by itself: leave sweep and variants out");
        }
        let experiment = fields.keep(ExperimentId::from_wire(experiment_id, "experiment_id"));
        fields.finish(|| Some(Self { of: ExperimentsOf::Experiment(experiment?), settings: settings? }))
    }

    /// The messages that answer it.
    pub(super) async fn answer(
        self,
        store: Store,
    ) -> Result<impl Stream<Item = Result<v1::ListExperimentsResponse, Status>>, Status> {
        let Self { of, settings } = self;
        let asked = settings.clone();
        let pages = match of {
            ExperimentsOf::Experiment(experiment) => {
                let found = store.experiment(experiment, &settings).await.map_err(|error| status::of_store(&error))?;
                let row = found.ok_or_else(|| status::of(LifecycleError::NoSuchExperiment(experiment)))?;
                stream::iter([Ok(vec![row])]).left_stream()
            }
            ExperimentsOf::Sweep { sweep, variants } => {
                let sweep = find_sweep(&store, &sweep).await?;
                let ordinals = find_variants(&store, sweep, &variants).await?;
                let read = move |ordinals: Vec<i32>| {
                    let (store, settings) = (store.clone(), settings.clone());
                    async move { store.experiments(sweep, &settings, &ordinals).await }
                };
                pages(ordinals, read).right_stream()
            }
        };
        Ok(pages.map_ok(move |page| v1::ListExperimentsResponse {
            experiments: page.into_iter().map(|row| rows::experiment(row, &asked)).collect(),
        }))
    }
}

/// Reads the rows of some variants after the other, and hands them on in parts that fit a message.
fn pages<Row, Reading>(
    ordinals: Vec<i32>,
    read: impl Fn(Vec<i32>) -> Reading,
) -> impl Stream<Item = Result<Vec<Row>, Status>>
where
    Reading: Future<Output = Result<Vec<Row>, StoreError>>,
{
    let groups: Vec<Vec<i32>> = ordinals.chunks(VARIANTS).map(<[i32]>::to_vec).collect();
    stream::iter(groups)
        .then(move |group| {
            let reading = read(group);
            async { reading.await.map_err(|error| status::of_store(&error)) }
        })
        .map_ok(|rows| stream::iter(parts(rows).map(Ok)))
        .try_flatten()
}

/// Parts of at most [`ROWS`].
fn parts<Row>(rows: Vec<Row>) -> impl Iterator<Item = Vec<Row>> {
    let mut left: IntoIter<Row> = rows.into_iter();
    std::iter::from_fn(move || {
        let part: Vec<Row> = left.by_ref().take(ROWS).collect();
        (!part.is_empty()).then_some(part)
    })
}

/// The places of the variants with these labels, or of all.
async fn find_variants(store: &Store, sweep: SweepId, labels: &[String]) -> Result<Vec<i32>, Status> {
    let found = store.variant_names(sweep, labels).await.map_err(|error| status::of_store(&error))?;
    let mut unknown = Violations::default();
    for (index, label) in labels.iter().enumerate() {
        if !found.iter().any(|variant| variant.label == *label) {
            let shown: String = label.escape_default().take(200).collect();
            unknown.add(format!("variants[{index}]"), format!("the sweep has no variant `{shown}`"));
        }
    }
    unknown.into_result().map_err(|refusal| status::refused(&refusal))?;
    Ok(found.into_iter().map(|variant| variant.ordinal).collect())
}

fn texts(fields: &mut Fields, field: &str, values: Vec<String>) -> Option<Vec<String>> {
    if values.len() > MAX_VALUES {
        fields.refuse(field, format!("{} values: at most {MAX_VALUES} allowed", values.len()));
        return None;
    }
    let values = values.into_iter().enumerate();
    values
        .map(|(index, value)| fields.keep(text_from_wire(value, &format!("{field}[{index}]"), &VALUE_BYTES)))
        .collect()
}

/// Checks a filter by scores.
pub(super) fn scores(values: Vec<String>) -> Result<Vec<String>, Violations> {
    let mut fields = Fields::at("");
    let scores = texts(&mut fields, "scores", values);
    fields.finish(|| scores)
}
