//! Where pixels go: crops, grounds, flips and turns of planes `[h, w]`.

use catalogue::Turn;

/// Appends the centre of each plane; of an odd rest the smaller half is cut off above and to the left.
pub fn append_crop(pixels: &[u8], [height, width]: [usize; 2], [rows, columns]: [usize; 2], to: &mut Vec<u8>) {
    let [top, left] = [(height - rows) / 2, (width - columns) / 2];
    for plane in pixels.chunks_exact(height * width) {
        for row in plane.chunks_exact(width).skip(top).take(rows) {
            to.extend_from_slice(&row[left..left + columns]);
        }
    }
}

/// Appends each plane on a ground of one level; of an odd rest the smaller half is above and to the left.
pub fn append_pad(
    pixels: &[u8],
    [height, width]: [usize; 2],
    [rows, columns]: [usize; 2],
    level: u8,
    to: &mut Vec<u8>,
) {
    let [top, left] = [(rows - height) / 2, (columns - width) / 2];
    for plane in pixels.chunks_exact(height * width) {
        let begin = to.len();
        to.resize(begin + rows * columns, level);
        let ground = &mut to[begin..];
        for (row, padded) in plane.chunks_exact(width).zip(ground.chunks_exact_mut(columns).skip(top)) {
            padded[left..left + width].copy_from_slice(row);
        }
    }
}

/// Exchanges left and right.
pub fn flip_horizontally(pixels: &mut [u8], width: usize) {
    pixels.chunks_exact_mut(width).for_each(<[u8]>::reverse);
}

/// Exchanges above and below.
pub fn flip_vertically(pixels: &mut [u8], [height, width]: [usize; 2]) {
    for plane in pixels.chunks_exact_mut(height * width) {
        let (above, below) = plane.split_at_mut(height / 2 * width);
        let mirrored = below.chunks_exact_mut(width).rev();
        above.chunks_exact_mut(width).zip(mirrored).for_each(|(row, other)| row.swap_with_slice(other));
    }
}

/// Appends each plane, turned counter-clockwise.
pub fn append_turned(pixels: &[u8], [height, width]: [usize; 2], turn: Turn, to: &mut Vec<u8>) {
    for plane in pixels.chunks_exact(height * width) {
        match turn {
            // The right-most column becomes the upper-most row.
            Turn::Quarter => {
                for column in (0..width).rev() {
                    to.extend(plane[column..].iter().step_by(width));
                }
            }
            Turn::Half => to.extend(plane.iter().rev()),
            Turn::ThreeQuarters => {
                for column in 0..width {
                    to.extend(plane[column..].iter().step_by(width).rev());
                }
            }
        }
    }
}
