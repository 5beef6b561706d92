//! Vectors: mixtures of normal distributions, and pooled random features of such mixtures, like a network's embeddings.
//!
//! Classes share most of their law, so that telling them apart is neither hopeless nor free.

use super::normal;
use crate::examples::Split;
use crate::randomness::{Key, Stream};

/// Normal components of each class.
const COMPONENTS: u32 = 4;

/// Dimensions of the space whose points become embeddings.
const HIDDEN: usize = 10;

/// Points whose features are averaged into one embedding, as a network averages over the places of an image. Together
/// they have more dimensions than the embedding, whose density is therefore bounded.
const PLACES: usize = 8;

/// Standard deviation of what is added to each feature of an embedding.
const FEATURE_NOISE: f64 = 0.05;

/// How far classes of clusters move the centres that they share, as a standard deviation.
const CLUSTERS_APART: f64 = 0.35;

/// The same for embeddings, whose averages have less noise.
const EMBEDDINGS_APART: f64 = 0.12;

/// A rule that draws vectors of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VectorProcedure {
    /// A mixture of normal distributions with correlated features of different scales.
    Clusters {
        /// Which of the mixtures.
        class: u8,
    },
    /// Averages of random features of a mixture behind a rectifier, the smooth one of Barron (2021), "Squareplus": skewed
    /// and not normal. The features are the same for all classes.
    Embeddings {
        /// Which of the mixtures.
        class: u8,
    },
}

impl VectorProcedure {
    /// Passes on the first `len` vectors of a split.
    ///
    /// # Errors
    /// What `row` says.
    pub fn generate<E>(
        self,
        features: usize,
        split: Split,
        len: usize,
        row: &mut dyn FnMut(&[f64]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (purpose, class) = match self {
            Self::Clusters { class } => ("synthetic clusters", class),
            Self::Embeddings { class } => ("synthetic embeddings", class),
        };
        let key = Key::new(purpose, &[&[class], split.as_str().as_bytes()]);
        let law = Law::new(self, purpose, class, features);
        let mut values = vec![0.0; features];
        for index in 0..len {
            law.draw(&mut key.stream(index as u64), &mut values);
            row(&values)?;
        }
        Ok(())
    }
}

/// What the vectors of a class have in common.
enum Law {
    Clusters {
        mixture: Mixture,
        /// Unit of each feature, the same for all classes.
        units: Vec<f64>,
    },
    Embeddings {
        mixture: Mixture,
        /// `[features, HIDDEN + 1]`, the bias last; the same for all classes.
        weights: Vec<f64>,
    },
}

impl Law {
    fn new(procedure: VectorProcedure, purpose: &str, class: u8, features: usize) -> Self {
        let mut common = Key::new(purpose, &[b"common"]).stream(0);
        let mut own = Key::new(purpose, &[b"class", &[class]]).stream(0);
        match procedure {
            VectorProcedure::Clusters { .. } => {
                let units = (0..features).map(|_| f64::from(common.between(0.2, 30.0))).collect();
                Self::Clusters { mixture: Mixture::draw(features, CLUSTERS_APART, &mut common, &mut own), units }
            }
            VectorProcedure::Embeddings { .. } => {
                let weights = (0..features * (HIDDEN + 1)).map(|_| 0.6 * normal::draw(&mut common)).collect();
                Self::Embeddings { mixture: Mixture::draw(HIDDEN, EMBEDDINGS_APART, &mut common, &mut own), weights }
            }
        }
    }

    fn draw(&self, stream: &mut Stream, values: &mut [f64]) {
        match self {
            Self::Clusters { mixture, units } => {
                let component = stream.below(COMPONENTS);
                mixture.draw_point(component, stream, values);
                values.iter_mut().zip(units).for_each(|(value, unit)| *value *= unit);
            }
            Self::Embeddings { mixture, weights } => {
                let component = stream.below(COMPONENTS);
                let mut point = [0.0; HIDDEN];
                values.fill(0.0);
                for _ in 0..PLACES {
                    mixture.draw_point(component, stream, &mut point);
                    for (value, weights) in values.iter_mut().zip(weights.chunks_exact(HIDDEN + 1)) {
                        *value += squareplus(dot(&weights[..HIDDEN], &point) + weights[HIDDEN]) / PLACES as f64;
                    }
                }
                values.iter_mut().for_each(|value| *value += FEATURE_NOISE * normal::draw(stream));
            }
        }
    }
}

/// Normal distributions of equal weight.
struct Mixture {
    components: Vec<Component>,
}

/// A normal distribution: `centre + factor * noise`.
struct Component {
    centre: Vec<f64>,
    /// `[dimensions, dimensions]`.
    factor: Vec<f64>,
}

impl Mixture {
    /// Draws what all classes share from one stream and how a class differs from the other.
    fn draw(dimensions: usize, apart: f64, common: &mut Stream, own: &mut Stream) -> Self {
        let spread = 0.5 / (dimensions as f64).sqrt();
        let component = |_| Component {
            centre: (0..dimensions).map(|_| 1.2 * normal::draw(common) + apart * normal::draw(own)).collect(),
            factor: (0..dimensions * dimensions)
                .map(|index| {
                    let diagonal = if index % (dimensions + 1) == 0 { 0.5 } else { 0.0 };
                    diagonal + spread * normal::draw(common)
                })
                .collect(),
        };
        Self { components: (0..COMPONENTS).map(component).collect() }
    }

    fn draw_point(&self, component: u32, stream: &mut Stream, point: &mut [f64]) {
        let Component { centre, factor } = &self.components[component as usize];
        let noise: Vec<f64> = point.iter().map(|_| normal::draw(stream)).collect();
        for ((value, centre), factors) in point.iter_mut().zip(centre).zip(factor.chunks_exact(noise.len())) {
            *value = centre + dot(factors, &noise);
        }
    }
}

/// A smooth rectifier made of operations that IEEE 754 rounds exactly (Barron 2021, equation 1, b = 1).
fn squareplus(x: f64) -> f64 {
    (x + (x * x + 1.0).sqrt()) / 2.0
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use sha2::{Digest, Sha256};

    use super::*;

    const ALL: [VectorProcedure; 5] = [
        VectorProcedure::Clusters { class: 0 },
        VectorProcedure::Clusters { class: 1 },
        VectorProcedure::Embeddings { class: 0 },
        VectorProcedure::Embeddings { class: 1 },
        VectorProcedure::Embeddings { class: 2 },
    ];

    fn generate(procedure: VectorProcedure, split: Split, len: usize) -> Vec<f64> {
        let mut values = Vec::new();
        let mut row = |row: &[f64]| -> Result<(), Infallible> {
            values.extend_from_slice(row);
            Ok(())
        };
        procedure.generate(8, split, len, &mut row).unwrap();
        values
    }

    #[test]
    fn vector_depends_on_its_index_class_and_split_only() {
        for procedure in ALL {
            let few = generate(procedure, Split::Train, 3);

            assert_eq!(few, generate(procedure, Split::Train, 5)[..few.len()]);
            assert_ne!(few, generate(procedure, Split::Test, 3));
            assert!(ALL.iter().filter(|&&other| generate(other, Split::Train, 3) == few).count() == 1);
        }
    }

    #[test]
    fn vectors_are_pinned_so_that_old_checkpoints_resume() {
        let mut hasher = Sha256::new();
        for procedure in ALL {
            generate(procedure, Split::Test, 20).iter().for_each(|value| hasher.update(value.to_le_bytes()));
        }

        assert_eq!(hex::encode(hasher.finalize()), "74b866e6c894f2330b22055c9442023f18baaf3b841f6052468c301ded2b2fb4");
    }

    #[test]
    fn features_of_clusters_are_correlated_and_those_of_embeddings_skewed() {
        let clusters = generate(ALL[0], Split::Train, 2000);
        let embeddings = generate(ALL[2], Split::Train, 2000);

        let column = |column: usize| clusters.iter().skip(column).step_by(8).copied().collect::<Vec<f64>>();
        let centred = |values: Vec<f64>| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            values.into_iter().map(|value| value - mean).collect::<Vec<f64>>()
        };
        let strongest = (1..8).map(|other| {
            let (a, b) = (centred(column(0)), centred(column(other)));
            (dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()).abs()
        });
        assert!(strongest.fold(0.0, f64::max) > 0.3);
        let skewed = (0..8).filter(|&column| {
            let values = centred(embeddings.iter().skip(column).step_by(8).copied().collect());
            let moment = |power| values.iter().map(|value| value.powi(power)).sum::<f64>() / values.len() as f64;
            moment(3) > 0.2 * moment(2).powf(1.5)
        });
        assert!(skewed.count() > 3);
    }
}
