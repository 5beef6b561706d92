//! Figures of inspect jobs as parts of the page, as many as fit.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Digest;
use proto::v1::{FigureRow, ListFiguresRequest};

use super::{limits::MAX_FIGURE_BYTES, page::Figure};
use crate::{artifact, client::Client, failure::Failure};

/// How every PNG begins.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Fetches figures of `variants` until `room` bytes are full: those of each variant's first seed come before all others. With them, what is said of
/// the others.
pub async fn fetch(
    client: &Client,
    sweep: &str,
    variants: &[&str],
    mut room: u64,
) -> Result<(Vec<Figure>, Option<String>), Failure> {
    let request = ListFiguresRequest { sweep: sweep.to_owned(), ..ListFiguresRequest::default() };
    let rows = client.figures(request).await?;
    let mut shown = Vec::new();
    for row in first_seeds(&rows, variants) {
        if row.bytes > room.min(MAX_FIGURE_BYTES) {
            continue;
        }
        shown.push(figure(client, row).await?);
        room -= row.bytes;
    }
    let left_out = rows.len() - shown.len();
    let note = (left_out > 0).then(|| {
        format!("{left_out} of {} figures of inspect jobs: `spillway figures {sweep}` fetches all of them.", rows.len())
    });
    Ok((shown, note))
}

/// The figures of the first seed of each of the variants that has any.
fn first_seeds<'r>(rows: &'r [FigureRow], variants: &[&str]) -> Vec<&'r FigureRow> {
    let mut kept = Vec::new();
    for variant in variants {
        let of_variant = || rows.iter().filter(|row| row.variant == *variant);
        let first = of_variant().map(|row| row.seed).min();
        kept.extend(of_variant().filter(|row| Some(row.seed) == first));
    }
    kept
}

async fn figure(client: &Client, row: &FigureRow) -> Result<Figure, Failure> {
    let what = format!("figure {}", row.name);
    let digest = Digest::try_from(row.digest.as_slice()).map_err(|error| Failure::Other(error.into()))?;
    let bytes = artifact::fetch_bytes(client, digest, MAX_FIGURE_BYTES, &what).await?;
    if !bytes.starts_with(PNG) {
        return Err(anyhow::anyhow!("{what} of experiment {} is no PNG", row.experiment_id).into());
    }
    Ok(Figure {
        base64: STANDARD.encode(&bytes),
        width: row.width,
        height: row.height,
        caption: row.caption.clone(),
        of: format!("{}, seed {}: {}", row.variant, row.seed, row.name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variant_is_shown_by_its_first_seed() {
        let row = |variant: &str, seed, name: &str| FigureRow {
            variant: variant.to_owned(),
            seed,
            name: name.to_owned(),
            ..FigureRow::default()
        };
        let rows = [row("a", 2, "x"), row("a", 1, "y"), row("b", 3, "z"), row("c", 1, "w"), row("a", 1, "v")];

        let names: Vec<_> = first_seeds(&rows, &["b", "a"]).iter().map(|row| row.name.as_str()).collect();

        assert_eq!(names, ["z", "y", "v"]);
    }
}
