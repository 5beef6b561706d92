//! The three kinds of files that hold arrays, told apart by their names.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use safetensors::tensor::Metadata;
use zip::ZipArchive;
use zip::result::ZipError;

use super::element::Element;
use super::error::ArrayError;
use super::header::{ArrayHeader, OpenArray};
use super::npy::read_header;

/// Longest safetensors header read; one of a few tensors takes some hundred bytes.
const MAX_SAFETENSORS_HEADER: u64 = 1 << 20;

/// Most archive members named in a message.
const MAX_NAMED: usize = 12;

/// Deflate shrinks nothing below this part of its size, so an archive that claims more is hostile.
const DEFLATE_LIMIT: u64 = 1032;

/// The array that holds a label for each example.
const LABELS: &str = "labels";

/// Opens the first array with one of the given names (an `.npy` file holds one array, without a name) and passes it on.
///
/// # Errors
/// [`ArrayError`] when the file cannot be read or has no such array, or what `read` says.
pub fn with_array<T>(
    path: &Path,
    names: &[&str],
    read: impl FnOnce(OpenArray<'_>) -> Result<T, ArrayError>,
) -> Result<T, ArrayError> {
    let file = File::open(path).map_err(ArrayError::Io)?;
    let bytes = file.metadata().map_err(ArrayError::Io)?.len();
    let mut reader = BufReader::with_capacity(1 << 18, file);
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("npz") => in_npz(reader, names, read),
        Some("safetensors") => in_safetensors(reader, bytes, names, read),
        _ => {
            let header = read_header(&mut reader)?;
            let position = reader.stream_position().map_err(ArrayError::Io)?;
            header.check_payload(bytes.saturating_sub(position))?;
            read(OpenArray { header, elements: &mut reader, labels: None })
        }
    }
}

fn in_npz<T>(
    reader: BufReader<File>,
    names: &[&str],
    read: impl FnOnce(OpenArray<'_>) -> Result<T, ArrayError>,
) -> Result<T, ArrayError> {
    let mut archive = ZipArchive::new(reader).map_err(of_zip)?;
    let member = |name: &str| format!("{name}.npy");
    let chosen = names.iter().find(|name| archive.index_for_name(&member(name)).is_some());
    let Some(chosen) = chosen else {
        let found = archive
            .file_names()
            .filter_map(Result::ok)
            .map(|name| name.strip_suffix(".npy").unwrap_or(&name).to_owned());
        return Err(no_array(names, found.collect()));
    };
    let labels = match archive.index_for_name(&member(LABELS)) {
        Some(index) => Some(length(&read_header(&mut archive.by_index(index).map_err(of_zip)?)?)),
        None => None,
    };

    let mut elements = archive.by_name(&member(chosen)).map_err(of_zip)?;
    if elements.size() > elements.compressed_size().saturating_mul(DEFLATE_LIMIT) {
        let problem = format!("{} bytes cannot unpack to {}", elements.compressed_size(), elements.size());
        return Err(ArrayError::Damaged { problem });
    }
    let size = elements.size();
    let mut counted = Counted { reader: &mut elements, read: 0 };
    let header = read_header(&mut counted)?;
    let header_bytes = counted.read;
    header.check_payload(size.saturating_sub(header_bytes))?;
    read(OpenArray { header, elements: &mut elements, labels })
}

fn in_safetensors<T>(
    mut reader: BufReader<File>,
    file_bytes: u64,
    names: &[&str],
    read: impl FnOnce(OpenArray<'_>) -> Result<T, ArrayError>,
) -> Result<T, ArrayError> {
    let mut length_bytes = [0; 8];
    reader.read_exact(&mut length_bytes).map_err(ArrayError::of_reading)?;
    let header_bytes = u64::from_le_bytes(length_bytes);
    if header_bytes > MAX_SAFETENSORS_HEADER.min(file_bytes) {
        return Err(damaged(format!("a header of {header_bytes} bytes is too long")));
    }
    let mut header = vec![0; header_bytes as usize];
    reader.read_exact(&mut header).map_err(ArrayError::of_reading)?;
    let metadata: Metadata =
        serde_json::from_slice(&header).map_err(|problem| damaged(format!("its header is not sound: {problem}")))?;
    let data_start = 8 + header_bytes;
    let expected = (metadata.data_len() as u64).saturating_add(data_start);
    if expected != file_bytes {
        return Err(damaged(format!("its header asks for {expected} bytes, and {file_bytes} are there")));
    }

    let Some(info) = names.iter().find_map(|name| metadata.info(name)) else {
        return Err(no_array(names, metadata.offset_keys()));
    };
    let header = ArrayHeader { element: Element::of_safetensors(info.dtype), dimensions: info.shape.clone() };
    let (start, end) = info.data_offsets;
    header.check_payload((end - start) as u64)?;
    let labels = metadata.info(LABELS).map(|labels| labels.shape.first().copied().unwrap_or(1));
    reader.seek(SeekFrom::Start(data_start + start as u64)).map_err(ArrayError::Io)?;
    read(OpenArray { header, elements: &mut reader.take((end - start) as u64), labels })
}

/// Length of an array along its first dimension.
fn length(header: &ArrayHeader) -> usize {
    header.dimensions.first().copied().unwrap_or(1)
}

fn no_array(names: &[&str], mut found: Vec<String>) -> ArrayError {
    let left_out = found.len().saturating_sub(MAX_NAMED);
    found.sort();
    found.truncate(MAX_NAMED);
    if left_out > 0 {
        found.push(format!("{left_out} more"));
    }
    ArrayError::NoArray { wanted: names.iter().map(|&name| name.to_owned()).collect(), found }
}

fn damaged(problem: String) -> ArrayError {
    ArrayError::Damaged { problem }
}

fn of_zip(error: ZipError) -> ArrayError {
    match error {
        ZipError::Io(error) => ArrayError::of_reading(error),
        other => damaged(other.to_string()),
    }
}

/// A reader that counts what went through it.
struct Counted<'a, R: ?Sized> {
    reader: &'a mut R,
    read: u64,
}

impl<R: Read + ?Sized> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.read += count as u64;
        Ok(count)
    }
}
