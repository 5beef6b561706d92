//! Tables as aligned columns for a terminal.

use std::io::IsTerminal;

use comfy_table::{
    Attribute, Cell as Drawn, CellAlignment, ContentArrangement, LineStyle, Table as Drawing, TableStyle,
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

/// Draws a table and its notes, without a line break at the end.
pub fn render(table: &Table, look: Look) -> String {
    let mut drawing = Drawing::new();
    drawing.force_no_tty().load_style(STYLE);
    if look.style == Style::Coloured {
        drawing.enforce_styling();
    }
    if let Some(width) = look.width {
        drawing.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    let levels = table.levels();
    drawing.set_header(table.columns.iter().map(|column| {
        // What has fewer headings than others has them next to its values.
        let title = "\n".repeat(levels - column.titles.len()) + &column.titles.join("\n");
        Drawn::new(title).set_alignment(alignment(column)).add_attribute(Attribute::Bold)
    }));
    for row in &table.rows {
        let cells = table.columns.iter().zip(row);
        drawing.add_row(cells.map(|(column, cell)| Drawn::new(cell.shown()).set_alignment(alignment(column))));
    }
    let last = table.columns.len().saturating_sub(1);
    for (index, column) in drawing.column_iter_mut().enumerate() {
        // The drawing puts one more space between columns.
        column.set_padding((0, u16::from(index != last)));
    }
    let drawn = drawing.to_string();
    let lines = drawn.lines().map(str::trim_end).chain(table.notes.iter().map(String::as_str));
    lines.collect::<Vec<_>>().join("\n")
}

fn alignment(column: &Column) -> CellAlignment {
    match column.alignment {
        Alignment::Left => CellAlignment::Left,
        Alignment::Right => CellAlignment::Right,
    }
}
