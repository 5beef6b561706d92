//! Where dataset files lie: the data directory, and the folders of well-known packages.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::catalogue::{Entry, Source, WantedFile};

/// The environment variable that names the data directory.
pub const DATA_DIRECTORY_VARIABLE: &str = "SPILLWAY_DATA_DIR";

const DEFAULT_DIRECTORY: &str = "data";

/// A file of a dataset that lies in none of the places looked at.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "dataset {dataset} lacks its file {}: looked in {}; put {} ({contents}; origin: {origin}) into {}, \
     or set {DATA_DIRECTORY_VARIABLE} to the folder that holds {}/",
    .names.first().map_or("", String::as_str), places(.looked_in), .names.join(" or "), first(.looked_in).display(),
    folder_name(first(.looked_in))
)]
pub struct MissingFile {
    /// The dataset's name.
    pub dataset: &'static str,
    /// The names that the file may have.
    pub names: Vec<String>,
    /// What it must hold.
    pub contents: String,
    /// Where the data comes from.
    pub origin: &'static str,
    /// The folders looked at, in order; the first one is the place to put the file into.
    pub looked_in: Vec<PathBuf>,
}

impl MissingFile {
    /// The folder to put the file into.
    #[must_use]
    pub fn put_into(&self) -> &Path {
        first(&self.looked_in)
    }
}

fn first(folders: &[PathBuf]) -> &Path {
    folders.first().map_or(Path::new("."), PathBuf::as_path)
}

fn folder_name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().display().to_string()
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
        if entry.source.origin().is_none() {
            return Vec::new();
        }
        let mut folders = vec![self.root.join(entry.folder())];
        if entry.folder() != entry.name {
            folders.push(self.root.join(entry.name));
        }
        if let Source::Idx { known_places, .. } = entry.source {
            folders.extend(known_places.iter().map(PathBuf::from));
        }
        folders
    }

    /// Finds a file of a dataset, or the folder that it extracts to, under any of its names, in the first folder that has
    /// it.
    ///
    /// # Errors
    /// [`MissingFile`] with the places looked at and the remedy.
    pub fn find(&self, entry: &Entry, file: &WantedFile) -> Result<PathBuf, MissingFile> {
        let place = |folder: &PathBuf, name: &String| match name.strip_suffix('/') {
            Some(name) => Some(folder.join(name)).filter(|path| path.is_dir()),
            None => Some(folder.join(name)).filter(|path| path.is_file()),
        };
        let found = self
            .looked_in(entry, file)
            .iter()
            .find_map(|folder| file.names.iter().find_map(|name| place(folder, name)));
        found.ok_or_else(|| self.missing(entry, file))
    }

    /// Says where a file would be looked for.
    pub(crate) fn missing(&self, entry: &Entry, file: &WantedFile) -> MissingFile {
        MissingFile {
            dataset: entry.name,
            names: file.names.clone(),
            contents: file.contents.clone(),
            origin: entry.source.origin().unwrap_or("nowhere"),
            looked_in: self.looked_in(entry, file),
        }
    }

    fn looked_in(&self, entry: &Entry, file: &WantedFile) -> Vec<PathBuf> {
        if file.is_array { vec![self.root.join(entry.name)] } else { self.folders(entry) }
    }

    /// The files of the dataset in the form that is here: arrays where they alone are, the publisher's otherwise.
    #[must_use]
    pub fn files(&self, entry: &Entry) -> Vec<WantedFile> {
        let (published, arrays) = (entry.wanted(), entry.arrays());
        let has_one = |files: &[WantedFile]| files.iter().any(|file| self.find(entry, file).is_ok());
        if !has_one(&published) && has_one(&arrays) { arrays } else { published }
    }

    /// Says whether every file that loading needs lies somewhere; its contents are not read.
    #[must_use]
    pub fn has(&self, entry: &Entry) -> bool {
        self.files(entry).iter().filter(|file| file.is_needed).all(|file| self.find(entry, file).is_ok())
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

        let refusal = DataDirectory::at(folder.path()).find(entry, &entry.wanted()[2]).unwrap_err();

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

        assert_eq!(directory.find(entry, &entry.wanted()[0]), Ok(own.join("train-images-idx3-ubyte")));
        assert_eq!(directory.find(entry, &entry.wanted()[2]), Ok(own.join("t10k-images-idx3-ubyte.gz")));
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

    #[test]
    fn classes_of_one_table_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("miniboone")).unwrap();
        let directory = DataDirectory::at(folder.path());
        let entries = ["miniboone-0", "miniboone-1"].map(|name| Catalogue::lookup(name).unwrap());

        let refusal = directory.find(entries[0], &entries[0].wanted()[0]).unwrap_err();
        std::fs::write(folder.path().join("miniboone/MiniBooNE_PID.txt"), []).unwrap();

        assert_eq!(refusal.put_into(), folder.path().join("miniboone"));
        assert!(entries.iter().all(|entry| directory.has(entry)));
    }
}
