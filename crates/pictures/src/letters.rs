//! The font that every picture is drawn with, how wide words are in it, and words cut to a width.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use resvg::usvg::{Node, Options, Tree, fontdb::Database};

const REGULAR: &[u8] = include_bytes!("../fonts/DejaVuSans.ttf");
const BOLD: &[u8] = include_bytes!("../fonts/DejaVuSans-Bold.ttf");

/// The family that SVGs name, with what stands in for it where it is missing.
pub const FAMILY: &str = "DejaVu Sans, Verdana, Liberation Sans, Arial, sans-serif";

/// Most letters of a label that are looked at: users may write any number.
const MAX_LETTERS: usize = 400;
/// What stands for the part of a label that is left out.
const ELLIPSIS: &str = "…";

/// How SVG is read: with our font and no other.
pub fn options() -> Options<'static> {
    static FONTS: OnceLock<Arc<Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = Database::new();
        fonts.load_font_data(REGULAR.to_vec());
        fonts.load_font_data(BOLD.to_vec());
        fonts.set_sans_serif_family("DejaVu Sans");
        Arc::new(fonts)
    });
    Options { font_family: "DejaVu Sans".to_owned(), fontdb: Arc::clone(fonts), ..Options::default() }
}

/// Width in pixels of `text` in our font at `size` pixels: that of its letters one by one, which kerning does not make wider.
pub fn width(text: &str, size: f64) -> f64 {
    // Setting a letter takes longer than anything else here, and there are few different ones.
    static EMS: OnceLock<Mutex<HashMap<char, f64>>> = OnceLock::new();
    let mut ems = EMS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    text.chars().map(|letter| *ems.entry(letter).or_insert_with(|| em(letter))).sum::<f64>() * size
}

/// Width of a letter, as a share of the font's size: what it adds between two others, since a space by itself is not set at all.
fn em(letter: char) -> f64 {
    let added = set(&format!("n{letter}n")).zip(set("nn")).map(|(with, without)| with - without);
    // A letter that cannot be set takes an em, as in the plotting library.
    added.filter(|added| added.is_finite() && *added >= 0.0).unwrap_or(1.0)
}

/// Width of a word as it is set, as a share of the font's size.
fn set(word: &str) -> Option<f64> {
    const SIZE: f64 = 100.0;
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><text xml:space="preserve" font-size="{SIZE}">{}</text></svg>"#,
        escaped(word)
    );
    let tree = Tree::from_str(&svg, &options()).ok()?;
    tree.root().children().iter().find_map(|node| match node {
        Node::Text(text) => Some(f64::from(text.bounding_box().right()) / SIZE),
        _ => None,
    })
}

/// `text` without control characters and not wider than `room` pixels: its middle is left out where it is too long, since variants often
/// differ at their ends.
pub fn fitted(text: &str, size: f64, room: f64) -> String {
    let letters: Vec<char> = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let shortened = |kept: usize| -> String {
        if kept >= letters.len() {
            return letters.iter().collect();
        }
        let head = kept.div_ceil(2);
        let tail = kept - head;
        let front: String = letters[..head].iter().collect();
        let back: String = letters[letters.len() - tail..].iter().collect();
        format!("{}{ELLIPSIS}{}", front.trim_end(), back.trim_start())
    };
    let fits = |kept: usize| width(&shortened(kept), size) <= room;
    let most = letters.len().min(MAX_LETTERS);
    if fits(most) {
        return shortened(most);
    }
    let (mut fitting, mut too_long) = (0, most);
    while too_long - fitting > 1 {
        let middle = usize::midpoint(fitting, too_long);
        if fits(middle) { fitting = middle } else { too_long = middle }
    }
    shortened(fitting)
}

/// The labels, each fitted; those that would look the same are told apart by their place.
pub fn fitted_apart(labels: &[&str], size: f64, room: f64) -> Vec<String> {
    let fitting: Vec<String> = labels.iter().map(|label| fitted(label, size, room)).collect();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for label in &fitting {
        *seen.entry(label).or_default() += 1;
    }
    let apart = |(index, label): (usize, &String)| match seen.get(label.as_str()) {
        Some(2..) => {
            let place = format!("{}: ", index + 1);
            let left = room - width(&place, size);
            format!("{place}{}", fitted(labels[index], size, left))
        }
        _ => label.clone(),
    };
    fitting.iter().enumerate().map(apart).collect()
}

/// Text as it may stand in an SVG.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            control if control.is_control() => safe.push(' '),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // DejaVu Sans: `W` is 2025 of 2048 units wide, `i` is 569.
        assert!((width("WWWWWWWWWW", 10.0) - 98.9).abs() < 1.5, "{}", width("WWWWWWWWWW", 10.0));
        assert!(width("iiiiiiiiii", 10.0) < 30.0);
        assert!((width(" ", 10.0) - 3.18).abs() < 0.05, "{}", width(" ", 10.0));
        assert_eq!(width("", 12.0), 0.0);
    }

    #[test]
    fn long_labels_lose_their_middle_and_fit() {
        let label = format!("mask=cycle, st_network={}, width=512", "w".repeat(3_000));

        let cut = fitted(&label, 12.0, 200.0);

        assert!(width(&cut, 12.0) <= 200.0, "{cut}");
        assert!(cut.starts_with("mask=cycle") && cut.ends_with("width=512"), "{cut}");
        assert_eq!(fitted("mask=cycle", 12.0, 200.0), "mask=cycle");
        assert_eq!(fitted("a\nb", 12.0, 200.0), "a b");
    }

    #[test]
    fn labels_that_look_the_same_when_cut_are_numbered() {
        let long = |middle: &str| format!("{}{middle}{}", "a".repeat(80), "b".repeat(80));
        let (first, second) = (long("1"), long("2"));

        let cut = fitted_apart(&[&first, "short", &second], 12.0, 150.0);

        assert!(cut[0].starts_with("1: aaa") && cut[2].starts_with("3: aaa"), "{cut:?}");
        assert_eq!(cut[1], "short");
        assert!(cut.iter().all(|label| width(label, 12.0) <= 150.0), "{cut:?}");
    }
}
