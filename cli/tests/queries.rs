//! The SQL that `results --sql` prints, on a real database with the real views.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod support;

use std::{fs, path::Path};

use localdb::PrivateCluster;
use support::spillway;

fn sql(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let run = spillway(folder.path(), &[&["results"], arguments, &["--sql"]].concat());
    assert_eq!(run.code, Some(0), "{}", run.err);
    run.out
}

#[test]
fn printed_queries_run_on_the_views() {
    let cluster = PrivateCluster::temporary().unwrap();
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut files: Vec<_> = fs::read_dir(migrations).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        cluster.run_file("spillway", &file).unwrap();
    }

    for sweep in ["demo", "0198c2d4-6a3f-7c11-9b1e-2f4a5b6c7d8e", "it's"] {
        for arguments in [&[sweep][..], &[sweep, "--evaluations"]] {
            let query = sql(arguments);

            assert_eq!(cluster.query("spillway", &query).unwrap().trim(), "", "{query}");
        }
    }
}
