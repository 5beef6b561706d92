//! Files damaged anywhere are refused or read; none makes the reader panic or take much memory.

mod common;

use std::io::{Cursor, Read};

use common::{FIXTURES, MOST_BYTES, archive_of, limits, path};
use proptest::prelude::*;
use statedict::{Contents, ReadError, read_from};

fn read_bytes(bytes: Vec<u8>) -> Result<Contents, ReadError> {
    read_from(Cursor::new(bytes), "file.pt", &limits())
}

#[test]
fn truncation_anywhere_is_refused() {
    for fixture in FIXTURES {
        let whole = std::fs::read(path(fixture)).unwrap();
        for length in 0..whole.len() {
            let cut = whole[..length].to_vec();

            let refused = read_bytes(cut).is_err();

            assert!(refused, "{fixture} cut to {length} of {} bytes", whole.len());
        }
    }
}

#[test]
fn every_changed_byte_of_a_stored_tensor_is_noticed_in_a_zip() {
    let whole = std::fs::read(path("network.pt")).unwrap();
    let weight: Vec<u8> = (0..6).flat_map(|place| (place as f32 * 0.5).to_le_bytes()).collect();
    let at = whole.windows(weight.len()).position(|window| window == weight).unwrap();
    for place in at..at + weight.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;

        let text = read_bytes(damaged).unwrap_err().to_string();

        assert!(text.contains("network/data/0") && text.contains("copy it again"), "{text}");
    }
}

/// A zip fixture's entries, to be put together again with right checksums after the pickle was changed.
fn entries_of(fixture: &str) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path(fixture)).expect("the archive is sound"))
        .expect("the archive is sound");
    let mut entries = Vec::new();
    for place in 0..archive.len() {
        let mut file = archive.by_index(place).expect("the archive is sound");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("the archive is sound");
        entries.push((file.name().expect("the archive is sound").into_owned(), bytes));
    }
    entries
}

fn change(bytes: &mut [u8], changes: &[(prop::sample::Index, u8)]) {
    for (place, value) in changes {
        let place = place.index(bytes.len());
        bytes[place] = *value;
    }
}

/// Reads what may be nonsense: any answer will do, at that price.
fn read_nonsense(bytes: &[u8]) -> Result<(), TestCaseError> {
    let measured = allocation_counter::measure(|| {
        if let Ok(contents) = read_from(Cursor::new(bytes), "damaged", &limits()) {
            assert!(contents.state_dict.bytes() as u64 <= limits().bytes);
        }
    });
    prop_assert!(measured.bytes_max < MOST_BYTES, "{measured:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn damaged_files_never_panic_and_take_little_memory(
        fixture in prop::sample::select(FIXTURES.to_vec()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        length in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = std::fs::read(path(fixture)).unwrap();
        change(&mut bytes, &changes);
        if let Some(length) = length {
            bytes.truncate(length.index(bytes.len()));
        }

        read_nonsense(&bytes)?;
    }

    #[test]
    fn damaged_pickles_in_sound_archives_never_panic_and_take_little_memory(
        fixture in prop::sample::select(vec!["checkpoint.pt", "views.pt", "protocol_4.pt", "old_zip.pt"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut entries = entries_of(fixture);
        let pickle = entries.iter_mut().find(|(name, _)| name.ends_with("data.pkl")).unwrap();
        change(&mut pickle.1, &changes);
        let entries: Vec<(&str, &[u8])> = entries.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();

        read_nonsense(&archive_of(&entries, zip::CompressionMethod::Stored))?;
    }

    #[test]
    fn random_instructions_never_panic_and_take_little_memory(
        instructions in prop::collection::vec(prop::sample::select(&b"()]}lte\x85\x86\x87ausdNK\x01J\x88\x89q\0h\0\x94RbQ."[..]), 1..400),
    ) {
        let pickle = [&b"\x80\x02ccollections\nOrderedDict\n"[..], &instructions].concat();

        read_nonsense(&archive_of(&[("a/data.pkl", &pickle), ("a/data/0", &[0; 16])], zip::CompressionMethod::Stored))?;
    }
}
