//! Where dataset files lie: the data directory, and the folders of well-known packages.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::catalogue::{DataFile, Entry, Source};

/// The environment variable that names the data directory.
pub const DATA_DIRECTORY_VARIABLE: &str = "SPILLWAY_DATA_DIR";

const DEFAULT_DIRECTORY: &str = "data";

/// A file of a dataset that lies in none of the places looked at.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "dataset {dataset} lacks its file {file}: looked in {}; put {file} or {file}.gz from {publisher} into {}, \
     or set {DATA_DIRECTORY_VARIABLE} to the folder that holds {dataset}/",
    places(.looked_in), .put_into.display()
)]
pub struct MissingFile {
    /// The dataset's name.
    pub dataset: &'static str,
    /// The publisher's name of the file, without `.gz`.
    pub file: &'static str,
    /// Where the publisher offers it.
    pub publisher: &'static str,
    /// The folders looked at, in order.
    pub looked_in: Vec<PathBuf>,
    /// The folder to put the file into.
    pub put_into: PathBuf,
}

fn places(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The folder that holds one folder per dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDirectory {
    root: PathBuf,
}

impl DataDirectory {
    /// Uses the given folder.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Reads `SPILLWAY_DATA_DIR`; `data` in the working directory when it is unset or empty.
    #[must_use]
    pub fn from_environment() -> Self {
        let stated = std::env::var_os(DATA_DIRECTORY_VARIABLE).filter(|value| !value.is_empty());
        Self::at(stated.map_or_else(|| PathBuf::from(DEFAULT_DIRECTORY), PathBuf::from))
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folders that may hold a dataset's files, in the order in which they are looked at.
    #[must_use]
    pub fn folders(&self, entry: &Entry) -> Vec<PathBuf> {
        let own = self.root.join(entry.name);
        match entry.source {
            Source::Idx { known_places, .. } => {
                std::iter::once(own).chain(known_places.iter().map(PathBuf::from)).collect()
            }
            Source::Procedural(_) => Vec::new(),
        }
    }

    /// Finds a file of a dataset, plain or with `.gz`, in the first folder that has it.
    ///
    /// # Errors
    /// [`MissingFile`] with the places looked at and the remedy.
    pub fn find(&self, entry: &Entry, file: &DataFile) -> Result<PathBuf, MissingFile> {
        let looked_in = self.folders(entry);
        let found = looked_in
            .iter()
            .flat_map(|folder| [folder.join(file.name), folder.join(format!("{}.gz", file.name))])
            .find(|path| path.is_file());
        found.ok_or_else(|| MissingFile {
            dataset: entry.name,
            file: file.name,
            publisher: match entry.source {
                Source::Idx { publisher, .. } => publisher,
                Source::Procedural(_) => "nowhere",
            },
            looked_in,
            put_into: self.root.join(entry.name),
        })
    }

    /// Says whether every image file of the dataset lies somewhere; its contents are not read.
    #[must_use]
    pub fn has(&self, entry: &Entry) -> bool {
        entry.files().iter().filter(|file| file.holds_images()).all(|file| self.find(entry, file).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    #[test]
    fn missing_file_names_the_dataset_the_places_and_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let entry = Catalogue::lookup("mnist").unwrap();

        let refusal = DataDirectory::at(folder.path()).find(entry, &entry.files()[2]).unwrap_err();

        let own = folder.path().join("mnist");
        assert_eq!(refusal.looked_in, std::slice::from_ref(&own));
        let text = refusal.to_string();
        for part in ["mnist", "t10k-images-idx3-ubyte.gz", &own.display().to_string(), DATA_DIRECTORY_VARIABLE] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn plain_and_compressed_names_are_both_found() {
        let folder = tempfile::tempdir().unwrap();
        let entry = Catalogue::lookup("mnist").unwrap();
        let own = folder.path().join("mnist");
        std::fs::create_dir(&own).unwrap();
        std::fs::write(own.join("train-images-idx3-ubyte"), []).unwrap();
        std::fs::write(own.join("t10k-images-idx3-ubyte.gz"), []).unwrap();

        let directory = DataDirectory::at(folder.path());

        assert_eq!(directory.find(entry, &entry.files()[0]), Ok(own.join("train-images-idx3-ubyte")));
        assert_eq!(directory.find(entry, &entry.files()[2]), Ok(own.join("t10k-images-idx3-ubyte.gz")));
        assert!(directory.has(entry));
    }

    #[test]
    fn packaged_fashion_mnist_is_a_place_too() {
        let entry = Catalogue::lookup("fashion-mnist").unwrap();

        let folders = DataDirectory::at("data").folders(entry);

        assert_eq!(folders, [PathBuf::from("data/fashion-mnist"), "/usr/share/datasets/fashion-mnist".into()]);
    }

    #[test]
    fn procedural_datasets_are_always_there() {
        let directory = DataDirectory::at("nowhere/at/all");

        assert!(directory.has(Catalogue::lookup("synthetic-shapes").unwrap()));
        assert!(!directory.has(Catalogue::lookup("mnist").unwrap()));
    }
}
