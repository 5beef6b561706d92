//! AUROC by variant: a dot with its interval for each row, and the values of its seeds.

use kuva::{
    plot::{
        ForestPlot as Drawn,
        annotations::ReferenceLine,
        scatter::{MarkerShape, ScatterPlot},
    },
    render::plots::Plot,
};

use crate::{
    Picture, PictureError,
    frame::{Axis, Frame, TEXT_SIZE, TITLE_ROOM},
    letters,
    style::{Look, RULE},
};

/// Most rows of one picture.
const MAX_ROWS: usize = 60;
/// Height of a row, in pixels.
const ROW: f64 = 24.0;
/// Height of what stands above and below the rows.
const AROUND: f64 = 120.0;
/// Widest label.
const LABEL_ROOM: f64 = 330.0;
/// Least width of the axis.
const LEAST_RANGE: f64 = 0.05;

/// AUROC of several variants, or of one under several scores.
#[derive(Debug, Clone)]
pub struct ForestPlot<'a> {
    /// What the picture is of.
    pub title: &'a str,
    /// What the intervals are and what else a reader needs; empty for nothing.
    pub subtitle: &'a str,
    /// From top to bottom, at most 60.
    pub rows: Vec<AurocRow<'a>>,
}

/// One row.
#[derive(Debug, Clone)]
pub struct AurocRow<'a> {
    /// What it is called.
    pub label: &'a str,
    /// Its mean over seeds; nothing when there is none.
    pub mean: Option<f64>,
    /// Its interval; nothing when there is none.
    pub interval: Option<(f64, f64)>,
    /// The value of each seed.
    pub seeds: Vec<f64>,
}

impl ForestPlot<'_> {
    /// Draws it. A row without a mean is an empty line that says so.
    ///
    /// # Errors
    /// [`PictureError`] when no row has a mean, there are too many rows, or a number is not finite.
    pub fn draw(&self) -> Result<Picture, PictureError> {
        if self.rows.len() > MAX_ROWS {
            return Err(PictureError::TooMany { found: self.rows.len() });
        }
        for row in &self.rows {
            if row.numbers().any(|number| !number.is_finite()) {
                return Err(PictureError::NotFinite { series: row.label.to_owned() });
            }
        }
        if self.rows.iter().all(|row| row.mean.is_none()) {
            return Err(PictureError::Empty("no variant has an AUROC yet"));
        }
        let range = range(self.rows.iter().flat_map(AurocRow::numbers));
        let labels = self.labels();
        let count = self.rows.len();
        let widest = labels.iter().map(|label| letters::width(label, f64::from(TEXT_SIZE))).fold(0.0, f64::max);
        let mut rules = Vec::new();
        if (range.0..=range.1).contains(&0.5) {
            rules.push(ReferenceLine::vertical(0.5).with_color(RULE).with_dasharray("3 3"));
        }
        let frame = Frame {
            title: self.title,
            subtitle: self.subtitle,
            x: Axis { label: "AUROC (OOD positive; 0.5 is chance)".to_owned(), range },
            y: Axis { label: String::new(), range: (0.5, count as f64 + 0.5) },
            legend: Vec::new(),
            rules,
            size: ((TITLE_ROOM + widest).round(), AROUND + ROW * count as f64),
        };
        Ok(frame.draw(self.plots(labels)))
    }

    fn labels(&self) -> Vec<String> {
        let marked: Vec<String> = self.rows.iter().map(AurocRow::marked).collect();
        let marked: Vec<&str> = marked.iter().map(String::as_str).collect();
        letters::fitted_apart(&marked, f64::from(TEXT_SIZE), LABEL_ROOM)
    }

    fn plots(&self, labels: Vec<String>) -> Vec<Plot> {
        let look = Look::of(0);
        let mut drawn = Drawn::new().with_show_null_line(false).with_cap_size(4.0).with_marker_size(4.0);
        let mut seeds = Vec::new();
        for (index, (row, label)) in self.rows.iter().zip(labels).enumerate() {
            // Off the axis, and so cut away: the row keeps its label.
            let mean = row.mean.unwrap_or(-9.0);
            let (low, high) = row.interval.unwrap_or((mean, mean));
            drawn = drawn.with_colored_row(label, mean, low, high, look.colour);
            let height = (self.rows.len() - index) as f64;
            seeds.extend(row.seeds.iter().map(|&seed| (seed, height)));
        }
        let points =
            ScatterPlot::new().with_data(seeds).with_color(Look::of(1).colour).with_marker(MarkerShape::Circle);
        vec![Plot::Forest(drawn), Plot::Scatter(points.with_size(2.2))]
    }
}

impl AurocRow<'_> {
    fn numbers(&self) -> impl Iterator<Item = f64> {
        let interval = self.interval.map(|(low, high)| [low, high]);
        self.mean.into_iter().chain(interval.into_iter().flatten()).chain(self.seeds.iter().copied())
    }

    fn marked(&self) -> String {
        if self.mean.is_some() { self.label.to_owned() } else { format!("{} (none yet)", self.label) }
    }
}

/// The range of the numbers with some room, within 0 and 1, and with 0.5 where it is near.
fn range(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut low, mut high) =
        numbers.fold((1.0_f64, 0.0_f64), |(low, high), number| (low.min(number), high.max(number)));
    if low > 0.5 && low < 0.6 {
        low = 0.49;
    }
    if high < 0.5 && high > 0.4 {
        high = 0.51;
    }
    let margin = ((high - low) * 0.06).max((LEAST_RANGE - (high - low)) / 2.0);
    // A little beyond what is possible, so that marks at the ends are whole, and less than a tick.
    let beyond = (high - low).max(LEAST_RANGE) * 0.02;
    ((low - margin).max(-beyond), (high + margin).min(1.0 + beyond))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(mean: Option<f64>) -> AurocRow<'static> {
        AurocRow { label: "cycle", mean, interval: mean.map(|mean| (mean - 0.01, mean + 0.01)), seeds: vec![] }
    }

    #[test]
    fn rows_without_any_auroc_and_infinite_ones_are_refused() {
        let drawn = |rows| ForestPlot { title: "t", subtitle: "", rows }.draw().map(|_| ());

        assert_eq!(drawn(vec![row(None)]), Err(PictureError::Empty("no variant has an AUROC yet")));
        assert_eq!(drawn(vec![]), Err(PictureError::Empty("no variant has an AUROC yet")));
        assert_eq!(drawn(vec![row(Some(f64::NAN))]), Err(PictureError::NotFinite { series: "cycle".to_owned() }));
        assert_eq!(drawn(vec![row(Some(0.7)); 61]), Err(PictureError::TooMany { found: 61 }));
        assert_eq!(drawn(vec![row(None), row(Some(0.7))]), Ok(()));
    }

    #[test]
    fn axis_shows_chance_where_it_is_near_and_never_leaves_the_possible() {
        assert!(range([0.55, 0.7].into_iter()).0 < 0.5);
        assert!(range([0.9, 0.95].into_iter()).0 > 0.8);
        assert_eq!(range([0.0, 1.0].into_iter()), (-0.02, 1.02));
        let (low, high) = range([0.7].into_iter());
        assert!(high - low >= LEAST_RANGE - 1e-9);
    }
}
