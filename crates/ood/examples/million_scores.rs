//! How long the metrics of a million scores take, beside the plainest way to an AUROC: sorting labelled pairs and summing
//! midranks.
//!
//! `million_scores [COUNT] [--write FOLDER]`: half of COUNT scores (a million) on either side, drawn from a fixed seed.
//! With `--write` the scores are left in the folder as `inside.f64` and `outside.f64` (little-endian), for
//! `crates/ood/tests/sklearn_cases.py --time FOLDER`.

#![allow(clippy::print_stdout, reason = "this is a program; its output is its purpose")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ood::{Scores, auroc, bootstrap_auroc, delong_test, separation};

const COUNT: usize = 1_000_000;
const REPETITIONS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut count = COUNT;
    let mut folder: Option<PathBuf> = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--write" => folder = Some(arguments.next().ok_or("--write needs a folder")?.into()),
            number => count = number.parse().map_err(|_| format!("`{number}` is no number of scores"))?,
        }
    }
    let (inside, outside) = (bells(1, count / 2, 0.0), bells(2, count - count / 2, 0.5));
    if let Some(folder) = folder {
        write(&folder.join("inside.f64"), &inside)?;
        write(&folder.join("outside.f64"), &outside)?;
    }

    let naive = fastest(|| black_box(by_midranks(&inside, &outside)));
    println!("{count} scores, fastest of {REPETITIONS}; value: {:.15}", auroc(&inside, &outside)?.value);
    let report =
        |name: &str, seconds: f64| println!("{name:<52} {seconds:8.4} s  ×{:.2} of the baseline", seconds / naive);
    report("baseline: sorted pairs, midranks, AUROC alone", naive);
    report("auroc: with DeLong's interval", fastest(|| black_box(auroc(&inside, &outside))));
    report("separation: nine metrics", fastest(|| black_box(separation(&inside, &outside))));
    let first = Scores { inside: &inside, outside: &outside };
    let second = Scores { inside: &bells(3, inside.len(), 0.0), outside: &bells(4, outside.len(), 0.6) };
    report("delong_test: two scores of each example", fastest(|| black_box(delong_test(first, second))));
    let start = Instant::now();
    let interval = bootstrap_auroc(&inside, &outside, 10, 0)?;
    report("bootstrap_auroc: ten resamples, once", start.elapsed().as_secs_f64());
    assert!(interval.low < interval.high, "resamples differ");
    Ok(())
}

/// The seconds of the fastest repetition.
fn fastest<T>(mut run: impl FnMut() -> T) -> f64 {
    let mut seconds = |_| {
        let start = Instant::now();
        let result = run();
        let elapsed = start.elapsed().as_secs_f64();
        drop(result);
        elapsed
    };
    (0..REPETITIONS).map(&mut seconds).fold(f64::INFINITY, f64::min)
}

/// The textbook's way: one list of labelled scores, sorted; ranks averaged over ties; Mann & Whitney's U.
fn by_midranks(inside: &[f64], outside: &[f64]) -> f64 {
    let mut labelled: Vec<(f64, bool)> = inside.iter().map(|&score| (score, false)).collect();
    labelled.extend(outside.iter().map(|&score| (score, true)));
    labelled.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let (mut before, mut rank_sum) = (0, 0.0);
    for tied in labelled.chunk_by(|(a, _), (b, _)| a == b) {
        let midrank = before as f64 + (tied.len() + 1) as f64 / 2.0;
        rank_sum += midrank * tied.iter().filter(|(_, outside)| *outside).count() as f64;
        before += tied.len();
    }
    let n = outside.len() as f64;
    (rank_sum - n * (n + 1.0) / 2.0) / (n * inside.len() as f64)
}

/// Sums of four uniform values around `centre`, from SplitMix64.
fn bells(seed: u64, count: usize, centre: f64) -> Vec<f64> {
    let mut state = seed << 32;
    let mut unit = move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..count).map(|_| centre + unit() + unit() + unit() + unit()).collect()
}

fn write(path: &Path, scores: &[f64]) -> std::io::Result<()> {
    std::fs::write(path, scores.iter().flat_map(|score| score.to_le_bytes()).collect::<Vec<_>>())
}
