//! What recording a dataset costs: images per second with and without code lengths, the size of the artifact and peak memory; and
//! what the scores then say. A small flow learns one dataset and is evaluated against another; without arguments Fashion-MNIST
//! against MNIST, from `SPILLWAY_DATA_DIR`.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use datasets::{DataDirectory, Examples, Shape, Split, Values};
use domain::report::Metric;
use domain::spec::{Codec, Dataset, ExperimentSpec, parse_document};
use scoring::code_length::Images;
use training::{
    CheckpointFile, Device, EvaluateOutcome, EvaluateRequest, FitRequest, Recorder, SavedCheckpoint, SavedStatistics,
    StatisticsFile, evaluate, fit, set_threads,
};

/// What to measure and how.
#[derive(Debug, Parser)]
struct Arguments {
    /// Threads within an operation, and of the codecs.
    #[arg(long, default_value_t = 2)]
    threads: u16,
    /// The dataset that is learned.
    #[arg(long, default_value = "fashion-mnist")]
    learned: Dataset,
    /// The out-of-distribution dataset.
    #[arg(long, default_value = "mnist")]
    out: Dataset,
    /// Training steps.
    #[arg(long, default_value_t = 300)]
    steps: u32,
    /// Images of each split.
    #[arg(long, default_value_t = 10_000)]
    images: u32,
    /// Channels of the flow's networks.
    #[arg(long, default_value_t = 16)]
    width: u32,
    /// Where the datasets are.
    #[arg(long, env = "SPILLWAY_DATA_DIR", default_value = "data")]
    data: std::path::PathBuf,
    /// Where to compute: cpu, or cuda for the first device.
    #[arg(long, default_value = "cpu")]
    device: Device,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    arguments.device.require()?;
    set_threads(arguments.threads);
    let spec = document(arguments)?;
    let data = DataDirectory::at(&arguments.data);
    let folder = tempfile::tempdir()?;

    let started = Instant::now();
    let request = FitRequest {
        spec: &spec,
        seed: 1,
        device: arguments.device,
        data: &data,
        start: None,
        initial_weights: None,
        checkpoint_folder: folder.path().to_owned(),
        checkpoint_every: Duration::from_secs(3600),
    };
    let outcome = fit(&request, &mut Recorder::default())?;
    let checkpoint = outcome.checkpoint.ok_or("training left no checkpoint")?;
    println!("trained {} steps and recorded both splits in {:.1} s", outcome.steps, started.elapsed().as_secs_f64());

    let started = Instant::now();
    let evaluation = evaluate_against(arguments, &spec, &data, &checkpoint, &outcome.statistics, folder.path())?;
    let seconds = started.elapsed().as_secs_f64();
    let images = evaluation.statistics.reference.images;
    let codecs = code_lengths(arguments, &data)?;
    let flow = seconds - images as f64 / codecs;
    println!("{images} OOD images: {seconds:.1} s in all, {:.0} images/s", images as f64 / seconds);
    println!(
        "code lengths alone: {codecs:.0} images/s; the flow and the scores without them: about {:.0} images/s",
        images as f64 / flow.max(1e-9)
    );
    for saved in outcome.statistics.iter().chain([&evaluation.statistics]) {
        let SavedStatistics { reference, bytes, .. } = saved;
        let each = 10_000.0 * *bytes as f64 / reference.images as f64;
        println!("{} {}: {bytes} bytes, {each:.0} for 10,000 images", reference.dataset, reference.split);
    }
    println!("peak memory: {} MiB", peak_memory_mib());
    evaluation.problems.iter().for_each(|problem| println!("problem: {problem}"));
    for measurement in evaluation.measurements.iter().filter(|one| one.metric == Metric::Auroc) {
        let value = measurement.value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.4}"));
        println!("{:<20} AUROC {value}  (n {} / {})", measurement.score, measurement.n_in, measurement.n_out);
    }
    for metric in [Metric::BitsPerDimMean, Metric::BitsPerDimTrimmed] {
        for one in evaluation.measurements.iter().filter(|one| one.metric == metric) {
            println!(
                "{metric} {}: {:.3}",
                one.dataset.as_ref().ok_or("it is of a dataset")?,
                one.value.unwrap_or(f64::NAN)
            );
        }
    }
    Ok(())
}

fn document(arguments: &Arguments) -> Result<ExperimentSpec, domain::spec::Violations> {
    let document = serde_json::json!({
        "model": {"realnvp": {
            "mask": "checkerboard", "st_network": {"resnet": {"width": arguments.width, "blocks": 1}},
        }},
        "data": {"dataset": arguments.learned},
        "training": {
            "steps": arguments.steps, "batch_size": 32, "optimiser": {"adam": {"learning_rate": 1e-3}},
        },
        "evaluation": {"out": [arguments.out], "images": arguments.images},
    });
    let spec: ExperimentSpec = parse_document(&document, "")?;
    spec.validate("")?;
    Ok(spec)
}

fn evaluate_against(
    arguments: &Arguments,
    spec: &ExperimentSpec,
    data: &DataDirectory,
    checkpoint: &SavedCheckpoint,
    learned: &[SavedStatistics],
    folder: &Path,
) -> Result<Box<training::Evaluation>, Box<dyn std::error::Error>> {
    let file = |one: &SavedStatistics| StatisticsFile { path: one.path.clone(), digest: one.reference.digest };
    let learned: Vec<StatisticsFile> = learned.iter().map(file).collect();
    let request = EvaluateRequest {
        spec,
        seed: 1,
        checkpoint: CheckpointFile::from(&checkpoint.file),
        out: arguments.out.clone(),
        learned: &learned,
        device: arguments.device,
        data,
        batch_size: EvaluateRequest::DEFAULT_BATCH_SIZE,
        folder: folder.to_owned(),
    };
    match evaluate(&request, &mut Recorder::default())? {
        EvaluateOutcome::Finished(evaluation) => Ok(evaluation),
        EvaluateOutcome::Stopped => Err("nobody stops a benchmark".into()),
    }
}

/// Images per second under all codecs together, and prints the mean length under each.
fn code_lengths(arguments: &Arguments, data: &DataDirectory) -> Result<f64, Box<dyn std::error::Error>> {
    let scaling = datasets::scaling_of(data, &arguments.learned)?;
    let limit = Some(arguments.images as usize);
    let examples: Examples = datasets::load(data, &arguments.out, Split::Test, limit, &scaling)?;
    let (Shape::Image(shape), Values::Bytes(pixels)) = (examples.shape(), examples.values()) else {
        return Err("vectors have no code lengths: name a dataset of images".into());
    };
    let started = Instant::now();
    let lengths = Images::new(pixels, shape)?.code_lengths(arguments.threads.into())?;
    let rate = lengths.len() as f64 / started.elapsed().as_secs_f64();
    for (index, codec) in Codec::ALL.into_iter().enumerate() {
        let mean = lengths.iter().map(|lengths| lengths[index]).sum::<f64>() / lengths.len() as f64;
        println!("mean code length of {} under {codec}: {:.0} bytes", arguments.out, mean / 8.0);
    }
    Ok(rate)
}

/// The largest resident size of this process so far; 0 where the system does not tell.
fn peak_memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse::<u64>().ok());
    kibibytes.unwrap_or(0) / 1024
}
