//! What a sweep asked for and how its results were computed.

use domain::SweepId;
use proto::{convert::ToWire, v1};
use store::{ProvenanceRow, Store, StoreError, VariantDocument};
use tonic::Status;

use super::{rows, status};

/// Variants described when the request does not say.
const DEFAULT_VARIANTS: u32 = 100;
/// Most variants described.
const MAX_VARIANTS: u32 = 1000;
/// Most results described: a sweep has no more jobs.
const MAX_RESULTS: u32 = 10_000;

pub(super) async fn describe(
    store: &Store,
    sweep: SweepId,
    max_variants: u32,
) -> Result<v1::DescribeSweepResponse, Status> {
    let failed = |error: StoreError| status::of_store(&error);
    let gone = || Status::not_found(format!("sweep {sweep} is gone"));
    let limit = if max_variants == 0 { DEFAULT_VARIANTS } else { max_variants.min(MAX_VARIANTS) };
    let summary = store.sweep_summary(sweep).await.map_err(failed)?.ok_or_else(gone)?;
    let document = store.sweep_document(sweep).await.map_err(failed)?.ok_or_else(gone)?;
    let variants = store.variant_documents(sweep, limit).await.map_err(failed)?;
    let results = store.provenance(sweep, MAX_RESULTS).await.map_err(failed)?;
    Ok(v1::DescribeSweepResponse {
        sweep: Some(rows::summary(&summary)),
        document,
        variants: variants.into_iter().map(variant).collect(),
        results: results.into_iter().map(provenance).collect(),
        coordinator_version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn variant(row: VariantDocument) -> v1::VariantDocument {
    let VariantDocument { label, fingerprint, in_dataset, document } = row;
    v1::VariantDocument { label, fingerprint, in_dataset, document }
}

fn provenance(row: ProvenanceRow) -> v1::ResultProvenance {
    v1::ResultProvenance {
        accepted_at: Some(row.accepted().to_wire()),
        job_id: row.job_id,
        experiment_id: row.experiment_id,
        kind: row.kind,
        variant: row.variant,
        seed: rows::large_count(row.seed),
        out_dataset: row.out_dataset.unwrap_or_default(),
        checkpoint: row.checkpoint.unwrap_or_default(),
        worker_version: row.worker_version,
        device: row.device,
        threads: rows::count(i64::from(row.threads)),
        precision: row.precision,
        noise_draws: rows::count(i64::from(row.noise_draws)),
    }
}
