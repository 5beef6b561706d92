//! From colour to grey and back.

/// Weights of red, green and blue of ITU-R BT.601 in 65536ths, as Pillow has them: they sum up to 1.
const LUMA: [u32; 3] = [19_595, 38_470, 7_471];

/// Appends the luma of an image of three planes.
pub fn append_gray(pixels: &[u8], to: &mut Vec<u8>) {
    let plane = pixels.len() / 3;
    let (red, rest) = pixels.split_at(plane);
    let (green, blue) = rest.split_at(plane);
    to.extend(red.iter().zip(green).zip(blue).map(|((&red, &green), &blue)| luma([red, green, blue])));
}

/// The luma of one pixel, rounded to the nearest level, half up.
pub fn luma(colours: [u8; 3]) -> u8 {
    let sum: u32 = LUMA.iter().zip(colours).map(|(weight, level)| weight * u32::from(level)).sum();
    ((sum + (1 << 15)) >> 16) as u8
}

/// Appends a plane three times.
pub fn append_rgb(pixels: &[u8], to: &mut Vec<u8>) {
    (0..3).for_each(|_| to.extend_from_slice(pixels));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_images_in_colour_have_the_same_grey() {
        let levels: Vec<u8> = (0..=255).collect();
        let (mut colour, mut grey) = (Vec::new(), Vec::new());

        append_rgb(&levels, &mut colour);
        append_gray(&colour, &mut grey);

        assert_eq!(colour.len(), 3 * 256);
        assert_eq!(grey, levels);
    }
}
