//! Publishers' files of pictures, read as they are: in their archives, or in the folders that those extract to.
//!
//! Every reader decodes one picture at a time into the buffer that keeps it, trusts no size that a file states, and passes
//! over no file in silence.

mod celeba;
mod cifar;
mod container;
mod emnist;
mod error;
mod gather;
mod imagenet;
mod layouts;
mod mat5;
mod picture;
mod recipe;
mod svhn;

use std::path::{Path, PathBuf};

pub use error::PublishedError;

use container::Container;
use layouts::Chosen;
use recipe::{Fit, Recipe};

use crate::catalogue::{
    self, CelebaPreset, Entry, Format, PictureLayout, WantedFile, celeba_partition, imagenet_archives, imagenet_batches,
};
use crate::error::LoadError;
use crate::examples::{Examples, Shape, Split, Values};
use crate::location::DataDirectory;
use crate::transform::Pipeline;

/// What a reader gives.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Loaded {
    /// `[n, c, h, w]`.
    pixels: Vec<u8>,
    labels: Option<Vec<u32>>,
    /// Files that are known to be damaged.
    left_out: Vec<String>,
    /// Whether the steps of the dataset's name were applied.
    is_stepped: bool,
}

/// Faces of CelebA, height and width.
const CELEBA_SIZE: [usize; 2] = [218, 178];

/// Reads the first `limit` pictures of a split from the publisher's files, or all. Says whether `steps` were applied to them:
/// where pictures are decoded one by one, they are, since the pictures before them may not fit the memory.
pub fn load(
    directory: &DataDirectory,
    entry: &Entry,
    format: Format,
    split: Split,
    limit: Option<usize>,
    steps: Option<&Pipeline>,
) -> Result<(Examples, bool), LoadError> {
    let known = entry.size(split).known().unwrap_or_default();
    let count = limit.map_or(known, |limit| limit.min(known));
    let loaded = match format {
        Format::Emnist(part) => {
            let names = catalogue::emnist(part, split, "images-idx3");
            let file = WantedFile { names, ..of_split(entry, split) };
            let path = directory.find(entry, &file)?;
            emnist::read(&path, part, split, known, count).map_err(|problem| at(&path, problem))?
        }
        Format::Cifar(version) => {
            let path = directory.find(entry, &catalogue::archive(format, split))?;
            let container = Container::open(&path).map_err(|problem| at(&path, problem))?;
            let read = cifar::read(&container, version, split, known, count, entry.dimensions());
            read.map_err(|problem| at(&path, problem))?
        }
        Format::Svhn => {
            let path = directory.find(entry, &catalogue::archive(format, split))?;
            let [_, side, _] = entry.shape.as_image();
            svhn::read(&path, known, count, side).map_err(|problem| at(&path, problem))?
        }
        Format::Celeba(preset) => celeba(directory, entry, preset, split, [known, count], steps)?,
        Format::DownsampledImagenet => imagenet(directory, entry, split, [known, count])?,
        Format::Pictures { layout, .. } => {
            let path = directory.find(entry, &catalogue::archive(format, split))?;
            let read = || {
                let container = Container::open(&path)?;
                let chosen = layouts::choose(&container, layout, split)?;
                PublishedError::check_count("pictures", chosen.members.len(), known)?;
                pictures(&container, chosen, count, picture_recipe(entry, layout), steps)
            };
            read().map_err(|problem| at(&path, problem))?
        }
    };
    let Loaded { pixels, labels, left_out, is_stepped } = loaded;
    let shape = steps.filter(|_| is_stepped).map_or(entry.shape, |steps| Shape::Image(steps.shape()));
    let examples = Examples::new(shape, Values::Bytes(pixels)).expect("readers give whole pictures");
    let examples = match labels {
        Some(labels) => examples.with_labels(labels).expect("readers give a label for each picture"),
        None => examples,
    };
    Ok((examples.with_left_out(left_out), is_stepped))
}

/// Reads every picture of a split and says how many there are and what was left out, without keeping large ones.
pub fn count(
    directory: &DataDirectory,
    entry: &Entry,
    format: Format,
    split: Split,
) -> Result<(usize, Vec<String>), LoadError> {
    let known = entry.size(split).known().unwrap_or_default();
    if format == Format::DownsampledImagenet {
        imagenet(directory, entry, split, [known, 0])?;
        return Ok((known, Vec::new()));
    }
    // Whole faces would take 19 GB; the same files are read whatever becomes of them.
    let small = Entry { shape: Shape::Image([3, 32, 32]), ..*entry };
    let (entry, format) = match format {
        Format::Celeba(CelebaPreset::Aligned) => (&small, Format::Celeba(CelebaPreset::ShorterSide)),
        other => (entry, other),
    };
    let (examples, _) = load(directory, entry, format, split, None, None)?;
    Ok((examples.len(), examples.left_out().to_vec()))
}

/// The first file of a split.
fn of_split(entry: &Entry, split: Split) -> WantedFile {
    let mut files = entry.wanted().into_iter();
    files.find(|file| file.split == Some(split)).expect("the split is there, as was checked")
}

/// Says in which file something is wrong.
fn at(path: &Path, problem: PublishedError) -> LoadError {
    let path = path.to_owned();
    match problem {
        PublishedError::Io(source) => LoadError::Unreadable { path, source },
        source => LoadError::Published { path, source },
    }
}

fn celeba(
    directory: &DataDirectory,
    entry: &Entry,
    preset: CelebaPreset,
    split: Split,
    [known, count]: [usize; 2],
    steps: Option<&Pipeline>,
) -> Result<Loaded, LoadError> {
    let path = directory.find(entry, &catalogue::archive(Format::Celeba(preset), split))?;
    let list = directory.find(entry, &celeba_partition())?;
    let names = celeba::partition(&list, split).map_err(|problem| at(&list, problem))?;
    PublishedError::check_count("pictures of this split", names.len(), known).map_err(|problem| at(&list, problem))?;
    let fit = match preset {
        CelebaPreset::ShorterSide => Fit::ShorterSide,
        CelebaPreset::Centre(side) => Fit::CentreThenResize(side),
        CelebaPreset::Aligned => Fit::Exact,
    };
    let recipe = Recipe { shape: entry.shape.as_image(), published_size: Some(CELEBA_SIZE), fit, inverts: false };
    let read = || {
        let container = Container::open(&path)?;
        pictures(&container, celeba::choose(&container, &names)?, count, recipe, steps)
    };
    read().map_err(|problem| at(&path, problem))
}

fn imagenet(
    directory: &DataDirectory,
    entry: &Entry,
    split: Split,
    [known, count]: [usize; 2],
) -> Result<Loaded, LoadError> {
    let folders: Vec<PathBuf> = directory.folders(entry);
    let archives = imagenet_archives(entry, split);
    let mut batches = Vec::new();
    for file in imagenet_batches(split) {
        let found = imagenet::find(&folders, archives, &file).map_err(|(path, problem)| at(&path, problem))?;
        let names = [vec![file], archives.iter().map(|&archive| archive.to_owned()).collect()].concat();
        let missing = || directory.missing(entry, &WantedFile { names, ..of_split(entry, split) });
        batches.push(found.ok_or_else(missing)?);
    }
    imagenet::read(&batches, known, count, entry.dimensions()).map_err(|(path, problem)| at(&path, problem))
}

fn picture_recipe(entry: &Entry, layout: PictureLayout) -> Recipe {
    let (fit, inverts) = match layout {
        PictureLayout::Notmnist | PictureLayout::TinyImagenet => (Fit::Exact, false),
        PictureLayout::Omniglot => (Fit::Exact, true),
        PictureLayout::Textures => (Fit::ShorterSide, false),
        PictureLayout::Unlabelled => (Fit::Centre, false),
    };
    Recipe { shape: entry.shape.as_image(), published_size: None, fit, inverts }
}

/// Decodes the first `count` of the chosen pictures.
fn pictures(
    container: &Container,
    chosen: Chosen,
    count: usize,
    recipe: Recipe,
    steps: Option<&Pipeline>,
) -> Result<Loaded, PublishedError> {
    let Chosen { mut members, labels, left_out } = chosen;
    members.truncate(count);
    let labels = labels.map(|mut labels| {
        labels.truncate(count);
        labels
    });
    let pixels = gather::gather(container, &members, recipe, steps)?;
    Ok(Loaded { pixels, labels, left_out, is_stepped: steps.is_some() })
}
