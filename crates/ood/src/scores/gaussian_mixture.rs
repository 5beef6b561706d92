//! Mixtures of Gaussians in the plane, fitted by expectation maximisation (Dempster, Laird & Rubin 1977).

use crate::randomness::{Stream, size};

/// A point of the plane.
pub type Point = [f64; 2];

/// Added to each variance: a component on tied points would otherwise become a spike of infinite density. The points are
/// standardised, so this is a deviation of 0.03 of theirs.
const VARIANCE_FLOOR: f64 = 1e-3;

/// Steps at most, and the gain of the mean log-density below which they end.
const MOST_STEPS: usize = 100;
const LEAST_GAIN: f64 = 1e-6;

/// A component with less weight than this many points is gone.
const LEAST_POINTS: f64 = 1e-3;

/// A mixture with full covariances.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    components: Vec<Component>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Component {
    mean: Point,
    /// The inverse covariance's three entries: of the first axis, of the second, and of both.
    precision: [f64; 3],
    /// log(weight/(2π √|covariance|)).
    log_height: f64,
}

impl Mixture {
    /// Fits `components`, at least one, to standardised points; the stream's position fixes the start (k-means++, Arthur &
    /// Vassilvitskii 2007).
    pub fn fit(points: &[Point], components: usize, stream: &mut Stream) -> Self {
        let centres = centres(points, components, stream);
        let mut shares = vec![0.0; points.len() * components];
        for (point, shares) in points.iter().zip(shares.chunks_exact_mut(components)) {
            shares[nearest(*point, &centres).0] = 1.0;
        }
        let start = centres.iter().map(|&mean| Component::new(1.0, mean, [1.0, 1.0, 0.0]));
        let mut mixture = Self { components: start.collect() };
        let mut before = f64::NEG_INFINITY;
        for _ in 0..MOST_STEPS {
            mixture.maximise(points, &shares);
            let mean_log_density = mixture.expect(points, &mut shares);
            if mean_log_density - before < LEAST_GAIN {
                break;
            }
            before = mean_log_density;
        }
        mixture
    }

    /// Number of components.
    pub fn components(&self) -> usize {
        self.components.len()
    }

    /// The logarithm of the density at a finite point.
    pub fn log_density(&self, point: Point) -> f64 {
        log_sum_exp(self.components.iter().map(|component| component.log_density(point)))
    }

    /// BIC (Schwarz 1978): −2 Σ log-density + parameters · log(number of points). A component has a weight, two means and
    /// three entries of its covariance; the weights add up to 1.
    pub fn bayesian_criterion(&self, points: &[Point]) -> f64 {
        let log_density: f64 = points.iter().map(|&point| self.log_density(point)).sum();
        let parameters = 6 * self.components.len() - 1;
        parameters as f64 * (points.len() as f64).ln() - 2.0 * log_density
    }

    /// Sets each point's shares of the components and gives the mean log-density.
    fn expect(&self, points: &[Point], shares: &mut [f64]) -> f64 {
        let mut sum = 0.0;
        for (&point, shares) in points.iter().zip(shares.chunks_exact_mut(self.components.len())) {
            for (share, component) in shares.iter_mut().zip(&self.components) {
                *share = component.log_density(point);
            }
            let log_density = log_sum_exp(shares.iter().copied());
            for share in shares {
                *share = (*share - log_density).exp();
            }
            sum += log_density;
        }
        sum / points.len() as f64
    }

    /// Sets weights, means and covariances from the points' shares.
    fn maximise(&mut self, points: &[Point], shares: &[f64]) {
        let count = self.components.len();
        for (index, component) in self.components.iter_mut().enumerate() {
            let weighted = || points.iter().zip(shares.iter().skip(index).step_by(count));
            let weight: f64 = weighted().map(|(_, share)| share).sum();
            if weight < LEAST_POINTS {
                // Nothing comes near it: it is no part of the mixture any more.
                component.log_height = f64::NEG_INFINITY;
                continue;
            }
            let mean = |axis: usize| weighted().map(|(point, share)| share * point[axis]).sum::<f64>() / weight;
            let [x, y] = [mean(0), mean(1)];
            let scatter = |product: fn(f64, f64) -> f64| {
                weighted().map(|(point, share)| share * product(point[0] - x, point[1] - y)).sum::<f64>() / weight
            };
            let covariance = [
                scatter(|dx, _| dx * dx) + VARIANCE_FLOOR,
                scatter(|_, dy| dy * dy) + VARIANCE_FLOOR,
                scatter(|dx, dy| dx * dy),
            ];
            *component = Component::new(weight / points.len() as f64, [x, y], covariance);
        }
    }
}

impl Component {
    /// A Gaussian with the covariance of the first axis, of the second, and of both.
    fn new(weight: f64, mean: Point, [xx, yy, xy]: [f64; 3]) -> Self {
        let determinant = xx * yy - xy * xy;
        let precision = [yy / determinant, xx / determinant, -xy / determinant];
        let log_height = weight.ln() - 0.5 * determinant.ln() - (2.0 * std::f64::consts::PI).ln();
        Self { mean, precision, log_height }
    }

    /// The logarithm of weight times density.
    fn log_density(&self, point: Point) -> f64 {
        let [dx, dy] = [point[0] - self.mean[0], point[1] - self.mean[1]];
        let [xx, yy, xy] = self.precision;
        let distance = 0.5 * (xx * dx * dx + yy * dy * dy) + xy * dx * dy;
        // So far away that the squares overflow.
        if distance.is_finite() { self.log_height - distance } else { f64::NEG_INFINITY }
    }
}

/// k-means++: each centre is a point, drawn in proportion to its squared distance from the centres before.
fn centres(points: &[Point], count: usize, stream: &mut Stream) -> Vec<Point> {
    let mut centres = vec![points[stream.below(size(points.len())) as usize]];
    while centres.len() < count {
        let distances: Vec<f64> = points.iter().map(|&point| nearest(point, &centres).1).collect();
        let target = stream.unit() * distances.iter().sum::<f64>();
        let mut passed = 0.0;
        let chosen = distances.iter().position(|distance| {
            passed += distance;
            passed > target
        });
        // None where all points are centres already, or rounding passed the last one by.
        centres.push(points[chosen.unwrap_or(points.len() - 1)]);
    }
    centres
}

/// The index of the nearest centre and its squared distance.
fn nearest(point: Point, centres: &[Point]) -> (usize, f64) {
    let squared = |centre: &Point| (point[0] - centre[0]).powi(2) + (point[1] - centre[1]).powi(2);
    let distances = centres.iter().map(squared).enumerate();
    distances.min_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap_or((0, f64::INFINITY))
}

fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + values.map(|value| (value - largest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::Purpose;

    fn stream() -> Stream {
        Stream::new(Purpose::Mixture, 1, 0)
    }

    #[test]
    fn one_component_is_the_gaussian_with_the_points_moments() {
        let points = [[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]];

        let mixture = Mixture::fit(&points, 1, &mut stream());

        // Mean (1, 2), variances 1 and 4, no covariance; the density at the mean is 1/(2π√(1.001·4.001)).
        let expected = -(2.0 * std::f64::consts::PI).ln() - 0.5 * (1.001_f64 * 4.001).ln();
        assert!((mixture.log_density([1.0, 2.0]) - expected).abs() < 1e-12);
        assert!((mixture.log_density([2.0, 2.0]) - (expected - 0.5 / 1.001)).abs() < 1e-12);
    }

    #[test]
    fn density_integrates_to_one() {
        let points: Vec<Point> = (0..60)
            .map(|index| {
                let step = f64::from(index % 10) / 10.0;
                if index < 30 { [step - 1.0, 0.5 * step] } else { [1.0 - step * step, step + 1.0] }
            })
            .collect();
        let mixture = Mixture::fit(&points, 2, &mut stream());

        let step = 0.02;
        let axis = || (-200..200).map(|index| f64::from(index) * step);
        let integral: f64 =
            axis().flat_map(|x| axis().map(move |y| [x, y])).map(|point| mixture.log_density(point).exp()).sum();

        assert!((integral * step * step - 1.0).abs() < 1e-3, "{integral}");
    }

    #[test]
    fn more_components_than_distinct_points_stay_finite() {
        let points = [[1.0, 1.0], [1.0, 1.0], [-1.0, -1.0]];

        let mixture = Mixture::fit(&points, 4, &mut stream());

        assert!(mixture.log_density([0.0, 0.0]).is_finite());
    }
}
