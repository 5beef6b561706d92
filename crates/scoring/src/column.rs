//! The names of the columns of statistics. All have a value for each example, in the split's order, and are means over the
//! noise draws; docs/scores.md explains them.

use domain::spec::Codec;

/// ℓ(x), of the discrete image: `latent_log_density + log_determinant - discretisation_nats`, in nats.
pub const LOG_LIKELIHOOD: &str = "log_likelihood";
/// log N(z; 0, I), in nats.
pub const LATENT_LOG_DENSITY: &str = "latent_log_density";
/// log |det dz/dx|, preprocessing included, in nats.
pub const LOG_DETERMINANT: &str = "log_determinant";
/// ‖z‖².
pub const LATENT_NORM_SQUARED: &str = "latent_norm_squared";
/// The latent of the first draw on fixed random directions, single precision `[n, 64]`.
pub const LATENT_PROJECTION: &str = "latent_projection";

/// The part of [`LATENT_LOG_DENSITY`] that leaves at scale `scale`.
#[must_use]
pub fn scale_latent_log_density(scale: u32) -> String {
    format!("scale_{scale}.{LATENT_LOG_DENSITY}")
}

/// The log-determinants of the layers of scale `scale`, those of preprocessing at scale 0.
#[must_use]
pub fn scale_log_determinant(scale: u32) -> String {
    format!("scale_{scale}.{LOG_DETERMINANT}")
}

/// The part of [`LATENT_NORM_SQUARED`] that leaves at scale `scale`.
#[must_use]
pub fn scale_latent_norm_squared(scale: u32) -> String {
    format!("scale_{scale}.{LATENT_NORM_SQUARED}")
}

/// The length of the 8-bit image under a codec, in bits; of images only.
#[must_use]
pub fn code_length(codec: Codec) -> String {
    format!("code_length.{codec}")
}

/// Every column that statistics of a flow of `scales` scales must have.
pub(crate) fn required(scales: u32) -> Vec<String> {
    let totals = [LOG_LIKELIHOOD, LATENT_LOG_DENSITY, LOG_DETERMINANT, LATENT_NORM_SQUARED].map(str::to_owned);
    let of_scale =
        |scale| [scale_latent_log_density(scale), scale_log_determinant(scale), scale_latent_norm_squared(scale)];
    totals.into_iter().chain((0..scales).flat_map(of_scale)).collect()
}
