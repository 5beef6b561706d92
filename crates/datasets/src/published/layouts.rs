//! Which pictures of an archive are the examples of a split, in which order, and what their classes are.

use std::collections::{BTreeSet, HashMap};

use super::container::{Container, Member};
use super::error::PublishedError;
use crate::catalogue::PictureLayout;
use crate::examples::Split;

/// The two files of notMNIST (small) that have never been readable, by folder and name.
const NOTMNIST_DAMAGED: [[&str; 2]; 2] =
    [["A", "RGVtb2NyYXRpY2FCb2xkT2xkc3R5bGUgQm9sZC50dGY=.png"], ["F", "Q3Jvc3NvdmVyIEJvbGRPYmxpcXVlLnR0Zg==.png"]];

/// Longest text file in an archive.
const MAX_TEXT_BYTES: u64 = 1 << 24;

/// The pictures of a split.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Indices of the container's files.
    pub members: Vec<usize>,
    /// A class for each, from 0; none if the publisher gives none.
    pub labels: Option<Vec<u32>>,
    /// Files that are known to be damaged.
    pub left_out: Vec<String>,
}

/// Chooses the pictures of a split.
pub fn choose(container: &Container, layout: PictureLayout, split: Split) -> Result<Chosen, PublishedError> {
    match layout {
        PictureLayout::Notmnist => Ok(notmnist(container)),
        PictureLayout::Omniglot => Ok(by_class(container, |parts| match parts {
            [.., alphabet, character, _] => Some(format!("{alphabet}/{character}")),
            _ => None,
        })),
        PictureLayout::Textures => Ok(by_class(container, |parts| match parts {
            [.., "images", class, _] => Some((*class).to_owned()),
            _ => None,
        })),
        PictureLayout::TinyImagenet => match split {
            Split::Train => tiny_imagenet_train(container),
            Split::Test => tiny_imagenet_validation(container),
        },
        PictureLayout::Unlabelled => {
            let members = pictures(container).map(|(index, _)| index).collect();
            Ok(Chosen { members, ..Chosen::default() })
        }
    }
}

fn pictures(container: &Container) -> impl Iterator<Item = (usize, &Member)> {
    container.members().iter().enumerate().filter(|(_, member)| member.is_picture())
}

/// Pictures in folders that are classes; a class's number is its place among the names, sorted.
fn by_class(container: &Container, class: impl Fn(&[&str]) -> Option<String>) -> Chosen {
    let found: Vec<(usize, String)> =
        pictures(container).filter_map(|(index, member)| Some((index, class(&member.parts())?))).collect();
    let classes: BTreeSet<&String> = found.iter().map(|(_, class)| class).collect();
    let numbers: HashMap<&String, u32> = classes.into_iter().zip(0..).collect();
    let labels = found.iter().map(|(_, class)| numbers[class]).collect();
    Chosen { members: found.iter().map(|(index, _)| *index).collect(), labels: Some(labels), left_out: Vec::new() }
}

fn notmnist(container: &Container) -> Chosen {
    let mut chosen = Chosen::default();
    let mut labels = Vec::new();
    for (index, member) in pictures(container) {
        let parts = member.parts();
        let [.., folder, file] = parts[..] else { continue };
        let &[letter @ b'A'..=b'J'] = folder.as_bytes() else { continue };
        if NOTMNIST_DAMAGED.contains(&[folder, file]) {
            chosen.left_out.push(member.name.clone());
            continue;
        }
        chosen.members.push(index);
        labels.push(u32::from(letter - b'A'));
    }
    Chosen { labels: Some(labels), ..chosen }
}

fn tiny_imagenet_train(container: &Container) -> Result<Chosen, PublishedError> {
    let classes = wordnet_ids(container)?;
    let mut chosen = Chosen::default();
    let mut labels = Vec::new();
    for (index, member) in pictures(container) {
        let parts = member.parts();
        let [.., "train", class, "images", _] = parts[..] else { continue };
        let label = *classes.get(class).ok_or_else(|| unknown_class(&member.name, class))?;
        chosen.members.push(index);
        labels.push(label);
    }
    Ok(Chosen { labels: Some(labels), ..chosen })
}

fn tiny_imagenet_validation(container: &Container) -> Result<Chosen, PublishedError> {
    let classes = wordnet_ids(container)?;
    let annotations = text(container, "val_annotations.txt")?;
    let of_file: HashMap<&str, &str> = annotations
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('\t');
            Some((fields.next()?, fields.next()?))
        })
        .collect();
    let mut chosen = Chosen::default();
    let mut labels = Vec::new();
    for (index, member) in pictures(container) {
        let parts = member.parts();
        let [.., "val", "images", file] = parts[..] else { continue };
        let Some(class) = of_file.get(file) else {
            return Err(PublishedError::member(&member.name, "has no line in val_annotations.txt"));
        };
        let label = *classes.get(*class).ok_or_else(|| unknown_class(&member.name, class))?;
        chosen.members.push(index);
        labels.push(label);
    }
    Ok(Chosen { labels: Some(labels), ..chosen })
}

/// The classes' numbers: their places among the identifiers, sorted.
fn wordnet_ids(container: &Container) -> Result<HashMap<String, u32>, PublishedError> {
    let text = text(container, "wnids.txt")?;
    let classes: BTreeSet<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Ok(classes.into_iter().map(str::to_owned).zip(0..).collect())
}

fn unknown_class(member: &str, class: &str) -> PublishedError {
    PublishedError::member(member, format!("is of the class {class}, which is not in wnids.txt"))
}

fn text(container: &Container, file_name: &str) -> Result<String, PublishedError> {
    let bytes = container.read(container.find(file_name)?, MAX_TEXT_BYTES)?;
    String::from_utf8(bytes).map_err(|_| PublishedError::member(file_name, "is not text"))
}
