//! Every row of models.md 8.2: one forward pass of each filled model in each mode.

use architecture::{Architecture, Mask, StNetwork};
use flows::{Mode, bits_per_dimension};
use tch::{Kind, no_grad};

use crate::models::{COLOUR, GREY, RESNET, checkerboards, glow, horizontals, multi_scale, stack, tabular};
use crate::{assert_printed, deterministic, filled_flow, number, sum};

use Mode::{Evaluate, Train};

/// What is printed of a model: log-det 0, log-det 1, sum z, sum z^2, z[0][0], z[1][last], bits per dimension.
struct Row {
    name: &'static str,
    architecture: Architecture,
    parameters: i64,
    /// In evaluation, and in training where batch normalisation makes that another pass.
    evaluated: [f64; 7],
    trained: Option<[f64; 7]>,
}

fn assert_rows(rows: Vec<Row>) {
    for row in rows {
        let flow = filled_flow(&row.architecture);
        assert_eq!(flow.parameters().count(), row.parameters, "{}", row.name);
        let (examples, noise) = deterministic::inputs(row.architecture.input);
        // Evaluation first: a pass in training mode moves the running statistics.
        for (mode, printed) in [(Evaluate, row.evaluated), (Train, row.trained.unwrap_or(row.evaluated))] {
            let (latents, bits) = no_grad(|| {
                let latents = flow.encode(&examples, noise.as_ref(), mode);
                // A second pass in training mode reads no running statistics, so both see the same model.
                let total = flow.log_likelihood(&examples, noise.as_ref(), mode).total;
                (latents, bits_per_dimension(number(&total.mean(Kind::Double)), flow.dimensions()))
            });

            let z = &latents.output;
            let found = [
                latents.log_det.double_value(&[0]),
                latents.log_det.double_value(&[1]),
                sum(z),
                sum(&z.square()),
                z.double_value(&[0, 0]),
                z.double_value(&[1, flow.dimensions() - 1]),
                bits,
            ];
            for (found, printed) in found.into_iter().zip(printed) {
                assert_printed(&format!("{} {mode:?}", row.name), found, printed);
            }
        }
    }
}

#[rustfmt::skip]
#[test]
fn multi_scale_resnets_give_every_printed_number() {
    let grey = |batch_norm, skip| multi_scale(GREY, 2, StNetwork::Resnet { width: 8, blocks: 2, batch_norm, skip });
    assert_rows(vec![
        Row { name: "1ch", architecture: grey(true, true), parameters: 85736,
            evaluated: [1581.05761784, 1580.41573441, 626.27716700, 12187.14863233, -2.25646332, -0.49150950, 12.02353347],
            trained: Some([1471.96815641, 1471.38990232, 85.15598485, 8281.26957154, -2.37372083, -0.34289904, 10.42734577]) },
        Row { name: "1ch noBN", architecture: grey(false, true), parameters: 84342,
            evaluated: [1507.76216788, 1507.12990838, 531.44153995, 8905.49465830, -2.07083000, -0.47220979, 10.64869873],
            trained: None },
        Row { name: "1ch noskip", architecture: grey(true, false), parameters: 78968,
            evaluated: [1381.35560786, 1379.65073997, 569.15469842, 4873.64967451, -1.50430617, -0.71614678, 9.02747316],
            trained: Some([1452.21189346, 1448.86162853, 680.79182485, 8450.85349756, -1.59039967, -0.48063146, 10.54426709]) },
        Row { name: "3ch", architecture: multi_scale(COLOUR, 3, RESNET), parameters: 422952,
            evaluated: [5286.84222213, 5287.12347617, 995.49895350, 37720.80811899, 1.22145933, 0.69867096, 11.27151687],
            trained: Some([5115.14272225, 5115.47711153, 649.22329113, 21156.75126013, 0.80930230, 0.66445109, 9.40740587]) },
    ]);
}

#[rustfmt::skip]
#[test]
fn other_networks_give_every_printed_number() {
    let bottleneck = StNetwork::ResnetAutoencoder { width: 8, blocks: 2, latent: 10, batch_norm: true };
    let old = |latent| StNetwork::AutoencoderOld { latent };
    assert_rows(vec![
        Row { name: "convnet", architecture: multi_scale(GREY, 2, StNetwork::Convnet { width: 8, blocks: 2 }), parameters: 39358,
            evaluated: [1327.09179526, 1325.45040762, -146.42153579, 3703.70372040, -1.92587838, -0.56281977, 8.58904399],
            trained: None },
        Row { name: "AE l=10", architecture: multi_scale(GREY, 2, StNetwork::Autoencoder { latent: 10 }), parameters: 4822568,
            evaluated: [1357.62584187, 1356.25651602, -457.91527544, 3448.50455935, -2.16353307, -0.34163479, 8.41520316],
            trained: None },
        Row { name: "AEOld l=10", architecture: multi_scale(COLOUR, 3, old(10)), parameters: 2199460,
            evaluated: [4940.99324313, 4941.25284276, 43.64350527, 10663.40464910, 0.72861642, 0.53122814, 8.25721829],
            trained: None },
        Row { name: "8Layers AEOld", architecture: stack(GREY, checkerboards(8), old(100)), parameters: 5843776,
            evaluated: [1418.13355157, 1416.76425846, -341.05184067, 3799.38790517, -2.86982585, -0.10066956, 8.46527997],
            trained: None },
    ]);
    // Its row prints evaluation alone; in training mode the batch's statistics make another model.
    let flow = filled_flow(&multi_scale(GREY, 2, bottleneck));
    let (images, noise) = deterministic::inputs(GREY);
    let likelihood = no_grad(|| flow.log_likelihood(&images, noise.as_ref(), Evaluate));
    let z = no_grad(|| flow.encode(&images, noise.as_ref(), Evaluate).output);
    assert_eq!(flow.parameters().count(), 935196);
    assert_printed("log-det 0", likelihood.log_det.double_value(&[0]), 1320.95822392);
    assert_printed("log-det 1", likelihood.log_det.double_value(&[1]), 1323.27329511);
    assert_printed("sum", sum(&z), -178.13665587);
    assert_printed("sum of squares", sum(&z.square()), 3065.01221601);
    assert_printed("z00", z.double_value(&[0, 0]), -1.94306408);
    assert_printed("z1,last", z.double_value(&[1, 783]), -0.25608165);
    assert_printed("bits", bits_per_dimension(number(&likelihood.total.mean(Kind::Double)), 784), 8.30286494);
}

#[rustfmt::skip]
#[test]
fn stacks_give_every_printed_number() {
    assert_rows(vec![
        Row { name: "CycleMask", architecture: stack(GREY, Mask::cycle(8), RESNET), parameters: 22848,
            evaluated: [1343.41111946, 1339.75891947, 639.64223646, 3389.89757449, -2.01210399, 0.49500289, 8.41649940],
            trained: Some([1388.91926263, 1383.44958553, 63.87290229, 3673.24948785, -2.48589036, 0.14235174, 8.46478290]) },
        Row { name: "MaskHorizontal", architecture: stack(GREY, horizontals(8), RESNET), parameters: 22848,
            evaluated: [1398.15006110, 1395.57190717, 1368.62843493, 6229.93580880, -1.68483642, 0.92196592, 9.62132199],
            trained: Some([1486.97144112, 1476.97571494, 135.70019867, 7833.34385478, -2.66864368, 0.19686409, 10.20233691]) },
        Row { name: "8Layers", architecture: stack(GREY, checkerboards(8), RESNET), parameters: 22848,
            evaluated: [2387.85441554, 2390.95395546, 4166.65283812, 140218.08479425, -3.89687901, 0.99736882, 69.43518981],
            trained: Some([1708.37977300, 1708.55018951, 280.23621588, 14824.18899573, -3.69556961, 0.20960042, 13.00164351]) },
        Row { name: "Small", architecture: stack(GREY, checkerboards(2), RESNET), parameters: 5712,
            evaluated: [1493.15685749, 1492.25323784, 437.28317457, 5692.17519154, -2.53808203, 0.32283136, 9.19755937],
            trained: Some([1410.01674659, 1408.93378604, 46.21623713, 4063.33444963, -2.65737566, 0.12130557, 8.60137962]) },
    ]);
}

#[rustfmt::skip]
#[test]
fn glows_and_tabular_models_give_every_printed_number() {
    assert_rows(vec![
        Row { name: "Glow highway", architecture: glow(StNetwork::Highway { width: 8, blocks: 2 }), parameters: 10688,
            evaluated: [1359.06299021, 1358.04913759, -276.96797963, 4995.61372255, -1.68819689, -0.54185047, 9.12396833],
            trained: None },
        Row { name: "Glow glow_convnet", architecture: glow(StNetwork::GlowConvnet { width: 8 }), parameters: 3168,
            evaluated: [1348.21579727, 1347.11258433, -209.22072413, 4730.93567668, -1.69156230, -0.42334713, 9.02224796],
            trained: None },
        Row { name: "Tabular", architecture: tabular(15, 3, 16), parameters: 3204,
            evaluated: [-0.11053156, -0.10880190, -2.90735463, 41.06160280, -1.95543506, -0.95647407, 10.32361862],
            trained: None },
    ]);
}
