//! Downloads that resume, are verified, and never leave half a file under its final name.
//!
//! Bytes are gathered beside the final place, in `NAME.part`, with what the server said of them in `NAME.part.json`. Whoever comes
//! back goes on where the last one stopped, if the server still has the same file. Only a file of the expected size and digest
//! takes the final name, in one step and on disk.

mod digest;
mod error;
mod part;
mod server;
mod transfer;

use std::path::Path;
use std::time::Duration;

pub use digest::{Algorithm, Digest};
pub use error::DownloadError;

use part::Part;
use transfer::{Ended, transfer};

/// Attempts that bring no byte before a server is given up.
const FRUITLESS_ATTEMPTS: usize = 5;
/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What to fetch and where to put it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Places that serve the same file, tried in order.
    pub urls: &'a [&'a str],
    /// The final name; its folder must exist.
    pub to: &'a Path,
    /// Size of the file as served, if it is known.
    pub bytes: Option<u64>,
    /// Digest of the file as served, if it is known.
    pub digest: Option<Digest<'a>>,
    /// More bytes than this are refused, whatever a server says.
    pub max_bytes: u64,
    /// The first pause between two attempts; pauses double, up to ten seconds.
    pub first_pause: Duration,
}

/// How far a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes on disk.
    pub done: u64,
    /// Bytes in all, if the server or the request says so.
    pub total: Option<u64>,
}

/// What a download ended in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// Size of the file.
    pub bytes: u64,
    /// Bytes that an earlier try had left.
    pub resumed_at: u64,
}

/// Fetches a file. The call blocks; `progress` is told of every piece that reached the disk.
///
/// # Errors
/// [`DownloadError`]; what was fetched stays beside the final place for the next try, unless its digest is wrong.
pub fn fetch(request: &Request<'_>, progress: &mut dyn FnMut(Progress)) -> Result<Fetched, DownloadError> {
    let mut part = Part::open(request.to)?;
    let resumed_at = part.len()?;
    let mut last = DownloadError::NoPlace;
    for url in request.urls {
        match whole(url, request, &mut part, progress) {
            Ok(bytes) => {
                part.keep(request.to)?;
                return Ok(Fetched { bytes, resumed_at: resumed_at.min(bytes) });
            }
            Err(refusal) => {
                let is_final = refusal.is_local();
                last = refusal;
                if is_final {
                    break;
                }
            }
        }
    }
    part.leave();
    Err(last)
}

/// Gathers and checks the file of one place. When bytes of an earlier try may be what is wrong, it is fetched once more.
fn whole(
    url: &str,
    request: &Request<'_>,
    part: &mut Part,
    progress: &mut dyn FnMut(Progress),
) -> Result<u64, DownloadError> {
    let mut is_resumed = part.len()? > 0;
    loop {
        gather(url, request, part, progress)?;
        match part.check(request) {
            Ok(bytes) => return Ok(bytes),
            Err(wrong) => {
                part.clear()?;
                if !std::mem::take(&mut is_resumed) {
                    return Err(wrong);
                }
            }
        }
    }
}

/// Gathers the whole file from one place, through as many attempts as bring bytes.
fn gather(
    url: &str,
    request: &Request<'_>,
    part: &mut Part,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), DownloadError> {
    let pauses = || {
        let pauses = backon::ExponentialBuilder::default().with_min_delay(request.first_pause);
        let pauses = pauses.with_max_delay(LONGEST_PAUSE).with_max_times(FRUITLESS_ATTEMPTS);
        backon::BackoffBuilder::build(pauses)
    };
    let agent = server::agent();
    let mut left = pauses();
    loop {
        let before = part.len()?;
        let interruption = match transfer(&agent, url, request, part, progress)? {
            Ended::Whole => return Ok(()),
            Ended::CutOff(interruption) => interruption,
        };
        if part.len()? > before {
            left = pauses();
        }
        match left.next() {
            Some(pause) => std::thread::sleep(pause),
            None => return Err(DownloadError::CutOff { url: url.to_owned(), done: part.len()?, interruption }),
        }
    }
}
