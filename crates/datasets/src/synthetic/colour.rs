//! Colour: a grey drawing decides, pixel by pixel, between a coloured thing and a coloured ground.

use super::{grid, to_byte};
use crate::randomness::Stream;

/// One channel of the ground: a level and a slope across the image.
struct Ground {
    level: f32,
    slope: (f32, f32),
}

/// Appends one image of `channels * height * width` bytes, channel after channel.
pub fn paint(
    [channels, height, width]: [usize; 3],
    draw: fn([usize; 2], &mut Stream, &mut Vec<u8>),
    stream: &mut Stream,
    pixels: &mut Vec<u8>,
) {
    let mut drawing = Vec::with_capacity(height * width);
    draw([height, width], stream, &mut drawing);
    let grain = stream.between(1.0, 10.0);
    for _ in 0..channels {
        let thing = stream.between(20.0, 255.0);
        let ground = Ground {
            level: stream.between(20.0, 220.0),
            slope: (stream.between(-35.0, 35.0), stream.between(-35.0, 35.0)),
        };
        for ((y, x), &grey) in grid([height, width]).zip(&drawing) {
            let cover = f32::from(grey) / 255.0;
            let behind = ground.level + ground.slope.0 * y + ground.slope.1 * x;
            let noise = stream.between(-grain, grain);
            pixels.push(to_byte(cover * thing + (1.0 - cover) * behind + noise));
        }
    }
}
