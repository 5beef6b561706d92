//! Figures: pictures among the artifacts, with what a reader and a page need to know of them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Digest;

/// Most figures of one job.
pub const MAX_FIGURES: usize = 1024;
/// Longest name of a figure, in bytes.
pub const MAX_FIGURE_NAME_LEN: usize = 100;
/// Longest caption of a figure, in bytes.
pub const MAX_CAPTION_LEN: usize = 2000;
/// Largest width or height of a figure, in pixels.
pub const MAX_FIGURE_SIDE: u32 = 100_000;

/// A picture that an inspect job drew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// Its name, unique within its job.
    pub name: FigureName,
    /// What it shows, for people.
    pub caption: String,
    /// The artifact.
    pub digest: Digest,
    /// The format of its bytes.
    pub media_type: MediaType,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// The name of a figure, which is also a file's name on every system: lower-case letters, digits and `-`, then `.png`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FigureName(String);

/// The text given names no figure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not a figure's name: up to {MAX_FIGURE_NAME_LEN} lower-case letters, digits and `-`, then `.png`, expected",
    .0.escape_default()
)]
pub struct NotAFigureName(String);

/// The format of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MediaType {
    /// Portable Network Graphics.
    #[serde(rename = "image/png")]
    Png,
}

/// The text given is not a format of figures.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown media type `{0}`: one of image/png expected")]
pub struct UnknownMediaType(String);

impl FigureName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FigureName {
    type Err = NotAFigureName;

    fn from_str(text: &str) -> Result<Self, NotAFigureName> {
        let letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        let stem = text.strip_suffix(".png").filter(|stem| !stem.is_empty() && !stem.starts_with('-'));
        let fits = stem.is_some_and(|stem| stem.chars().all(letter)) && text.len() <= MAX_FIGURE_NAME_LEN;
        if fits { Ok(Self(text.to_owned())) } else { Err(NotAFigureName(text.to_owned())) }
    }
}

impl TryFrom<String> for FigureName {
    type Error = NotAFigureName;

    fn try_from(text: String) -> Result<Self, NotAFigureName> {
        text.parse()
    }
}

impl From<FigureName> for String {
    fn from(name: FigureName) -> Self {
        name.0
    }
}

impl fmt::Display for FigureName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl MediaType {
    /// The name in SQL and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for MediaType {
    type Err = UnknownMediaType;

    fn from_str(text: &str) -> Result<Self, UnknownMediaType> {
        match text {
            "image/png" => Ok(Self::Png),
            _ => Err(UnknownMediaType(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_leave_its_folder_is_no_name() {
        for name in ["../x.png", "a/b.png", ".png", "-x.png", "x.PNG", "x.png.sh", "x", "", "x\0.png", "x y.png"] {
            let refusal = name.parse::<FigureName>().unwrap_err();

            assert!(refusal.to_string().contains("is not a figure's name"), "{refusal}");
        }
        assert!(format!("{}.png", "x".repeat(97)).parse::<FigureName>().is_err());
    }

    #[test]
    fn a_sensible_name_stays_as_it_is() {
        let name: FigureName = "scale-and-shift-mnist-4.png".parse().unwrap();

        assert_eq!((name.as_str(), name.to_string()), ("scale-and-shift-mnist-4.png", name.as_str().to_owned()));
    }
}
