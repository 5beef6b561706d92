//! Which part of its input a coupling keeps and which it changes. Masks are data: a coupling builds its tensors once.

use tch::{Device, Kind, Tensor};

/// Which of two complementary halves a coupling keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// The mask as defined (`reverse = False` in the reference).
    Plain,
    /// Its complement.
    Reversed,
}

impl Parity {
    /// Plain for even positions in a stack, reversed for odd ones.
    pub fn of_position(position: u32) -> Self {
        if position.is_multiple_of(2) { Self::Plain } else { Self::Reversed }
    }
}

/// A quarter of an image, split at `h / 2` and `w / 2` (rounded down), numbered clockwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quadrant {
    /// Quadrant 0.
    TopLeft,
    /// Quadrant 1.
    TopRight,
    /// Quadrant 2.
    BottomRight,
    /// Quadrant 3.
    BottomLeft,
}

impl Quadrant {
    /// The quadrants in clockwise order.
    pub const CLOCKWISE: [Self; 4] = [Self::TopLeft, Self::TopRight, Self::BottomRight, Self::BottomLeft];

    /// The next quadrant, clockwise.
    pub fn next(self) -> Self {
        match self {
            Self::TopLeft => Self::TopRight,
            Self::TopRight => Self::BottomRight,
            Self::BottomRight => Self::BottomLeft,
            Self::BottomLeft => Self::TopLeft,
        }
    }

    fn contains(self, row: Half, column: Half) -> bool {
        match self {
            Self::TopLeft => row == Half::First && column == Half::First,
            Self::TopRight => row == Half::First && column == Half::Second,
            Self::BottomRight => row == Half::Second && column == Half::Second,
            Self::BottomLeft => row == Half::Second && column == Half::First,
        }
    }
}

/// A mask over the pixels of an image, the same for every channel (reference section 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpatialMask {
    /// Keeps pixels whose row and column have an odd sum; reversed, those with an even sum.
    Checkerboard(Parity),
    /// Keeps the top half; reversed, the bottom half.
    Horizontal(Parity),
    /// Keeps one quadrant, changes the next one clockwise and passes the two others through.
    Cycle(Quadrant),
}

/// The two parts of a spatial mask as factors `[h, w]` of zeros and ones.
#[derive(Debug)]
pub struct SpatialFactors {
    /// One where the st-network sees the input.
    pub seen: Tensor,
    /// One where the coupling changes the input.
    pub changed: Tensor,
}

impl SpatialMask {
    /// Whether the st-network sees the pixel at (row, column) of an image of the given height and width.
    pub fn sees(self, row: i64, column: i64, size: [i64; 2]) -> bool {
        match self {
            Self::Checkerboard(parity) => ((row + column) % 2 == 1) == (parity == Parity::Plain),
            Self::Horizontal(parity) => (Half::of(row, size[0]) == Half::First) == (parity == Parity::Plain),
            Self::Cycle(quadrant) => quadrant.contains(Half::of(row, size[0]), Half::of(column, size[1])),
        }
    }

    /// Whether the coupling changes the pixel at (row, column) of an image of the given height and width.
    pub fn changes(self, row: i64, column: i64, size: [i64; 2]) -> bool {
        match self {
            Self::Checkerboard(_) | Self::Horizontal(_) => !self.sees(row, column, size),
            Self::Cycle(quadrant) => quadrant.next().contains(Half::of(row, size[0]), Half::of(column, size[1])),
        }
    }

    /// Builds both factors for images of `size` `[h, w]`.
    pub fn factors(self, size: [i64; 2], kind: Kind, device: Device) -> SpatialFactors {
        let tensor = |chosen: &dyn Fn(i64, i64) -> bool| {
            let values: Vec<f64> =
                pixels(size).map(|(row, column)| if chosen(row, column) { 1.0 } else { 0.0 }).collect();
            Tensor::from_slice(&values).view(size).to_kind(kind).to_device(device)
        };
        SpatialFactors {
            seen: tensor(&|row, column| self.sees(row, column, size)),
            changed: tensor(&|row, column| self.changes(row, column, size)),
        }
    }
}

fn pixels([height, width]: [i64; 2]) -> impl Iterator<Item = (i64, i64)> {
    (0..height).flat_map(move |row| (0..width).map(move |column| (row, column)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    First,
    Second,
}

impl Half {
    fn of(index: i64, length: i64) -> Self {
        if index < length / 2 { Self::First } else { Self::Second }
    }
}
