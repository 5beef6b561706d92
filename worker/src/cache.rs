//! Checkpoints and statistics that stay on this machine's disk for the jobs that need them next: found by their SHA-256, bounded in bytes,
//! least recently used out first. What is read is verified, so that a damaged file costs a download and nothing else.

use std::{
    collections::VecDeque,
    fmt,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
};

use domain::Digest;
use sha2::{Digest as _, Sha256};
use tokio::{fs, task::spawn_blocking};
use tracing::{debug, warn};

use crate::child::ArtifactFile;

/// Size of the pieces in which a file is read, in bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// Files under their digests' names. It lives as long as the folder that it is given, which others remove.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    capacity: u64,
    shelf: Mutex<Shelf>,
}

/// What is kept, without the files.
#[derive(Debug, Default)]
struct Shelf {
    /// Least recently used first. Some dozens: checkpoints are large.
    kept: VecDeque<Kept>,
    bytes: u64,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    digest: Digest,
    kind: Kind,
    bytes: u64,
}

/// What an artifact is to the jobs that need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A trained flow: a worker that has it is preferred.
    Checkpoint,
    /// What a flow makes of each example: small enough to fetch.
    Statistics,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Checkpoint => "checkpoint",
            Self::Statistics => "statistics",
        })
    }
}

impl Cache {
    /// An empty cache in a new folder `folder`, for `capacity` bytes of files; none are kept when that is 0.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(folder: PathBuf, capacity: u64) -> io::Result<Self> {
        std::fs::create_dir(&folder)?;
        Ok(Self { folder, capacity, shelf: Mutex::default() })
    }

    /// The checkpoints used last, at most `most`, newest first.
    pub fn newest(&self, most: usize) -> Vec<Digest> {
        let shelf = self.shelf();
        let checkpoints = shelf.kept.iter().rev().filter(|kept| kept.kind == Kind::Checkpoint);
        checkpoints.take(most).map(|kept| kept.digest).collect()
    }

    /// Keeps a file whose digest is right. The file itself stays where it is; that it cannot be kept is no failure.
    pub async fn keep(&self, file: &ArtifactFile, kind: Kind) {
        if self.capacity == 0 || self.shelf().touch(file.digest) {
            return;
        }
        if let Err(error) = self.add(file, kind).await {
            debug!(digest = %file.digest, %error, "artifact was not kept");
        }
    }

    async fn add(&self, file: &ArtifactFile, kind: Kind) -> io::Result<()> {
        let bytes = fs::metadata(&file.path).await?.len();
        if bytes > self.capacity {
            return Ok(());
        }
        // Room first: the disk may hold no more than the capacity.
        let out = self.shelf().make_room(self.capacity - bytes);
        for old in out {
            self.remove(old).await;
        }
        link(&file.path, &self.file_of(file.digest)).await?;
        self.shelf().put(Kept { digest: file.digest, kind, bytes });
        Ok(())
    }

    /// Gives an artifact the path `path` too, if it is kept and its bytes are right.
    pub async fn find(&self, digest: Digest, path: &Path) -> Option<ArtifactFile> {
        if !self.shelf().touch(digest) {
            return None;
        }
        let found = async {
            link(&self.file_of(digest), path).await?;
            digest_of(path.to_owned()).await
        };
        match found.await {
            Ok(right) if right == digest => return Some(ArtifactFile { path: path.to_owned(), digest }),
            Ok(wrong) => warn!(%digest, found = %wrong, "kept artifact is damaged; it is fetched anew"),
            Err(error) => warn!(%digest, %error, "kept artifact cannot be read; it is fetched anew"),
        }
        if let Err(error) = fs::remove_file(path).await {
            debug!(path = %path.display(), %error, "file was not removed");
        }
        self.forget(digest).await;
        None
    }

    /// Keeps an artifact no longer.
    pub async fn forget(&self, digest: Digest) {
        if self.shelf().take(digest) {
            self.remove(digest).await;
        }
    }

    async fn remove(&self, digest: Digest) {
        if let Err(error) = fs::remove_file(self.file_of(digest)).await {
            debug!(%digest, %error, "kept artifact was not removed");
        }
    }

    fn file_of(&self, digest: Digest) -> PathBuf {
        self.folder.join(digest.to_string())
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().expect("no holder of this lock panics")
    }
}

impl Shelf {
    fn place(&self, digest: Digest) -> Option<usize> {
        self.kept.iter().position(|kept| kept.digest == digest)
    }

    /// Makes an artifact the most recently used one; `false` when it is not kept.
    fn touch(&mut self, digest: Digest) -> bool {
        let kept = self.place(digest).and_then(|place| self.kept.remove(place));
        self.kept.extend(kept);
        kept.is_some()
    }

    fn put(&mut self, new: Kept) {
        self.bytes += new.bytes;
        self.kept.push_back(new);
    }

    fn take(&mut self, digest: Digest) -> bool {
        let kept = self.place(digest).and_then(|place| self.kept.remove(place));
        self.bytes -= kept.map_or(0, |kept| kept.bytes);
        kept.is_some()
    }

    /// Takes out what was used longest ago, until at most `bytes` are left.
    fn make_room(&mut self, bytes: u64) -> Vec<Digest> {
        let mut out = Vec::new();
        while self.bytes > bytes {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= oldest.bytes;
            out.push(oldest.digest);
        }
        out
    }
}

/// A second name for a file; a copy where the two lie on different disks.
async fn link(from: &Path, to: &Path) -> io::Result<()> {
    if fs::hard_link(from, to).await.is_ok() {
        return Ok(());
    }
    let partial = to.with_extension("partial");
    fs::copy(from, &partial).await?;
    fs::rename(&partial, to).await
}

async fn digest_of(path: PathBuf) -> io::Result<Digest> {
    let hash = move || {
        let (mut file, mut hasher) = (std::fs::File::open(path)?, Sha256::new());
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match file.read(&mut chunk)? {
                0 => break,
                read => hasher.update(&chunk[..read]),
            }
        }
        Ok(Digest::from(<[u8; 32]>::from(hasher.finalize())))
    };
    spawn_blocking(hash).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    struct Scene {
        folder: TempDir,
        cache: Cache,
    }

    impl Scene {
        fn new(capacity: u64) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let cache = Cache::new(folder.path().join("cache"), capacity).unwrap();
            Self { folder, cache }
        }

        /// Keeps an artifact whose own file goes at once, as an attempt's folder does.
        async fn keep(&self, text: &str) -> Digest {
            let file = ArtifactFile { path: self.folder.path().join(text), digest: Digest::of(text.as_bytes()) };
            std::fs::write(&file.path, text).unwrap();
            self.cache.keep(&file, Kind::Checkpoint).await;
            std::fs::remove_file(&file.path).unwrap();
            file.digest
        }

        async fn find(&self, digest: Digest) -> Option<String> {
            let path = self.folder.path().join("found");
            let found = self.cache.find(digest, &path).await?;
            assert_eq!((found.path.as_path(), found.digest), (path.as_path(), digest));
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            Some(text)
        }

        fn files(&self) -> usize {
            std::fs::read_dir(self.folder.path().join("cache")).unwrap().count()
        }
    }

    #[tokio::test]
    async fn what_is_kept_is_found_after_its_own_file_is_gone() {
        let scene = Scene::new(100);
        let digest = scene.keep("weights").await;

        assert_eq!(scene.find(digest).await.as_deref(), Some("weights"));
        assert_eq!(scene.find(Digest::of(b"other")).await, None);
        assert_eq!(scene.cache.newest(64), [digest]);
    }

    #[tokio::test]
    async fn statistics_are_kept_and_not_offered() {
        let scene = Scene::new(100);
        let digest = scene.keep("weights").await;
        let file = ArtifactFile { path: scene.folder.path().join("rows"), digest: Digest::of(b"rows") };
        std::fs::write(&file.path, "rows").unwrap();

        scene.cache.keep(&file, Kind::Statistics).await;

        assert_eq!(scene.cache.newest(64), [digest]);
        assert_eq!(scene.find(file.digest).await.as_deref(), Some("rows"));
    }

    #[tokio::test]
    async fn the_least_recently_used_goes_first_and_its_file_with_it() {
        let scene = Scene::new(12);
        let (first, second) = (scene.keep("first").await, scene.keep("2nd").await);
        assert!(scene.find(first).await.is_some());

        let third = scene.keep("third").await;

        assert_eq!(scene.cache.newest(64), [third, first]);
        assert_eq!(scene.cache.newest(1), [third]);
        assert_eq!(scene.find(second).await, None);
        assert_eq!(scene.files(), 2);
    }

    #[tokio::test]
    async fn the_same_artifact_twice_takes_room_once() {
        let scene = Scene::new(10);
        let first = scene.keep("first").await;
        scene.keep("first").await;

        let other = scene.keep("other").await;

        assert_eq!(scene.cache.newest(64), [other, first]);
    }

    #[tokio::test]
    async fn a_damaged_file_is_not_believed_and_not_kept() {
        let scene = Scene::new(100);
        let digest = scene.keep("weights").await;
        std::fs::write(scene.folder.path().join("cache").join(digest.to_string()), "weighty").unwrap();

        assert_eq!(scene.find(digest).await, None);

        assert_eq!(scene.cache.newest(64), []);
        assert_eq!(scene.files(), 0);
        assert!(!scene.folder.path().join("found").exists());
    }

    #[tokio::test]
    async fn what_is_larger_than_the_cache_pushes_nothing_out() {
        let scene = Scene::new(6);
        let small = scene.keep("small").await;
        scene.keep("far too large").await;

        assert_eq!(scene.cache.newest(64), [small]);

        let none = Scene::new(0);
        none.keep("small").await;
        assert_eq!(none.cache.newest(64), []);
    }
}
