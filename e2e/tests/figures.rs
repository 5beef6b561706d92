//! The whole way of a picture: from `[inspection]` in a sweep to a file that a person opens.

use std::fs;

use domain::sweep::SweepSpec;
use e2e::{Cluster, ClusterOptions, tiny_sweep};
use proto::v1::ListFiguresRequest;
use serde_json::json;

/// A tiny sweep that draws three images of two datasets.
fn drawn_sweep(name: &str) -> SweepSpec {
    let mut sweep = tiny_sweep(name, &[1], 20);
    let inspection = json!({"images": [0, 3, 5], "draws": 3, "samples": 4});
    sweep.base.inspection = Some(serde_json::from_value(inspection).expect("the document above is sound"));
    sweep
}

#[tokio::test]
async fn an_inspected_sweep_ends_in_pictures_that_the_command_line_fetches() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();
    cluster.submit(&drawn_sweep("drawn")).await.unwrap();
    cluster.await_success("drawn").await.unwrap();
    let request = ListFiguresRequest { sweep: "drawn".to_owned(), ..ListFiguresRequest::default() };
    let figures = cluster.results().unwrap().list_figures(request).await.unwrap().into_inner().figures;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap().to_owned();

    let fetched = e2e::command("spillway")
        .unwrap()
        .args(["--endpoint", cluster.endpoint(0), "figures", "drawn", "--out-dir", &out, "--format", "json"])
        .output()
        .unwrap();

    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    let document: serde_json::Value = serde_json::from_slice(&fetched.stdout).unwrap();
    let listed = document["figures"].as_array().unwrap();
    assert_eq!(listed.len(), figures.len());
    let names: Vec<&str> = listed.iter().map(|figure| figure["name"].as_str().unwrap()).collect();
    for name in [
        "contact-sheet.png",
        "latents-synthetic-shapes.png",
        "latents-synthetic-strokes.png",
        "scale-and-shift-synthetic-strokes-3.png",
        "activations-synthetic-shapes-5.png",
        "samples.png",
    ] {
        assert!(names.contains(&name), "{name} is missing among {names:?}");
    }
    // A sheet, latents of two datasets, two figures for each of their three images, and samples.
    assert_eq!(names.len(), 1 + 2 + 2 * 3 * 2 + 1);
    for figure in listed {
        let bytes = fs::read(figure["file"].as_str().unwrap()).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let size = (u64::from(reader.info().width), u64::from(reader.info().height));
        assert_eq!(size, (figure["width"].as_u64().unwrap(), figure["height"].as_u64().unwrap()), "{figure}");
        assert!(pixels.iter().any(|&byte| byte != pixels[0]), "{figure} is of one colour");
    }
    let from_sql = cluster.sql("select count(*), min(noise_draws) from figure_overview where sweep = 'drawn'").unwrap();
    assert_eq!(from_sql.trim(), format!("{}|3", names.len()));
}

#[tokio::test]
async fn the_same_experiment_draws_the_same_bytes() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();
    let mut digests = Vec::new();
    for name in ["first", "again"] {
        cluster.submit(&drawn_sweep(name)).await.unwrap();
        cluster.await_success(name).await.unwrap();
        let of = format!("select name, digest from figure_overview where sweep = '{name}' order by ordinal");
        digests.push(cluster.sql(&of).unwrap());
    }

    assert!(digests[0].lines().count() > 10, "{}", digests[0]);
    assert_eq!(digests[0], digests[1]);
}
