//! CIFAR in its binary version: records of one label (CIFAR-10) or two (CIFAR-100: coarse, then fine) and the planes of a
//! picture, red, green and blue.

use std::io::Read;

use super::Loaded;
use super::container::Container;
use super::error::PublishedError;
use crate::catalogue::CifarVersion;
use crate::examples::Split;
use crate::idx::fill;

const TRAIN_10: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];

/// Reads the first `count` of the `known` pictures of a split, which fill its files evenly.
pub fn read(
    container: &Container,
    version: CifarVersion,
    split: Split,
    known: usize,
    count: usize,
    dimensions: usize,
) -> Result<Loaded, PublishedError> {
    let (files, classes, label_bytes): (&[&str], u32, usize) = match (version, split) {
        (CifarVersion::Ten, Split::Train) => (&TRAIN_10, 10, 1),
        (CifarVersion::Ten, Split::Test) => (&["test_batch.bin"], 10, 1),
        (CifarVersion::Hundred, Split::Train) => (&["train.bin"], 100, 2),
        (CifarVersion::Hundred, Split::Test) => (&["test.bin"], 100, 2),
    };
    let per_file = known / files.len();
    let members = files.iter().map(|file| container.find(file)).collect::<Result<Vec<_>, _>>()?;
    let mut pixels = PublishedError::reserve(count * dimensions)?;
    pixels.resize(count * dimensions, 0);
    let mut labels = vec![0; count];
    let needed = count.div_ceil(per_file.max(1)).max(1).min(files.len());
    container.read_each(&members[..needed], &mut |file, name, reader| {
        let mut record = vec![0; label_bytes + dimensions];
        for index in 0..per_file {
            let found = fill(reader, &mut record).map_err(|error| PublishedError::in_member(name, error))?;
            if found < record.len() {
                let expected = per_file * record.len();
                let problem = format!("has {} bytes, and {expected} are expected", index * record.len() + found);
                return Err(PublishedError::member(name, problem));
            }
            // The fine label stands last.
            let label = u32::from(record[label_bytes - 1]);
            if label >= classes {
                let problem = format!("has the label {label} in record {index}, and labels are below {classes}");
                return Err(PublishedError::member(name, problem));
            }
            let place = file * per_file + index;
            if place < count {
                labels[place] = label;
                pixels[place * dimensions..(place + 1) * dimensions].copy_from_slice(&record[label_bytes..]);
            }
        }
        expect_end(name, reader)
    })?;
    Ok(Loaded { pixels, labels: Some(labels), left_out: Vec::new(), is_stepped: false })
}

fn expect_end(name: &str, reader: &mut dyn Read) -> Result<(), PublishedError> {
    match fill(reader, &mut [0]).map_err(|error| PublishedError::in_member(name, error))? {
        0 => Ok(()),
        _ => Err(PublishedError::member(name, "goes on after the last record")),
    }
}
