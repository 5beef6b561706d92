//! The model of the experiment document: every architecture, mask and st-network, and what fits what.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod documents;

use documents::{experiment, experiment_of_before, glow, lines, parse, realnvp, tabular, with};
use domain::spec::{Architecture, Decay, InputShape, ModelSpec, ParitySpec, parse_document};
use serde_json::{Value, json};

const GREY: InputShape = InputShape::Image { channels: 1, height: 28, width: 28 };
const COLOUR: InputShape = InputShape::Image { channels: 3, height: 32, width: 32 };
const VECTORS: InputShape = InputShape::Vector { features: 50 };

fn model(document: &Value) -> ModelSpec {
    parse_document(document, "base.model").unwrap_or_else(|refusal| panic!("{document} does not parse: {refusal}"))
}

fn architecture(document: &Value, input: InputShape) -> Result<Architecture, Vec<String>> {
    let built = model(document).architecture("base", input, ParitySpec::FlowsOod.into());
    built.map_err(|violations| lines(&violations))
}

#[track_caller]
fn assert_refused(document: &Value, input: InputShape, refusals: &[&str]) {
    assert_eq!(architecture(document, input).map(|flow| flow.count()).unwrap_err(), refusals, "{document}");
}

fn parameters(document: &Value, input: InputShape) -> u64 {
    architecture(document, input).unwrap_or_else(|refusal| panic!("{document}: {refusal:?}")).count().parameters
}

#[test]
fn documents_of_before_keep_their_fingerprints() {
    let spec = parse(&experiment_of_before()).unwrap();

    assert_eq!(spec.fingerprint().to_string(), "24754b113b8dc9d0dd7ea1647591c716e9485282af0b41b905fe5e630f9c1692");
    let cycle = parse(&with(experiment_of_before(), "/model/realnvp/mask", json!("cycle"))).unwrap();
    assert!(cycle.fingerprint().to_string().starts_with("53b58ccd8bdb"));
    let defaults = [
        ("/parity", json!("corrected")),
        ("/model/realnvp/transform", json!("affine")),
        ("/model/realnvp/squeeze", json!("pixels")),
        ("/model/realnvp/split_prior", json!("standard")),
    ];
    for (path, value) in defaults {
        assert_eq!(
            parse(&with(experiment_of_before(), path, value)).unwrap().fingerprint(),
            spec.fingerprint(),
            "{path}"
        );
    }
}

#[test]
fn documents_of_the_reference_s_models_have_its_counts() {
    assert_eq!(parameters(&realnvp(json!({})), GREY), 14_707_336);
    let bare = json!({"scales": 3, "st_network": {"resnet": {"width": 64, "blocks": 8, "batch_norm": false}}});
    assert_eq!(parameters(&realnvp(bare), COLOUR), 87_765_254);
    for mask in ["horizontal", "cycle", "vertical"] {
        assert_eq!(parameters(&realnvp(json!({ "mask": mask })), GREY), 3_809_344, "{mask}");
    }
    let autoencoder = json!({"st_network": {"autoencoder": {"latent": 100}}});
    assert_eq!(parameters(&realnvp(autoencoder), GREY), 6_574_508);
    let old = json!({"scales": 3, "st_network": {"autoencoder-old": {"latent": 10}}});
    assert_eq!(parameters(&realnvp(old), COLOUR), 2_199_460);
    let bottleneck = json!({"st_network": {"resnet-autoencoder": {"width": 64, "blocks": 6, "latent": 50}}});
    assert_eq!(parameters(&realnvp(bottleneck), GREY), 46_744_316);
    let convnet = json!({"st_network": {"convnet": {"width": 64, "blocks": 6}}});
    assert_eq!(parameters(&realnvp(convnet), GREY), 6_893_862);
    assert_eq!(parameters(&glow(json!({"steps": 16})), GREY), 69_378_048);
    assert_eq!(parameters(&glow(json!({"steps": 16, "multi_scale": false})), GREY), 69_522_432);
    let defaults = json!({"st_network": {"glow-convnet": {"width": 64}}});
    assert_eq!(parameters(&glow(defaults), COLOUR), 323_328);
    assert_eq!(parameters(&tabular(json!({})), VECTORS), 837_184);
}

#[test]
fn schemes_are_patterns_that_lists_can_spell_out() {
    let cycle = json!([[0, 1], [1, 2], [2, 3], [3, 0]]);
    let tiles = |from: u32| json!({"sub-quadrant": {"factor": 2, "from": from, "to": (from + 1) % 4}});
    let sub_quadrant = [(0..4).map(tiles).collect::<Vec<_>>(), cycle.as_array().unwrap().clone()].concat();
    let cases = [
        ("checkerboard", Some(3), json!(["checkerboard", "checkerboard-reversed", "checkerboard"])),
        ("horizontal", Some(2), json!(["horizontal", "horizontal-reversed"])),
        ("vertical", Some(2), json!(["vertical", "vertical-reversed"])),
        ("cycle", Some(4), cycle),
        ("sub-quadrant", None, json!(sub_quadrant)),
        ("centre", None, json!(["centre", [0, 1], [1, 2], [2, 3], [3, 0], {"centre": {"margin": 4}}])),
    ];
    for (scheme, couplings, list) in cases {
        let named = realnvp(json!({"mask": scheme, "scales": 1, "couplings": couplings}));

        let (named, spelled) = (architecture(&named, GREY), architecture(&realnvp(json!({ "mask": list })), GREY));

        assert_eq!(named.unwrap().layers, spelled.unwrap().layers, "{scheme}");
    }
}

#[test]
fn names_and_tables_of_one_choice_are_one_document() {
    let same = [
        (realnvp(json!({"mask": "center"})), realnvp(json!({"mask": "centre", "couplings": 6}))),
        (realnvp(json!({"mask": ["center"]})), realnvp(json!({"mask": [{"centre": {}}]}))),
        (
            realnvp(json!({"transform": "spline"})),
            realnvp(json!({"transform": {"spline": {"bins": 8, "bound": 3}}, "scales": 2})),
        ),
        (glow(json!({"convolution": "householder"})), glow(json!({"convolution": {"householder": {}}, "steps": 8}))),
        (glow(json!({})), glow(json!({"convolution": "full", "scales": 2, "multi_scale": true}))),
        (tabular(json!({})), tabular(json!({"couplings": 8, "transform": "affine"}))),
    ];
    for (short, long) in same {
        let fingerprint = |model: &Value| parse(&with(experiment(), "/model", model.clone())).unwrap().fingerprint();

        assert_eq!(fingerprint(&short), fingerprint(&long), "{short}");
    }
}

#[test]
fn canonical_documents_of_every_choice_parse_to_themselves() {
    let models = [
        realnvp(
            json!({"mask": ["vertical-reversed", [3, 1], {"sub-quadrant": {"factor": 7, "from": 0, "to": 2}}, "centre"]}),
        ),
        realnvp(
            json!({"transform": {"spline": {"bins": 4, "bound": 2.5}}, "squeeze": "haar", "split_prior": "learned"}),
        ),
        glow(json!({"convolution": {"householder": {"reflections": 3}}, "split_prior": "learned"})),
        glow(json!({"convolution": "lu", "transform": "additive", "squeeze": "haar"})),
        tabular(json!({"transform": "spline"})),
    ];
    for document in models {
        let spec = parse(&with(experiment(), "/model", document)).unwrap();
        let stored: Value = serde_json::from_str(&spec.to_canonical_json()).unwrap();

        assert_eq!(parse(&stored).unwrap(), spec.resolved());
    }
}

#[test]
fn numbers_out_of_range_are_all_named() {
    assert_refused(
        &realnvp(json!({
            "transform": {"spline": {"bins": 1, "bound": 0}},
            "st_network": {"resnet-autoencoder": {"width": 4097, "blocks": 1, "latent": 65537}},
        })),
        GREY,
        &[
            "base.model.realnvp.transform.spline.bins: 1 is out of range: 2 to 256 allowed",
            "base.model.realnvp.transform.spline.bound: 0 is out of range: 0.001 to 1000 allowed",
            "base.model.realnvp.st_network.resnet-autoencoder.width: 4097 is out of range: 1 to 4096 allowed",
            "base.model.realnvp.st_network.resnet-autoencoder.blocks: 1 is out of range: 2 to 64 allowed",
            "base.model.realnvp.st_network.resnet-autoencoder.latent: 65537 is out of range: 1 to 65536 allowed",
        ],
    );
    assert_refused(
        &glow(json!({"scales": 0, "steps": 257, "convolution": {"householder": {"reflections": 0}}})),
        GREY,
        &[
            "base.model.glow.scales: 0 is out of range: 1 to 6 allowed",
            "base.model.glow.steps: 257 is out of range: 1 to 256 allowed",
            "base.model.glow.convolution.householder.reflections: 0 is out of range: 1 to 65536 allowed",
        ],
    );
    assert_refused(
        &tabular(json!({"couplings": 0, "st_network": {"mlp": {"width": 0, "layers": 65}}})),
        VECTORS,
        &[
            "base.model.tabular.couplings: 0 is out of range: 1 to 256 allowed",
            "base.model.tabular.st_network.mlp.width: 0 is out of range: 1 to 4096 allowed",
            "base.model.tabular.st_network.mlp.layers: 65 is out of range: 0 to 64 allowed",
        ],
    );
    for network in ["autoencoder", "autoencoder-old"] {
        let at = format!("base.model.realnvp.st_network.{network}.latent: 0 is out of range: 1 to 65536 allowed");
        assert_refused(&realnvp(json!({"st_network": {network: {"latent": 0}}})), GREY, &[&at]);
    }
    for (network, fields) in [("highway", json!({"width": 0, "blocks": 3})), ("glow-convnet", json!({"width": 0}))] {
        let at = format!("base.model.realnvp.st_network.{network}.width: 0 is out of range: 1 to 4096 allowed");
        assert_refused(&realnvp(json!({"st_network": {network: fields}})), GREY, &[&at]);
    }
}

#[test]
fn lists_of_masks_are_checked_one_by_one() {
    assert_refused(
        &realnvp(json!({"mask": [[0, 1], [4, 0], {"sub-quadrant": {"factor": 2, "from": 0, "to": 5}}]})),
        GREY,
        &[
            "base.model.realnvp.mask[1]: quadrant 4: 0 to 3 allowed, clockwise from the top left",
            "base.model.realnvp.mask[2]: quadrant 5: 0 to 3 allowed, clockwise from the top left",
        ],
    );
    assert_refused(
        &realnvp(json!({"mask": ["horizontal", [2, 2]]})),
        GREY,
        &["base.model.realnvp.mask[1]: quadrant 2 cannot be read and changed by one layer"],
    );
    assert_refused(
        &realnvp(json!({"mask": [{"sub-quadrant": {"factor": 3, "from": 0, "to": 1}}]})),
        GREY,
        &[
            "base.model.realnvp.mask[0]: 28×28 pixels do not divide into 3×3 tiles of at least 2×2: use a factor of at least 2 that divides both sides",
        ],
    );
    assert_refused(
        &realnvp(json!({"mask": [{"centre": {"margin": 14}}]})),
        GREY,
        &["base.model.realnvp.mask[0]: a margin of 14 leaves no square in 28×28 pixels: use 1 to 13"],
    );
    assert_refused(
        &realnvp(json!({"mask": [], "scales": 2, "couplings": 4})),
        GREY,
        &[
            "base.model.realnvp.scales: a list of masks stands on one scale: leave it out, or name a scheme",
            "base.model.realnvp.couplings: a list of masks has one for each coupling layer: leave this out",
            "base.model.realnvp.mask: 0 masks: 1 to 256 allowed",
        ],
    );
    assert_refused(
        &realnvp(json!({"mask": vec!["vertical"; 257]})),
        GREY,
        &["base.model.realnvp.mask: 257 masks: 1 to 256 allowed"],
    );
}

#[test]
fn options_of_scales_are_refused_without_scales() {
    assert_refused(
        &realnvp(json!({"mask": "cycle", "squeeze": "haar", "split_prior": "learned"})),
        GREY,
        &[
            "base.model.realnvp.squeeze: a model of one scale squeezes nothing: leave it out, or use more scales",
            "base.model.realnvp.split_prior: no channels leave a model of one scale: leave it out, or use more scales",
        ],
    );
    for changes in
        [json!({"split_prior": "learned", "scales": 1}), json!({"split_prior": "learned", "multi_scale": false})]
    {
        assert_refused(
            &glow(changes),
            GREY,
            &[
                "base.model.glow.split_prior: no channels leave a model of one scale or with multi_scale = false: leave it out",
            ],
        );
    }
}

#[test]
fn models_too_large_to_count_are_refused() {
    assert_refused(
        &realnvp(json!({"mask": "cycle", "couplings": 256, "st_network": {"resnet": {"width": 1, "blocks": 17}}})),
        GREY,
        &[
            "base.model.realnvp.st_network.resnet: 256 coupling layers of 17 blocks are 4352 blocks: at most 4096 allowed in a model",
        ],
    );
    assert_refused(
        &glow(json!({"steps": 129})),
        GREY,
        &["base.model.glow.steps: 2 scales of 129 steps are 258 steps: at most 256 allowed in a model"],
    );
    let wide = json!({"scales": 5, "st_network": {"resnet": {"width": 4096, "blocks": 64}}});
    let large = InputShape::Image { channels: 3, height: 64, width: 64 };
    let refusal = architecture(&realnvp(wide), large).unwrap_err();
    let text = "base.model.realnvp.st_network.resnet: the model has more than 20000000000 parameters";
    assert!(refusal[0].starts_with(text), "{refusal:?}");
}

#[test]
fn what_does_not_fit_the_data_is_refused_with_the_shapes() {
    assert_refused(
        &realnvp(json!({"st_network": {"autoencoder-old": {"latent": 10}}})),
        GREY,
        &[
            "base.model.realnvp.st_network.autoencoder-old: autoencoder-old does not fit images of 14×14: they come back as 12×12; use fewer scales, or resnet-autoencoder",
        ],
    );
    assert_refused(
        &realnvp(json!({"scales": 3, "st_network": {"autoencoder": {"latent": 10}}})),
        COLOUR,
        &[
            "base.model.realnvp.st_network.autoencoder: autoencoder needs images of at least 14×14, and those of one coupling layer are 8×8: use fewer scales, or resnet-autoencoder",
        ],
    );
    assert_refused(
        &glow(json!({"scales": 3})),
        GREY,
        &["base.model.glow.scales: 3 scales need sides divisible by 8, and the images are 28×28"],
    );
    assert_refused(
        &realnvp(json!({})),
        VECTORS,
        &["base.data.dataset: the data are vectors of 50 features, and this model takes images: use tabular"],
    );
    assert_refused(
        &tabular(json!({})),
        COLOUR,
        &["base.data.dataset: the data are 3×32×32 images, and tabular models take vectors: use realnvp or glow"],
    );
    assert_refused(
        &realnvp(json!({"st_network": {"mlp": {"width": 8, "layers": 1}}})),
        GREY,
        &["base.model.realnvp.st_network.mlp: mlp takes vectors: use it in a tabular model"],
    );
    assert_refused(
        &tabular(json!({"st_network": {"highway": {"width": 8, "blocks": 1}}})),
        VECTORS,
        &["base.model.tabular.st_network.highway: a tabular model takes mlp: the others take images"],
    );
    assert_refused(
        &glow(json!({"convolution": {"householder": {"reflections": 65}}})),
        GREY,
        &["base.model.glow.convolution: 65 reflections of 4 channels: use 1 to 64"],
    );
}

#[test]
fn experiments_find_what_does_not_fit_before_any_job() {
    let document = with(experiment(), "/model", tabular(json!({})));

    let found = parse(&document).unwrap().validate("base").unwrap_err();

    assert_eq!(
        lines(&found),
        ["base.data.dataset: the data are 1×28×28 images, and tabular models take vectors: use realnvp or glow"]
    );
}

#[test]
fn decay_by_default_is_that_of_the_architecture() {
    let training = parse(&experiment()).unwrap().training;
    let vectors = InputShape::Vector { features: 15 };
    for (document, input) in [(realnvp(json!({})), GREY), (glow(json!({})), GREY), (tabular(json!({})), vectors)] {
        let built = architecture(&document, input).unwrap();

        let decays_gains_alone = training.decays(&model(&document)) == Decay::Gains;

        assert_eq!(decays_gains_alone, built.decays_gains_alone(), "{document}");
    }
}
