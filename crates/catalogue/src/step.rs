//! What is done to the images of a dataset before a flow sees them, one step after another.

use std::fmt;

use architecture::InputShape;

use super::dataset::DatasetError;

/// Largest height or width that a step may make.
const MAX_SIDE: u32 = 4096;
/// Most features of an embedding.
const MAX_FEATURES: u32 = 1 << 16;
/// Most classes of a list, and the largest label.
const MAX_CLASSES: usize = 1024;
const MAX_LABEL: u32 = 65_535;
/// Longest name of a feature extractor, in bytes.
const MAX_NAME: usize = 100;
/// Shares of replaced pixels are written in so many parts.
const PER_MILLE: u32 = 1000;

/// One step, as it stands between the bars of a dataset's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// `classes=0,3`: only the examples with these labels, in index order.
    Classes(ClassList),
    /// `gray`: luma of ITU-R BT.601, as Pillow's `L`; one channel.
    Gray,
    /// `rgb`: a grey image three times.
    Rgb,
    /// `resize=HxW:filter`: both sides to a size, with a filter whose support grows when it shrinks (as Pillow's).
    Resize(Size, Filter),
    /// `crop=HxW`: the centre; where the rest is odd, the smaller half of it is above and to the left.
    Crop(Size),
    /// `pad=HxW:LEVEL`: centred on a ground of one level, the smaller half above and to the left.
    Pad(Size, u8),
    /// `hflip`: left and right exchanged.
    FlipHorizontally,
    /// `vflip`: above and below exchanged.
    FlipVertically,
    /// `rotate=90|180|270`: counter-clockwise, in degrees.
    Rotate(Turn),
    /// `invert`: 255 minus each level.
    Invert,
    /// `mutate=0.2`: each pixel value is replaced by a uniform level with this probability, the same one in every pass
    /// (Ren et al. 2019).
    Mutate {
        /// The probability in thousandths.
        per_mille: u32,
    },
    /// `embed=NAME@D`: the output of a TorchScript feature extractor, `extractors/NAME.pt` in the data directory. The last step.
    Embed(Embedding),
}

/// Height and width in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Size {
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
}

/// A named resampling filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Filter {
    /// The nearest pixel.
    Nearest,
    /// The mean over the area.
    Box,
    /// A triangle of support 1.
    Bilinear,
    /// Keys' cubic with a = −½, support 2.
    Bicubic,
    /// A windowed sinc of support 3.
    Lanczos,
}

/// Counter-clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Turn {
    /// By 90 degrees.
    Quarter,
    /// By 180 degrees.
    Half,
    /// By 270 degrees.
    ThreeQuarters,
}

/// Labels, ascending and distinct.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassList(Vec<u32>);

/// A feature extractor and the number of its outputs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Embedding {
    /// The file's name without `.pt`.
    pub extractor: String,
    /// Features of one example.
    pub features: u32,
}

impl ClassList {
    /// The labels, ascending.
    #[must_use]
    pub fn labels(&self) -> &[u32] {
        &self.0
    }

    /// Says whether examples with this label are kept.
    #[must_use]
    pub fn has(&self, label: u32) -> bool {
        self.0.binary_search(&label).is_ok()
    }
}

impl Filter {
    /// Every filter.
    pub const ALL: [Self; 5] = [Self::Nearest, Self::Box, Self::Bilinear, Self::Bicubic, Self::Lanczos];

    /// The name in datasets' names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Box => "box",
            Self::Bilinear => "bilinear",
            Self::Bicubic => "bicubic",
            Self::Lanczos => "lanczos",
        }
    }
}

impl Step {
    /// Reads one step.
    pub(super) fn parse(text: &str) -> Result<Self, DatasetError> {
        let refuse = |expected: &str| DatasetError::Step { given: text.to_owned(), expected: expected.to_owned() };
        let (word, argument) = text.split_once('=').map_or((text, None), |(word, value)| (word, Some(value)));
        let step = match (word, argument) {
            ("gray", None) => Some(Self::Gray),
            ("rgb", None) => Some(Self::Rgb),
            ("hflip", None) => Some(Self::FlipHorizontally),
            ("vflip", None) => Some(Self::FlipVertically),
            ("invert", None) => Some(Self::Invert),
            ("rotate", Some("90")) => Some(Self::Rotate(Turn::Quarter)),
            ("rotate", Some("180")) => Some(Self::Rotate(Turn::Half)),
            ("rotate", Some("270")) => Some(Self::Rotate(Turn::ThreeQuarters)),
            ("resize", Some(value)) => value.split_once(':').and_then(|(size, filter)| {
                let filter = Filter::ALL.into_iter().find(|known| known.as_str() == filter)?;
                Some(Self::Resize(parse_size(size)?, filter))
            }),
            ("crop", Some(value)) => parse_size(value).map(Self::Crop),
            ("pad", Some(value)) => {
                let parts = value.split_once(':');
                parts.and_then(|(size, level)| Some(Self::Pad(parse_size(size)?, level.parse().ok()?)))
            }
            ("classes", Some(value)) => parse_classes(value).map(Self::Classes),
            ("mutate", Some(value)) => parse_share(value).map(|per_mille| Self::Mutate { per_mille }),
            ("embed", Some(value)) => parse_embedding(value).map(Self::Embed),
            _ => None,
        };
        step.ok_or_else(|| {
            refuse(
                "gray, rgb, hflip, vflip, invert, rotate=90|180|270, resize=HxW:nearest|box|bilinear|bicubic|lanczos, crop=HxW, \
                 pad=HxW:LEVEL, classes=0,3, mutate=0.2 or embed=NAME@FEATURES",
            )
        })
    }

    /// The shape after the step; none if the step does not fit the shape before it.
    pub(super) fn shape_after(&self, before: InputShape) -> Option<InputShape> {
        if let Self::Classes(_) = self {
            return Some(before);
        }
        let InputShape::Image { channels, height, width } = before else { return None };
        let sized = |Size { height, width }: Size| InputShape::Image { channels, height, width };
        match self {
            Self::Classes(_)
            | Self::FlipHorizontally
            | Self::FlipVertically
            | Self::Rotate(Turn::Half)
            | Self::Invert
            | Self::Mutate { .. } => Some(before),
            Self::Gray => Some(InputShape::Image { channels: 1, height, width }),
            Self::Rgb => (channels == 1).then_some(InputShape::Image { channels: 3, height, width }),
            Self::Resize(size, _) => Some(sized(*size)),
            Self::Crop(size) => (size.height <= height && size.width <= width).then(|| sized(*size)),
            Self::Pad(size, _) => (size.height >= height && size.width >= width).then(|| sized(*size)),
            Self::Rotate(Turn::Quarter | Turn::ThreeQuarters) => {
                Some(InputShape::Image { channels, height: width, width: height })
            }
            Self::Embed(embedding) => Some(InputShape::Vector { features: embedding.features }),
        }
    }
}

fn parse_size(text: &str) -> Option<Size> {
    let (height, width) = text.split_once('x')?;
    let side = |text: &str| text.parse().ok().filter(|side| (1..=MAX_SIDE).contains(side));
    Some(Size { height: side(height)?, width: side(width)? })
}

fn parse_classes(text: &str) -> Option<ClassList> {
    let labels: Option<Vec<u32>> =
        text.split(',').map(|label| label.parse().ok().filter(|&label| label <= MAX_LABEL)).collect();
    let mut labels = labels.filter(|labels| labels.len() <= MAX_CLASSES)?;
    labels.sort_unstable();
    labels.dedup();
    Some(ClassList(labels))
}

/// A share over 0 and at most 1, in steps of a thousandth.
fn parse_share(text: &str) -> Option<u32> {
    let share: f64 = text.parse().ok()?;
    let thousandths = share * f64::from(PER_MILLE);
    let rounded = thousandths.round();
    let fits = (rounded - thousandths).abs() < 1e-6 && rounded >= 1.0 && rounded <= f64::from(PER_MILLE);
    fits.then_some(rounded as u32)
}

fn parse_embedding(text: &str) -> Option<Embedding> {
    let (extractor, features) = text.split_once('@')?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let fits =
        (1..=MAX_NAME).contains(&extractor.len()) && extractor.bytes().all(is_name) && !extractor.starts_with('.');
    let features = features.parse().ok().filter(|features| (1..=MAX_FEATURES).contains(features))?;
    fits.then(|| Embedding { extractor: extractor.to_owned(), features })
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}x{}", self.height, self.width)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Classes(classes) => {
                let labels: Vec<String> = classes.0.iter().map(u32::to_string).collect();
                write!(formatter, "classes={}", labels.join(","))
            }
            Self::Gray => formatter.write_str("gray"),
            Self::Rgb => formatter.write_str("rgb"),
            Self::Resize(size, filter) => write!(formatter, "resize={size}:{}", filter.as_str()),
            Self::Crop(size) => write!(formatter, "crop={size}"),
            Self::Pad(size, level) => write!(formatter, "pad={size}:{level}"),
            Self::FlipHorizontally => formatter.write_str("hflip"),
            Self::FlipVertically => formatter.write_str("vflip"),
            Self::Rotate(Turn::Quarter) => formatter.write_str("rotate=90"),
            Self::Rotate(Turn::Half) => formatter.write_str("rotate=180"),
            Self::Rotate(Turn::ThreeQuarters) => formatter.write_str("rotate=270"),
            Self::Invert => formatter.write_str("invert"),
            Self::Mutate { per_mille } => write!(formatter, "mutate={}", f64::from(*per_mille) / f64::from(PER_MILLE)),
            Self::Embed(Embedding { extractor, features }) => write!(formatter, "embed={extractor}@{features}"),
        }
    }
}
