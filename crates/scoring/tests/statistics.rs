//! The artifact: read as it was written, and refused when it is anything else.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use std::collections::HashMap;
use std::fs;

use domain::Digest;
use domain::report::Split;
use domain::spec::DatasetName;
use proptest::prelude::*;
use safetensors::serialize;
use safetensors::tensor::{Dtype, TensorView};
use scoring::{Columns, Header, Statistics, StatisticsError, column};

use scene::{columns, header, statistics};

fn written() -> Statistics {
    statistics(DatasetName::Mnist, Split::Test, columns(5, 8.0, 60.0))
}

/// A safetensors file with this document and a vector of two doubles named `log_likelihood`.
fn file_of(document: &str) -> Vec<u8> {
    let data = [0_u8; 16];
    let view = TensorView::new(Dtype::F64, vec![2], &data).unwrap();
    let metadata = HashMap::from([("spillway".to_owned(), document.to_owned())]);
    serialize([(column::LOG_LIKELIHOOD, view)], Some(metadata)).unwrap()
}

#[test]
fn what_is_written_is_read_back_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let mut values = columns(5, 8.0, 60.0);
    let odd = vec![f64::NAN, f64::INFINITY, -0.0, f64::MIN_POSITIVE / 2.0, 1e308];
    values.values.insert(column::LOG_LIKELIHOOD.to_owned(), odd.clone());
    let sent = statistics(DatasetName::Mnist, Split::Test, values);

    let saved = sent.write(&folder.path().join("rows.safetensors")).unwrap();
    let read = Statistics::read_file(&saved.path, Some(saved.digest)).unwrap();

    assert_eq!(read.header(), sent.header());
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(read.log_likelihood()), bits(&odd));
    assert_eq!(read.names().collect::<Vec<_>>(), sent.names().collect::<Vec<_>>());
    assert!(read.names().all(|name| bits(read.column(name).unwrap()) == bits(sent.column(name).unwrap())));
    assert_eq!((read.projections(), read.len()), (sent.projections(), 5));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no partial file stays");
    assert_eq!(fs::metadata(&saved.path).unwrap().len(), saved.bytes);
    let reference = read.reference(saved.digest);
    assert_eq!((reference.images, reference.split, reference.digest), (5, Split::Test, saved.digest));
}

#[test]
fn equal_statistics_have_equal_bytes() {
    assert_eq!(written().to_bytes().unwrap(), written().to_bytes().unwrap());
}

#[test]
fn another_digest_is_refused_with_both() {
    let bytes = written().to_bytes().unwrap();
    let other = Digest::of(b"other");

    let refusal = Statistics::read(&bytes, Some(other)).unwrap_err().to_string();

    assert!(refusal.contains(&other.to_string()) && refusal.contains(&Digest::of(&bytes).to_string()), "{refusal}");
}

#[test]
fn evaluations_of_before_are_told_from_damage() {
    let document = r#"{"format":1,"checkpoint":"00","inside":"mnist"}"#;

    let refusal = Statistics::read(&file_of(document), None).unwrap_err().to_string();

    assert_eq!(
        refusal,
        "statistics of format 1, and this version reads format 2; evaluate the experiment again under a new sweep name"
    );
}

#[test]
fn foreign_headers_are_refused() {
    let other = serde_json::to_string(&header(DatasetName::Mnist, Split::Test, 2)).unwrap();
    let surplus = other.replacen('{', r#"{"mood":1,"#, 1);
    for document in ["", "[]", r#"{"format":2}"#, r#"{"format":-1}"#, &surplus] {
        let refusal = Statistics::read(&file_of(document), None).unwrap_err();
        assert!(matches!(refusal, StatisticsError::Header(_)), "{document}: {refusal}");
    }
    let view = TensorView::new(Dtype::F64, vec![0], &[]).unwrap();
    let refusal = Statistics::read(&serialize([("a", view)], None).unwrap(), None).unwrap_err();
    assert!(matches!(refusal, StatisticsError::Header(_)), "{refusal}");
}

#[test]
fn headers_larger_than_any_are_refused_before_they_are_parsed() {
    let mut bytes = (50_u64 << 20).to_le_bytes().to_vec();
    bytes.extend(b"{\"a\":");

    let refusal = Statistics::read(&bytes, None).unwrap_err().to_string();

    assert_eq!(refusal, "not a file of statistics: its header has 52428800 bytes: at most 1048576");
}

#[test]
fn columns_that_are_missing_or_of_another_length_are_named() {
    let build = |header: Header, columns: Columns| Statistics::new(header, columns).unwrap_err().to_string();
    let five = || header(DatasetName::Mnist, Split::Test, 5);
    let without = |name: &str| {
        let mut all = columns(5, 8.0, 60.0);
        all.values.remove(name).unwrap();
        all
    };

    assert_eq!(build(five(), without("scale_1.log_determinant")), "column `scale_1.log_determinant`: missing");
    assert_eq!(
        build(header(DatasetName::Mnist, Split::Test, 6), columns(5, 8.0, 60.0)),
        "column `code_length.brotli`: 5 values of 6 examples"
    );
    let mut short = columns(5, 8.0, 60.0);
    short.projections = Some(vec![0.0; 319]);
    assert_eq!(build(five(), short), "column `latent_projection`: 319 values of 5 examples on 64 directions");
    assert_eq!(
        build(header(DatasetName::Mnist, Split::Test, 0), columns(0, 8.0, 60.0)),
        "not a file of statistics: it is of 0 examples"
    );
    let scales = Header { scales: u32::MAX, ..five() };
    assert_eq!(build(scales, columns(5, 8.0, 60.0)), "not a file of statistics: 4294967295 scales: 1 to 64 allowed");
}

#[test]
fn columns_of_other_types_are_refused() {
    let document = serde_json::to_string(&header(DatasetName::Mnist, Split::Test, 2)).unwrap();
    let file = |name: &str, dtype: Dtype, shape: Vec<usize>| {
        let data = vec![0_u8; shape.iter().product::<usize>() * dtype.bitsize() / 8];
        let view = TensorView::new(dtype, shape, &data).unwrap();
        serialize([(name, view)], Some(HashMap::from([("spillway".to_owned(), document.clone())]))).unwrap()
    };
    for bytes in [
        file(column::LOG_LIKELIHOOD, Dtype::F32, vec![2]),
        file(column::LOG_LIKELIHOOD, Dtype::F64, vec![2, 1]),
        file(column::LATENT_PROJECTION, Dtype::F32, vec![2, 63]),
        file(column::LATENT_PROJECTION, Dtype::F64, vec![2, 64]),
    ] {
        let refusal = Statistics::read(&bytes, None).unwrap_err().to_string();
        assert!(refusal.starts_with("column `") && refusal.contains("expected"), "{refusal}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Statistics::read(&bytes, None).is_err());
    }

    #[test]
    fn damaged_files_are_refused_or_read_as_something_whole(
        place in 0_usize..1200, value in any::<u8>(), length in 0_usize..6000,
    ) {
        let mut bytes = written().to_bytes().unwrap();
        let whole = bytes.len();
        bytes[place] = value;
        bytes.truncate(length.max(place + 1));
        let read = Statistics::read(&bytes, None);
        if bytes.len() < whole {
            prop_assert!(read.is_err());
        }
        if let Ok(read) = read {
            prop_assert_eq!(read.len(), 5);
        }
    }
}
