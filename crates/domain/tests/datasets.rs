//! Datasets with steps and users' own files in documents: what does not fit is refused where it stands.

mod documents;

use documents::{experiment, lines, parse, with};
use serde_json::json;

#[test]
fn steps_decide_about_the_shape() {
    let out = json!(["svhn|gray|resize=28x28:bilinear", "svhn|gray", "own:cats@1x32x32"]);
    let spec = parse(&with(experiment(), "/evaluation/out", out)).unwrap();

    let found = spec.validate("base").unwrap_err();

    let expected = [
        "base.evaluation.out[1]: `svhn|gray` has 1×32×32, and `fashion-mnist`, which is learned, 1×28×28",
        "base.evaluation.out[2]: `own:cats@1x32x32` has 1×32×32, and `fashion-mnist`, which is learned, 1×28×28",
    ];
    assert_eq!(lines(&found), expected);
}

#[test]
fn a_model_of_images_takes_no_features() {
    let document = with(experiment(), "/data/dataset", json!("fashion-mnist|embed=extractor@12"));
    let spec = parse(&with(document, "/evaluation/out", json!(["own:mine.csv@12"]))).unwrap();

    let found = spec.validate("base").unwrap_err();

    let expected = ["base.data.dataset: the data are vectors of 12 features, and this model takes images: use tabular"];
    assert_eq!(lines(&found), expected);
}

#[test]
fn names_that_do_not_parse_are_refused_at_their_path() {
    for (dataset, part) in [
        ("fashion-mnist|crop=32x32", "step `crop=32x32` does not fit 1×28×28"),
        ("fashion-mnist|blur", "unknown step `blur`"),
        ("fashion-mnist|hflip|classes=1", "must be the first step"),
        ("own:cats", "say the shape after an @"),
        ("own:../cats@1x28x28", "a relative path"),
    ] {
        for (path, field) in [("/evaluation/out/0", "base.evaluation.out[0]"), ("/data/dataset", "base.data.dataset")] {
            let found = parse(&with(experiment(), path, json!(dataset))).unwrap_err();

            let violation = found.iter().next().expect("a refusal holds a violation");
            assert_eq!((violation.field.as_str(), found.len()), (field, 1), "{found}");
            assert!(violation.message.contains(part), "{found}");
        }
    }
}
