//! What an entry says, and how entries are found.

use std::fmt::Write as _;

use thiserror::Error;

use super::downloads::{self, Download};
use super::entries::ENTRIES;
use super::source::{Source, SplitSize};
use super::wanted::{self, WantedFile};
use crate::examples::{Shape, Split};

/// A name that no catalogue entry has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no dataset named {name:?}; the known ones are {}", known.join(", "))]
pub struct UnknownDataset {
    /// The name that was asked for.
    pub name: String,
    /// Every name the catalogue has, in its order.
    pub known: Vec<&'static str>,
}

/// One dataset of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The name that specs and folders use.
    pub name: &'static str,
    /// What a person calls it.
    pub title: &'static str,
    /// The licence as the publisher states it.
    pub licence: &'static str,
    /// The shape of an example.
    pub shape: Shape,
    /// Number of training examples.
    pub train_size: SplitSize,
    /// Number of test examples.
    pub test_size: SplitSize,
    /// Where the examples come from.
    pub source: Source,
}

impl Entry {
    /// Number of examples in a split.
    #[must_use]
    pub fn size(&self, split: Split) -> SplitSize {
        match split {
            Split::Train => self.train_size,
            Split::Test => self.test_size,
        }
    }

    /// Says whether the dataset has a split.
    #[must_use]
    pub fn has(&self, split: Split) -> bool {
        self.size(split) != SplitSize::Absent
    }

    /// Number of values of an example.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.shape.dimensions()
    }

    /// Says whether features are standardised by the training part of the dataset that is learned.
    #[must_use]
    pub fn is_standardised(&self) -> bool {
        self.source.is_standardised()
    }

    /// The folder in the data directory that files are put into: the dataset's name, or the one its classes share.
    #[must_use]
    pub fn folder(&self) -> &'static str {
        self.source.shared_folder().unwrap_or(self.name)
    }

    /// The files that the dataset needs, those of the publisher where there are both; none for a built-in one.
    #[must_use]
    pub fn wanted(&self) -> Vec<WantedFile> {
        wanted::of(self)
    }

    /// The array files that a person may make; for pictures they are read where the publisher's files are not there.
    #[must_use]
    pub fn arrays(&self) -> Vec<WantedFile> {
        wanted::arrays(self)
    }

    /// What its publisher serves; none for a built-in dataset or one that the user makes.
    #[must_use]
    pub fn downloads(&self) -> &'static [Download] {
        downloads::of(self)
    }

    /// Describes the dataset in a few lines for a person: title, shape, sizes, licence and files.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = format!(
            "{}: {}\n  {:<9} {}, {} train, {} test\n  licence   {}\n",
            self.name,
            self.title,
            self.shape.plural(),
            self.shape,
            self.train_size,
            self.test_size,
            self.licence
        );
        if self.is_standardised() {
            text.push_str("  scaling   by mean and standard deviation of the training part of the learned dataset\n");
        }
        if let Some(origin) = self.source.origin() {
            let _ = writeln!(text, "  origin    {origin}");
        } else {
            text.push_str("  files     none: computed from each example's index\n");
        }
        if let Some(trap) = self.source.trap() {
            let _ = writeln!(text, "  note      {trap}");
        }
        let wanted = self.wanted();
        for file in &wanted {
            let _ = writeln!(text, "  file      {}: {}", file.names.join(" or "), file.contents);
        }
        for file in self.arrays().iter().filter(|file| !wanted.contains(file)) {
            let _ = writeln!(text, "  instead   {}/{}: {}", self.name, file.names.join(" or "), file.contents);
        }
        text
    }
}

/// All datasets Spillway knows.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue;

impl Catalogue {
    /// Every entry, in the order in which lists show them.
    #[must_use]
    pub fn entries() -> &'static [Entry] {
        &ENTRIES
    }

    /// Finds a dataset by its name.
    ///
    /// # Errors
    /// [`UnknownDataset`] with the known names.
    pub fn lookup(name: &str) -> Result<&'static Entry, UnknownDataset> {
        ENTRIES.iter().find(|entry| entry.name == name).ok_or_else(|| UnknownDataset {
            name: name.to_owned(),
            known: ENTRIES.iter().map(|entry| entry.name).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_found_by_its_name() {
        for entry in Catalogue::entries() {
            assert_eq!(Catalogue::lookup(entry.name).unwrap(), entry);
        }
    }

    #[test]
    fn entries_are_those_of_the_names_in_their_order() {
        let names = catalogue::DatasetName::ALL;

        assert_eq!(Catalogue::entries().len(), names.len());
        for (entry, name) in Catalogue::entries().iter().zip(names) {
            let train_size = entry.train_size.known().map(|size| size as u64);
            assert_eq!((entry.name, entry.shape.to_string()), (name.as_str(), name.shape().to_string()));
            assert_eq!(entry.has(Split::Train), name.has_train_split(), "{name}");
            assert!(train_size.is_none() || train_size == name.train_examples(), "{name}");
        }
    }

    #[test]
    fn unknown_name_is_refused_with_the_known_ones() {
        let refusal = Catalogue::lookup("imagenet").unwrap_err();

        let text = refusal.to_string();
        assert!(text.contains("\"imagenet\"") && text.contains("fashion-mnist, mnist, kmnist"), "{text}");
    }

    #[test]
    fn declared_sizes_agree_with_the_declared_dimensions() {
        for entry in Catalogue::entries() {
            for file in entry.source.idx_files() {
                let header_bytes = 4 + 4 * file.dimensions.len();
                assert_eq!(file.bytes, header_bytes + file.dimensions.iter().product::<usize>(), "{}", file.name);
                assert_eq!(SplitSize::Known(file.dimensions[0]), entry.size(file.split), "{}", file.name);
            }
        }
    }

    #[test]
    fn description_names_the_licence_and_each_file() {
        let entry = Catalogue::lookup("fashion-mnist").unwrap();

        let text = entry.describe();

        assert!(text.contains("MIT") && text.contains("1×28×28"), "{text}");
        assert_eq!(entry.source.idx_files().len(), 4);
        for file in entry.source.idx_files() {
            assert!(text.contains(file.name) && text.contains(file.checksum.unwrap().digest.hexadecimal()), "{text}");
        }
    }

    #[test]
    fn description_of_vectors_says_how_they_are_scaled_and_what_to_put_where() {
        let text = Catalogue::lookup("hepmass-1").unwrap().describe();

        for part in ["15 features", "1000_train.csv.gz", "1000_test.csv", "training part of the learned dataset"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn built_in_datasets_want_no_file_and_all_others_do() {
        for entry in Catalogue::entries() {
            assert_eq!(entry.wanted().is_empty(), entry.source.origin().is_none(), "{}", entry.name);
        }
    }
}
