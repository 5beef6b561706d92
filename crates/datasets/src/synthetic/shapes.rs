//! Silhouettes like those of clothes: a body with a varying width, perhaps sleeves or a slit, shaded and textured.

use super::{grid, soft_step, to_byte};
use crate::randomness::Stream;

/// Width of the anti-aliased edge, in the coordinates of the square `[-1, 1]²` (a pixel is 2/28 wide).
const EDGE: f32 = 0.08;

/// One silhouette: half-widths of the body at five heights, and what is added or cut out.
struct Silhouette {
    top: f32,
    bottom: f32,
    half_widths: [f32; 5],
    lean: f32,
    /// Half-width that the sleeves reach and the height at which they end, if there are sleeves.
    sleeves: Option<(f32, f32)>,
    /// Height from which a slit divides the body, as between trouser legs.
    slit: Option<f32>,
}

/// Shading across the body: a base grey, a slope, waves of a weave or stripes, and grain.
struct Texture {
    base: f32,
    slope: (f32, f32),
    wave: (f32, f32, f32),
    wave_depth: f32,
    grain: f32,
}

/// Appends one image of `height * width` bytes.
pub fn draw(size: [usize; 2], stream: &mut Stream, pixels: &mut Vec<u8>) {
    let silhouette = Silhouette::draw(stream);
    let texture = Texture::draw(stream);
    for (y, x) in grid(size) {
        let cover = silhouette.cover(y, x);
        // Grain is drawn for every pixel, covered or not, so that a pixel's value depends on its own place only.
        let grain = stream.between(-texture.grain, texture.grain);
        pixels.push(to_byte(cover * (texture.grey(y, x) + grain)));
    }
}

impl Silhouette {
    fn draw(stream: &mut Stream) -> Self {
        let breadth = stream.between(0.3, 0.75);
        let half_widths = std::array::from_fn(|_| breadth * stream.between(0.65, 1.15));
        let (sleeves, slit) = match stream.below(4) {
            0 => (Some((stream.between(0.75, 0.98), stream.between(-0.3, 0.8))), None),
            1 => (None, Some(stream.between(-0.7, 0.1))),
            _ => (None, None),
        };
        Self {
            top: stream.between(-0.98, -0.55),
            bottom: stream.between(0.5, 0.98),
            half_widths,
            lean: stream.between(-0.15, 0.15),
            sleeves,
            slit,
        }
    }

    /// How much of the pixel the silhouette covers, in `[0, 1]`.
    fn cover(&self, y: f32, x: f32) -> f32 {
        let across = (x - self.lean * y).abs();
        let rows = soft_step(self.top, EDGE, y) * (1.0 - soft_step(self.bottom, EDGE, y));
        let body = 1.0 - soft_step(self.half_width(y), EDGE, across);
        let slit = self.slit.map_or(0.0, |from| {
            let half_gap = 0.14 * (y - from).clamp(0.0, 1.0);
            soft_step(from, EDGE, y) * (1.0 - soft_step(half_gap, EDGE, across))
        });
        let sleeve = self.sleeves.map_or(0.0, |(reach, end)| {
            let inner = 0.45 * reach + 0.3 * (y - self.top);
            (1.0 - soft_step(end, EDGE, y))
                * (1.0 - soft_step(reach, EDGE, across))
                * soft_step(inner.min(reach - 0.2), EDGE, across + 0.3)
        });
        rows * (body.max(sleeve) - slit).max(0.0)
    }

    /// The body's half-width at a height, interpolated between its five knots.
    fn half_width(&self, y: f32) -> f32 {
        let last = self.half_widths.len() - 1;
        let position = ((y - self.top) / (self.bottom - self.top)).clamp(0.0, 1.0) * last as f32;
        let knot = (position as usize).min(last - 1);
        let t = position - knot as f32;
        (1.0 - t) * self.half_widths[knot] + t * self.half_widths[knot + 1]
    }
}

impl Texture {
    fn draw(stream: &mut Stream) -> Self {
        Self {
            base: stream.between(90.0, 220.0),
            slope: (stream.between(-40.0, 40.0), stream.between(-40.0, 40.0)),
            wave: (stream.between(-2.2, 2.2), stream.between(-2.2, 2.2), stream.unit()),
            wave_depth: stream.between(0.0, 35.0),
            grain: stream.between(4.0, 22.0),
        }
    }

    fn grey(&self, y: f32, x: f32) -> f32 {
        let (down, across, phase) = self.wave;
        let wave = wave(down * y + across * x + phase);
        self.base + self.slope.0 * y + self.slope.1 * x + self.wave_depth * wave
    }
}

/// A wave of period 1 between −1 and 1, made of two parabolas. Unlike a platform's sine it has the same bits everywhere.
fn wave(turns: f32) -> f32 {
    let t = turns - turns.floor();
    if t < 0.5 { 16.0 * t * (0.5 - t) } else { -16.0 * (t - 0.5) * (1.0 - t) }
}
