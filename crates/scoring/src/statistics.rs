//! The artifact of an evaluation: what a flow makes of each example of a dataset's split, from which every score follows.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use domain::Digest;
use domain::report::{Split, StatisticsRef};
use domain::spec::Dataset;
use safetensors::tensor::{Dtype, TensorView, View};
use safetensors::{SafeTensors, serialize};
use serde::{Deserialize, Serialize};

use crate::column::{self, LATENT_PROJECTION, LOG_LIKELIHOOD};
use crate::error::StatisticsError;
use crate::file::{self, SavedFile, WrongDigest};

/// The version of the format that this release writes, and the only one it reads. Format 1 held both sides of one evaluation.
pub const FORMAT: u32 = 2;
/// Random directions on which latents are projected.
pub const PROJECTIONS: usize = 64;
/// The one key of the file's metadata: the order of several would vary, and with it the digest of equal contents.
pub(crate) const HEADER_KEY: &str = "spillway";
/// Most bytes of the header of a safetensors file of statistics; its length is read before anything is made of it.
const MAX_HEADER_BYTES: u64 = 1 << 20;
/// Most scales of a flow, which bound the columns that are looked for.
const MAX_SCALES: u32 = 64;

/// Of what and how statistics were computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// The trained flow.
    pub checkpoint: Digest,
    /// The seed that keys the noise.
    pub seed: u64,
    /// The dataset.
    pub dataset: Dataset,
    /// Which of its splits.
    pub split: Split,
    /// How many of the split's examples, from its first one on.
    pub images: u64,
    /// Dequantisation draws per image.
    pub noise_draws: u32,
    /// The flow's arithmetic, such as `float32`.
    pub precision: String,
    /// The device, such as `cpu` or `cuda`.
    pub device: String,
    /// Threads of the tensor library.
    pub threads: u32,
    /// Dimensions of an example and of its latent.
    pub dimensions: u64,
    /// What is subtracted for the discretisation of images, in nats.
    pub discretisation_nats: f64,
    /// Scales of the flow.
    pub scales: u32,
}

/// Columns on their way into statistics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    /// One value for each example, by the names of [`column`](mod@crate::column).
    pub values: BTreeMap<String, Vec<f64>>,
    /// The latents of the first draw on the fixed directions, `[n, 64]`, example after example; when they were taken.
    pub projections: Option<Vec<f32>>,
}

/// What a flow makes of each example of a dataset's split.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    header: Header,
    columns: Columns,
}

/// The one field that every version has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl Statistics {
    /// Puts columns under a header.
    ///
    /// # Errors
    /// [`StatisticsError`] when a column is missing or of another length.
    pub fn new(header: Header, columns: Columns) -> Result<Self, StatisticsError> {
        if header.format != FORMAT {
            return Err(StatisticsError::OtherFormat { found: header.format });
        }
        let examples = usize::try_from(header.images).ok().filter(|examples| *examples > 0);
        let examples =
            examples.ok_or_else(|| StatisticsError::Header(format!("it is of {} examples", header.images)))?;
        if !(1..=MAX_SCALES).contains(&header.scales) {
            let message = format!("{} scales: 1 to {MAX_SCALES} allowed", header.scales);
            return Err(StatisticsError::Header(message));
        }
        for name in column::required(header.scales) {
            if !columns.values.contains_key(&name) {
                return Err(StatisticsError::column(name, "missing"));
            }
        }
        for (name, values) in &columns.values {
            if values.len() != examples {
                let problem = format!("{} values of {examples} examples", values.len());
                return Err(StatisticsError::column(name, problem));
            }
        }
        if let Some(values) =
            columns.projections.as_ref().filter(|values| Some(values.len()) != examples.checked_mul(PROJECTIONS))
        {
            let problem = format!("{} values of {examples} examples on {PROJECTIONS} directions", values.len());
            return Err(StatisticsError::column(LATENT_PROJECTION, problem));
        }
        Ok(Self { header, columns })
    }

    /// Of what and how they were computed.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The values of a column by its name in [`column`](mod@crate::column), one for each example; nothing when there is no such column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        self.columns.values.get(name).map(Vec::as_slice)
    }

    /// The names of the columns, in order; the projections are none of them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.values.keys().map(String::as_str)
    }

    /// ℓ(x) of each example in nats.
    #[must_use]
    pub fn log_likelihood(&self) -> &[f64] {
        self.columns.values.get(LOG_LIKELIHOOD).map_or(&[], Vec::as_slice)
    }

    /// The latents of the first draw on the fixed directions, [`PROJECTIONS`] values for each example.
    #[must_use]
    pub fn projections(&self) -> Option<&[f32]> {
        self.columns.projections.as_deref()
    }

    /// Number of examples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.log_likelihood().len()
    }

    /// Whether there is no example, which is never so.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How results name these statistics, stored under `digest`.
    #[must_use]
    pub fn reference(&self, digest: Digest) -> StatisticsRef {
        let Header { dataset, split, images, noise_draws, .. } = &self.header;
        StatisticsRef { dataset: dataset.clone(), split: *split, images: *images, noise_draws: *noise_draws, digest }
    }

    /// The bytes of the file: equal statistics have equal bytes.
    ///
    /// # Errors
    /// [`StatisticsError`] when they are larger than any reader takes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StatisticsError> {
        let header = serde_json::to_string(&self.header).map_err(|error| StatisticsError::Header(error.to_string()))?;
        let metadata = HashMap::from([(HEADER_KEY.to_owned(), header)]);
        let doubles = self.columns.values.iter().map(|(name, values)| {
            (name.as_str(), Stored { values: Values::Doubles(values), shape: vec![values.len()] })
        });
        let singles = self.columns.projections.iter().map(|values| {
            let shape = vec![values.len() / PROJECTIONS, PROJECTIONS];
            (LATENT_PROJECTION, Stored { values: Values::Singles(values), shape })
        });
        let bytes = serialize(doubles.chain(singles), Some(metadata))?;
        check_size(bytes.len() as u64)?;
        Ok(bytes)
    }

    /// Writes the file, durably and all or nothing.
    ///
    /// # Errors
    /// [`StatisticsError`] when the disk refuses.
    pub fn write(&self, path: &Path) -> Result<SavedFile, StatisticsError> {
        Ok(file::write(path, &self.to_bytes()?)?)
    }

    /// Reads the bytes of a file, and checks their digest when one is expected.
    ///
    /// # Errors
    /// [`StatisticsError`] when they are others, damaged, too large or of another version.
    pub fn read(bytes: &[u8], expected: Option<Digest>) -> Result<Self, StatisticsError> {
        check_size(bytes.len() as u64)?;
        if let Some(expected) = expected {
            let found = Digest::of(bytes);
            if found != expected {
                return Err(StatisticsError::WrongDigest(WrongDigest { expected, found, bytes: bytes.len() }));
            }
        }
        if let Some(length) = bytes.first_chunk::<8>().map(|length| u64::from_le_bytes(*length))
            && length > MAX_HEADER_BYTES
        {
            return Err(StatisticsError::Header(format!("its header has {length} bytes: at most {MAX_HEADER_BYTES}")));
        }
        let (_, metadata) = SafeTensors::read_metadata(bytes)?;
        let document = metadata.metadata().as_ref().and_then(|pairs| pairs.get(HEADER_KEY));
        let header = header_of(document.ok_or_else(|| StatisticsError::Header(format!("no {HEADER_KEY:?} in it")))?)?;
        let mut columns = Columns::default();
        for (name, view) in SafeTensors::deserialize(bytes)?.iter() {
            if name == LATENT_PROJECTION {
                columns.projections = Some(singles_of(&view)?);
            } else {
                columns.values.insert(name.to_owned(), doubles_of(name, &view)?);
            }
        }
        Self::new(header, columns)
    }

    /// Reads a file, and checks its digest when one is expected.
    ///
    /// # Errors
    /// As for [`read`](Self::read), or the file cannot be read at all.
    pub fn read_file(path: &Path, expected: Option<Digest>) -> Result<Self, StatisticsError> {
        Self::read(&file::read(path)?, expected)
    }
}

fn check_size(bytes: u64) -> Result<(), StatisticsError> {
    let most = file::MAX_FILE_BYTES;
    if bytes > most { Err(StatisticsError::TooLarge { bytes, most }) } else { Ok(()) }
}

/// The version decides first: fields of another one are no mistakes.
fn header_of(document: &str) -> Result<Header, StatisticsError> {
    let wrong = |error: serde_json::Error| StatisticsError::Header(error.to_string());
    let Version { format } = serde_json::from_str(document).map_err(wrong)?;
    if format != FORMAT {
        return Err(StatisticsError::OtherFormat { found: format });
    }
    serde_json::from_str(document).map_err(wrong)
}

fn doubles_of(name: &str, view: &TensorView<'_>) -> Result<Vec<f64>, StatisticsError> {
    if view.dtype() != Dtype::F64 || view.shape().len() != 1 {
        let problem = format!("{} {:?}, where a vector of doubles is expected", view.dtype(), view.shape());
        return Err(StatisticsError::column(name.escape_debug().to_string(), problem));
    }
    let (values, _) = view.data().as_chunks::<8>();
    Ok(values.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
}

fn singles_of(view: &TensorView<'_>) -> Result<Vec<f32>, StatisticsError> {
    if view.dtype() != Dtype::F32 || view.shape().get(1..) != Some(&[PROJECTIONS]) {
        let problem =
            format!("{} {:?}, where single precision [n, {PROJECTIONS}] is expected", view.dtype(), view.shape());
        return Err(StatisticsError::column(LATENT_PROJECTION, problem));
    }
    let (values, _) = view.data().as_chunks::<4>();
    Ok(values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// A column on its way into a file.
pub(crate) struct Stored<'a> {
    pub(crate) values: Values<'a>,
    pub(crate) shape: Vec<usize>,
}

pub(crate) enum Values<'a> {
    Doubles(&'a [f64]),
    Singles(&'a [f32]),
}

impl View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        match self.values {
            Values::Doubles(_) => Dtype::F64,
            Values::Singles(_) => Dtype::F32,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let bytes: Vec<u8> = match self.values {
            Values::Doubles(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Values::Singles(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        };
        bytes.into()
    }

    fn data_len(&self) -> usize {
        match self.values {
            Values::Doubles(values) => size_of_val(values),
            Values::Singles(values) => size_of_val(values),
        }
    }
}
