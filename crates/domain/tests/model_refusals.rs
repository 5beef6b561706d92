//! Choices of a model that do not parse: each is named at its path, with what is allowed.

mod documents;

use documents::{glow, realnvp};
use domain::spec::{ModelSpec, parse_document};
use serde_json::{Value, json};

#[track_caller]
fn assert_does_not_parse(document: &Value, field: &str, part: &str) {
    let found = parse_document::<ModelSpec>(document, "m").expect_err("the document does not parse");

    let violation = found.iter().next().expect("a refusal holds a violation");
    assert_eq!((violation.field.as_str(), found.len()), (field, 1), "{found}");
    assert!(violation.message.contains(part), "{found}");
}

#[test]
fn choices_that_do_not_parse_are_named_at_their_path() {
    let mask = |mask: Value| realnvp(json!({ "mask": mask }));
    assert_does_not_parse(&mask(json!(3)), "m.realnvp.mask", "invalid type: integer `3`, expected `checkerboard`,");
    assert_does_not_parse(&mask(json!({"cycle": {}})), "m.realnvp.mask", "`cycle` is written as a name");
    assert_does_not_parse(
        &mask(json!(["cycle"])),
        "m.realnvp.mask[0]",
        "expected a pair of quadrants such as `[0, 1]`",
    );
    assert_does_not_parse(&mask(json!(["centre", [0]])), "m.realnvp.mask[1]", "two quadrants expected");
    assert_does_not_parse(&mask(json!([[0, 1, 2]])), "m.realnvp.mask[0]", "two quadrants expected");
    assert_does_not_parse(&mask(json!([[0, -1]])), "m.realnvp.mask[0][1]", "expected u32");
    assert_does_not_parse(
        &mask(json!([{"sub-quadrant": {"factor": 2, "from": 0}}])),
        "m.realnvp.mask[0].sub-quadrant",
        "missing field `to`",
    );
    assert_does_not_parse(
        &mask(json!([{"centre": {"margins": 2}}])),
        "m.realnvp.mask[0].centre.margins",
        "unknown field `margins`, expected `margin`",
    );
    let transform = |transform: Value| realnvp(json!({ "transform": transform }));
    assert_does_not_parse(
        &transform(json!("splines")),
        "m.realnvp.transform",
        "expected `affine`, `additive`, `spline`",
    );
    assert_does_not_parse(&transform(json!(["affine"])), "m.realnvp.transform", "invalid type: sequence");
    assert_does_not_parse(&transform(json!({})), "m.realnvp.transform", "empty: `affine`");
    assert_does_not_parse(
        &transform(json!({"spline": {"bins": "8"}})),
        "m.realnvp.transform.spline.bins",
        "expected u32",
    );
    assert_does_not_parse(
        &transform(json!({"spline": {}, "wave": {}})),
        "m.realnvp.transform",
        "`spline` and `wave`: one choice alone expected",
    );
    assert_does_not_parse(
        &transform(json!({"affine": {}})),
        "m.realnvp.transform",
        "`affine` is written as a name, without a table",
    );
    let convolution = |convolution: Value| glow(json!({ "convolution": convolution }));
    assert_does_not_parse(&convolution(json!("qr")), "m.glow.convolution", "expected `full`, `lu`, `householder`");
    assert_does_not_parse(
        &realnvp(json!({"st_network": {"unet": {}}})),
        "m.realnvp.st_network",
        "expected one of `resnet`, `highway`, `convnet`, `glow-convnet`, `autoencoder`, `autoencoder-old`, `resnet-autoencoder`, `mlp`",
    );
    assert_does_not_parse(&realnvp(json!({"squeeze": "wavelet"})), "m.realnvp.squeeze", "expected `pixels` or `haar`");
}
