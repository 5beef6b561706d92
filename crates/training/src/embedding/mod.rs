//! Images as the outputs of a feature extractor, a TorchScript module that the user puts into the data directory.
//!
//! Equal extractors and images give equal outputs, so that they are computed once and kept; whatever is wrong with what was kept
//! costs computing them again, and nothing else.

mod extractor;
mod shelf;

use catalogue::Embedding;
use datasets::{DataDirectory, Examples, Shape, Split, Unstepped, Values};
use domain::Digest;
use domain::spec::Dataset;
use thiserror::Error;
use tracing::{debug, warn};

use crate::Device;
use crate::error::TrainingError;
use extractor::Extractor;
use shelf::{Shelf, Stored};

/// Changes whenever the same extractor and images would give other numbers.
const FORMAT: &str = "spillway embeddings 1";
/// Values of the images that go through the extractor together, about, and the most images.
const BATCH_VALUES: usize = 1 << 23;
const MAX_BATCH: usize = 256;

/// Why images have no embeddings. None of these goes away by trying again.
#[derive(Debug, Error)]
pub enum EmbeddingError {
    /// There is no such extractor.
    #[error("feature extractor {name} is not there; put the TorchScript module into {path}")]
    Missing {
        /// Its name.
        name: String,
        /// Where it should lie.
        path: String,
    },
    /// The file is not a module that can be used.
    #[error("feature extractor {path} cannot be used: {problem}")]
    Unusable {
        /// The file.
        path: String,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// What it makes of images is not what the dataset's name says.
    #[error("feature extractor {path} made {found} of images of {images}, and {expected} is expected; {remedy}")]
    Output {
        /// The file.
        path: String,
        /// The shape that it was given.
        images: Shape,
        /// What it made.
        found: String,
        /// What it should make.
        expected: String,
        /// How to mend it.
        remedy: &'static str,
    },
}

/// The embeddings of the first `limit` images of a split, or of all.
pub fn load(
    data: &DataDirectory,
    dataset: &Dataset,
    embedding: &Embedding,
    split: Split,
    limit: Option<usize>,
) -> Result<Examples, TrainingError> {
    let mut images = Unstepped::load(data, dataset, split, limit)?;
    let device = device();
    let extractor = Extractor::read(data, &embedding.extractor, images.shape())?;
    let key = key(&extractor, dataset, split, &images, device);
    let shelf = Shelf::open(data);
    let features = embedding.features as usize;
    let count = images.images().len();
    let values = match shelf.find(key, [count, features]) {
        Some(values) => values,
        None => {
            debug!(%dataset, %split, images = count, "embeddings are computed");
            let values = compute(&extractor, &mut images, features, device)?;
            let stored = Stored { dataset: dataset.to_string(), split: split.to_string(), sizes: [count, features] };
            if let Err(problem) = shelf.put(key, &stored, &values) {
                warn!(%problem, %dataset, %split, "embeddings are not kept and will be computed again");
            }
            values
        }
    };
    let labels = images.images().labels().map(<[u32]>::to_vec);
    let examples = Examples::new(Shape::Vector(features), Values::Floats(values)).expect("whole rows were made");
    Ok(match labels {
        Some(labels) => examples.with_labels(labels).expect("there is a row for each image, and a label was there"),
        None => examples,
    })
}

/// Where this process computes: a worker's child loads CUDA exactly if that is its device.
fn device() -> Device {
    if tch::Cuda::is_available() { Device::Cuda } else { Device::Cpu }
}

/// What the outputs depend on. The images themselves are a part of it: a user's own files may change under their name.
fn key(extractor: &Extractor, dataset: &Dataset, split: Split, images: &Unstepped, device: Device) -> Digest {
    let pixels = match images.images().values() {
        Values::Bytes(pixels) => Digest::of(pixels),
        Values::Floats(_) => Digest::of(&[]),
    };
    let parts = [
        FORMAT.to_owned(),
        extractor.digest().to_string(),
        dataset.to_string(),
        split.to_string(),
        pixels.to_string(),
        device.as_str().to_owned(),
    ];
    Digest::of(parts.join("\n").as_bytes())
}

fn compute(
    extractor: &Extractor,
    images: &mut Unstepped,
    features: usize,
    device: Device,
) -> Result<Vec<f32>, TrainingError> {
    let count = images.images().len();
    let shape = images.shape();
    let batch = (BATCH_VALUES / shape.iter().product::<usize>()).clamp(1, MAX_BATCH);
    let module = extractor.open(device)?;
    let mut values = Vec::new();
    values.try_reserve_exact(count.saturating_mul(features)).map_err(|_| extractor.too_large(count, features))?;
    for first in (0..count).step_by(batch) {
        let pixels = images.batch(first..first + batch);
        module.append(&pixels, features, &mut values)?;
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use domain::job::FailureKind;
    use tch::{CModule, Kind, Tensor};

    use super::*;

    /// Three features of a colour image: means of red and green, and a constant.
    fn save_extractor(path: &Path, change: impl Fn(&Tensor) -> Tensor) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let example = Tensor::zeros([2, 3, 8, 8], (Kind::Float, tch::Device::Cpu));
        let mut forward = |inputs: &[Tensor]| vec![change(&inputs[0])];
        let module = CModule::create_by_tracing("Means", "forward", &[example], &mut forward).unwrap();
        module.save(path).unwrap();
    }

    fn means(images: &Tensor) -> Tensor {
        let means = images.mean_dim([2_i64, 3].as_slice(), false, Kind::Float);
        Tensor::cat(&[means.narrow(1, 0, 2), means.narrow(1, 0, 1) * 0.0 + 7.0], 1)
    }

    struct Scene {
        folder: tempfile::TempDir,
    }

    impl Scene {
        fn new(change: impl Fn(&Tensor) -> Tensor) -> Self {
            crate::set_threads(1);
            let folder = tempfile::tempdir().unwrap();
            save_extractor(&folder.path().join("extractors/means.pt"), change);
            Self { folder }
        }

        fn load(&self, name: &str, limit: usize) -> Result<Examples, TrainingError> {
            let dataset: Dataset = name.parse().unwrap();
            let data = DataDirectory::at(self.folder.path());
            crate::examples::load(&data, &dataset, Split::Test, Some(limit), &datasets::Scaling::none())
        }

        fn refusal(&self, name: &str) -> String {
            let error = self.load(name, 5).unwrap_err();
            assert_eq!(error.kind(), FailureKind::Permanent);
            error.to_string()
        }

        fn kept(&self) -> Vec<std::path::PathBuf> {
            let folder = self.folder.path().join(".embeddings");
            fs::read_dir(folder).map_or(Vec::new(), |files| files.map(|file| file.unwrap().path()).collect())
        }
    }

    const NAME: &str = "synthetic-shapes-rgb|resize=8x8:box|embed=means@3";

    fn values(examples: &Examples) -> &[f32] {
        match examples.values() {
            Values::Floats(values) => values,
            Values::Bytes(_) => panic!("embeddings are floats"),
        }
    }

    /// What the extractor should make, computed without it.
    fn expected(limit: usize) -> Vec<f32> {
        let dataset: Dataset = "synthetic-shapes-rgb|resize=8x8:box".parse().unwrap();
        let data = DataDirectory::at("no folder is needed");
        let images = datasets::load(&data, &dataset, Split::Test, Some(limit), &datasets::Scaling::none()).unwrap();
        let Values::Bytes(pixels) = images.values() else { panic!("images are bytes") };
        let mean = |plane: &[u8]| plane.iter().map(|&level| f32::from(level) / 255.0).sum::<f32>() / 64.0;
        pixels.chunks(192).flat_map(|image| [mean(&image[..64]), mean(&image[64..128]), 7.0]).collect()
    }

    fn assert_near(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?} {expected:?}");
    }

    #[test]
    fn images_become_the_outputs_of_the_extractor_once() {
        let scene = Scene::new(means);

        let computed = scene.load(NAME, 300).unwrap();
        let kept = scene.kept();
        let read = scene.load(NAME, 300).unwrap();
        let fewer = scene.load(NAME, 7).unwrap();

        assert_eq!(computed.shape(), Shape::Vector(3));
        assert_near(values(&computed), &expected(300));
        assert_eq!(values(&read), values(&computed));
        assert_near(values(&fewer), &expected(7));
        assert_eq!((kept.len(), scene.kept().len()), (1, 2));
    }

    #[test]
    fn what_was_kept_is_used_and_what_is_damaged_is_computed_again() {
        let scene = Scene::new(means);
        let computed = scene.load(NAME, 5).unwrap();
        let [file] = &scene.kept()[..] else { panic!("one file was kept") };
        let whole = fs::read(file).unwrap();

        for place in [10, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            fs::write(file, &damaged).unwrap();
            assert_eq!(values(&scene.load(NAME, 5).unwrap()), values(&computed), "{place}");
            assert_eq!(fs::read(file).unwrap(), whole, "{place}");
        }
        fs::write(file, &whole[..whole.len() / 2]).unwrap();
        assert_eq!(values(&scene.load(NAME, 5).unwrap()), values(&computed));
    }

    #[test]
    fn another_extractor_or_other_statistics_give_other_embeddings() {
        let scene = Scene::new(means);
        let computed = scene.load(NAME, 5).unwrap();

        let sidecar = scene.folder.path().join("extractors/means.json");
        fs::write(&sidecar, r#"{"mean": [0.5, 0.25, 0], "std": [0.5, 2, 1]}"#).unwrap();
        let normalised = scene.load(NAME, 5).unwrap();
        save_extractor(&scene.folder.path().join("extractors/means.pt"), |images| means(images) * 2.0);
        let doubled = scene.load(NAME, 5).unwrap();

        let by_hand = |row: &[f32]| [(row[0] - 0.5) / 0.5, (row[1] - 0.25) / 2.0, 7.0];
        let by_hand: Vec<f32> = values(&computed).chunks(3).flat_map(by_hand).collect();
        assert_near(values(&normalised), &by_hand);
        assert_near(values(&doubled), &by_hand.iter().map(|value| value * 2.0).collect::<Vec<_>>());
    }

    #[test]
    fn a_folder_that_cannot_be_written_costs_computing_again() {
        let scene = Scene::new(means);
        fs::write(scene.folder.path().join(".embeddings"), "a file in the folder's place").unwrap();

        let first = scene.load(NAME, 5).unwrap();

        assert_near(values(&first), &expected(5));
    }

    #[test]
    fn several_threads_may_compute_the_same_at_once() {
        let scene = Scene::new(means);

        std::thread::scope(|scope| {
            let running: Vec<_> = (0..4).map(|_| scope.spawn(|| scene.load(NAME, 20).unwrap())).collect();
            for thread in running {
                assert_near(values(&thread.join().unwrap()), &expected(20));
            }
        });

        assert_eq!(scene.kept().len(), 1, "{:?}", scene.kept());
    }

    #[test]
    fn extractors_that_do_not_fit_are_refused_with_the_remedy() {
        let scene = Scene::new(means);

        let refusal = scene.refusal("synthetic-shapes-rgb|resize=8x8:box|embed=other@3");
        assert!(
            refusal.contains("extractor other is not there") && refusal.contains("extractors/other.pt"),
            "{refusal}"
        );
        let refusal = scene.refusal("synthetic-shapes-rgb|resize=8x8:box|embed=means@4");
        assert!(refusal.contains("made [5, 3] of images of 3×8×8, and [5, 4] is expected"), "{refusal}");
        let refusal = scene.refusal("synthetic-shapes|embed=means@3");
        assert!(refusal.contains("means.pt cannot be used"), "{refusal}");
        let path = scene.folder.path().join("extractors/means.pt");
        fs::write(&path, "no module").unwrap();
        assert!(scene.refusal(NAME).contains("is not a TorchScript module"), "{}", scene.refusal(NAME));
        save_extractor(&path, |images| means(images) / 0.0);
        let refusal = scene.refusal(NAME);
        assert!(refusal.contains("is not finite"), "{refusal}");
        save_extractor(&path, |images| means(images).to_kind(Kind::Int64));
        assert!(scene.refusal(NAME).contains("Int64"), "{}", scene.refusal(NAME));
    }

    #[test]
    fn wrong_statistics_are_refused_by_their_file() {
        let scene = Scene::new(means);
        let sidecar = scene.folder.path().join("extractors/means.json");
        for wrong in [
            "{",
            "{}",
            r#"{"mean": [0], "std": [1]}"#,
            r#"{"mean": [0, 0, 0], "std": [1, 1, 0]}"#,
            r#"{"mean": [0, 0, 0], "std": [1, 1, 1], "size": 3}"#,
            r#"{"mean": [0, 0, 1e99], "std": [1, 1, 1]}"#,
        ] {
            fs::write(&sidecar, wrong).unwrap();
            let refusal = scene.refusal(NAME);
            assert!(refusal.contains("means.json cannot be used"), "{wrong}: {refusal}");
        }
    }
}
