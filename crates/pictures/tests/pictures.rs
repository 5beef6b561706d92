//! Every kind of picture, with plain and with awkward data: nothing is cut off, and the same data gives the same bytes.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

use pictures::{
    AurocRow, Band, ForestPlot, Histogram, Picture, RocPlot, RocSeries, SeedCurve, Side, TrainingPlot, TrainingSeries,
};
use resvg::usvg::{Node, Options, Tree, fontdb::Database};

const LONG: &str = "mask=sub-quadrant, st_network=resnet_autoencoder(width=512, blocks=8, latent=100, batch_norm=true), learning_rate=0.0005, transform=spline(bins=16, bound=3)";
const WIDE: &str =
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW";

/// Numbers near a normal distribution, the same ones for the same seed.
fn normal(seed: u64, count: usize, mean: f64, deviation: f64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut one = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
    (0..count).map(|_| mean + deviation * one()).collect()
}

fn labels(count: usize) -> Vec<String> {
    let mut labels: Vec<String> =
        ["mask=cycle", "mask=horizontal", LONG, "ключ=значение, λ=0.5 <b>&\"'", WIDE].map(str::to_owned).to_vec();
    labels.extend((0..count).map(|i| format!("mask=checkerboard, st_network=highway, width={}", 32 << i)));
    labels.truncate(count);
    labels
}

fn histogram(sides: usize) -> Picture {
    let labels = labels(sides);
    let values: Vec<Vec<f64>> = (0..sides).map(|i| normal(i as u64 + 1, 10_000, 2.9 - 0.35 * i as f64, 0.25)).collect();
    let sides = labels.iter().zip(&values).map(|(label, values)| Side { label, values }).collect();
    Histogram {
        title: "likelihoods of fashion-mnist and others",
        subtitle: LONG,
        quantity: "bits per dimension",
        sides,
    }
    .draw()
    .unwrap()
}

fn roc(curves: usize) -> Picture {
    let labels = labels(curves);
    let curve = |power: f64| (0..=5000).map(|i| f64::from(i) / 5000.0).map(move |x| (x, x.powf(power)));
    let series = |index: usize, label| {
        let power = 0.2 + 0.15 * index as f64;
        let band = curve(power).map(|(x, y)| (x, (y - 0.03).max(0.0), (y + 0.03).min(1.0))).collect();
        RocSeries {
            label,
            note: ": AUROC 0.812 (0.801 to 0.822)".to_owned(),
            points: curve(power).collect(),
            band: Some(Band { points: band }),
        }
    };
    let curves = labels.iter().enumerate().map(|(index, label)| series(index, label.as_str())).collect();
    RocPlot { title: LONG, subtitle: WIDE, curves }.draw().unwrap()
}

fn training(variants: usize) -> Picture {
    let labels = labels(variants);
    let seed = |variant: usize, seed: u64| {
        let noise = normal(seed + 10 * variant as u64 + 1, 400, 0.0, 0.04);
        let value = |step: f64| 2.8 + 0.1 * variant as f64 + 6.0 * (-step / 300.0).exp();
        let training = noise
            .iter()
            .enumerate()
            .map(|(i, noise)| ((i + 1) as f64 * 25.0, value((i + 1) as f64 * 25.0) + noise))
            .collect();
        let validation = (1..=10).map(|i| f64::from(i) * 1000.0).map(|step| (step, value(step) + 0.05)).collect();
        SeedCurve { training, validation }
    };
    let variants = labels
        .iter()
        .enumerate()
        .map(|(index, label)| TrainingSeries { label, seeds: (0..3).map(|s| seed(index, s)).collect() });
    TrainingPlot {
        title: "sweep demo: training",
        subtitle: "",
        quantity: "bits per dimension",
        variants: variants.collect(),
    }
    .draw()
    .unwrap()
}

fn forest(rows: usize) -> Picture {
    let labels = labels(rows);
    let row = |index: usize, label| {
        let mean = (index != 1 || rows == 2).then_some(0.52 + 0.03 * index as f64);
        let seeds = mean.map(|mean| vec![mean - 0.01, mean, mean + 0.01]).unwrap_or_default();
        AurocRow { label, mean, interval: mean.map(|mean| (mean - 0.025, mean + 0.025)), seeds }
    };
    let rows = labels.iter().enumerate().map(|(index, label)| row(index, label.as_str())).collect();
    let subtitle = "square: mean; bar: 95 % interval (Student's t over seeds); dots: seeds";
    ForestPlot { title: "fashion-mnist against mnist, log-likelihood", subtitle, rows }.draw().unwrap()
}

/// Every kind of picture with few and with many series.
fn gallery() -> Vec<(String, Picture)> {
    let mut gallery = Vec::new();
    for count in [1, 2, 5, 12] {
        gallery.push((format!("histogram-{count}"), histogram(count)));
        gallery.push((format!("roc-{count}"), roc(count)));
        gallery.push((format!("training-{count}"), training(count)));
        gallery.push((format!("forest-{count}"), forest(count)));
    }
    gallery.extend(awkward().map(|(name, picture)| (name.to_owned(), picture)));
    gallery
}

/// Data at the edge of what can be drawn.
fn awkward() -> [(&'static str, Picture); 6] {
    let histogram = |inside: &[f64], outside: &[f64]| {
        let sides = vec![Side { label: "in", values: inside }, Side { label: "out", values: outside }];
        Histogram { title: "awkward", subtitle: "", quantity: "nats", sides }.draw().unwrap()
    };
    let roc = |points: &[(f64, f64)]| {
        let curve = RocSeries { label: "cycle", note: ": AUROC".to_owned(), points: points.to_vec(), band: None };
        RocPlot { title: "awkward", subtitle: "", curves: vec![curve] }.draw().unwrap()
    };
    let mut far = normal(3, 5000, -2000.0, 100.0);
    far.extend([f64::NEG_INFINITY, f64::NAN, -1e12]);
    let seed = SeedCurve { training: vec![(100.0, 3.0)], validation: vec![(100.0, 3.5)] };
    let variants = vec![TrainingSeries { label: "one point", seeds: vec![seed] }];
    let training = TrainingPlot { title: "awkward", subtitle: "", quantity: "bits per dimension", variants };
    [
        ("constant", histogram(&[-3.0; 100], &[-3.0; 50])),
        ("one-image", histogram(&[-1234.5], &[-1200.0])),
        ("not-finite", histogram(&normal(1, 5000, -1500.0, 80.0), &far)),
        ("all-tied", roc(&[(0.0, 0.0), (1.0, 1.0)])),
        ("perfect", roc(&[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)])),
        ("one-step", training.draw().unwrap()),
    ]
}

fn read(picture: &Picture) -> Tree {
    let mut fonts = Database::new();
    fonts.load_font_data(include_bytes!("../fonts/DejaVuSans.ttf").to_vec());
    fonts.load_font_data(include_bytes!("../fonts/DejaVuSans-Bold.ttf").to_vec());
    let options =
        Options { font_family: "DejaVu Sans".to_owned(), fontdb: std::sync::Arc::new(fonts), ..Options::default() };
    Tree::from_str(picture.svg(), &options).unwrap()
}

/// The words of a picture and the box of each: left, top, right, bottom.
fn words(nodes: &[Node]) -> Vec<(String, [f32; 4])> {
    let mut found = Vec::new();
    for node in nodes {
        match node {
            Node::Group(group) => found.extend(words(group.children())),
            Node::Text(text) => {
                let place = text.abs_bounding_box();
                let content = text.chunks().iter().map(|chunk| chunk.text()).collect();
                found.push((content, [place.left(), place.top(), place.right(), place.bottom()]));
            }
            Node::Path(_) | Node::Image(_) => {}
        }
    }
    found
}

#[test]
fn no_word_is_cut_off_or_lies_on_another() {
    for (name, picture) in gallery() {
        let tree = read(&picture);
        let size = tree.size();
        let words = words(tree.root().children());
        assert!(words.len() >= 8, "{name}: {words:?}");

        for (word, [left, top, right, bottom]) in &words {
            let inside = *left >= 0.0 && *top >= 0.0 && *right <= size.width() && *bottom <= size.height();
            assert!(
                inside,
                "{name}: `{word}` at {left}, {top}, {right}, {bottom} of {} × {}",
                size.width(),
                size.height()
            );
        }
        for (index, (word, a)) in words.iter().enumerate() {
            for (other, b) in &words[index + 1..] {
                // Boxes are those of lines, higher than letters by three pixels and more: lines may touch.
                let apart = a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] + 3.0 || b[3] <= a[1] + 3.0;
                assert!(apart, "{name}: `{word}` at {a:?} lies on `{other}` at {b:?}");
            }
        }
    }
}

#[test]
fn same_data_gives_the_same_bytes_in_any_order() {
    let first = gallery();
    let mut again = gallery();
    again.reverse();

    for ((name, picture), (_, other)) in first.iter().zip(again.iter().rev()) {
        assert_eq!(picture, other, "{name}");
    }
    let (_, picture) = &first[1];
    assert_eq!(picture.png(1.0).unwrap(), picture.png(1.0).unwrap());
}

#[test]
fn pictures_bring_nothing_from_elsewhere_and_run_nothing() {
    for (name, picture) in gallery() {
        let svg = picture.svg();
        assert_eq!(svg.matches("http").count(), 1, "{name} names more than its own namespace");
        for forbidden in ["<script", "href", "<image", "<style", "<b>"] {
            assert!(!svg.contains(forbidden), "{name} has {forbidden}");
        }
    }
}

#[test]
fn pictures_have_their_pixels() {
    for (name, picture) in gallery() {
        let png = picture.png(1.5).unwrap();
        assert!(png.len() < 600_000, "{name}: {} bytes", png.len());
        // For a person to look at.
        if let Some(folder) = std::env::var_os("PICTURES_OUT") {
            let path = std::path::Path::new(&folder).join(&name);
            std::fs::write(path.with_extension("png"), &png).unwrap();
            std::fs::write(path.with_extension("svg"), picture.svg()).unwrap();
        }
    }
}
