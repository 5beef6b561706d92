//! What a coupling layer changes, in at most twelve letters: the width of a small picture.

use flows::architecture::{Mask, Order};

/// The part that a coupling layer under `mask` changes.
pub fn changed_by(mask: Mask) -> String {
    let either = |plain: &str, reversed: &str, order| match order {
        Order::Plain => plain.to_owned(),
        Order::Reversed => reversed.to_owned(),
    };
    match mask {
        // Pixels by the parity of row + column.
        Mask::Checkerboard(order) => either("even pixels", "odd pixels", order),
        Mask::Horizontal(order) => either("bottom half", "top half", order),
        Mask::Vertical(order) => either("right half", "left half", order),
        Mask::Quadrants { seen, changed } => format!("{} reads {}", quarter(changed.number()), quarter(seen.number())),
        Mask::SubQuadrants { factor, seen, changed } => {
            let (changed, seen) = (quarter(changed.number()), quarter(seen.number()));
            format!("{changed}<{seen} {factor}x{factor}")
        }
        Mask::Center { .. } => "frame".to_owned(),
        Mask::Channels(order) => either("1st channels", "2nd channels", order),
        Mask::Features(order) => either("2nd features", "1st features", order),
    }
}

/// A quadrant by its compass point, clockwise from the top left.
fn quarter(number: u32) -> &'static str {
    ["NW", "NE", "SE", "SW"].get(number as usize).copied().unwrap_or("??")
}

#[cfg(test)]
mod tests {
    use flows::architecture::Quadrant;

    use super::*;

    #[test]
    fn labels_fit_under_a_small_picture() {
        let (seen, changed) = (Quadrant::TopLeft, Quadrant::TopRight);
        let labels = [
            Mask::Checkerboard(Order::Plain),
            Mask::Horizontal(Order::Reversed),
            Mask::Vertical(Order::Plain),
            Mask::Quadrants { seen, changed },
            Mask::SubQuadrants { factor: 4, seen, changed },
            Mask::Center { margin: 4 },
            Mask::Channels(Order::Reversed),
            Mask::Features(Order::Plain),
        ]
        .map(changed_by);

        assert!(labels.iter().all(|label| (5..=12).contains(&label.len())), "{labels:?}");
        assert_eq!((labels[1].as_str(), labels[3].as_str()), ("top half", "NE reads NW"));
    }
}
