//! Downloads from a server that cuts connections, changes its file, and lies.
#![expect(clippy::unwrap_used, reason = "tests")]

mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use download::{Algorithm, Digest, DownloadError, Fetched, Progress, Request, fetch};
use proptest::prelude::*;
use server::{Answer, Server};

/// A file that no compression makes small and no part of which repeats.
fn contents(bytes: usize) -> Vec<u8> {
    (0..bytes as u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Algorithm::Sha256.of(&mut &bytes[..]).unwrap()
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn to(&self) -> PathBuf {
        self.folder.path().join("file.bin")
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn fetch(&self, server: &Server, digest: Option<&str>) -> Result<Fetched, DownloadError> {
        fetch_from(&self.to(), &[&server.url()], digest, &mut |_| {})
    }
}

fn fetch_from(
    to: &Path,
    urls: &[&str],
    digest: Option<&str>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Fetched, DownloadError> {
    let digest = digest.map(|hex| Digest { algorithm: Algorithm::Sha256, hex });
    let first_pause = Duration::from_millis(1);
    let request = Request { urls, to, bytes: None, digest, max_bytes: 1 << 20, first_pause };
    fetch(&request, progress)
}

#[test]
fn a_file_whose_connection_is_cut_again_and_again_arrives_whole() {
    let body = contents(300_000);
    let cut = Answer::whole(&body).cut(70_000);
    let server = Server::start(vec![cut.clone(), cut.clone(), cut.clone(), cut.clone(), cut]);
    let place = Place::new();
    let mut seen = Vec::new();

    let fetched = fetch_from(&place.to(), &[&server.url()], Some(&sha256(&body)), &mut |at| seen.push(at)).unwrap();

    assert_eq!(fetched, Fetched { bytes: 300_000, resumed_at: 0 });
    assert_eq!(fs::read(place.to()).unwrap(), body);
    assert_eq!(place.names(), ["file.bin"]);
    let asked = server.asked();
    assert_eq!(asked.len(), 5);
    assert_eq!(asked[1].range.as_deref(), Some("bytes=70000-"));
    assert_eq!(asked[1].if_range.as_deref(), Some("\"one\""));
    assert!(seen.windows(2).all(|pair| pair[0].done <= pair[1].done), "progress goes forward");
    assert_eq!(seen.last(), Some(&Progress { done: 300_000, total: Some(300_000) }));
}

#[test]
fn what_an_earlier_try_left_is_not_fetched_again() {
    let body = contents(100_000);
    let place = Place::new();
    // Five fruitless attempts after one that brought something.
    let broken = Server::start(vec![Answer::whole(&body).cut(60_000), Answer::status(503)]);
    let refusal = place.fetch(&broken, None).unwrap_err();
    assert!(matches!(refusal, DownloadError::CutOff { done: 60_000, .. }), "{refusal}");
    assert_eq!(place.names(), ["file.bin.part", "file.bin.part.json"], "nothing stands under the final name");

    // The place is another one now (another port), so that only the digest could tell; without one it begins anew.
    let whole = Server::start(vec![Answer::whole(&body)]);
    place.fetch(&whole, None).unwrap();
    assert_eq!(whole.asked()[0].range, None);
    assert_eq!(fs::read(place.to()).unwrap(), body);
}

#[test]
fn a_later_run_goes_on_at_the_same_place() {
    let body = contents(100_000);
    let (place, digest) = (Place::new(), sha256(&body));
    let answers = [vec![Answer::whole(&body).cut(60_000)], vec![Answer::status(503); 5], vec![Answer::whole(&body)]];
    let server = Server::start(answers.concat());

    assert!(place.fetch(&server, Some(&digest)).is_err());
    let fetched = place.fetch(&server, Some(&digest)).unwrap();

    assert_eq!(fetched, Fetched { bytes: 100_000, resumed_at: 60_000 });
    assert_eq!(server.asked().last().unwrap().range.as_deref(), Some("bytes=60000-"));
    assert_eq!(fs::read(place.to()).unwrap(), body);
}

#[test]
fn a_file_that_changed_meanwhile_is_fetched_from_its_beginning() {
    let (old, new) = (contents(50_000), contents(80_000).into_iter().rev().collect::<Vec<_>>());
    let changed = Answer { tag: Some("\"two\""), ..Answer::whole(&new) };
    let server = Server::start(vec![Answer::whole(&old).cut(20_000), changed]);
    let place = Place::new();

    place.fetch(&server, None).unwrap();

    assert_eq!(fs::read(place.to()).unwrap(), new);
}

#[test]
fn a_server_without_ranges_sends_the_file_again() {
    let body = contents(50_000);
    let plain = Answer { takes_ranges: false, tag: None, ..Answer::whole(&body) };
    let server = Server::start(vec![plain.clone().cut(20_000), plain]);
    let place = Place::new();

    place.fetch(&server, Some(&sha256(&body))).unwrap();

    assert_eq!(fs::read(place.to()).unwrap(), body);
}

#[test]
fn wrong_bytes_are_thrown_away_and_never_get_the_final_name() {
    let (body, place) = (contents(10_000), Place::new());
    let server = Server::start(vec![Answer::whole(&contents(9_999))]);

    let refusal = place.fetch(&server, Some(&sha256(&body))).unwrap_err();

    assert!(matches!(refusal, DownloadError::WrongDigest { .. }), "{refusal}");
    assert!(refusal.to_string().contains(&sha256(&body)), "{refusal}");
    assert!(!place.to().exists());
    assert_eq!(place.names(), [] as [&str; 0], "nothing is left of them");
}

#[test]
fn bytes_of_an_earlier_try_that_are_wrong_cost_one_more_download() {
    let (body, place) = (contents(40_000), Place::new());
    let server = Server::start(
        [vec![Answer::whole(&body).cut(30_000)], vec![Answer::status(503); 5], vec![Answer::whole(&body)]].concat(),
    );
    let digest = sha256(&body);
    place.fetch(&server, Some(&digest)).unwrap_err();
    let part = place.folder.path().join("file.bin.part");
    let mut spoilt = fs::read(&part).unwrap();
    spoilt[7] ^= 1;
    fs::write(&part, spoilt).unwrap();

    place.fetch(&server, Some(&digest)).unwrap();

    assert_eq!(fs::read(place.to()).unwrap(), body);
}

#[test]
fn another_place_is_tried_when_the_first_does_not_serve_the_file() {
    let body = contents(5_000);
    let (gone, wrong) =
        (Server::start(vec![Answer::status(404)]), Server::start(vec![Answer::whole(b"<html>Sign in</html>")]));
    let right = Server::start(vec![Answer::whole(&body)]);
    let (place, digest) = (Place::new(), sha256(&body));
    let urls = [gone.url(), wrong.url(), right.url()];
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();

    fetch_from(&place.to(), &urls, Some(&digest), &mut |_| {}).unwrap();
    let refusal = fetch_from(&place.to().with_extension("other"), &urls[..1], None, &mut |_| {}).unwrap_err();

    assert_eq!(fs::read(place.to()).unwrap(), body);
    assert!(refusal.to_string().ends_with("answers with status 404"), "{refusal}");
}

#[test]
fn more_bytes_than_allowed_are_refused_whatever_the_server_says() {
    let endless = Answer { tells_length: false, ..Answer::whole(&vec![7; 3 << 20]) };
    for answer in [endless, Answer::whole(&vec![7; 3 << 20])] {
        let (server, place) = (Server::start(vec![answer]), Place::new());

        let refusal = place.fetch(&server, None).unwrap_err();

        assert!(matches!(refusal, DownloadError::TooLarge { limit: 1_048_576, .. }), "{refusal}");
        assert!(!place.to().exists());
    }
}

#[test]
fn two_processes_do_not_write_one_file() {
    let (server, place) = (Server::start(vec![Answer::whole(b"bytes")]), Place::new());
    let held = fs::File::create(place.folder.path().join("file.bin.part")).unwrap();
    held.lock().unwrap();

    let refusal = place.fetch(&server, None).unwrap_err();

    assert!(matches!(refusal, DownloadError::Busy(_)), "{refusal}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let server = Server::start(vec![Answer::whole(b"bytes")]);

    let refusal = fetch_from(Path::new("/nowhere/at/all/file.bin"), &[&server.url()], None, &mut |_| {}).unwrap_err();

    assert!(refusal.to_string().contains("/nowhere/at/all/file.bin.part"), "{refusal}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_sequence_of_cuts_gives_the_file_or_nothing(cuts in proptest::collection::vec(0_usize..60_000, 0..8)) {
        let body = contents(50_000);
        let mut answers: Vec<Answer> = cuts.iter().map(|&after| Answer::whole(&body).cut(after)).collect();
        answers.push(Answer::whole(&body));
        let (server, place) = (Server::start(answers), Place::new());

        match place.fetch(&server, Some(&sha256(&body))) {
            Ok(_) => prop_assert_eq!(fs::read(place.to()).unwrap(), body),
            Err(_) => prop_assert!(!place.to().exists()),
        }
    }
}
