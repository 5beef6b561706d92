//! The matrices of invertible 1x1 convolutions.

use flows::architecture::{LayerKind, PointwiseConvolution};
use flows::layers::pointwise::{ChannelMatrix, FullMatrix, LuMatrix, Reflections};
use flows::parameters::ParameterBuilder;
use flows::{Bijection, Mode};
use tch::{Device, Kind, Tensor, no_grad};

use crate::subjects::{SEED, fresh_flow, single, uniform};
use crate::table::largest;

fn builder() -> ParameterBuilder {
    ParameterBuilder::new(SEED, Kind::Double, Device::Cpu)
}

fn distance_from_identity(matrix: &Tensor) -> f64 {
    largest(&(matrix - Tensor::eye(matrix.size()[0], (Kind::Double, Device::Cpu))))
}

#[test]
fn full_and_lu_matrices_start_as_the_same_rotation() {
    for channels in [1, 2, 4, 12, 48] {
        let (mut one, mut other) = (builder(), builder());
        let full = FullMatrix::new(&mut one.root(), channels);
        let lu = LuMatrix::new(&mut other.root(), channels);

        let [full_matrix, lu_matrix] = [full.matrix(), lu.matrix()];

        assert!(largest(&(&full_matrix - &lu_matrix)) < 1e-13, "{channels} channels");
        assert!(distance_from_identity(&full_matrix.matmul(&full_matrix.transpose(0, 1))) < 1e-13);
        assert!(largest(&full.log_det()) < 1e-13 && largest(&lu.log_det()) < 1e-13, "a rotation has determinant 1");
        assert!(distance_from_identity(&lu.inverse().matmul(&lu_matrix)) < 1e-12);
    }
}

#[test]
fn flows_with_full_and_lu_convolutions_start_as_the_same_map() {
    let flow = |convolution| fresh_flow(&single(LayerKind::PointwiseConvolution(convolution), &[6, 3, 3]));
    let x = uniform("inputs", &[2, 6, 3, 3], 2.0);
    let output = |flow: flows::Flow| no_grad(|| flow.chain().forward(&x, Mode::Evaluate).output);

    let full = output(flow(PointwiseConvolution::Full));

    assert!(largest(&(full - output(flow(PointwiseConvolution::Lu)))) < 1e-13);
}

#[test]
fn reflections_stay_orthogonal_whatever_their_vectors() {
    for (channels, reflections) in [(1, 1), (4, 1), (4, 4), (5, 9), (48, 48)] {
        let mut builder = builder();
        let matrix = Reflections::new(&mut builder.root(), channels, reflections);
        let parameters = builder.finish();
        for factor in [1.0, 1e-6, 1e12] {
            let _ = no_grad(|| parameters.flat_all().g_mul_scalar_(factor));

            let w = matrix.matrix();

            assert!(distance_from_identity(&w.matmul(&w.transpose(0, 1))) < 1e-12, "{channels}, {reflections}");
            assert!(distance_from_identity(&matrix.inverse().matmul(&w)) < 1e-12);
            assert_eq!(matrix.log_det().double_value(&[]), 0.0);
            let (sign, log_det) = Tensor::linalg_slogdet(&w);
            assert!(largest(&log_det) < 1e-12);
            // Each reflection turns the orientation around.
            assert_eq!(sign.double_value(&[]), if reflections % 2 == 0 { 1.0 } else { -1.0 });
        }
    }
}

#[test]
fn the_determinant_of_lu_is_that_of_its_product_after_any_change() {
    let mut builder = builder();
    let lu = LuMatrix::new(&mut builder.root(), 7);
    let parameters = builder.finish();
    no_grad(|| {
        let mut values = parameters.flat_all();
        values += uniform("change", &values.size(), 1.0);
    });

    let (_, expected) = Tensor::linalg_slogdet(&lu.matrix());

    assert!(largest(&(lu.log_det() - expected)) < 1e-12);
    assert!(distance_from_identity(&lu.inverse().matmul(&lu.matrix())) < 1e-10);
}
