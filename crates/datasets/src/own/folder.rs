//! A folder of pictures: which of its files are which split and class, and in which order they are read.

use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::OwnError;
use super::gathering::Gathering;
use super::picture::{self, PictureError};
use super::place::metadata;
use crate::error::LoadError;
use crate::examples::{Shape, Split};

/// Most files of a split.
const MAX_FILES: usize = 1 << 22;
/// Largest file of a picture, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 26;
/// Most of the other files that are named.
const MAX_NAMED: usize = 5;

/// Endings of pictures that are read.
const PICTURES: [&str; 3] = ["png", "jpg", "jpeg"];
/// Endings of pictures that are not read: leaving them out without a word would make another dataset.
const FOREIGN: [&str; 13] =
    ["bmp", "gif", "webp", "tif", "tiff", "avif", "heic", "heif", "jp2", "jxl", "pgm", "ppm", "tga"];

/// The pictures of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pictures {
    /// The folder of the split.
    pub folder: PathBuf,
    /// In the order in which they are read.
    pub files: Vec<PictureFile>,
    /// Names of the class folders, by label; empty without class folders.
    pub classes: Vec<String>,
    /// Files that are no pictures.
    pub others: Others,
}

/// A file and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureFile {
    /// Where it lies.
    pub path: PathBuf,
    /// The place of its class folder among all of them.
    pub label: Option<u32>,
}

/// Files that are left out since they are no pictures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Others {
    /// How many there are.
    pub count: usize,
    /// The first ones' names.
    pub names: Vec<String>,
}

/// What lies in one folder.
#[derive(Debug, Default)]
struct Listing {
    pictures: Vec<OsString>,
    folders: Vec<OsString>,
    others: Others,
}

/// Lists the pictures of a split; none if the folder has no such split. Subfolders `train` and `test` are the splits; without
/// them all pictures are the test split, since what a model has learned cannot judge it.
pub fn list(root: &Path, split: Split) -> Result<Option<Pictures>, LoadError> {
    let of = |split: Split| -> Result<Option<PathBuf>, LoadError> {
        let folder = root.join(split.as_str());
        Ok(metadata(&folder)?.is_some_and(|found| found.is_dir()).then_some(folder))
    };
    let splits = [of(Split::Train)?, of(Split::Test)?];
    if splits.iter().all(Option::is_none) {
        return match split {
            Split::Train => Ok(None),
            Split::Test => of_split(root.to_owned(), class_names(&[root.to_owned()])?).map(Some),
        };
    }
    let top = Listing::read(root)?;
    let is_split = |name: &OsString| [Split::Train, Split::Test].iter().any(|split| name == split.as_str());
    let stray = top.pictures.first().or_else(|| top.folders.iter().find(|name| !is_split(name)));
    if let Some(stray) = stray {
        let problem = format!("{} lies beside the folders of the splits; put it into train or test", stray.display());
        return Err(OwnError::unusable(root, problem).into());
    }
    let folders: Vec<PathBuf> = splits.iter().flatten().cloned().collect();
    let [train, test] = splits;
    let folder = match split {
        Split::Train => train,
        Split::Test => test,
    };
    // A class has the same label in both splits, also when one of them lacks it.
    folder.map(|folder| of_split(folder, class_names(&folders)?)).transpose()
}

/// Reads pictures, decoding those that are wanted.
pub fn read(pictures: &Pictures, gathering: &mut Gathering<'_>) -> Result<(), LoadError> {
    if pictures.files.is_empty() {
        let folder = pictures.folder.clone();
        return Err(OwnError::unusable(folder, "it holds no PNG or JPEG picture").into());
    }
    let Shape::Image(shape) = gathering.shape() else {
        let problem = "a folder of pictures has a shape of channels, height and width, such as @3x32x32";
        return Err(OwnError::unusable(&pictures.folder, problem).into());
    };
    gathering.expect(pictures.files.len())?;
    let mut bytes = Vec::new();
    for PictureFile { path, label } in &pictures.files {
        if gathering.is_full() {
            break;
        }
        if !gathering.wants(*label)? {
            continue;
        }
        read_file(path, &mut bytes)?;
        let pixels = picture::decode(&bytes, shape).map_err(|problem| match problem {
            PictureError::Shape(found) => {
                OwnError::PictureShape { path: path.clone(), found: Shape::Image(found), expected: Shape::Image(shape) }
            }
            PictureError::Unusable(problem) => OwnError::unusable(path, problem),
        })?;
        gathering.add_image(*label, &pixels)?;
    }
    Ok(())
}

fn read_file(path: &Path, bytes: &mut Vec<u8>) -> Result<(), LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    bytes.clear();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(OwnError::unusable(path, format!("it is larger than {MAX_FILE_BYTES} bytes")).into());
    }
    Ok(())
}

/// The names of all class folders of some splits, in bytewise order.
fn class_names(splits: &[PathBuf]) -> Result<Vec<OsString>, LoadError> {
    let mut names = Vec::new();
    for split in splits {
        names.extend(Listing::read(split)?.folders);
    }
    names.sort();
    names.dedup();
    Ok(names)
}

fn of_split(folder: PathBuf, classes: Vec<OsString>) -> Result<Pictures, LoadError> {
    let top = Listing::read(&folder)?;
    let mut others = top.others;
    if classes.is_empty() {
        let file = |name: OsString| PictureFile { path: folder.join(name), label: None };
        let files = top.pictures.into_iter().map(file).collect();
        return Ok(Pictures { folder, files, classes: Vec::new(), others });
    }
    if let Some(stray) = top.pictures.first() {
        let problem = format!("{} lies beside folders, which are classes; put it into one of them", stray.display());
        return Err(OwnError::unusable(folder, problem).into());
    }
    let mut of_classes = Vec::new();
    for (label, class) in classes.iter().enumerate() {
        let of_class = folder.join(class);
        if metadata(&of_class)?.is_none() {
            continue;
        }
        let listing = Listing::read(&of_class)?;
        if let Some(deeper) = listing.folders.first() {
            let problem = format!("it is the folder of a class, and holds a folder ({})", deeper.display());
            return Err(OwnError::unusable(of_class, problem).into());
        }
        others.add(listing.others);
        let file = |name: OsString| PictureFile { path: of_class.join(name), label: Some(label as u32) };
        of_classes.push(listing.pictures.into_iter().map(file).collect::<Vec<_>>());
    }
    let classes = classes.iter().map(|name| name.display().to_string()).collect();
    Ok(Pictures { folder, files: interleaved(of_classes), classes, others })
}

/// Merges classes so that every beginning of the list has about the shares of the whole: a limit or a validation part shall not
/// be one class.
fn interleaved(classes: Vec<Vec<PictureFile>>) -> Vec<PictureFile> {
    let mut placed = Vec::new();
    for files in classes {
        let count = files.len() as u64;
        placed.extend(files.into_iter().enumerate().map(|(rank, file)| (2 * rank as u64 + 1, count, file)));
    }
    // Ascending in (rank + ½) / count. The sort is stable: classes come in their order.
    let by_place = |&(a, of, _): &(u64, u64, PictureFile), &(b, of_other, _): &(u64, u64, PictureFile)| -> Ordering {
        (a * of_other).cmp(&(b * of))
    };
    placed.sort_by(by_place);
    placed.into_iter().map(|(_, _, file)| file).collect()
}

impl Listing {
    /// Reads the names in a folder, sorted bytewise. Hidden files are passed over.
    fn read(folder: &Path) -> Result<Self, LoadError> {
        let unreadable = |source| LoadError::Unreadable { path: folder.to_owned(), source };
        let mut listing = Self::default();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if listing.pictures.len() + listing.folders.len() + listing.others.count >= MAX_FILES {
                return Err(OwnError::unusable(folder, format!("it holds more than {MAX_FILES} files")).into());
            }
            listing.add(folder, name)?;
        }
        listing.pictures.sort();
        listing.folders.sort();
        listing.others.names.sort();
        Ok(listing)
    }

    fn add(&mut self, folder: &Path, name: OsString) -> Result<(), LoadError> {
        let path = folder.join(&name);
        let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
        // A folder is one whatever its name; the system is asked only where the name does not tell.
        if PICTURES.contains(&ending.as_str()) {
            self.pictures.push(name);
        } else if metadata(&path)?.is_some_and(|found| found.is_dir()) {
            self.folders.push(name);
        } else if FOREIGN.contains(&ending.as_str()) {
            return Err(OwnError::unusable(path, "it is a picture of another format; convert it to PNG").into());
        } else {
            self.others.add(Others { count: 1, names: vec![name.display().to_string()] });
        }
        Ok(())
    }
}

impl Others {
    fn add(&mut self, more: Self) {
        self.count += more.count;
        let room = MAX_NAMED.saturating_sub(self.names.len());
        self.names.extend(more.names.into_iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_has_about_the_shares_of_the_classes() {
        let class = |label: u32, count: usize| -> Vec<PictureFile> {
            (0..count).map(|rank| PictureFile { path: format!("{rank}").into(), label: Some(label) }).collect()
        };

        let labels = |classes| -> Vec<u32> { interleaved(classes).iter().filter_map(|file| file.label).collect() };

        assert_eq!(labels(vec![class(0, 2), class(1, 4)]), [1, 0, 1, 1, 0, 1]);
        assert_eq!(labels(vec![class(0, 3), class(1, 3)]), [0, 1, 0, 1, 0, 1]);
        let many = labels(vec![class(0, 900), class(1, 100)]);
        let first: usize = many[..500].iter().filter(|&&label| label == 1).count();
        assert!(first.abs_diff(50) <= 1, "{first}");
    }
}
