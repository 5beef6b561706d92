//! `figures`: fetches the pictures of what flows learned, checks them and writes them into folders.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use domain::{Digest, figure::FigureName};
use proto::v1::{FigureRow, ListFiguresRequest};
use tempfile::NamedTempFile;

use crate::{
    artifact,
    client::Client,
    failure::Failure,
    output::{self, Audience, Cell, Column, Format, Table},
};

const EXAMPLES: &str = "\
Examples:
  spillway figures demo                                     every figure of a sweep, into figures/demo/
  spillway figures 17 --out-dir /tmp                        those of experiment 17
  spillway figures demo --variant mask=cycle --seed 1
  spillway figures demo --list --format json                only list them

A sweep draws figures when its base says `[inspection]`. Each file's SHA-256 is checked before it gets its name.";

/// Longest part of a folder's name that a variant's label gives, in letters.
const LABEL_LETTERS: usize = 80;

/// Whose figures, and where they go.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A sweep's name or id, or an experiment's number
    source: String,
    /// Take the figures of this variant of the sweep only, named by its label
    #[arg(long)]
    variant: Option<String>,
    /// Take the figures of this seed only
    #[arg(long)]
    seed: Option<u64>,
    /// The folder for the files; each experiment gets a folder below it
    #[arg(long, value_name = "DIR", default_value = "figures")]
    out_dir: PathBuf,
    /// Only list the figures and fetch nothing
    #[arg(long, conflicts_with = "out_dir")]
    list: bool,
    /// How to write the table
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A figure, and its file if it was fetched.
struct Listed {
    row: FigureRow,
    digest: Digest,
    file: Option<PathBuf>,
}

/// Fetches the figures and prints a table of them.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let figures = find(arguments, client).await?;
    if figures.is_empty() && arguments.format == Format::Table {
        let source = &arguments.source;
        eprintln!(
            "`{source}` has no figures: a sweep draws them when its base says `[inspection]`, once its trainings are done"
        );
        return Ok(());
    }
    let mut listed = Vec::with_capacity(figures.len());
    for row in figures {
        let digest = Digest::try_from(row.digest.as_slice()).map_err(|error| Failure::Other(error.into()))?;
        let file = if arguments.list { None } else { Some(fetch(&row, digest, &arguments.out_dir, client).await?) };
        listed.push(Listed { row, digest, file });
    }
    let table = match arguments.format.audience() {
        Audience::People => for_people(&listed),
        Audience::Machines => for_machines(&listed),
    };
    output::print(&[table], arguments.format)?;
    Ok(())
}

/// Looks for a sweep of the name first: a sweep may be called `17`.
async fn find(arguments: &Arguments, client: &Client) -> Result<Vec<FigureRow>, Failure> {
    let Arguments { source, variant, seed, .. } = arguments;
    let of_sweep = ListFiguresRequest {
        sweep: source.clone(),
        variant: variant.clone().unwrap_or_default(),
        seed: *seed,
        ..ListFiguresRequest::default()
    };
    match (client.figures(of_sweep).await, source.parse::<i64>()) {
        (Err(Failure::NotFound(_)), Ok(experiment_id)) if experiment_id > 0 => {
            let mut figures = client.figures(ListFiguresRequest { experiment_id, ..Default::default() }).await?;
            figures.retain(|row| variant.as_ref().is_none_or(|label| *label == row.variant));
            figures.retain(|row| seed.is_none_or(|seed| seed == row.seed));
            Ok(figures)
        }
        (answer, _) => answer,
    }
}

/// Fetches one figure into its folder. The file gets its name only when its digest is right.
async fn fetch(row: &FigureRow, digest: Digest, out_dir: &Path, client: &Client) -> Result<PathBuf, Failure> {
    // The name becomes a path: what came over the wire is parsed like anything else.
    let name: FigureName = row.name.parse().map_err(|error| Failure::Other(anyhow::Error::new(error)))?;
    let folder = out_dir.join(folder_of(row));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = folder.join(name.as_str());

    let unwritable = || format!("cannot write {}", path.display());
    let file = NamedTempFile::new_in(&folder).with_context(unwritable)?;
    artifact::fetch(client, digest, file.path(), &format!("figure {name}")).await?;
    // A temporary file is its owner's alone; a picture is to be shown.
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644)).with_context(unwritable)?;
    file.persist(&path).with_context(unwritable)?;
    Ok(path)
}

/// `demo/17-mask-cycle-seed-1`: the experiment's number keeps apart what cut labels would not.
fn folder_of(row: &FigureRow) -> PathBuf {
    let plain = |text: &str| {
        let kept = |letter: char| if letter.is_ascii_alphanumeric() || "=._".contains(letter) { letter } else { '-' };
        let letters: String = text.chars().map(kept).take(LABEL_LETTERS).collect();
        letters.trim_matches(|end| end == '-' || end == '.').to_owned()
    };
    let (sweep, variant) = (plain(&row.sweep), plain(&row.variant));
    PathBuf::from(sweep).join(format!("{}-{variant}-seed-{}", row.experiment_id, row.seed))
}

fn for_people(listed: &[Listed]) -> Table {
    let columns = vec![
        Column::number("experiment_id", "experiment"),
        Column::text("variant", "variant"),
        Column::number("seed", "seed"),
        Column::text("name", "figure"),
        Column::text("size", "pixels"),
        Column::text("file", "file"),
    ];
    let mut table = Table::new("figures", columns);
    for Listed { row, file, .. } in listed {
        table.push(vec![
            row.experiment_id.into(),
            Cell::text(&row.variant),
            row.seed.into(),
            Cell::text(&row.name),
            Cell::text(format!("{}×{}", row.width, row.height)),
            shown(file.as_deref()),
        ]);
    }
    table
}

fn for_machines(listed: &[Listed]) -> Table {
    let columns = vec![
        Column::text("sweep", "sweep"),
        Column::number("experiment_id", "experiment"),
        Column::text("variant", "variant"),
        Column::number("seed", "seed"),
        Column::number("job_id", "job"),
        Column::text("name", "figure"),
        Column::text("caption", "caption"),
        Column::text("digest", "SHA-256"),
        Column::text("media_type", "media type"),
        Column::number("width", "width"),
        Column::number("height", "height"),
        Column::number("bytes", "bytes"),
        Column::text("device", "device"),
        Column::text("precision", "precision"),
        Column::number("noise_draws", "noise draws"),
        Column::number("threads", "threads"),
        Column::text("worker_version", "worker version"),
        Column::text("file", "file"),
    ];
    let mut table = Table::new("figures", columns);
    for Listed { row, digest, file } in listed {
        table.push(vec![
            Cell::text(&row.sweep),
            row.experiment_id.into(),
            Cell::text(&row.variant),
            row.seed.into(),
            row.job_id.into(),
            Cell::text(&row.name),
            Cell::text(&row.caption),
            Cell::text(digest.to_string()),
            Cell::text(&row.media_type),
            row.width.into(),
            row.height.into(),
            row.bytes.into(),
            Cell::text(&row.device),
            Cell::text(&row.precision),
            row.noise_draws.into(),
            row.threads.into(),
            Cell::text(&row.worker_version),
            shown(file.as_deref()),
        ]);
    }
    table
}

fn shown(file: Option<&Path>) -> Cell {
    file.map_or(Cell::Absent, |path| Cell::text(path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(sweep: &str, variant: &str) -> FigureRow {
        FigureRow {
            sweep: sweep.to_owned(),
            variant: variant.to_owned(),
            seed: 1,
            experiment_id: 17,
            ..FigureRow::default()
        }
    }

    #[test]
    fn folders_are_named_by_experiment_variant_and_seed() {
        assert_eq!(folder_of(&row("demo", "mask=cycle")), Path::new("demo/17-mask=cycle-seed-1"));
        let listed = folder_of(&row("demo", "mask=\"a/b\", width=16"));
        assert_eq!(listed, Path::new("demo/17-mask=-a-b---width=16-seed-1"));
    }

    #[test]
    fn labels_lead_to_no_other_folder() {
        for label in ["../../etc", "a/../../b", "..", "\0", "ü".repeat(500).as_str()] {
            let folder = folder_of(&row("..", label));

            let names: Vec<_> = folder.components().map(|part| part.as_os_str().to_owned()).collect();
            assert!(names.len() <= 2 && names.iter().all(|name| name != ".."), "{folder:?}");
        }
    }
}
