//! The artifact store over a real folder: what is kept, what is refused, what is noticed.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

use artifacts::{ArtifactError, ArtifactStore};
use bytes::Bytes;
use domain::Digest;
use futures::{StreamExt, TryStreamExt};

const LIMIT: u64 = 1 << 20;

fn open(folder: &tempfile::TempDir) -> ArtifactStore {
    ArtifactStore::open(folder.path().to_str().unwrap(), LIMIT).unwrap()
}

async fn put(store: &ArtifactStore, bytes: &'static [u8]) -> Digest {
    let digest = Digest::of(bytes);
    let mut upload = store.upload(digest, bytes.len() as u64).await.unwrap();
    for chunk in bytes.chunks(7) {
        upload.write(Bytes::from_static(chunk)).await.unwrap();
    }
    upload.finish().await.unwrap();
    digest
}

fn files_under(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_under(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test]
async fn what_was_stored_is_read_back_from_its_sharded_place() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);

    let digest = put(&store, b"a checkpoint of some bytes").await;

    let chunks: Vec<Bytes> = store.read(&digest).await.unwrap().try_collect().await.unwrap();
    assert_eq!(chunks.concat(), b"a checkpoint of some bytes");
    assert_eq!(store.size(&digest).await.unwrap(), Some(26));
    let text = digest.to_string();
    assert!(folder.path().join("sha256").join(&text[..2]).join(&text[2..]).is_file());
}

#[tokio::test]
async fn storing_the_same_bytes_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);

    let first = put(&store, b"twice").await;
    let second = put(&store, b"twice").await;

    assert_eq!(first, second);
    assert_eq!(files_under(folder.path()).len(), 1);
}

#[tokio::test]
async fn bytes_that_are_not_the_ones_announced_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let digest = Digest::of(b"right");
    for wrong in [&b"wrong"[..], b"righ", b"rightt"] {
        let mut upload = store.upload(digest, 5).await.unwrap();
        upload.write(Bytes::copy_from_slice(wrong)).await.unwrap();

        let refusal = upload.finish().await.unwrap_err();

        assert!(matches!(refusal, ArtifactError::Mismatch { .. }), "{refusal}");
        assert_eq!(store.size(&digest).await.unwrap(), None);
        assert_eq!(files_under(folder.path()), Vec::<std::path::PathBuf>::new());
    }
}

#[tokio::test]
async fn an_artifact_over_the_limit_is_refused_before_its_bytes_come() {
    let folder = tempfile::tempdir().unwrap();

    let refusal = open(&folder).upload(Digest::of(b""), LIMIT + 1).await.err().unwrap();

    assert_eq!(
        refusal.to_string(),
        format!("an artifact of {} bytes is too large: at most {LIMIT} allowed", LIMIT + 1)
    );
}

#[tokio::test]
async fn a_file_that_changed_on_disk_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let digest = put(&store, b"precious").await;
    std::fs::write(&files_under(folder.path())[0], b"precioUs").unwrap();

    let last = store.read(&digest).await.unwrap().collect::<Vec<_>>().await.pop().unwrap();

    assert!(matches!(last, Err(ArtifactError::Corrupt { .. })), "{last:?}");
}

#[tokio::test]
async fn an_artifact_that_was_never_stored_is_missing() {
    let folder = tempfile::tempdir().unwrap();

    let refusal = open(&folder).read(&Digest::of(b"nothing")).await.err().unwrap();

    assert!(matches!(refusal, ArtifactError::Missing { .. }), "{refusal}");
}

#[test]
fn a_place_that_is_no_store_is_refused_by_name() {
    let refusal = ArtifactStore::open("gopher://attic", LIMIT).unwrap_err().to_string();

    assert!(refusal.contains("gopher://attic"), "{refusal}");
}
