//! A data directory and what lies in it.

use std::fs;
use std::path::Path;

use catalogue::{Dataset, DatasetSource};
use datasets::{DataDirectory, Examples, OwnContents, Scaling, Split, Values, own_contents};
use safetensors::Dtype;
use safetensors::tensor::{TensorView, serialize};
use tempfile::TempDir;

/// A data directory of this test.
pub struct Data {
    folder: TempDir,
}

impl Data {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    pub fn put(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// A grey picture of one level.
    pub fn put_grey(&self, path: &str, [height, width]: [u32; 2], level: u8) -> &Self {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Grayscale);
        let pixels = vec![level; (height * width) as usize];
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        self.put(path, bytes)
    }

    pub fn load_some(&self, name: &str, split: Split, limit: Option<usize>) -> Result<Examples, String> {
        let dataset: Dataset = name.parse().unwrap();
        let directory = DataDirectory::at(self.folder.path());
        datasets::load(&directory, &dataset, split, limit, &Scaling::none()).map_err(|refusal| refusal.to_string())
    }

    pub fn load(&self, name: &str, split: Split) -> Result<Examples, String> {
        self.load_some(name, split, None)
    }

    pub fn refusal(&self, name: &str, split: Split) -> String {
        self.load(name, split).unwrap_err().replace(&self.folder.path().display().to_string(), "DATA")
    }

    pub fn contents(&self, name: &str) -> OwnContents {
        let dataset: Dataset = name.parse().unwrap();
        let DatasetSource::Own(files) = dataset.source() else { panic!("{name} is no own dataset") };
        own_contents(&DataDirectory::at(self.folder.path()), files).unwrap()
    }
}

pub fn bytes(examples: &Examples) -> &[u8] {
    match examples.values() {
        Values::Bytes(bytes) => bytes,
        Values::Floats(_) => panic!("these are vectors"),
    }
}

pub fn floats(examples: &Examples) -> &[f32] {
    match examples.values() {
        Values::Floats(floats) => floats,
        Values::Bytes(_) => panic!("these are images"),
    }
}

/// A safetensors file of bytes.
pub fn safetensors(arrays: &[(&str, &[usize], &[u8])]) -> Vec<u8> {
    let views =
        arrays.iter().map(|(name, shape, data)| (*name, TensorView::new(Dtype::U8, shape.to_vec(), data).unwrap()));
    serialize(views, None).unwrap()
}

/// Puts a table that another program wrote.
pub fn put_parquet(data: &Data, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet").join(name);
    data.put(name, fs::read(path).unwrap());
}
