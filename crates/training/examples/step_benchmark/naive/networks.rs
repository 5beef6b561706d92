//! The st-networks, layer by layer.

use architecture::st_network::Layout;
use architecture::{Coupling, Mask, StNetwork};
use flows::Mode;
use tch::{Kind, Tensor};

use super::Naive;

impl Naive {
    /// The st-network of the coupling layer `name` on the part that it sees.
    pub(super) fn network(&self, name: &str, coupling: &Coupling, x: &Tensor, mode: Mode) -> Tensor {
        let prefix = format!("{name}.network");
        match coupling.network {
            StNetwork::Resnet { blocks, .. } | StNetwork::ResnetAutoencoder { blocks, .. } => {
                let doubled = matches!(coupling.mask, Mask::Checkerboard(_));
                self.resnet(&prefix, blocks, x, doubled, mode)
            }
            StNetwork::Highway { blocks, .. } => {
                let mut h = self.plain(&format!("{prefix}.input"), x, 1);
                for block in 0..blocks {
                    let gate = self.plain(&format!("{prefix}.blocks.{block}.gate"), &h, 1).sigmoid();
                    let value = self.plain(&format!("{prefix}.blocks.{block}.value"), &h, 1);
                    h = value * &gate + h * (1.0 - gate);
                }
                self.plain(&format!("{prefix}.output"), &h, 0)
            }
            StNetwork::Convnet { blocks, .. } => {
                let mut h = self.convolution(&format!("{prefix}.input"), x, 1);
                for block in 0..blocks {
                    h = self.convolution(&format!("{prefix}.blocks.{block}"), &h, 1);
                }
                self.convolution(&format!("{prefix}.output"), &h, 0)
            }
            StNetwork::GlowConvnet { .. } => {
                let h = self.plain(&format!("{prefix}.input"), x, 1).relu();
                let h = self.plain(&format!("{prefix}.hidden"), &h, 0).relu();
                self.plain(&format!("{prefix}.output"), &h, 1)
            }
            StNetwork::Autoencoder { .. } => {
                let layout = Layout::of(x.size()[3]).expect("the recipe was composed");
                self.autoencoder(&prefix, &layout, x)
            }
            StNetwork::AutoencoderOld { .. } => self.autoencoder(&prefix, &Layout::old(x.size()[3]), x),
            StNetwork::Mlp { layers, .. } => {
                let mut h = self.linear(&format!("{prefix}.input"), x).relu();
                for layer in 0..layers {
                    h = self.linear(&format!("{prefix}.hidden.{layer}"), &h).relu();
                }
                self.linear(&format!("{prefix}.output"), &h)
            }
        }
    }

    fn resnet(&self, prefix: &str, blocks: i64, x: &Tensor, doubled: bool, mode: Mode) -> Tensor {
        let mut a = self.batch_norm(&format!("{prefix}.input_norm"), x, mode);
        if doubled {
            a *= 2.0;
        }
        let mut h = self.convolution(&format!("{prefix}.input"), &Tensor::cat(&[&a, &(-&a)], 1).relu(), 1);
        let skips = self.tensors.contains_key(&format!("{prefix}.input_skip.gain"));
        let mut sum = skips.then(|| self.convolution(&format!("{prefix}.input_skip"), &h, 0));
        for index in 0..blocks {
            let block = format!("{prefix}.blocks.{index}");
            let first = self.batch_norm(&format!("{block}.first_norm"), &h, mode).relu();
            let first = self.convolution(&format!("{block}.first"), &first, 1);
            let second = self.batch_norm(&format!("{block}.second_norm"), &first, mode).relu();
            h = self.convolution(&format!("{block}.second"), &second, 1) + h;
            if let Some(sum) = &mut sum {
                *sum += self.convolution(&format!("{block}.skip"), &h, 0);
            } else if index + 1 == blocks / 2 {
                h = self.bottleneck(prefix, &h);
            }
        }
        let out = self.batch_norm(&format!("{prefix}.output_norm"), &sum.unwrap_or(h), mode).relu();
        self.convolution(&format!("{prefix}.output"), &out, 0)
    }

    fn autoencoder(&self, prefix: &str, layout: &Layout, x: &Tensor) -> Tensor {
        let mut h = x.shallow_clone();
        for (index, step) in layout.encoder.iter().enumerate() {
            let name = format!("{prefix}.encoder.{index}");
            let (weight, bias) = (self.get(&name, "weight"), self.get(&name, "bias"));
            h = h.conv2d(weight, Some(bias), [step.stride; 2], [step.padding; 2], [1, 1], 1).leaky_relu();
        }
        h = self.bottleneck(prefix, &h);
        for (index, step) in layout.decoder.iter().enumerate() {
            let name = format!("{prefix}.decoder.{index}");
            let (weight, bias) = (self.get(&name, "weight"), self.get(&name, "bias"));
            let (stride, padding, after) = ([step.stride; 2], [step.padding; 2], [step.output_padding; 2]);
            h = h.conv_transpose2d(weight, Some(bias), stride, padding, after, 1, [1, 1]);
            if index + 1 < layout.decoder.len() {
                h = h.leaky_relu();
            }
        }
        h
    }

    /// Through a few numbers and back, where the network has a bottleneck.
    fn bottleneck(&self, prefix: &str, h: &Tensor) -> Tensor {
        let to = format!("{prefix}.to_latent");
        if !self.tensors.contains_key(&format!("{to}.weight")) {
            return h.shallow_clone();
        }
        let latent = self.linear(&to, &h.flatten(1, -1));
        self.linear(&format!("{prefix}.from_latent"), &latent).view(h.size().as_slice())
    }

    fn linear(&self, name: &str, x: &Tensor) -> Tensor {
        x.linear(self.get(name, "weight"), Some(self.get(name, "bias")))
    }

    fn plain(&self, name: &str, x: &Tensor, padding: i64) -> Tensor {
        let (weight, bias) = (self.get(name, "weight"), self.get(name, "bias"));
        x.conv2d(weight, Some(bias), [1, 1], [padding; 2], [1, 1], 1)
    }

    fn convolution(&self, name: &str, x: &Tensor, padding: i64) -> Tensor {
        let weight = weight_norm(self.get(name, "direction"), self.get(name, "gain"));
        let bias = self.tensors.get(&format!("{name}.bias"));
        x.conv2d(&weight, bias, [1, 1], [padding; 2], [1, 1], 1)
    }

    fn batch_norm(&self, name: &str, x: &Tensor, mode: Mode) -> Tensor {
        x.batch_norm(
            Some(self.get(name, "scale")),
            Some(self.get(name, "shift")),
            Some(self.get(name, "running_mean")),
            Some(self.get(name, "running_variance")),
            mode == Mode::Train,
            0.1,
            1e-5,
            true,
        )
    }
}

/// `g v / |v|` per output channel.
fn weight_norm(direction: &Tensor, gain: &Tensor) -> Tensor {
    let length = direction.square().sum_dim_intlist([1i64, 2, 3].as_slice(), true, Kind::Float).sqrt();
    direction / length * gain
}
