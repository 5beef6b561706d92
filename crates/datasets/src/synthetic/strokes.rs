//! Handwriting-like strokes: one to three quadratic Bézier curves of a pen about two pixels wide, white on black.

use super::{grid, soft_step, to_byte};
use crate::randomness::Stream;

/// Number of straight pieces that stand for one curve; at 28 pixels a piece is about two pixels long.
const PIECES: usize = 12;

type Point = (f32, f32);

/// Appends one image of `height * width` bytes.
pub fn draw(size: [usize; 2], stream: &mut Stream, pixels: &mut Vec<u8>) {
    let pieces = pieces(stream);
    let half_width = stream.between(0.06, 0.12);
    for pixel in grid(size) {
        let nearest = pieces.iter().map(|&piece| distance(pixel, piece)).fold(f32::INFINITY, f32::min);
        pixels.push(to_byte(255.0 * (1.0 - soft_step(half_width, 0.1, nearest))));
    }
}

/// The straight pieces of all strokes; each stroke starts where the last one ended, or elsewhere.
fn pieces(stream: &mut Stream) -> Vec<(Point, Point)> {
    let mut pieces = Vec::new();
    let mut start = point(stream);
    for _ in 0..=stream.below(3) {
        let (bend, end) = (point(stream), point(stream));
        let on_curve = |piece: usize| {
            let t = piece as f32 / PIECES as f32;
            let blend = |a: f32, b: f32, c: f32| (1.0 - t) * (1.0 - t) * a + 2.0 * t * (1.0 - t) * b + t * t * c;
            (blend(start.0, bend.0, end.0), blend(start.1, bend.1, end.1))
        };
        pieces.extend((0..PIECES).map(|piece| (on_curve(piece), on_curve(piece + 1))));
        start = if stream.below(3) == 0 { point(stream) } else { end };
    }
    pieces
}

/// A point in the middle of the image, which leaves MNIST's empty margin.
fn point(stream: &mut Stream) -> Point {
    (stream.between(-0.7, 0.7), stream.between(-0.6, 0.6))
}

/// Distance from a point to a straight piece.
fn distance((y, x): Point, ((y0, x0), (y1, x1)): (Point, Point)) -> f32 {
    let (dy, dx) = (y1 - y0, x1 - x0);
    let length_squared = dy * dy + dx * dx;
    let along = if length_squared > 0.0 { ((y - y0) * dy + (x - x0) * dx) / length_squared } else { 0.0 };
    let along = along.clamp(0.0, 1.0);
    ((y - y0 - along * dy).powi(2) + (x - x0 - along * dx).powi(2)).sqrt()
}
