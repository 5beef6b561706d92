//! Small files of every format, made by the tests.

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use datasets::{DataDirectory, Entry, Examples, Format, LoadError, Scaling, Shape, Source, Split, SplitSize, Values};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The folder of the tests' dataset in the data directory.
const FOLDER: &str = "small";

/// A dataset of two training pictures and one test picture, or as many as are said.
pub fn entry(shape: [usize; 3], sizes: [usize; 2], format: Format) -> Entry {
    let [train_size, test_size] = sizes.map(|size| if size == 0 { SplitSize::Absent } else { SplitSize::Known(size) });
    let source = Source::Published { format, shared_folder: None, origin: "this test" };
    let (title, licence, shape) = ("a few pictures", "none", Shape::Image(shape));
    Entry { name: FOLDER, title, licence, shape, train_size, test_size, source }
}

/// A data directory.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A data directory with one file.
    pub fn with(name: &str, bytes: &[u8]) -> Self {
        Self::new().and(name, bytes)
    }

    /// The same with one more.
    pub fn and(self, name: &str, bytes: &[u8]) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    /// A data directory with the files that an archive extracts to.
    pub fn extracted(files: &[(&str, Vec<u8>)]) -> Self {
        files.iter().fold(Self::new(), |folder, (name, bytes)| folder.and(name, bytes))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(FOLDER).join(name)
    }

    pub fn directory(&self) -> DataDirectory {
        DataDirectory::at(self.0.path())
    }

    pub fn load(&self, entry: &Entry, split: Split, limit: Option<usize>) -> Result<Examples, LoadError> {
        datasets::load_entry(&self.directory(), entry, split, limit, &Scaling::none())
    }

    pub fn whole(&self, entry: &Entry, split: Split) -> Examples {
        self.load(entry, split, None).unwrap()
    }

    /// Why it is refused.
    pub fn refusal(&self, entry: &Entry, split: Split) -> String {
        match self.load(entry, split, None).unwrap_err() {
            refusal @ LoadError::Published { .. } => refusal.to_string(),
            other => panic!("a refusal of the contents expected, got {other}"),
        }
    }
}

pub fn pixels(examples: &Examples) -> &[u8] {
    match examples.values() {
        Values::Bytes(bytes) => bytes,
        Values::Floats(_) => panic!("pictures are bytes"),
    }
}

pub fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/published/fixtures").join(name)).unwrap()
}

pub fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in `{text}`");
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zip_of(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

pub fn tar_of(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    archive.into_inner().unwrap()
}

pub fn tar_gz_of(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    gzip(&tar_of(files))
}

/// A grey PNG picture of eight bits, or one in colour, told by the number of values.
pub fn png(width: u32, height: u32, values: &[u8]) -> Vec<u8> {
    let is_grey = values.len() == (width * height) as usize;
    let colour = if is_grey { png::ColorType::Grayscale } else { png::ColorType::Rgb };
    png_of(width, height, colour, png::BitDepth::Eight, values)
}

pub fn png_of(width: u32, height: u32, colour: png::ColorType, depth: png::BitDepth, rows: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(rows).unwrap();
    bytes
}

/// The bytes of an `.npy` file.
pub fn npy(description: &str, dimensions: &[usize], elements: &[u8]) -> Vec<u8> {
    let shape: String = dimensions.iter().map(|size| format!("{size}, ")).collect();
    let mut header = format!("{{'descr': '{description}', 'fortran_order': False, 'shape': ({shape}), }}");
    header.push_str(&" ".repeat(63 - (header.len() + 10) % 64));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(elements);
    bytes
}

/// An IDX file of bytes.
pub fn idx(dimensions: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    bytes.extend(dimensions.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(values);
    bytes
}
