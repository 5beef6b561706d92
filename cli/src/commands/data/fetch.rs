//! `data fetch`: downloads the publisher's files of datasets and verifies them.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, anyhow};
use clap::Args;
use datasets::{DataDirectory, Digest as Published, Download, Entry};
use download::{Algorithm, Digest, Progress, Request, fetch};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{lookup, verify};
use crate::failure::Failure;

pub const EXAMPLES: &str = "\
Examples:
  spillway data fetch kmnist
  spillway data fetch cifar10 svhn --data-dir /srv/images
  spillway data fetch mnist --dry-run                 only say what would be fetched, and from where

A download that is cut off goes on where it stopped, also in a later run: its bytes wait in FILE.part. A file gets its name only
when size and digest are the published ones. Files that lie there already are left alone. Where a publisher asks for a login or
a signature, the command says what to fetch by hand and where to put it. HTTPS_PROXY and NO_PROXY are respected.";

/// More bytes than any published file has.
const MAX_BYTES: u64 = 1 << 38;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Which datasets.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The datasets, by their names in the catalogue
    #[arg(required = true)]
    names: Vec<String>,
    /// Only say what would be fetched, from where and into which folder
    #[arg(long)]
    dry_run: bool,
}

/// Fetches dataset after dataset; what one lacks does not keep the others from being fetched.
pub fn run(directory: &DataDirectory, arguments: &Arguments) -> Result<(), Failure> {
    let entries = arguments.names.iter().map(|name| lookup(name)).collect::<Result<Vec<_>, _>>()?;
    let mut problems = Vec::new();
    for entry in &entries {
        say(&format!("{}: {}\n  licence: {}", entry.name, entry.title, entry.licence))?;
        for download in entry.downloads() {
            let outcome = one(directory, entry, download, arguments.dry_run);
            if let Err(problem) = outcome {
                say(&format!("  {}: not fetched", download.file_name))?;
                problems.push(format!("{problem:#}"));
            }
        }
    }
    if !problems.is_empty() {
        return Err(anyhow!("{} of the files were not fetched:\n{}", problems.len(), problems.join("\n")).into());
    }
    if arguments.dry_run { Ok(()) } else { verify::verify_all(directory, &entries) }
}

/// Fetches one file, unless it is there.
fn one(directory: &DataDirectory, entry: &Entry, download: &Download, is_dry: bool) -> anyhow::Result<()> {
    let folder = folder(directory, entry);
    let to = folder.join(download.file_name);
    if to.is_file() {
        say(&format!("  {}: is there", to.display()))?;
        return Ok(());
    }
    if let Some(needs) = download.needs {
        return Err(anyhow!("{} ({needs}): fetch it by hand and put it into {}", download.file_name, folder.display()));
    }
    if is_dry {
        say(&format!("  {} from {}", to.display(), download.urls.join(" or ")))?;
        return Ok(());
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let request = Request {
        urls: download.urls,
        to: &to,
        bytes: download.bytes,
        digest: download.digest.map(digest),
        max_bytes: MAX_BYTES,
        first_pause: FIRST_PAUSE,
    };
    let bar = bar(download.file_name);
    let fetched = fetch(&request, &mut |progress| show(&bar, progress));
    bar.finish_and_clear();
    let by_hand = || {
        let place = folder.display();
        format!(
            "{}: where there is no network, put the file from {} into {place}",
            download.file_name,
            download.urls.join(" or ")
        )
    };
    let fetched = fetched.with_context(by_hand)?;
    let resumed = match fetched.resumed_at {
        0 => String::new(),
        bytes => format!(", {bytes} of them by an earlier run"),
    };
    say(&format!("  {}: {} bytes{resumed}", to.display(), fetched.bytes))?;
    Ok(())
}

/// One line, at once.
fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

fn folder(directory: &DataDirectory, entry: &Entry) -> PathBuf {
    directory.root().join(entry.folder())
}

fn digest(of: Published) -> Digest<'static> {
    match of {
        Published::Md5(hex) => Digest { algorithm: Algorithm::Md5, hex },
        Published::Sha256(hex) => Digest { algorithm: Algorithm::Sha256, hex },
    }
}

fn bar(name: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = "  {msg} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(name.to_owned());
    bar
}

fn show(bar: &ProgressBar, progress: Progress) {
    if let Some(total) = progress.total {
        bar.set_length(total);
    }
    bar.set_position(progress.done);
}
