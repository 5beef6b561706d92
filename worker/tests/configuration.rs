//! What the program refuses before it asks for work.

mod support;

use support::program::command;

#[test]
fn cuda_without_its_library_is_refused_with_the_remedy() {
    let output = command().args(["--device", "cuda", "--cuda-library", "/nowhere/libtorch_cuda.so"]).output().unwrap();

    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{said}");
    for part in ["/nowhere/libtorch_cuda.so", "--cuda-library", "SPILLWAY_CUDA_LIBRARY", "--device cpu"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[test]
fn bad_variable_is_named_with_exit_code_64() {
    let output = command().env("SPILLWAY_THREADS", "many").output().unwrap();

    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(said.contains("SPILLWAY_THREADS") && said.contains("many"), "{said}");
}

#[test]
fn missing_scratch_folder_is_named_with_the_remedy() {
    let output = command().args(["--scratch-dir", "/nowhere/at/all"]).output().unwrap();

    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(said.contains("/nowhere/at/all") && said.contains("SPILLWAY_SCRATCH_DIR"), "{said}");
}

#[test]
fn help_has_examples_and_hides_the_inner_roles() {
    let output = command().arg("--help").output().unwrap();

    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(said.contains("Examples:") && !said.contains("run-child"), "{said}");
}
