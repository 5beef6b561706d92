//! Tables as aligned columns for a terminal.

use std::io::IsTerminal;

use comfy_table::{
    Attribute, Cell as Drawn, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table as Drawing,
    TableStyle,
};

use super::{Alignment, Column, Table};

/// What the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Its width in columns; without one, lines are as long as they need to be.
    pub width: Option<u16>,
    /// Whether it shows more than plain text.
    pub style: Style,
}

/// Plain text, or with escape codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// No escape codes.
    Plain,
    /// Bold headers.
    Coloured,
}

/// A rule below the header and no other lines: tables are pasted into notes as they are.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Columns between two cells.
const GAP: usize = 2;
/// Columns of a cell that is never broken where there is room for it: a mean with its deviation, an interval.
const SHORT: usize = 20;
/// Columns that a longer text keeps beside those.
const FEWEST_LETTERS: usize = 8;
/// Longest line of a heading above a grid's column.
const HEADING: usize = 24;

impl Look {
    /// For files and pipes.
    pub const PLAIN: Self = Self { width: None, style: Style::Plain };

    /// As standard output is.
    pub fn of_stdout() -> Self {
        Self::of(&console::Term::stdout(), std::io::stdout().is_terminal(), console::colors_enabled())
    }

    /// As standard error is, where progress is drawn.
    pub fn of_stderr() -> Self {
        Self::of(&console::Term::stderr(), std::io::stderr().is_terminal(), console::colors_enabled_stderr())
    }

    fn of(terminal: &console::Term, is_terminal: bool, has_colours: bool) -> Self {
        if !is_terminal {
            return Self::PLAIN;
        }
        let style = if has_colours { Style::Coloured } else { Style::Plain };
        Self { width: terminal.size_checked().map(|(_, columns)| columns), style }
    }
}

/// Draws a table and its notes, without a line break at the end. A grid that is wider than the terminal is drawn in parts below each
/// other, each with the columns that say what its rows are.
pub fn render(table: &Table, look: Look) -> String {
    let parts: Vec<String> = parts(table, look).into_iter().map(|columns| draw(table, &columns, look)).collect();
    let notes = table.notes.iter().map(|note| wrapped(note, look.width));
    std::iter::once(parts.join("\n\n")).chain(notes).collect::<Vec<_>>().join("\n")
}

/// The columns of each part.
fn parts(table: &Table, look: Look) -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let Some(width) = look.width.map(usize::from).filter(|_| table.stubs > 0) else { return vec![all] };
    let widths: Vec<usize> = all.iter().map(|&index| natural_width(table, index) + GAP).collect();
    let (stubs, rest) = all.split_at(table.stubs.min(all.len()));
    let taken: usize = stubs.iter().map(|&index| widths[index]).sum();
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut left = 0;
    for &index in rest {
        match parts.last_mut() {
            Some(part) if widths[index] <= left => part.push(index),
            Some(_) | None => {
                parts.push(stubs.iter().copied().chain([index]).collect());
                left = (width + GAP).saturating_sub(taken);
            }
        }
        left = left.saturating_sub(widths[index]);
    }
    if parts.is_empty() { vec![all] } else { parts }
}

fn natural_width(table: &Table, index: usize) -> usize {
    let titles = table.columns[index].titles.iter().flat_map(|title| heading_lines(title));
    let titles = titles.map(|line| console::measure_text_width(&line));
    let cells = table.rows.iter().map(|row| console::measure_text_width(&row[index].shown()));
    titles.chain(cells).max().unwrap_or(0)
}

/// A heading in lines of at most [`HEADING`] columns: the steps of a dataset below each other.
fn heading_lines(title: &str) -> Vec<String> {
    if console::measure_text_width(title) <= HEADING {
        return vec![title.to_owned()];
    }
    let mut lines: Vec<String> = Vec::new();
    for part in title.split_inclusive(['|', ' ']) {
        match lines.last_mut() {
            Some(line) if console::measure_text_width(line) + console::measure_text_width(part) <= HEADING => {
                line.push_str(part);
            }
            Some(_) | None => lines.push(part.to_owned()),
        }
    }
    lines
}

/// The headings of each column, one line below the other. What has fewer than others has them next to its values.
fn headings(table: &Table, columns: &[usize]) -> Vec<String> {
    let levels = table.levels();
    let of = |index: usize, level: usize| -> Vec<String> {
        let titles = &table.columns[index].titles;
        let title = (level + titles.len()).checked_sub(levels).map(|place| heading_lines(&titles[place]));
        title.unwrap_or_default()
    };
    let heights: Vec<usize> =
        (0..levels).map(|level| columns.iter().map(|&index| of(index, level).len()).max().unwrap_or(0)).collect();
    let column = |index: usize| -> String {
        let lines = heights.iter().enumerate().flat_map(|(level, &height)| {
            let lines = of(index, level);
            std::iter::repeat_n(String::new(), height - lines.len()).chain(lines).collect::<Vec<_>>()
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    columns.iter().map(|&index| column(index)).collect()
}

fn draw(table: &Table, columns: &[usize], look: Look) -> String {
    let mut drawing = Drawing::new();
    drawing.force_no_tty().load_style(STYLE);
    if look.style == Style::Coloured {
        drawing.enforce_styling();
    }
    if let Some(width) = look.width {
        drawing.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    let titles = columns.iter().zip(headings(table, columns)).map(|(&index, title)| {
        Drawn::new(title).set_alignment(alignment(&table.columns[index])).add_attribute(Attribute::Bold)
    });
    drawing.set_header(titles);
    for row in &table.rows {
        let cells = columns.iter().map(|&index| (&table.columns[index], &row[index]));
        drawing.add_row(cells.map(|(column, cell)| Drawn::new(cell.shown()).set_alignment(alignment(column))));
    }
    let last = columns.len().saturating_sub(1);
    let whole = whole_columns(table, columns, look);
    for (index, column) in drawing.column_iter_mut().enumerate() {
        // The drawing puts one more space between columns.
        column.set_padding((0, u16::from(index != last)));
        if whole.contains(&index) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let drawn = drawing.to_string();
    drawn.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// The places of columns whose cells stay in one line, so that only long texts are broken; none where the terminal is too narrow.
fn whole_columns(table: &Table, columns: &[usize], look: Look) -> Vec<usize> {
    let Some(width) = look.width.map(usize::from) else { return Vec::new() };
    let widths: Vec<usize> = columns.iter().map(|&index| natural_width(table, index)).collect();
    let is_short = |place: &usize| widths[*place] <= SHORT;
    let short: Vec<usize> = (0..columns.len()).filter(is_short).collect();
    let taken: usize = short.iter().map(|&place| widths[place] + GAP).sum();
    let left = (columns.len() - short.len()) * (FEWEST_LETTERS + GAP);
    if taken + left <= width { short } else { Vec::new() }
}

/// A note in lines of at most `width` columns, parted between words.
fn wrapped(note: &str, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from) else { return note.to_owned() };
    let mut lines = vec![String::new()];
    for word in note.split(' ') {
        let line = lines.last_mut().expect("there is one from the start on");
        let together = console::measure_text_width(line) + 1 + console::measure_text_width(word);
        match line.is_empty() {
            true => line.push_str(word),
            false if together <= width => line.extend([" ", word]),
            false => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

fn alignment(column: &Column) -> CellAlignment {
    match column.alignment {
        Alignment::Left => CellAlignment::Left,
        Alignment::Right => CellAlignment::Right,
    }
}
