//! `data describe`: a dataset in numbers, as a flow would see it.

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use datasets::{Catalogue, DataDirectory, Examples, OwnContents, Split, Summary, load, own_contents, scaling_of};
use domain::spec::{Dataset, DatasetSource};

use super::parse;
use crate::{
    failure::Failure,
    output::{self, Cell, Column, Format, Table},
};

pub const EXAMPLES: &str = "\
Examples:
  spillway data describe fashion-mnist
  spillway data describe 'svhn|gray|resize=28x28:bilinear' --split test
  spillway data describe own:cats@3x32x32 --format json

The name is the one that sweep files take: a dataset of the catalogue or a user's own files, then steps. Values of images are
levels 0 to 255; a table's features are scaled as in an experiment that learns it.";

/// Digits after the point of means and deviations.
const DECIMALS: usize = 3;

/// Which dataset, and what of it.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The dataset, with its steps if it has any
    dataset: String,
    /// Only this split
    #[arg(long, value_enum)]
    split: Option<SplitName>,
    /// How to write the tables
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A split as it is named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SplitName {
    /// The examples to learn from
    Train,
    /// The examples to evaluate on
    Test,
}

impl From<SplitName> for Split {
    fn from(name: SplitName) -> Self {
        match name {
            SplitName::Train => Self::Train,
            SplitName::Test => Self::Test,
        }
    }
}

/// Reads and describes.
pub fn run(directory: &DataDirectory, arguments: &Arguments) -> Result<(), Failure> {
    let dataset = parse(&arguments.dataset)?;
    let own = match dataset.source() {
        DatasetSource::Own(files) => Some(own_contents(directory, files).context("cannot read your own files")?),
        DatasetSource::Named(_) => None,
    };
    let splits = match (arguments.split, &own) {
        (Some(split), _) => vec![split.into()],
        (None, Some(own)) => own.parts.iter().map(|part| part.split).collect(),
        (None, None) => splits_of(&dataset),
    };
    let mut found = Vec::new();
    for split in splits {
        found.push((split, Summary::of(&read(directory, &dataset, split)?)));
    }
    let mut tables = vec![identity(&dataset)];
    tables.extend(own.as_ref().map(files));
    tables.push(numbers(&found));
    if found.iter().any(|(_, summary)| !summary.labels.is_empty()) {
        tables.push(labels(&found));
    }
    output::print(&tables, arguments.format)?;
    Ok(())
}

/// The examples of a split; one without any is no dataset.
pub fn read(directory: &DataDirectory, dataset: &Dataset, split: Split) -> Result<Examples, Failure> {
    if dataset.embedding().is_some() {
        let before = dataset.before_embedding();
        let message = format!("a feature extractor is run by workers only: describe `{before}`, its input");
        return Err(anyhow!(message).into());
    }
    let examples = scaling_of(directory, dataset)
        .and_then(|scaling| load(directory, dataset, split, None, &scaling))
        .with_context(|| format!("cannot read the {split} split of `{dataset}`"))?;
    if examples.is_empty() {
        return Err(anyhow!("the {split} split of `{dataset}` has no examples").into());
    }
    Ok(examples)
}

fn splits_of(dataset: &Dataset) -> Vec<Split> {
    let both = [Split::Train, Split::Test];
    both.into_iter().filter(|&split| split == Split::Test || dataset.has_train_split()).collect()
}

fn identity(dataset: &Dataset) -> Table {
    let entry = dataset.name().and_then(|name| Catalogue::lookup(name.as_str()).ok());
    let columns = vec![
        Column::text("dataset", "dataset"),
        Column::text("shape", "shape"),
        Column::text("resampling", "resampling"),
        Column::text("licence", "licence"),
        Column::text("title", "title"),
    ];
    let mut table = Table::new("dataset", columns);
    table.push(vec![
        Cell::text(dataset.to_string()),
        Cell::text(dataset.shape().to_string()),
        Cell::text(dataset.resampling()),
        Cell::text(entry.map_or("your own", |entry| entry.licence)),
        Cell::text(entry.map_or("your own files", |entry| entry.title)),
    ]);
    table
}

/// A user's own files, split by split.
fn files(own: &OwnContents) -> Table {
    let columns = vec![
        Column::text("split", "split"),
        Column::number("files", "files"),
        Column::number("bytes", "bytes"),
        Column::text("classes", "classes by label"),
        Column::text("left_out", "left out"),
    ];
    let mut table = Table::new("files", columns);
    for part in &own.parts {
        let left_out = match part.others {
            0 => String::new(),
            others => format!("{others}: {}", part.first_others.join(", ")),
        };
        table.push(vec![
            Cell::text(part.split.to_string()),
            (part.files as u64).into(),
            part.bytes.into(),
            Cell::text(part.classes.join(", ")),
            Cell::text(left_out),
        ]);
    }
    table.note(format!("SHA-256 over names and bytes of all files that are read: {}", own.sha256));
    table
}

fn numbers(found: &[(Split, Summary)]) -> Table {
    let columns = vec![
        Column::text("split", "split"),
        Column::number("examples", "examples"),
        Column::text("shape", "shape"),
        Column::text("channel", "channel"),
        Column::number("mean", "mean"),
        Column::number("deviation", "deviation"),
        Column::number("smallest", "smallest"),
        Column::number("largest", "largest"),
    ];
    let mut table = Table::new("values", columns);
    for (split, summary) in found {
        for (place, channel) in summary.channels.iter().enumerate() {
            let name = match summary.shape {
                datasets::Shape::Image(_) => place.to_string(),
                datasets::Shape::Vector(_) => "all features".to_owned(),
            };
            table.push(vec![
                Cell::text(split.to_string()),
                (summary.examples as u64).into(),
                Cell::text(summary.shape.to_string()),
                Cell::text(name),
                Cell::real(channel.mean, DECIMALS),
                Cell::real(channel.deviation, DECIMALS),
                Cell::real(channel.smallest, DECIMALS),
                Cell::real(channel.largest, DECIMALS),
            ]);
        }
    }
    table
}

fn labels(found: &[(Split, Summary)]) -> Table {
    let columns = vec![
        Column::text("split", "split"),
        Column::number("label", "label"),
        Column::number("examples", "examples"),
        Column::number("share", "share, %"),
    ];
    let mut table = Table::new("labels", columns);
    for (split, summary) in found {
        for (&label, &examples) in &summary.labels {
            let share = 100.0 * examples as f64 / summary.examples as f64;
            table.push(vec![
                Cell::text(split.to_string()),
                u64::from(label).into(),
                (examples as u64).into(),
                Cell::real(share, 2),
            ]);
        }
    }
    table
}
