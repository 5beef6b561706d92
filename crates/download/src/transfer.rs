//! One request, and what it brings.

use std::io::Read;

use ureq::http::{HeaderMap, Response, StatusCode};
use ureq::{Agent, Body};

use crate::part::{Origin, Part};
use crate::{DownloadError, Progress, Request};

/// Bytes read at once.
const PIECE: usize = 64 * 1024;

/// How one request ended.
#[derive(Debug)]
pub enum Ended {
    /// Every byte has arrived.
    Whole,
    /// Some are missing, and another request may bring them.
    CutOff(String),
}

/// Asks for what is missing and appends it.
pub fn transfer(
    agent: &Agent,
    url: &str,
    request: &Request<'_>,
    part: &mut Part,
    progress: &mut dyn FnMut(Progress),
) -> Result<Ended, DownloadError> {
    let begun = part.origin().filter(|origin| origin.url == url && can_go_on(origin, request));
    if begun.is_none() {
        part.clear()?;
    }
    let have = part.len()?;
    if have > 0 && begun.as_ref().and_then(|origin| origin.total) == Some(have) {
        return Ok(Ended::Whole);
    }
    let mut call = agent.get(url).header("Accept-Encoding", "identity");
    if have > 0 {
        call = call.header("Range", format!("bytes={have}-"));
        if let Some(validator) = begun.as_ref().and_then(|origin| origin.validator.as_deref()) {
            call = call.header("If-Range", validator);
        }
    }
    let response = match call.call() {
        Ok(response) => response,
        Err(error) => return Ok(Ended::CutOff(error.to_string())),
    };
    let total = match (response.status(), have) {
        (StatusCode::PARTIAL_CONTENT, 1..) => match content_range(response.headers()) {
            Some((from, total)) if from == have => total,
            // The server gives another part than the one asked for.
            _ => return begin_again(part, "the server gave another part of the file"),
        },
        (StatusCode::OK, _) => {
            let total = content_length(response.headers());
            part.begin(&Origin { url: url.to_owned(), validator: validator(response.headers()), total })?;
            total
        }
        (StatusCode::RANGE_NOT_SATISFIABLE, 1..) => return begin_again(part, "the server's file is shorter"),
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT, _) => {
            return Ok(Ended::CutOff(format!("status {}", response.status())));
        }
        (status, _) if status.is_server_error() => return Ok(Ended::CutOff(format!("status {status}"))),
        (status, _) => return Err(DownloadError::Refused { url: url.to_owned(), status: status.as_u16() }),
    };
    append(response, url, request, part, total, progress)
}

/// Bytes of different files are never joined: either the server can tell, or the digest will.
fn can_go_on(origin: &Origin, request: &Request<'_>) -> bool {
    origin.validator.is_some() || request.digest.is_some()
}

fn begin_again(part: &mut Part, why: &str) -> Result<Ended, DownloadError> {
    part.clear()?;
    Ok(Ended::CutOff(why.to_owned()))
}

fn append(
    response: Response<Body>,
    url: &str,
    request: &Request<'_>,
    part: &mut Part,
    total: Option<u64>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Ended, DownloadError> {
    let limit = request.bytes.unwrap_or(request.max_bytes);
    let too_large = || DownloadError::TooLarge { url: url.to_owned(), limit };
    if total.is_some_and(|total| total > limit) {
        part.clear()?;
        return Err(too_large());
    }
    part.seek_end()?;
    let mut done = part.len()?;
    let total = total.or(request.bytes);
    progress(Progress { done, total });
    let mut body = response.into_body().into_reader();
    let mut piece = vec![0; PIECE];
    loop {
        let count = match body.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) => return Ok(Ended::CutOff(error.to_string())),
        };
        done += count as u64;
        if done > limit {
            part.clear()?;
            return Err(too_large());
        }
        part.append(&piece[..count])?;
        progress(Progress { done, total });
    }
    Ok(match total {
        Some(total) if done < total => Ended::CutOff(format!("the connection ended {} bytes early", total - done)),
        Some(_) | None => Ended::Whole,
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    text(headers, "content-length").and_then(|length| length.trim().parse().ok())
}

/// Where a part begins, and how long the whole is: `bytes 7-9/10`.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let (range, total) = text(headers, "content-range")?.strip_prefix("bytes ")?.split_once('/')?;
    let (from, _) = range.split_once('-')?;
    Some((from.trim().parse().ok()?, total.trim().parse().ok()))
}

/// What `If-Range` takes: a strong entity tag, or else a date.
fn validator(headers: &HeaderMap) -> Option<String> {
    let tag = text(headers, "etag").filter(|tag| !tag.starts_with("W/"));
    tag.or_else(|| text(headers, "last-modified")).map(str::to_owned)
}
