//! A warning where the two sides of a comparison came about by different resampling: it separates them by itself.

use std::collections::BTreeSet;

use catalogue::Dataset;
use proto::v1::TableRow;

/// One line for each pair of datasets whose pixels were resampled differently. Names that this program does not know are left out.
pub fn warnings(rows: &[TableRow]) -> Vec<String> {
    let pairs: BTreeSet<(&str, &str)> =
        rows.iter().map(|row| (row.in_dataset.as_str(), row.out_dataset.as_str())).collect();
    let warnings = pairs.into_iter().filter_map(|(inside, outside)| {
        let of = |name: &str| name.parse::<Dataset>().ok().map(|dataset| dataset.resampling());
        let (ours, theirs) = (of(inside)?, of(outside)?);
        (ours != theirs).then(|| {
            format!(
                "Resampling differs: {inside} is {ours}, {outside} is {theirs}; that alone can tell their images apart."
            )
        })
    });
    warnings.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_were_resampled_differently_are_named_once() {
        let row = |inside: &str, outside: &str| TableRow {
            in_dataset: inside.to_owned(),
            out_dataset: outside.to_owned(),
            ..TableRow::default()
        };
        let rows = [
            row("cifar10", "svhn"),
            row("cifar10", "svhn|resize=16x16:bilinear|resize=32x32:bilinear"),
            row("cifar10", "svhn|resize=16x16:bilinear|resize=32x32:bilinear"),
            row("cifar10", "a dataset of a later version"),
        ];

        let warnings = warnings(&rows);

        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].contains("cifar10 is 32x32 by the publisher, svhn|") && warnings[0].contains("bilinear"),
            "{warnings:?}"
        );
    }
}
