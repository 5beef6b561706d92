//! The tables that only the page has.

use std::collections::BTreeMap;

use proto::v1::{DescribeSweepResponse, ResultProvenance};

use crate::output::{Cell, Column, Table};

/// What computed the results: one row for each way in which some were computed.
pub fn versions(description: &DescribeSweepResponse) -> Table {
    let columns = vec![
        Column::text("kind", "results of"),
        Column::number("results", "results"),
        Column::text("worker", "worker version"),
        Column::text("device", "device"),
        Column::text("precision", "precision"),
        Column::number("threads", "threads"),
        Column::number("noise_draws", "noise draws"),
    ];
    let mut ways: BTreeMap<_, u32> = BTreeMap::new();
    for result in &description.results {
        let ResultProvenance { kind, worker_version, device, precision, threads, noise_draws, .. } = result;
        *ways.entry((kind, worker_version, device, precision, *threads, *noise_draws)).or_default() += 1;
    }
    let mut table = Table::new("versions", columns);
    for ((kind, version, device, precision, threads, draws), results) in ways {
        table.push(vec![
            Cell::text(format!("{kind} jobs")),
            results.into(),
            Cell::text(version),
            Cell::text(device),
            Cell::text(precision),
            threads.into(),
            draws.into(),
        ]);
    }
    table.note(format!(
        "Coordinator {}, this page by spillway {}.",
        description.coordinator_version,
        env!("CARGO_PKG_VERSION")
    ));
    table
}

/// The digests of the trained flows.
pub fn checkpoints(description: &DescribeSweepResponse) -> Table {
    let columns = vec![
        Column::text("variant", "variant"),
        Column::number("seed", "seed"),
        Column::number("experiment_id", "experiment"),
        Column::text("checkpoint", "SHA-256 of the checkpoint"),
    ];
    let mut table = Table::new("checkpoints", columns);
    for result in description.results.iter().filter(|result| !result.checkpoint.is_empty()) {
        table.push(vec![
            Cell::text(&result.variant),
            result.seed.into(),
            result.experiment_id.into(),
            Cell::text(hexadecimal(&result.checkpoint)),
        ]);
    }
    table
}

/// Bytes as people compare them.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_counted_by_what_they_share() {
        let result = |device: &str| ResultProvenance {
            kind: "train".to_owned(),
            device: device.to_owned(),
            ..ResultProvenance::default()
        };
        let results = vec![result("cpu"), result("cuda"), result("cpu")];
        let table = versions(&DescribeSweepResponse { results, ..Default::default() });

        let rows = table.grid(10).rows;

        let counted: Vec<_> = rows.iter().map(|row| (row[1].0.as_str(), row[3].0.as_str())).collect();
        assert_eq!(counted, [("2", "cpu"), ("1", "cuda")]);
        assert_eq!(hexadecimal(&[0, 255, 16]), "00ff10");
    }
}
