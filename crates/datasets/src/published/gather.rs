//! Decodes many pictures on all processors into one buffer that has its final size from the beginning.

use std::num::NonZero;
use std::thread;

use super::container::{Container, read_bounded};
use super::error::PublishedError;
use super::recipe::{Cook, Recipe};
use crate::transform::Pipeline;

/// Largest file of a picture.
const MAX_FILE_BYTES: u64 = 1 << 23;
/// Files are decoded together until they are so many, or so large as they are or decoded.
const BATCH_FILES: usize = 256;
const BATCH_BYTES: usize = 1 << 23;
const MAX_THREADS: usize = 16;

/// A file that was read and waits for being decoded.
struct Raw {
    position: usize,
    name: String,
    bytes: Vec<u8>,
}

/// Makes an example of each of the given files, in their order. The steps of a dataset's name are applied to each of them where it
/// is decoded: what is kept is what they leave.
pub fn gather(
    container: &Container,
    members: &[usize],
    recipe: Recipe,
    steps: Option<&Pipeline>,
) -> Result<Vec<u8>, PublishedError> {
    let dimensions: usize = steps.map_or(recipe.shape, Pipeline::shape).iter().product();
    let total = members.len().saturating_mul(dimensions);
    let mut pixels = PublishedError::reserve(total)?;
    pixels.resize(total, 0);

    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
    let mut cooks = vec![Cook::new(recipe, steps.cloned()); threads];
    let most_files = (BATCH_BYTES / dimensions).clamp(threads, BATCH_FILES);
    let (mut batch, mut batch_bytes) = (Vec::new(), 0);
    container.read_each(members, &mut |position, name, reader| {
        let bytes = read_bounded(name, reader, MAX_FILE_BYTES)?;
        batch_bytes += bytes.len();
        batch.push(Raw { position, name: name.to_owned(), bytes });
        if batch.len() == most_files || batch_bytes > BATCH_BYTES {
            decode_batch(&batch, &mut cooks, dimensions, &mut pixels)?;
            batch.clear();
            batch_bytes = 0;
        }
        Ok(())
    })?;
    decode_batch(&batch, &mut cooks, dimensions, &mut pixels)?;
    Ok(pixels)
}

/// Decodes some files, a part of them on each thread, and puts each where it belongs.
fn decode_batch(batch: &[Raw], cooks: &mut [Cook], dimensions: usize, pixels: &mut [u8]) -> Result<(), PublishedError> {
    let decode = |cook: &mut Cook, part: &[Raw]| -> Result<Vec<Vec<u8>>, PublishedError> {
        let example = |raw: &Raw| {
            cook.make(raw.position, &raw.bytes).map_err(|problem| PublishedError::member(&raw.name, problem))
        };
        part.iter().map(example).collect()
    };
    let parts = batch.chunks(batch.len().div_ceil(cooks.len()).max(1));
    let decoded: Vec<Result<Vec<Vec<u8>>, PublishedError>> = thread::scope(|scope| {
        let decode = &decode;
        let running: Vec<_> = parts.zip(cooks).map(|(part, cook)| scope.spawn(move || decode(cook, part))).collect();
        let stopped = |_| Err(PublishedError::damaged("one of its pictures stopped the decoder"));
        running.into_iter().map(|thread| thread.join().unwrap_or_else(stopped)).collect()
    });
    let mut raw = batch.iter();
    for part in decoded {
        for (example, raw) in part?.iter().zip(&mut raw) {
            pixels[raw.position * dimensions..(raw.position + 1) * dimensions].copy_from_slice(example);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use catalogue::Dataset;

    use super::*;
    use crate::examples::Split;
    use crate::published::recipe::Fit;

    #[test]
    fn steps_are_applied_where_pictures_are_decoded() {
        const SHAPE: [usize; 3] = [3, 16, 16];
        let folder = tempfile::tempdir().unwrap();
        // What lies in a hidden folder is passed over, as a temporary one is.
        let pictures = folder.path().join("pictures");
        std::fs::create_dir(&pictures).unwrap();
        for number in 0..300_u32 {
            let file = std::fs::File::create(pictures.join(format!("{number:03}.png"))).unwrap();
            let mut encoder = png::Encoder::new(file, 16, 16);
            encoder.set_color(png::ColorType::Rgb);
            let pixels: Vec<u8> = (0..768_u32).map(|place| (place * (number + 1) % 251) as u8).collect();
            encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        }
        let container = Container::open(&pictures).unwrap();
        let members: Vec<usize> = (0..container.members().len()).collect();
        let recipe = Recipe { shape: SHAPE, published_size: None, fit: Fit::Exact, inverts: false };
        let dataset: Dataset = "own:a@3x16x16|gray|resize=5x4:bicubic|mutate=0.3".parse().unwrap();
        let mut steps = Pipeline::new(&dataset, Split::Train, SHAPE);

        let stepped = gather(&container, &members, recipe, Some(&steps)).unwrap();

        let plain = gather(&container, &members, recipe, None).unwrap();
        let images = plain.chunks(768).enumerate();
        let expected: Vec<u8> = images.flat_map(|(index, image)| steps.apply(index as u64, image).to_vec()).collect();
        assert_eq!(stepped.len(), 300 * 20);
        assert_eq!(stepped, expected);
    }
}
