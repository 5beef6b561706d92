//! The UCI tables on disk: read by class, standardised as the learned class, refused by line and column.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

use std::fmt::Write as _;
use std::io::Write as _;

use datasets::{
    Catalogue, DataDirectory, Entry, FileOutcome, LoadError, Scaling, Source, Split, TableError, Values,
    VectorProcedure, verify,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

fn entry(name: &str) -> &'static Entry {
    Catalogue::lookup(name).unwrap()
}

fn floats(directory: &DataDirectory, name: &str, split: Split, scaling: &Scaling) -> Vec<f32> {
    match datasets::load_entry(directory, entry(name), split, None, scaling).unwrap().values() {
        Values::Floats(values) => values.clone(),
        Values::Bytes(_) => panic!("vectors are floats"),
    }
}

/// A value of HEPMASS's feature `column` (0 to 26) in some row: 12 columns have a smallest value that comes often, 15
/// have not, one of them in spite of a frequent larger value.
fn hepmass_value(row: usize, column: usize) -> f64 {
    match column {
        0..12 => f64::from(u8::from(row % 2 == 1)),
        12 if row < 15 => 7.0,
        _ => ((row * 31 + column * 17) % 101) as f64 / 8.0 + row as f64 / 64.0 - 3.0,
    }
}

/// A file of HEPMASS, scaled down; rows have the labels 1, 0, 1, 0 and so on.
fn hepmass_text(rows: std::ops::Range<usize>, extra: &str) -> String {
    let mut text = "# label".to_owned();
    (0..27).for_each(|column| write!(text, ",f{column}").unwrap());
    writeln!(text, "{}", if extra.is_empty() { "" } else { ",extra" }).unwrap();
    for row in rows {
        write!(text, "{:.18e}", ((row + 1) % 2) as f64).unwrap();
        (0..27).for_each(|column| write!(text, ",{:.18e}", hepmass_value(row, column)).unwrap());
        writeln!(text, "{extra}").unwrap();
    }
    text
}

/// A data directory with a scaled-down HEPMASS of 20 training rows and 6 test rows.
fn hepmass() -> (TempDir, DataDirectory) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("hepmass")).unwrap();
    std::fs::write(folder.path().join("hepmass/1000_train.csv"), hepmass_text(0..20, "")).unwrap();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(hepmass_text(20..26, ",1000").as_bytes()).unwrap();
    std::fs::write(folder.path().join("hepmass/1000_test.csv.gz"), gzip.finish().unwrap()).unwrap();
    let directory = DataDirectory::at(folder.path());
    (folder, directory)
}

/// Standardises rows by the class of the training rows, in the plainest way.
fn expected_hepmass(rows: impl Iterator<Item = usize>, learned: impl Iterator<Item = usize> + Clone) -> Vec<f32> {
    let count = learned.clone().count() as f64;
    let moments = |column: usize| {
        let mean = learned.clone().map(|row| hepmass_value(row, column)).sum::<f64>() / count;
        let variance = learned.clone().map(|row| (hepmass_value(row, column) - mean).powi(2)).sum::<f64>() / count;
        (mean, variance.sqrt())
    };
    let scaled = |row: usize, column: usize| {
        let (mean, deviation) = moments(column);
        ((hepmass_value(row, column) - mean) / deviation) as f32
    };
    rows.flat_map(|row| (12..27).map(move |column| (row, column))).map(|(row, column)| scaled(row, column)).collect()
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let furthest = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(furthest < 1e-5, "they differ by up to {furthest}");
}

#[test]
fn hepmass_is_read_by_class_and_scaled_by_the_learned_class() {
    let (_folder, directory) = hepmass();
    let (signal, background) = ((0..20).step_by(2), (1..20).step_by(2));

    for (learned, rows) in [("hepmass-0", background.clone()), ("hepmass-1", signal.clone())] {
        let scaling = Scaling::of(&directory, entry(learned)).unwrap();
        let load = |name, split| floats(&directory, name, split, &scaling);

        assert_close(&load("hepmass-0", Split::Train), &expected_hepmass(background.clone(), rows.clone()));
        assert_close(&load("hepmass-1", Split::Train), &expected_hepmass(signal.clone(), rows.clone()));
        assert_close(&load("hepmass-1", Split::Test), &expected_hepmass((20..26).step_by(2), rows.clone()));
        assert_close(&load("hepmass-0", Split::Test), &expected_hepmass((21..26).step_by(2), rows));
    }
}

#[test]
fn limit_changes_neither_scaling_nor_order() {
    let (_folder, directory) = hepmass();
    let scaling = Scaling::of(&directory, entry("hepmass-1")).unwrap();

    let few = datasets::load_entry(&directory, entry("hepmass-1"), Split::Train, Some(3), &scaling).unwrap();

    let all = floats(&directory, "hepmass-1", Split::Train, &scaling);
    assert_eq!(few.values(), &Values::Floats(all[..45].to_vec()));
    assert_eq!(few.len(), 3);
}

#[test]
fn hepmass_with_other_features_is_refused_by_name() {
    let (folder, directory) = hepmass();
    let text = hepmass_text(0..20, "").replace("f26\n", "f26,more\n");
    let text: String = text
        .lines()
        .enumerate()
        .map(|(line, text)| if line == 0 { format!("{text}\n") } else { format!("{text},{line}.5\n") })
        .collect();
    std::fs::write(folder.path().join("hepmass/1000_train.csv"), text).unwrap();

    let refusal = Scaling::of(&directory, entry("hepmass-0")).unwrap_err();

    let text = refusal.to_string();
    assert!(text.contains("1000_train.csv") && text.contains("16 features remain, and 15"), "{text}");
    assert!(text.contains("f12, f13") && text.contains("more"), "{text}");
}

#[test]
fn constant_feature_is_refused_by_its_name() {
    let (folder, directory) = hepmass();
    let header = hepmass_text(0..0, "");
    // Three rows of class 0 share the value of f26, and class 1 has others, too few of each for the rule to drop it.
    let rows: String = (0..6)
        .map(|row| {
            let features: String = (0..27)
                .map(|column| match column {
                    0..12 => ",0".to_owned(),
                    26 if row % 2 == 0 => ",5".to_owned(),
                    _ => format!(",{}", row * 27 + column),
                })
                .collect();
            format!("{}{features}\n", row % 2)
        })
        .collect();
    std::fs::write(folder.path().join("hepmass/1000_train.csv"), header + &rows).unwrap();

    let refusal = Scaling::of(&directory, entry("hepmass-0")).unwrap_err();

    assert!(matches!(&refusal, LoadError::ConstantFeature { feature, rows: 3, .. } if feature == "f26"), "{refusal}");
    assert!(Scaling::of(&directory, entry("hepmass-1")).is_ok());
}

#[test]
fn a_bad_value_is_named_by_file_line_and_column() {
    let (folder, directory) = hepmass();
    let mut lines: Vec<String> = hepmass_text(0..20, "").lines().map(str::to_owned).collect();
    lines[4] = lines[4].replacen(',', ",nan,", 1);
    std::fs::write(folder.path().join("hepmass/1000_train.csv"), lines.join("\n")).unwrap();

    let refusal = Scaling::of(&directory, entry("hepmass-0")).unwrap_err();

    let text = refusal.to_string();
    assert!(text.contains("hepmass/1000_train.csv") && text.contains("line 5, column 2 (from 1) is `nan`"), "{text}");
}

#[test]
fn cut_off_gzip_is_refused() {
    let (folder, directory) = hepmass();
    let path = folder.path().join("hepmass/1000_test.csv.gz");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let scaling = Scaling::of(&directory, entry("hepmass-0")).unwrap();

    let refusal = datasets::load_entry(&directory, entry("hepmass-0"), Split::Test, None, &scaling).unwrap_err();

    assert!(matches!(refusal, LoadError::CorruptGzip { .. }), "{refusal}");
}

#[test]
fn verification_of_a_table_counts_the_rows_of_the_class() {
    let (_folder, directory) = hepmass();

    let reports = verify(&directory, entry("hepmass-1"));

    let counts = reports.iter().map(|report| match report.outcome {
        FileOutcome::Verified { examples, .. } => examples,
        FileOutcome::Missing(_) | FileOutcome::Damaged(_) => panic!("{report:?}"),
    });
    assert!(counts.eq([Some(10), Some(3)]));
}

/// MINIBOONE scaled down: 12 signal rows and 20 background rows, of which the first 12 take part.
fn miniboone() -> (TempDir, DataDirectory) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("miniboone")).unwrap();
    let mut text = " 12 20\n".to_owned();
    for row in 0..32 {
        (0..50).for_each(|column| write!(text, "  {:.6e}", miniboone_value(row, column)).unwrap());
        text.push('\n');
    }
    std::fs::write(folder.path().join("miniboone/MiniBooNE_PID.txt"), text).unwrap();
    let directory = DataDirectory::at(folder.path());
    (folder, directory)
}

fn miniboone_value(row: usize, column: usize) -> f64 {
    if row == 3 && column == 4 { -999.0 } else { (row * row) as f64 + 0.5 * column as f64 }
}

/// `train_test_split(numpy.arange(12), test_size=0.1, random_state=0)` of scikit-learn 1.9.1.
const TRAIN_OF_12: [usize; 10] = [4, 10, 2, 8, 1, 7, 9, 3, 0, 5];
const TEST_OF_12: [usize; 2] = [6, 11];

#[test]
fn miniboone_is_split_as_scikit_learn_does_and_scaled_by_the_learned_class() {
    let (_folder, directory) = miniboone();
    let moments = |column: usize, first: usize| {
        let values = TRAIN_OF_12.map(|row| miniboone_value(first + row, column));
        let mean = values.iter().sum::<f64>() / 10.0;
        (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 10.0).sqrt())
    };
    let expected = |rows: &[usize], first: usize, learned_first: usize| -> Vec<f32> {
        let value = |row: usize, column: usize| {
            let (mean, deviation) = moments(column, learned_first);
            ((miniboone_value(first + row, column) - mean) / deviation) as f32
        };
        rows.iter().flat_map(|&row| (0..50).map(move |column| (row, column))).map(|(r, c)| value(r, c)).collect()
    };

    for (learned, learned_first) in [("miniboone-1", 0), ("miniboone-0", 12)] {
        let scaling = Scaling::of(&directory, entry(learned)).unwrap();
        for (name, first) in [("miniboone-1", 0), ("miniboone-0", 12)] {
            let train = floats(&directory, name, Split::Train, &scaling);
            let test = floats(&directory, name, Split::Test, &scaling);

            assert_close(&train, &expected(&TRAIN_OF_12, first, learned_first));
            assert_close(&test, &expected(&TEST_OF_12, first, learned_first));
        }
    }
}

#[test]
fn miniboone_with_a_row_too_few_is_refused() {
    let (folder, directory) = miniboone();
    let path = folder.path().join("miniboone/MiniBooNE_PID.txt");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.trim_end().rsplit_once('\n').unwrap().0).unwrap();

    let refusal = Scaling::of(&directory, entry("miniboone-0")).unwrap_err();

    assert!(
        matches!(refusal, LoadError::Table { source: TableError::Rows { stated: 32, found: 31 }, .. }),
        "{refusal}"
    );
}

#[test]
fn missing_table_says_what_to_put_where() {
    let folder = tempfile::tempdir().unwrap();

    let refusal = Scaling::of(&DataDirectory::at(folder.path()), entry("hepmass-0")).unwrap_err();

    let text = refusal.to_string();
    let place = folder.path().join("hepmass").display().to_string();
    for part in ["hepmass-0", "1000_train.csv or 1000_train.csv.gz", "archive.ics.uci.edu", &place] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn built_in_clusters_are_standardised_as_tables_are() {
    let directory = DataDirectory::at("nowhere");
    let scaling = Scaling::of(&directory, entry("synthetic-clusters-0")).unwrap();

    let learned = floats(&directory, "synthetic-clusters-0", Split::Train, &scaling);
    let other = floats(&directory, "synthetic-clusters-1", Split::Test, &scaling);

    for column in 0..15 {
        let values: Vec<f64> = learned.iter().skip(column).step_by(15).map(|&value| f64::from(value)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4, "column {column}: {mean}, {variance}");
    }
    assert_eq!(other.len(), 5_000 * 15);
    let source = Source::ProceduralVectors(VectorProcedure::Clusters { class: 1 });
    assert_eq!(entry("synthetic-clusters-1").source, source);
}

#[test]
fn embeddings_are_not_scaled_and_other_features_are_refused() {
    let directory = DataDirectory::at("nowhere");
    let none = Scaling::of(&directory, entry("synthetic-embeddings-0")).unwrap();
    let clusters = Scaling::of(&directory, entry("synthetic-clusters-0")).unwrap();

    let raw = floats(&directory, "synthetic-embeddings-1", Split::Test, &none);
    let refusal =
        datasets::load_entry(&directory, entry("synthetic-embeddings-1"), Split::Test, Some(1), &clusters).unwrap_err();

    assert!(none.moments().is_none());
    assert!(raw.iter().sum::<f32>() / raw.len() as f32 > 0.3, "rectified features are not centred");
    let text = refusal.to_string();
    assert!(text.contains("64 features") && text.contains("synthetic-clusters-0, which has 15 features"), "{text}");
}
