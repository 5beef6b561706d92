//! Batches of byte datasets keep their bits from version to version, so that old checkpoints resume exactly.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

use std::sync::Arc;

use datasets::{
    Catalogue, DataDirectory, EvaluationBatches, EvaluationPlan, Examples, Scaling, Split, TrainingBatches,
    TrainingPlan, load_entry,
};
use sha2::{Digest, Sha256};

fn note(hasher: &mut Sha256, numbers: &[u64], tensors: [&[f32]; 2]) {
    numbers.iter().for_each(|number| hasher.update(number.to_le_bytes()));
    tensors.iter().flat_map(|values| *values).for_each(|value| hasher.update(value.to_le_bytes()));
}

fn examples(dataset: &str, split: Split) -> Arc<Examples> {
    let entry = Catalogue::lookup(dataset).unwrap();
    Arc::new(load_entry(&DataDirectory::at("nowhere"), entry, split, Some(50), &Scaling::none()).unwrap())
}

fn training_digest(dataset: &str) -> String {
    let plan = TrainingPlan::new(examples(dataset, Split::Train), 16, 7).unwrap();
    let mut hasher = Sha256::new();
    for batch in TrainingBatches::new(plan, 0..10) {
        note(&mut hasher, &[batch.step, batch.epoch, batch.len as u64], [&batch.values, batch.noise.as_ref().unwrap()]);
    }
    hex::encode(hasher.finalize())
}

fn evaluation_digest(dataset: &str) -> String {
    let plan = EvaluationPlan::new(examples(dataset, Split::Test), 16, 7, dataset, Split::Test, 1).unwrap();
    let mut hasher = Sha256::new();
    for batch in EvaluationBatches::new(plan) {
        note(&mut hasher, &[batch.first as u64, batch.len as u64], [&batch.values, batch.noise.as_ref().unwrap()]);
    }
    hex::encode(hasher.finalize())
}

#[test]
fn batches_of_bytes_keep_their_bits() {
    let pinned = [
        (
            "synthetic-shapes",
            "3d8ab155f0e14b0febed9988b004f1b946d5c9d5006c47d5c51fc0954fe6b623",
            "34fb0f3ebd4026c196e5d155ea7506faa16f0b99ccc0bbbdcbfd3a6be787e03c",
        ),
        (
            "synthetic-strokes",
            "6db7c23d2c60aba9f8246a36b05a0e02446890b95f2e89563c0a901727d03171",
            "0a8880e1cce344aa7d416574980cdcd196669a6e37a7985fd27c20867d874469",
        ),
        (
            "uniform-noise",
            "603153f6be7d5eafb475eecb951c3eb2bade6b86657a78a124b48b72c3c11a81",
            "62457152a36601b55f5b5f673189b62cbb7dc8abadde181c94d14c22c95e4e43",
        ),
        (
            "constant",
            "a375cf5d4d1748223681674912b9516f3c2983acefbefefaa2f7487f4b529cf8",
            "c2d23887b6c254da651fb5956d6baaf66e3c5640c0b0847ea36fa32a24e91172",
        ),
    ];

    for (dataset, training, evaluation) in pinned {
        assert_eq!(training_digest(dataset), training, "{dataset}");
        assert_eq!(evaluation_digest(dataset), evaluation, "{dataset}");
    }
}
