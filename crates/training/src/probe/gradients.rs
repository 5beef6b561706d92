//! The gradient of one example's log-likelihood with respect to every parameter, at batch size 1 and in evaluation mode.

use flows::{Flow, Mode};
use tch::{Kind, Tensor, no_grad};

use super::sample::Example;

/// What is kept of one example's gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientOf {
    /// ℓ(x) in nats.
    pub log_likelihood: f64,
    /// gⱼ = ‖∂ℓ/∂θⱼ‖², one for each parameter tensor j (Dauncey et al. 2024).
    pub squared_norms: Vec<f64>,
    /// ∇ℓᵀ F⁻¹ ∇ℓ with the diagonal of the Fisher information F (Bergamin et al. 2022); only where F is given.
    pub statistic: Option<f64>,
}

/// The diagonal of the Fisher information, from in-distribution examples: the mean of the squared gradients.
pub struct Fisher {
    /// Sums of squares in double, one tensor for each parameter tensor.
    sums: Vec<Tensor>,
    examples: usize,
}

impl Fisher {
    /// Of no example yet.
    pub fn of_no_example(flow: &Flow) -> Self {
        let zeros = |tensor: &Tensor| Tensor::zeros_like(tensor).to_kind(Kind::Double);
        let sums = flow.parameters().parameters().iter().map(|parameter| zeros(&parameter.tensor)).collect();
        Self { sums: no_grad(|| sums), examples: 0 }
    }

    fn add(&mut self, squares: &[Tensor]) {
        self.sums.iter_mut().zip(squares).for_each(|(sum, squares)| *sum += squares);
        self.examples += 1;
    }

    /// Σᵢ gᵢ² / Fᵢᵢ over all parameters. One whose gradient was 0 for every example of F has no part in it: nothing is known of
    /// its spread.
    fn statistic(&self, squares: &[Tensor]) -> f64 {
        let examples = self.examples.max(1) as f64;
        let terms = self.sums.iter().zip(squares).map(|(sums, squares)| {
            let known = sums.gt(0.0);
            let quotient = (squares * examples / sums).where_self(&known, &squares.zeros_like());
            quotient.sum(Kind::Double).double_value(&[])
        });
        terms.sum()
    }
}

/// What one example's gradient is; it is added to `fisher`, or measured by it.
pub enum Use<'a> {
    /// The norms only.
    Norms,
    /// The norms, and the squares go into F.
    Collect(&'a mut Fisher),
    /// The norms and the statistic.
    Measure(&'a Fisher),
}

/// Differentiates the log-likelihood of one example.
pub fn gradient_of(flow: &Flow, example: &Example, purpose: Use<'_>) -> GradientOf {
    let total = flow.log_likelihood(&example.values, example.noise.as_ref(), Mode::Evaluate).total.sum(Kind::Double);
    let leaves: Vec<&Tensor> = flow.parameters().parameters().iter().map(|parameter| &parameter.tensor).collect();
    let gradients = Tensor::run_backward(&[&total], &leaves, false, false);
    no_grad(|| {
        let squares: Vec<Tensor> = gradients.iter().map(|gradient| gradient.to_kind(Kind::Double).square()).collect();
        let sum = |squares: &Tensor| squares.sum(Kind::Double).double_value(&[]);
        let statistic = match purpose {
            Use::Norms => None,
            Use::Collect(fisher) => {
                fisher.add(&squares);
                None
            }
            Use::Measure(fisher) => Some(fisher.statistic(&squares)),
        };
        GradientOf {
            log_likelihood: total.double_value(&[]),
            squared_norms: squares.iter().map(sum).collect(),
            statistic,
        }
    })
}
