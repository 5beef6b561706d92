//! Downloads from a server of our own that breaks off, and unpacking of a small wheel.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::Output,
    thread::{self, JoinHandle},
};

use super::*;

const BODY: &[u8] = b"the quick brown fox jumps over the lazy dog";
const BODY_SHA256: &str = "05c6e08f1d9fdafa03147fcb8f82f124c76d2f70e3d989dc8aadb5e7d7450bec";

/// Serves `BODY` to as many requests as there are `lengths`, but only so many bytes each; returns the `Range` headers.
fn serve(lengths: &'static [usize]) -> (String, JoinHandle<Vec<Option<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/some-1.0-x.whl", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        lengths.iter().map(|length| answer(listener.accept().unwrap().0, *length)).collect::<Vec<_>>()
    });
    (url, server)
}

fn answer(mut stream: TcpStream, length: usize) -> Option<String> {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let range = headers.iter().find_map(|line| line.strip_prefix("Range: ").map(str::to_owned));
    let from: usize =
        range.as_deref().map_or(0, |range| range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap());
    let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
    let rest = &BODY[from..];
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", rest.len()).unwrap();
    stream.write_all(&rest[..length.min(rest.len())]).unwrap();
    range
}

fn run_fetch(source: &str, sha256: &str, target: &Path) -> Output {
    python(FETCH_SCRIPT)
        .args([source, sha256])
        .arg(target)
        .env("no_proxy", "127.0.0.1")
        .env_remove("PIP_PROXY")
        .output()
        .unwrap()
}

#[test]
fn broken_download_continues_where_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("file.whl");
    let (url, server) = serve(&[10, 100]);

    let output = run_fetch(&url, BODY_SHA256, &target);

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(server.join().unwrap(), [None, Some("bytes=10-".to_owned())]);
    assert_eq!(fs::read(&target).unwrap(), BODY);
    assert!(!folder.path().join("file.whl.part").exists());
}

#[test]
fn part_of_an_earlier_set_up_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("file.whl");
    fs::write(folder.path().join("file.whl.part"), &BODY[..25]).unwrap();
    let (url, server) = serve(&[100]);

    let output = run_fetch(&url, BODY_SHA256, &target);

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(server.join().unwrap(), [Some("bytes=25-".to_owned())]);
    assert_eq!(fs::read(&target).unwrap(), BODY);
}

#[test]
fn file_with_another_digest_is_deleted_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("file.whl");
    let (url, server) = serve(&[100]);

    let output = run_fetch(&url, WHEELS[0].sha256, &target);

    server.join().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(message.contains("some-1.0-x.whl has the SHA-256 05c6"), "{message}");
    assert!(!folder.path().join("file.whl").exists() && !folder.path().join("file.whl.part").exists());
}

#[test]
fn wheel_in_a_folder_is_copied_and_verified_too() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source.whl"), folder.path().join("target.whl"));
    fs::write(&source, BODY).unwrap();

    let output = run_fetch(source.to_str().unwrap(), BODY_SHA256, &target);

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(&target).unwrap(), BODY);
    assert!(source.exists());
}

#[test]
fn only_the_cpu_half_and_the_headers_are_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = folder.path().join("small.whl");
    let made = python(
        "import sys, zipfile\n\
         with zipfile.ZipFile(sys.argv[1], 'w') as wheel:\n\
         \x20   for name in sys.argv[2:]: wheel.writestr(name, name)",
    )
    .arg(&wheel)
    .args(["torch/lib/libc10.so", "torch/lib/libtorch_cuda.so", "torch/include/a/b.h", "torch/include/../../escape.h"])
    .status()
    .unwrap();
    assert!(made.success());
    let tree = folder.path().join("tree");

    unpack(&[wheel], &tree).unwrap();

    assert!(tree.join("lib/libc10.so").exists());
    assert!(tree.join("include/a/b.h").exists());
    assert!(!tree.join("lib/libtorch_cuda.so").exists());
    assert!(!folder.path().join("escape.h").exists());
}

#[test]
fn urls_are_read_from_the_report_and_matched_by_file_name() {
    let report = serde_json::json!({
        "install": [{"download_info": {"url": "https://index.example/a/torch-2.11.0-cp311-x.whl#sha256=00"}}]
    });

    let urls = urls_of(&report).unwrap();

    assert!(file_name(&urls[0]).starts_with(&WHEELS[0].prefix()));
    assert_eq!(WHEELS[2].prefix(), "nvidia_cuda_runtime-13.0.96-");
    assert!(urls_of(&serde_json::json!({})).is_err());
}
