//! A user's own files from `submit` to the table: classes, steps and feature vectors, and what is missing.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

use std::{fs, path::Path};

use domain::sweep::SweepSpec;
use e2e::{Cluster, ClusterOptions, eventually};
use serde_json::{Value, json};

/// Four features of an image of 1×8×8; crates/training/tests/views.rs says how it was made.
const QUARTERS: &[u8] = include_bytes!("own_data/quarters.pt");

/// A grey picture of 16×16 pixels: a ramp along one axis, shifted.
fn put_picture(folder: &Path, name: &str, axis: usize, shift: usize) {
    fs::create_dir_all(folder).unwrap();
    let pixels: Vec<u8> = (0..256).map(|pixel| ([pixel / 16, pixel % 16][axis] * 15 + shift) as u8).collect();
    let file = fs::File::create(folder.join(name)).unwrap();
    let mut encoder = png::Encoder::new(file, 16, 16);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
}

/// Pictures of two classes in both splits, and tables.
fn put_data(data: &Path) {
    for split in ["train", "test"] {
        for index in 0..24 {
            for (axis, class) in ["down", "right"].into_iter().enumerate() {
                put_picture(&data.join("ramps").join(split).join(class), &format!("{index}.png"), axis, index);
            }
        }
    }
    fs::create_dir_all(data.join("extractors")).unwrap();
    fs::write(data.join("extractors/quarters.pt"), QUARTERS).unwrap();
    put_picture(&data.join("alone"), "a.png", 0, 0);
    put_picture(&data.join("alone"), "b.png", 0, 1);
    let rows = |scale: f64| -> String {
        let row = |index: u32| {
            let angle = f64::from(index);
            format!("{},{},{},{}\n", scale * angle.sin(), angle.cos(), scale * (2.0 * angle).sin(), (3.0 * angle).cos())
        };
        (0..80).map(row).collect()
    };
    fs::create_dir_all(data.join("tables")).unwrap();
    fs::write(data.join("tables/mine.train.csv"), format!("a,b,c,d\n{}", rows(1.0))).unwrap();
    fs::write(data.join("tables/mine.test.csv"), rows(1.0)).unwrap();
    fs::write(data.join("tables/other.csv"), rows(5.0)).unwrap();
}

fn sweep(name: &str, model: &Value, dataset: &str, out: &[&str]) -> SweepSpec {
    let document = json!({
        "name": name,
        "seeds": [1],
        "base": {
            "model": model,
            "data": {"dataset": dataset},
            "training": {"steps": 10, "batch_size": 8, "optimiser": {"adam": {"learning_rate": 1e-3}}},
            "evaluation": {"out": out, "images": 20},
        },
    });
    domain::spec::parse_document(&document, "").unwrap()
}

async fn cluster_with_data() -> Cluster {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    let data = cluster.folder().join("data");
    put_data(&data);
    let mut worker = cluster.worker_command(0).unwrap();
    worker.env("SPILLWAY_DATA_DIR", &data);
    cluster.start_worker(worker).unwrap();
    cluster
}

#[tokio::test]
async fn own_pictures_tables_and_features_go_the_whole_way() {
    let cluster = cluster_with_data().await;
    let flow =
        json!({"realnvp": {"mask": "cycle", "couplings": 2, "st_network": {"resnet": {"width": 4, "blocks": 1}}}});
    let tabular = json!({"tabular": {"couplings": 2, "st_network": {"mlp": {"width": 8, "layers": 1}}}});
    let features = |images: &str| format!("{images}|resize=8x8:box|embed=quarters@4");
    let within = "own:ramps@1x16x16|classes=0";
    let out = [
        "own:ramps@1x16x16|classes=1",
        "own:ramps@1x16x16|classes=0|vflip",
        "own:ramps@1x16x16|classes=0|rotate=90",
        "own:ramps@1x16x16|classes=0|resize=8x8:box|pad=16x16:0",
        "synthetic-shapes|resize=16x16:bilinear",
    ];
    let sweeps = [
        sweep("pictures", &flow, within, &out),
        sweep("tables", &tabular, "own:tables/mine.csv@4", &["own:tables/other.csv@4"]),
        sweep("features", &tabular, &features("own:ramps@1x16x16"), &[&features("synthetic-shapes")]),
    ];

    for sweep in &sweeps {
        cluster.submit(sweep).await.unwrap();
    }
    for sweep in &sweeps {
        cluster.await_success(&sweep.name).await.unwrap();
    }

    let table = "select sweep, count(*), min(n_in), min(n_out), bool_and(auroc_mean between 0 and 1)
        from auroc where score = 'log-likelihood' group by sweep order by sweep";
    let expected = "features|1|20|20|t\npictures|5|20|20|t\ntables|1|20|20|t";
    assert_eq!(cluster.sql(table).unwrap().trim(), expected);
}

#[tokio::test]
async fn a_model_that_own_files_cannot_fill_fails_once_and_says_what_to_do() {
    let cluster = cluster_with_data().await;
    let flow =
        json!({"realnvp": {"mask": "cycle", "couplings": 2, "st_network": {"resnet": {"width": 4, "blocks": 1}}}});

    let misfit = sweep("misfit", &flow, "own:ramps@1x16x16", &["own:ramps@1x16x16|resize=8x8:box"]);
    let refusal = format!("{:#}", cluster.submit(&misfit).await.unwrap_err());
    let untrained = sweep("untrained", &flow, "own:alone@1x16x16", &["own:alone@1x16x16|hflip"]);
    cluster.submit(&untrained).await.unwrap();
    let failed = || async {
        let jobs = cluster.jobs("untrained").await?;
        Ok(jobs.into_iter().find(|job| job.kind == "train" && job.state == "failed"))
    };
    let training = eventually("the training to fail", failed).await.unwrap();

    assert!(refusal.contains("evaluation.out[0]"), "{refusal}");
    assert_eq!((training.attempts, training.infrastructure_failures), (1, 0), "{training:?}");
    assert!(training.reason.contains("has no train split; put its examples to learn from into"), "{training:?}");
}
