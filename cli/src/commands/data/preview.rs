//! `data preview`: a contact sheet of a dataset's images.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context, anyhow};
use clap::Args;
use datasets::{DataDirectory, Examples, Shape, Summary, Values};

use super::{
    describe::{SplitName, read},
    parse,
};
use crate::failure::Failure;

pub const EXAMPLES: &str = "\
Examples:
  spillway data preview fashion-mnist
  spillway data preview 'celeba-aligned|crop=148x148|resize=64x64:bilinear' --images 100 --out faces.png
  spillway data preview own:cats@3x32x32 --split train

Images are taken at equal distances over the split, left to right and top to bottom, each pixel enlarged by a whole factor.";

/// Pixels between two images, and around them.
const GAP: usize = 4;
/// What lies between the images: a blue that no grey image has.
const GROUND: [u8; 3] = [44, 62, 80];
/// An image smaller than this is enlarged up to about this many pixels.
const COMFORTABLE: usize = 64;
/// Most pixels of a sheet: about 48 megabytes before compression.
const MAX_PIXELS: usize = 1 << 24;

/// Which dataset, and where the sheet goes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The dataset, with its steps if it has any
    dataset: String,
    /// The split to draw
    #[arg(long, value_enum, default_value = "test")]
    split: SplitName,
    /// Number of images
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    images: u16,
    /// The file to write [default: the dataset's name with .png]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Reads, draws, and says what was drawn.
pub fn run(directory: &DataDirectory, arguments: &Arguments) -> Result<(), Failure> {
    let dataset = parse(&arguments.dataset)?;
    let examples = read(directory, &dataset, arguments.split.into())?;
    let Shape::Image(shape) = examples.shape() else {
        let message =
            format!("`{dataset}` has vectors, and only images can be drawn: `spillway data describe` has numbers");
        return Err(anyhow!(message).into());
    };
    let picked = spread(examples.len(), usize::from(arguments.images));
    let sheet = Sheet::of(&examples, shape, &picked)?;
    let path = arguments.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.png", dataset.slug())));
    let bytes = sheet.png().context("cannot encode the sheet")?;
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;

    let summary = Summary::of(&examples);
    let mut out = io::stdout().lock();
    let Sheet { width, height, .. } = sheet;
    let [count, split] = [examples.len().to_string(), datasets::Split::from(arguments.split).to_string()];
    writeln!(out, "{}: {width}×{height} pixels, {} of {count} {split} images", path.display(), picked.len())?;
    writeln!(out, "shape {}, resampling {}", examples.shape(), dataset.resampling())?;
    for (place, channel) in summary.channels.iter().enumerate() {
        writeln!(out, "channel {place}: mean {:.3}, deviation {:.3}", channel.mean, channel.deviation)?;
    }
    Ok(())
}

/// At most `wanted` indices below `len` at equal distances, the first one first.
fn spread(len: usize, wanted: usize) -> Vec<usize> {
    let wanted = wanted.min(len);
    (0..wanted).map(|place| place * len / wanted).collect()
}

/// Pixels in rows, red, green and blue.
struct Sheet {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Sheet {
    /// Draws images on a grid that is about as high as it is wide.
    fn of(examples: &Examples, [channels, height, width]: [usize; 3], picked: &[usize]) -> Result<Self, Failure> {
        let Values::Bytes(bytes) = examples.values() else {
            return Err(anyhow!("the images have no levels 0 to 255 to draw").into());
        };
        let columns = (1..=picked.len()).find(|columns| columns * columns >= picked.len()).unwrap_or(1);
        let rows = picked.len().div_ceil(columns);
        let factor = (COMFORTABLE / height.max(width)).max(1);
        let cell = [height * factor + GAP, width * factor + GAP];
        let mut sheet = Self { width: columns * cell[1] + GAP, height: rows * cell[0] + GAP, pixels: Vec::new() };
        if sheet.width * sheet.height > MAX_PIXELS {
            let message = format!("{} images of {height}×{width} make too large a sheet: ask for fewer", picked.len());
            return Err(anyhow!(message).into());
        }
        sheet.pixels = GROUND.repeat(sheet.width * sheet.height);
        for (place, &index) in picked.iter().enumerate() {
            let image = &bytes[index * examples.dimensions()..][..examples.dimensions()];
            let (top, left) = (place / columns * cell[0] + GAP, place % columns * cell[1] + GAP);
            for y in 0..height * factor {
                for x in 0..width * factor {
                    // A grey image has one channel for all three colours.
                    let level = |colour: usize| {
                        let channel = colour.min(channels - 1);
                        image[(channel * height + y / factor) * width + x / factor]
                    };
                    let at = 3 * ((top + y) * sheet.width + left + x);
                    sheet.pixels[at..at + 3].copy_from_slice(&[level(0), level(1), level(2)]);
                }
            }
        }
        Ok(sheet)
    }

    fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        writer.finish()?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_taken_over_the_whole_split() {
        assert_eq!(spread(10, 5), [0, 2, 4, 6, 8]);
        assert_eq!(spread(3, 64), [0, 1, 2]);
        assert_eq!(spread(7, 3), [0, 2, 4]);
    }

    #[test]
    fn images_stand_in_reading_order_with_their_own_colours() {
        // Two images of one pixel each: red and a blue-green.
        let values = Values::Bytes(vec![255, 0, 0, 0, 100, 200]);
        let examples = Examples::new(Shape::Image([3, 1, 1]), values).unwrap();

        let sheet = Sheet::of(&examples, [3, 1, 1], &[0, 1]).unwrap();

        let at = |x: usize, y: usize| &sheet.pixels[3 * (y * sheet.width + x)..][..3];
        assert_eq!((sheet.width, sheet.height), (2 * 64 + 3 * GAP, 64 + 2 * GAP));
        assert_eq!(at(0, 0), GROUND);
        assert_eq!(at(GAP, GAP), [255, 0, 0]);
        assert_eq!(at(2 * GAP + 64 + 63, GAP + 63), [0, 100, 200]);
    }
}
