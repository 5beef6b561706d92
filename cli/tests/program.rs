//! The program around its commands: help, usage errors, colours, datasets.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod support;

use std::{os::unix::fs::symlink, path::Path};

use support::{Run, command, spillway, sweeps};
use tempfile::TempDir;

const COMMANDS: [&[&str]; 19] = [
    &["up"],
    &["validate"],
    &["submit"],
    &["list"],
    &["watch"],
    &["results"],
    &["metrics"],
    &["jobs"],
    &["figures"],
    &["cancel"],
    &["retry"],
    &["rescore"],
    &["checkpoint"],
    &["checkpoint", "import"],
    &["checkpoint", "export"],
    &["checkpoint", "inspect"],
    &["data"],
    &["data", "list"],
    &["data", "verify"],
];

#[test]
fn every_command_explains_itself_with_examples_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    for command in COMMANDS {
        let run = spillway(folder.path(), &[command, &["--help"]].concat());

        assert_eq!(run.code, Some(0), "{command:?}: {}", run.err);
        let examples = run.out.split_once("Examples:").unwrap_or_else(|| panic!("{command:?} has no examples")).1;
        assert!(examples.contains(&format!("spillway {}", command.join(" "))), "{command:?}: {examples}");
    }
}

#[test]
fn help_lists_the_commands_and_the_exit_codes() {
    let folder = tempfile::tempdir().unwrap();

    let run = spillway(folder.path(), &["--help"]);

    for part in ["Exit codes:", "5  the coordinator cannot be reached", "[env: SPILLWAY_ENDPOINT=]", "NO_COLOR"] {
        assert!(run.out.contains(part), "{part} is not in\n{}", run.out);
    }
    for command in COMMANDS.map(|command| command[0]) {
        assert!(run.out.contains(&format!("\n  {command} ")), "{command} is not in\n{}", run.out);
    }
}

#[test]
fn wrong_command_lines_exit_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let wrong: [&[&str]; 6] = [
        &[],
        &["submitt"],
        &["jobs", "demo", "--state", "lost"],
        &["results", "demo", "--format", "xml"],
        &["--endpoint", "ftp://somewhere", "list"],
        &["up", "--device", "tpu"],
    ];
    for arguments in wrong {
        assert_eq!(spillway(folder.path(), arguments).code, Some(2), "{arguments:?}");
    }
}

#[test]
fn pipes_get_no_colours() {
    let folder = tempfile::tempdir().unwrap();
    let file = sweeps().join("smoke.toml");
    let runs: [&[&str]; 4] =
        [&["--help"], &["validate", file.to_str().unwrap()], &["validate", "nowhere"], &["data", "list"]];
    for arguments in runs {
        // A variable that asks for colours where a terminal is not the question.
        let output =
            command(folder.path(), arguments).env("CLICOLOR", "1").env("TERM", "xterm-256color").output().unwrap();

        assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b), "{arguments:?}: {output:?}");
    }
}

#[test]
fn coordinator_that_does_not_answer_is_named_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let commands: [&[&str]; 5] =
        [&["list"], &["watch", "demo"], &["results", "demo"], &["cancel", "demo"], &["jobs", "demo"]];
    for arguments in commands {
        let run = spillway(folder.path(), &[&["--endpoint", "http://127.0.0.1:9"], arguments].concat());

        assert_eq!(run.code, Some(5), "{arguments:?}: {}", run.err);
        assert!(run.err.starts_with("error: no coordinator answers at http://127.0.0.1:9: "), "{}", run.err);
        assert!(run.err.contains("spillway up") && run.err.contains("--endpoint"), "{}", run.err);
    }
}

#[test]
fn cluster_that_was_announced_in_the_state_folder_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".spillway")).unwrap();
    std::fs::write(folder.path().join(".spillway/endpoint"), "http://127.0.0.1:11\n").unwrap();

    let run = spillway(folder.path(), &["list"]);

    assert!(run.err.contains("http://127.0.0.1:11"), "{}", run.err);
}

#[test]
fn up_without_its_programs_says_which_and_what_to_do() {
    let folder = folder_with_the_program();

    let output = up(folder.path(), &["--state-dir", "state"]);

    assert_eq!(output.code, Some(1));
    assert!(output.err.starts_with("error: spillway-coordinator and spillway-worker not found in "), "{}", output.err);
    assert!(output.err.contains("cargo build"), "{}", output.err);
    assert!(!folder.path().join("state").exists(), "nothing is left behind");
}

#[test]
fn datasets_are_listed_with_their_licences() {
    let folder = tempfile::tempdir().unwrap();

    let table = spillway(folder.path(), &["data", "list"]);
    let json = spillway(folder.path(), &["data", "list", "--format", "json"]);
    let one = spillway(folder.path(), &["data", "list", "mnist"]);

    assert!(
        table.out.contains("fashion-mnist") && table.out.contains("MIT") && table.out.contains("built in"),
        "{}",
        table.out
    );
    assert!(json.out.contains("\"licence\": \"MIT\""), "{}", json.out);
    assert!(one.out.contains("2646ac647ad5339dbf082846283269ea") && one.out.contains("missing"), "{}", one.out);
}

#[test]
fn missing_and_damaged_files_are_told_apart_and_exit_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("data/mnist");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("t10k-labels-idx1-ubyte"), [0, 0, 8, 1]).unwrap();

    let run = spillway(folder.path(), &["data", "verify", "mnist"]);

    assert_eq!(run.code, Some(1));
    assert!(run.out.contains("t10k-labels-idx1-ubyte   damaged"), "{}", run.out);
    assert!(run.out.contains("train-images-idx3-ubyte  missing"), "{}", run.out);
    assert!(run.err.contains("4 of the files") && run.err.contains("SPILLWAY_DATA_DIR"), "{}", run.err);
}

#[test]
fn built_in_datasets_are_always_whole_and_unknown_ones_exit_with_3() {
    let folder = tempfile::tempdir().unwrap();

    assert_eq!(spillway(folder.path(), &["data", "verify", "synthetic-shapes"]).code, Some(0));
    let unknown = spillway(folder.path(), &["data", "verify", "imagenet"]);

    assert_eq!(unknown.code, Some(3));
    assert!(unknown.err.contains("fashion-mnist, mnist"), "{}", unknown.err);
}

#[test]
fn coordinator_that_ends_at_once_is_reported_with_its_last_words() {
    let folder = folder_with_the_program();
    let failing = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/failing-coordinator");
    symlink(&failing, folder.path().join("spillway-coordinator")).unwrap();
    symlink(&failing, folder.path().join("spillway-worker")).unwrap();

    let arguments = ["--database-url", "postgres://nowhere/x", "--listen", "127.0.0.1:0", "--state-dir", "state"];
    let output = up(folder.path(), &arguments);

    assert_eq!(output.code, Some(1));
    assert!(output.err.contains("the coordinator ended before it served (exit status: 1)"), "{}", output.err);
    let last_words = "state/logs/coordinator.log says:\nno database at postgres://nowhere/x\n";
    assert!(output.err.ends_with(last_words), "{}", output.err);
    assert!(!folder.path().join("state/endpoint").exists(), "no cluster is announced");
}

/// A folder that holds the program and not the two beside it. A symbolic link would lead back to the folder of all three; a
/// copy may still be open for writing in another test's new process, and then it does not run.
fn folder_with_the_program() -> TempDir {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::hard_link(env!("CARGO_BIN_EXE_spillway"), folder.path().join("spillway")).unwrap();
    folder
}

/// Runs the `spillway up` that lies in `folder`.
fn up(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = support::command_of(&folder.join("spillway"), folder);
    Run::from(command.arg("up").args(arguments).output().unwrap())
}

#[test]
fn datasets_are_described_with_their_steps() {
    let folder = tempfile::tempdir().unwrap();

    let table =
        spillway(folder.path(), &["data", "describe", "synthetic-shapes|resize=14x14:box|invert", "--split", "test"]);
    let json = spillway(folder.path(), &["data", "describe", "constant", "--split", "test", "--format", "json"]);
    let unknown = spillway(folder.path(), &["data", "describe", "synthetic-shapes|blur"]);
    let extractor = spillway(folder.path(), &["data", "describe", "synthetic-shapes|embed=net@12"]);

    assert_eq!((table.code, json.code), (Some(0), Some(0)), "{}{}", table.err, json.err);
    assert!(
        table.out.contains("1×14×14") && table.out.contains("14x14 box") && table.out.contains("10000"),
        "{}",
        table.out
    );
    assert!(json.out.contains("\"examples\": 10000"), "{}", json.out);
    assert_eq!(unknown.code, Some(3));
    assert!(unknown.err.contains("unknown step `blur`"), "{}", unknown.err);
    assert!(extractor.err.contains("describe `synthetic-shapes`, its input"), "{}", extractor.err);
}

#[test]
fn previews_are_pictures_of_the_images() {
    let folder = tempfile::tempdir().unwrap();

    let run = spillway(folder.path(), &["data", "preview", "synthetic-strokes|rotate=90", "--images", "9"]);
    let vectors = spillway(folder.path(), &["data", "preview", "synthetic-clusters-0"]);

    assert_eq!(run.code, Some(0), "{}", run.err);
    let file = folder.path().join("synthetic-strokes-rotate-90.png");
    let mut reader =
        png::Decoder::new(std::io::BufReader::new(std::fs::File::open(file).unwrap())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    // Three by three images of 28×28, each pixel twice, four pixels between them.
    assert_eq!((reader.info().width, reader.info().height), (3 * 60 + 4, 3 * 60 + 4));
    assert!(
        pixels.chunks_exact(3).any(|pixel| pixel == [0, 0, 0]) && pixels.chunks_exact(3).any(|pixel| pixel[0] > 200)
    );
    assert!(run.out.contains("9 of 10000 test images"), "{}", run.out);
    assert!(vectors.err.contains("only images can be drawn"), "{}", vectors.err);
}

#[test]
fn fetching_says_what_it_would_do_and_what_a_person_must_do() {
    let folder = tempfile::tempdir().unwrap();

    let dry = spillway(folder.path(), &["data", "fetch", "kmnist", "--dry-run"]);
    let unknown = spillway(folder.path(), &["data", "fetch", "imagenet"]);

    assert_eq!(dry.code, Some(0), "{}", dry.err);
    assert!(
        dry.out.contains("CC BY-SA 4.0") && dry.out.contains("train-images-idx3-ubyte.gz from http"),
        "{}",
        dry.out
    );
    assert!(!folder.path().join("data").exists(), "nothing is made");
    assert_eq!(unknown.code, Some(3));
}

#[test]
fn own_files_are_described_with_their_digest_and_classes() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("data/mine.csv");
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::fs::write(&table, "a,b,label\n1.5,2,0\n3,-4,1\n0,1,1\n").unwrap();

    let run = spillway(folder.path(), &["data", "describe", "own:mine.csv@2"]);
    let other = spillway(folder.path(), &["data", "describe", "own:mine.csv@3"]);

    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.out.contains("SHA-256 over names and bytes") && run.out.contains("2 features"), "{}", run.out);
    assert!(run.out.contains("66.67"), "the share of label 1: {}", run.out);
    assert_eq!(other.code, Some(1));
    assert!(other.err.contains("mine.csv"), "{}", other.err);
}
