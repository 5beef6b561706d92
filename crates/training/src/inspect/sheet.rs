//! The contact sheet: every figure of a job, small, on one page.

use super::canvas::{Canvas, Font};
use super::colour::{BLACK, WHITE};
use super::panel::{Drawing, Panel};

/// Width that rows of figures fill at least before the next one begins, in pixels; a sheet of many becomes a square.
const COMFORTABLE_WIDTH: usize = 1500;
/// White around the sheet.
const MARGIN: usize = 12;

/// Draws all panels in their order, row by row, under one title.
pub fn draw(title: &str, panels: &[Panel]) -> Canvas {
    let thumbnails: Vec<Canvas> = panels.iter().map(|panel| panel.draw(Drawing::Thumbnail)).collect();
    let widest = thumbnails.iter().map(Canvas::width).max().unwrap_or(0);
    let area: usize = thumbnails.iter().map(|one| one.width() * one.height()).sum();
    let room = COMFORTABLE_WIDTH.max(widest).max(area.isqrt());
    let (places, [used, bottom]) = shelve(&thumbnails, room, Font::Title.height() + MARGIN);
    let width = used.max(Font::Title.width(title) + MARGIN) + MARGIN;
    let mut sheet = Canvas::new(width, bottom + MARGIN, WHITE);
    sheet.write(title, [MARGIN, MARGIN], Font::Title, BLACK);
    for (thumbnail, place) in thumbnails.iter().zip(places) {
        sheet.paste(thumbnail, place, 1);
    }
    sheet
}

/// Top left corners on shelves of width `room`, the first one at `top`, and the right and bottom ends of it all.
fn shelve(pictures: &[Canvas], room: usize, top: usize) -> (Vec<[usize; 2]>, [usize; 2]) {
    let (mut left, mut shelf, mut shelf_height, mut used) = (0, top, 0, 0);
    let mut places = Vec::with_capacity(pictures.len());
    for picture in pictures {
        if left > 0 && left + picture.width() > room {
            (left, shelf, shelf_height) = (0, shelf + shelf_height, 0);
        }
        places.push([left, shelf]);
        left += picture.width();
        used = used.max(left);
        shelf_height = shelf_height.max(picture.height());
    }
    (places, [used, shelf + shelf_height])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_share_shelves_and_never_overlap() {
        let sizes = [[100, 10], [60, 30], [50, 20], [200, 5]];
        let pictures: Vec<Canvas> = sizes.iter().map(|&[width, height]| Canvas::new(width, height, WHITE)).collect();

        let (places, end) = shelve(&pictures, 200, 7);

        assert_eq!(places, [[0, 7], [100, 7], [0, 37], [0, 57]]);
        assert_eq!(end, [200, 62]);
    }

    #[test]
    fn sheet_without_pictures_has_its_title() {
        let sheet = draw("nothing", &[]);

        assert!(sheet.width() > Font::Title.width("nothing") && sheet.height() > Font::Title.height());
    }
}
