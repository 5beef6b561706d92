//! The table of docs/datasets.md says what the catalogue says.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

use std::path::Path;

use datasets::{Catalogue, Coverage, Digest, Entry};

const HEAD: &str =
    "| name | shape | train | test | licence | files | compared with | note |\n|---|---|---|---|---|---|---|---|\n";

/// What the bytes of a dataset are compared with.
fn checksum(entry: &Entry) -> &'static str {
    let of_idx = entry.source.idx_files().first().and_then(|file| file.checksum).map(|checksum| checksum.covers);
    match (of_idx, entry.downloads().first().map(|download| (download.digest, download.bytes))) {
        (Some(Coverage::Decompressed), _) => "MD5, decompressed",
        (_, Some((Some(Digest::Sha256(_)), _))) => "SHA-256, as served",
        (_, Some((Some(Digest::Md5(_)), _))) => "MD5, as served",
        (_, Some((None, Some(_)))) => "size",
        _ => "",
    }
}

fn files(entry: &Entry) -> String {
    let names = |names: Vec<String>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (entry.downloads(), entry.arrays().is_empty()) {
        ([], false) => "arrays of your own".to_owned(),
        ([], true) => "none: computed".to_owned(),
        (downloads, _) => {
            names(downloads.iter().map(|download| format!("{}/{}", entry.folder(), download.file_name)).collect())
        }
    }
}

fn row(entry: &Entry) -> String {
    format!(
        "| `{}` | {} | {} | {} | {} | {} | {} | {} |\n",
        entry.name,
        entry.shape,
        entry.train_size,
        entry.test_size,
        entry.licence,
        files(entry),
        checksum(entry),
        entry.source.trap().unwrap_or_default(),
    )
}

#[test]
fn the_page_lists_every_dataset_as_it_is() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/datasets.md");
    let page = std::fs::read_to_string(page).unwrap();
    let table: String = std::iter::once(HEAD.to_owned()).chain(Catalogue::entries().iter().map(row)).collect();

    assert!(page.contains(&table), "docs/datasets.md must contain this table:\n\n{table}");
}
