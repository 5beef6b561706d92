//! Each layer alone, and each mask under each transform.

use flows::architecture::{
    Coupling, LayerKind, Mask, Order, PointwiseConvolution, Quadrant, SplitPrior, Squeeze, StNetwork, Transform,
};

use super::Subject;

/// The transforms of coupling layers; some inputs lie outside the spline's interval.
pub const TRANSFORMS: [(&str, Transform); 3] = [
    ("affine coupling", Transform::Affine),
    ("additive coupling", Transform::Additive),
    ("spline coupling", Transform::Spline { bins: 5, bound: 1.6 }),
];

const ORDERS: [Order; 2] = [Order::Plain, Order::Reversed];

/// The layers other than couplings.
pub fn layers() -> Vec<Subject> {
    let matrix = |reflections| PointwiseConvolution::Householder { reflections };
    let kinds = [
        ("squeeze", LayerKind::Squeeze(Squeeze::Pixels), [2, 4, 6]),
        ("haar squeeze", LayerKind::Squeeze(Squeeze::Haar), [2, 4, 6]),
        ("act norm", LayerKind::ActNorm, [3, 4, 2]),
        ("full 1x1 convolution", LayerKind::PointwiseConvolution(PointwiseConvolution::Full), [5, 3, 2]),
        ("LU 1x1 convolution", LayerKind::PointwiseConvolution(PointwiseConvolution::Lu), [5, 3, 2]),
        ("Householder 1x1 convolution", LayerKind::PointwiseConvolution(matrix(None)), [5, 3, 2]),
        ("Householder 1x1 convolution", LayerKind::PointwiseConvolution(matrix(Some(2))), [5, 3, 2]),
        ("Householder 1x1 convolution", LayerKind::PointwiseConvolution(matrix(Some(9))), [4, 3, 2]),
        ("factor", LayerKind::Factor { keep: 2, prior: SplitPrior::Standard }, [5, 3, 4]),
        ("learned split prior", LayerKind::Factor { keep: 2, prior: SplitPrior::Learned }, [5, 3, 4]),
        ("learned split prior", LayerKind::Factor { keep: 3, prior: SplitPrior::Learned }, [4, 3, 3]),
    ];
    let layers = kinds
        .map(|(name, kind, input)| Subject::layer(format!("{name}, {kind:?}"), vec![name.to_owned()], kind, &input));
    [Subject::logit()].into_iter().chain(layers).collect()
}

/// Every mask under every transform.
pub fn masks() -> Vec<Subject> {
    let mut subjects = Vec::new();
    for (kind, mask, input) in every_mask() {
        let network = match mask {
            Mask::Features(_) => StNetwork::Mlp { width: 6, layers: 1 },
            _ => StNetwork::Resnet { width: 4, blocks: 1, batch_norm: true, skip: true },
        };
        subjects.extend(TRANSFORMS.map(|(name, transform)| {
            let coupling = Coupling { mask, transform, network: network.clone() };
            let kinds = vec![name.to_owned(), format!("{kind} mask")];
            Subject::layer(format!("{name} over {mask:?}"), kinds, LayerKind::Coupling(coupling), &input)
        }));
    }
    subjects
}

/// Every mask with the name of its family and sizes that it fits, odd ones where it may.
fn every_mask() -> Vec<(&'static str, Mask, Vec<i64>)> {
    let mut masks = Vec::new();
    for order in ORDERS {
        masks.push(("checkerboard", Mask::Checkerboard(order), vec![2, 5, 4]));
        masks.push(("checkerboard", Mask::Checkerboard(order), vec![1, 3, 3]));
        masks.push(("horizontal", Mask::Horizontal(order), vec![2, 5, 4]));
        masks.push(("vertical", Mask::Vertical(order), vec![2, 4, 5]));
        masks.push(("channel", Mask::Channels(order), vec![4, 3, 3]));
        masks.push(("channel", Mask::Channels(order), vec![2, 1, 5]));
        masks.push(("feature", Mask::Features(order), vec![5]));
        masks.push(("feature", Mask::Features(order), vec![2]));
    }
    for seen in Quadrant::CLOCKWISE {
        for changed in Quadrant::CLOCKWISE.into_iter().filter(|changed| *changed != seen) {
            masks.push(("quadrant", Mask::Quadrants { seen, changed }, vec![2, 5, 4]));
            masks.push(("sub-quadrant", Mask::SubQuadrants { factor: 2, seen, changed }, vec![1, 6, 4]));
        }
        let changed = seen.next();
        masks.push(("sub-quadrant", Mask::SubQuadrants { factor: 3, seen, changed }, vec![1, 6, 9]));
    }
    masks.push(("centre", Mask::Center { margin: 1 }, vec![2, 5, 4]));
    masks.push(("centre", Mask::Center { margin: 2 }, vec![1, 5, 7]));
    masks
}
