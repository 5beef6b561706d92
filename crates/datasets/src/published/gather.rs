//! Decodes many pictures on all processors into one buffer that has its final size from the beginning.

use std::num::NonZero;
use std::thread;

use super::container::{Container, read_bounded};
use super::error::PublishedError;
use super::recipe::{Cook, Recipe};

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

/// Makes an example of each of the given files, in their order.
pub fn gather(container: &Container, members: &[usize], recipe: Recipe) -> Result<Vec<u8>, PublishedError> {
    let dimensions: usize = recipe.shape.iter().product();
    let total = members.len().saturating_mul(dimensions);
    let mut pixels = PublishedError::reserve(total)?;
    pixels.resize(total, 0);

    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
    let mut cooks = vec![Cook::new(recipe); threads];
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
        let example = |raw: &Raw| cook.make(&raw.bytes).map_err(|problem| PublishedError::member(&raw.name, problem));
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
