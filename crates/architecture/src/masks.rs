//! Which part of its input a coupling layer reads and which it changes, as data.

/// Which of two complementary halves a coupling layer keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// The mask as defined (`reverse = False` in the reference).
    Plain,
    /// Its complement.
    Reversed,
}

impl Order {
    /// Plain for even positions in a stack, reversed for odd ones.
    #[must_use]
    pub fn of_position(position: u32) -> Self {
        if position.is_multiple_of(2) { Self::Plain } else { Self::Reversed }
    }

    fn keeps(self, in_defined_half: bool) -> bool {
        in_defined_half == (self == Self::Plain)
    }
}

/// A quarter of an image, split at `h / 2` and `w / 2` (rounded down), numbered clockwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

    /// The quadrant of a number from 0 to 3, clockwise from the top left.
    #[must_use]
    pub fn of_number(number: u32) -> Option<Self> {
        Self::CLOCKWISE.get(number as usize).copied()
    }

    /// The quadrant's number, clockwise from the top left.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::TopLeft => 0,
            Self::TopRight => 1,
            Self::BottomRight => 2,
            Self::BottomLeft => 3,
        }
    }

    /// The next quadrant, clockwise.
    #[must_use]
    pub fn next(self) -> Self {
        Self::CLOCKWISE[(self.number() as usize + 1) % 4]
    }

    fn contains(self, top: bool, left: bool) -> bool {
        match self {
            Self::TopLeft => top && left,
            Self::TopRight => top && !left,
            Self::BottomRight => !top && !left,
            Self::BottomLeft => !top && left,
        }
    }
}

/// A mask of one coupling layer (models.md 2.4; Dinh, Sohl-Dickstein and Bengio 2017, section 3.4; Kirichenko, Izmailov
/// and Wilson 2020, sections 6 and 7). Spatial masks are the same for every channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mask {
    /// Keeps pixels whose row and column have an odd sum; reversed, those with an even sum.
    Checkerboard(Order),
    /// Keeps the top half; reversed, the bottom half.
    Horizontal(Order),
    /// Keeps the left half; reversed, the right half.
    Vertical(Order),
    /// Reads one quadrant, changes another and passes the rest through unread.
    Quadrants {
        /// The quadrant that the st-network sees.
        seen: Quadrant,
        /// The quadrant that changes.
        changed: Quadrant,
    },
    /// [`Mask::Quadrants`] in each of `factor` x `factor` tiles, which the layer treats as examples of their own.
    SubQuadrants {
        /// Tiles along each side.
        factor: u32,
        /// The quadrant of each tile that the st-network sees.
        seen: Quadrant,
        /// The quadrant of each tile that changes.
        changed: Quadrant,
    },
    /// Keeps the square that is `margin` pixels away from every side, and changes the frame.
    Center {
        /// The width of the frame, in pixels.
        margin: u32,
    },
    /// Plain: changes the first half of the channels and keeps the second. Reversed: the other way round.
    Channels(Order),
    /// Keeps the first ⌊d/2⌋ features of a vector; reversed, the others.
    Features(Order),
}

impl Mask {
    /// Whether the st-network sees the pixel at `(row, column)` of an image (or tile) of `[height, width]`.
    ///
    /// Channel masks see every pixel, feature masks have none: both are split elsewhere.
    #[must_use]
    pub fn sees(self, row: i64, column: i64, [height, width]: [i64; 2]) -> bool {
        let (top, left) = (row < height / 2, column < width / 2);
        match self {
            Self::Checkerboard(order) => order.keeps((row + column) % 2 == 1),
            Self::Horizontal(order) => order.keeps(top),
            Self::Vertical(order) => order.keeps(left),
            Self::Quadrants { seen, .. } | Self::SubQuadrants { seen, .. } => seen.contains(top, left),
            Self::Center { margin } => {
                let inside = |index: i64, length: i64| index >= margin.into() && index < length - i64::from(margin);
                inside(row, height) && inside(column, width)
            }
            Self::Channels(_) | Self::Features(_) => true,
        }
    }

    /// Whether the layer changes the pixel at `(row, column)` of an image (or tile) of `[height, width]`.
    #[must_use]
    pub fn changes(self, row: i64, column: i64, size: [i64; 2]) -> bool {
        let (top, left) = (row < size[0] / 2, column < size[1] / 2);
        match self {
            Self::Quadrants { changed, .. } | Self::SubQuadrants { changed, .. } => changed.contains(top, left),
            Self::Channels(_) | Self::Features(_) => true,
            Self::Checkerboard(_) | Self::Horizontal(_) | Self::Vertical(_) | Self::Center { .. } => {
                !self.sees(row, column, size)
            }
        }
    }

    /// Whether both parts of images of `[height, width]` have a pixel; channel and feature masks split elsewhere.
    pub(crate) fn splits(self, [height, width]: [i64; 2]) -> bool {
        match self {
            Self::Checkerboard(_) => height > 1 || width > 1,
            Self::Horizontal(_) => height > 1,
            Self::Vertical(_) => width > 1,
            Self::Quadrants { .. } | Self::SubQuadrants { .. } => height > 1 && width > 1,
            Self::Center { margin } => 2 * i64::from(margin) < height.min(width),
            Self::Channels(_) | Self::Features(_) => true,
        }
    }

    /// Whether a vector's feature number `index` of `features` is kept.
    #[must_use]
    pub fn keeps_feature(order: Order, index: i64, features: i64) -> bool {
        order.keeps(index < features / 2)
    }

    /// The first `couplings` masks of the cycle: each layer reads a quadrant and changes the next one clockwise.
    #[must_use]
    pub fn cycle(couplings: u32) -> Vec<Self> {
        (0..couplings).map(|position| Self::next_quadrant(Quadrant::CLOCKWISE[position as usize % 4])).collect()
    }

    /// Reads a quadrant and changes the next one clockwise.
    #[must_use]
    pub fn next_quadrant(seen: Quadrant) -> Self {
        Self::Quadrants { seen, changed: seen.next() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(mask: Mask, size: [i64; 2]) -> String {
        draw(size, |row, column| mask.sees(row, column, size))
    }

    fn changed(mask: Mask, size: [i64; 2]) -> String {
        draw(size, |row, column| mask.changes(row, column, size))
    }

    fn draw([height, width]: [i64; 2], chosen: impl Fn(i64, i64) -> bool) -> String {
        let row = |row| (0..width).map(|column| if chosen(row, column) { '1' } else { '0' }).collect::<String>();
        (0..height).map(row).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn masks_are_those_of_the_reference() {
        assert_eq!(seen(Mask::Checkerboard(Order::Plain), [2, 4]), "0101 1010");
        assert_eq!(seen(Mask::Checkerboard(Order::Reversed), [2, 4]), "1010 0101");
        assert_eq!(seen(Mask::Horizontal(Order::Plain), [3, 2]), "11 00 00");
        assert_eq!(changed(Mask::Horizontal(Order::Reversed), [3, 2]), "11 00 00");
        assert_eq!(seen(Mask::Vertical(Order::Plain), [2, 3]), "100 100");
        assert_eq!(seen(Mask::Center { margin: 1 }, [4, 4]), "0000 0110 0110 0000");
        let pair = Mask::Quadrants { seen: Quadrant::TopLeft, changed: Quadrant::BottomRight };
        assert_eq!(seen(pair, [2, 3]), "100 000");
        assert_eq!(changed(pair, [2, 3]), "000 011");
    }

    #[test]
    fn the_cycle_returns_to_its_quadrant_with_the_fourth_layer() {
        let masks = Mask::cycle(5);

        let changed: Vec<u32> = masks
            .iter()
            .map(|mask| match mask {
                Mask::Quadrants { changed, .. } => changed.number(),
                other => panic!("{other:?} is no quadrant mask"),
            })
            .collect();
        assert_eq!(changed, [1, 2, 3, 0, 1]);
    }

    #[test]
    fn halves_of_a_vector_are_split_below_the_middle() {
        let kept = |order| (0..5).map(|index| Mask::keeps_feature(order, index, 5)).collect::<Vec<_>>();

        assert_eq!(kept(Order::Plain), [true, true, false, false, false]);
        assert_eq!(kept(Order::Reversed), [false, false, true, true, true]);
    }
}
