//! Damaged files of every format: read within bounds, or refused.

use std::fs;
use std::path::Path;

use datasets::Split;
use proptest::prelude::*;

use crate::data::{Data, floats, safetensors};

#[test]
fn cut_off_parquet_tables_are_refused() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet/snappy.parquet");
    let whole = fs::read(path).unwrap();
    let data = Data::new();
    for length in (0..whole.len()).step_by(7) {
        data.put("a.parquet", &whole[..length]);
        assert!(data.load("own:a.parquet@2", Split::Test).is_err(), "{length} of {}", whole.len());
    }
}

/// Reads a file under an ending, whatever it holds.
fn read_damaged(data: &Data, path: &str, shape: &str, limit_bytes: u64) -> Result<(), TestCaseError> {
    let name = format!("own:{path}@{shape}");
    let used = allocation_counter::measure(|| {
        for split in [Split::Test, Split::Train] {
            let _read = data.load(&name, split);
        }
    });
    prop_assert!(used.bytes_max < limit_bytes, "{used:?}");
    Ok(())
}

fn damage(bytes: &mut Vec<u8>, changes: &[(prop::sample::Index, u8)], cut: Option<prop::sample::Index>) {
    for (place, byte) in changes {
        let place = place.index(bytes.len());
        bytes[place] = *byte;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(bytes.len()));
    }
}

type Changes = Vec<(prop::sample::Index, u8)>;

fn changes() -> impl Strategy<Value = Changes> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn damaged_arrays_are_read_within_bounds_or_refused(changes in changes(), cut: Option<prop::sample::Index>) {
        let data = Data::new();
        let mut file = safetensors(&[("train", &[2, 1, 2, 2], &[1; 8]), ("test", &[1, 1, 2, 2], &[2; 4]), ("test_labels", &[1], &[3])]);
        damage(&mut file, &changes, cut);
        data.put("a.safetensors", &file);
        read_damaged(&data, "a.safetensors", "1x2x2", 4 << 20)?;
    }

    #[test]
    fn damaged_parquet_tables_are_read_within_bounds_or_refused(
        which in 0_usize..4, changes in changes(), cut: Option<prop::sample::Index>, from_the_end: bool,
    ) {
        let data = Data::new();
        let (name, shape) =
            [("snappy.parquet", "2"), ("zstd.parquet", "2"), ("lists.parquet", "4"), ("pixels.parquet", "1x2x2")][which];
        let mut file = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet").join(name)).unwrap();
        // The footer, where most lengths stand, is a small part of the file.
        if from_the_end {
            let footer = file.len() - 300;
            let mut end = file.split_off(footer);
            damage(&mut end, &changes, None);
            file.append(&mut end);
        } else {
            damage(&mut file, &changes, cut);
        }
        data.put("a.parquet", &file);
        read_damaged(&data, "a.parquet", shape, 256 << 20)?;
    }

    #[test]
    fn damaged_tables_are_read_within_bounds_or_refused(changes in changes(), cut: Option<prop::sample::Index>) {
        let data = Data::new();
        let mut file = b"a,b,label\n1,2,3\n4.5,-6e3,7\n".to_vec();
        damage(&mut file, &changes, cut);
        data.put("a.csv", &file);
        read_damaged(&data, "a.csv", "2", 2 << 20)?;
    }

    #[test]
    fn a_limit_gives_the_first_ones_of_all(limit in 0_usize..9) {
        let data = Data::new();
        data.put("a.csv", (0..6).map(|row| format!("{row},1\n")).collect::<String>());
        let few = data.load_some("own:a.csv@2", Split::Test, Some(limit)).unwrap();
        let all = data.load("own:a.csv@2", Split::Test).unwrap();
        prop_assert_eq!(floats(&few), &floats(&all)[..2 * limit.min(6)]);
    }
}
