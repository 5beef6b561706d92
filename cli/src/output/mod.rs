//! Tables: rows under named columns, written for people or for machines.

mod csv;
mod file;
mod html;
mod json;
mod markdown;
mod table;

use std::io::{self, Write};

use clap::ValueEnum;

pub use self::{
    file::write_file,
    html::Grid,
    table::{Look, render},
};

/// How tables are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns for a terminal
    #[default]
    Table,
    /// RFC 4180 with a header line; numbers in full precision
    Csv,
    /// One object: an array of rows for each table; numbers in full precision
    Json,
    /// A table for GitHub and notebooks
    Markdown,
}

/// Who reads a table: people want "0.05 ± 0.01" in one cell, machines one number in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Somebody at a terminal or a page.
    People,
    /// A program.
    Machines,
}

/// Rows under columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    name: &'static str,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    notes: Vec<String>,
}

/// A column's names and how it is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// What programs call it: the same as in the SQL views.
    key: &'static str,
    /// What people call it.
    title: &'static str,
    alignment: Alignment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alignment {
    Left,
    Right,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// There is none.
    Absent,
    /// Words.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// A large number, shown to people in round figures.
    Quantity {
        /// The number.
        number: u64,
        /// What is counted, behind the prefix: `FLOP`, say, or nothing.
        unit: &'static str,
    },
    /// A measured number, shown to people with so many decimals.
    Real {
        /// The number.
        value: f64,
        /// Digits after the point.
        decimals: usize,
    },
}

impl Format {
    /// Who reads this format.
    pub fn audience(self) -> Audience {
        match self {
            Self::Table | Self::Markdown => Audience::People,
            Self::Csv | Self::Json => Audience::Machines,
        }
    }
}

impl Column {
    /// A column of words.
    pub const fn text(key: &'static str, title: &'static str) -> Self {
        Self { key, title, alignment: Alignment::Left }
    }

    /// A column of numbers.
    pub const fn number(key: &'static str, title: &'static str) -> Self {
        Self { key, title, alignment: Alignment::Right }
    }
}

impl Cell {
    /// Words, or nothing when there are none.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Absent } else { Self::Text(text) }
    }

    /// A large number of something.
    pub fn quantity(number: impl Into<Option<u64>>, unit: &'static str) -> Self {
        number.into().map_or(Self::Absent, |number| Self::Quantity { number, unit })
    }

    /// A measured number.
    pub fn real(value: impl Into<Option<f64>>, decimals: usize) -> Self {
        value.into().map_or(Self::Absent, |value| Self::Real { value, decimals })
    }

    /// The value as people read it, without control characters: a job's last words may hold any.
    fn shown(&self) -> String {
        match self {
            Self::Absent => "–".to_owned(),
            Self::Text(text) => text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect(),
            Self::Whole(number) => number.to_string(),
            Self::Quantity { number, unit } => quantity(*number, unit),
            Self::Real { value, decimals } => format!("{value:.decimals$}"),
        }
    }
}

/// Three digits, a prefix and the unit: `14.7 M`, `1.25 TFLOP`.
pub fn quantity(number: u64, unit: &str) -> String {
    const PREFIXES: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];
    let mut value = number as f64;
    let mut prefix = 0;
    // From 999.5 on, three digits would be 1000.
    while value >= 999.5 && prefix + 1 < PREFIXES.len() {
        value /= 1000.0;
        prefix += 1;
    }
    let decimals = match (prefix, value) {
        (0, _) => 0,
        (_, value) if value >= 99.95 => 0,
        (_, value) if value >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$} {}{unit}", PREFIXES[prefix]).trim_end().to_owned()
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<i32> for Cell {
    fn from(number: i32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        // Seeds and counts come from Postgres, which has no larger integer.
        Self::Whole(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl Table {
    /// A table without rows; `name` is its key in JSON.
    pub fn new(name: &'static str, columns: Vec<Column>) -> Self {
        Self { name, columns, rows: Vec::new(), notes: Vec::new() }
    }

    /// Adds a row, one cell for each column.
    pub fn push(&mut self, row: Vec<Cell>) {
        assert_eq!(row.len(), self.columns.len(), "a row of table {} has one cell for each column", self.name);
        self.rows.push(row);
    }

    /// Adds a line below the table for people.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Writes `tables` to standard output; a terminal is asked for its width and colours.
pub fn print(tables: &[Table], format: Format) -> io::Result<()> {
    write(tables, format, Look::of_stdout(), &mut io::stdout().lock())
}

/// Writes `tables` one below the other; JSON is one document.
pub fn write(tables: &[Table], format: Format, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if format == Format::Json {
        return json::write(tables, out);
    }
    for (position, table) in tables.iter().enumerate() {
        if position > 0 {
            writeln!(out)?;
        }
        match format {
            Format::Table => writeln!(out, "{}", render(table, look))?,
            Format::Csv => csv::write(table, out)?,
            Format::Markdown => markdown::write(table, out)?,
            Format::Json => unreachable!("written above"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows with everything that needs care in some format.
    fn table() -> Table {
        let columns = vec![
            Column::text("variant", "variant"),
            Column::number("seed", "seed"),
            Column::number("auroc_mean", "AUROC"),
            Column::text("reason", "reason"),
        ];
        let mut table = Table::new("auroc", columns);
        table.push(vec![Cell::text("mask=cycle"), 1_u64.into(), Cell::real(0.270_612_5, 4), Cell::Absent]);
        table.push(vec![
            Cell::text("mask=\"a|b\", st_network=*"),
            12_u64.into(),
            Cell::real(0.05, 4),
            Cell::text("killed\n\u{1b}[31mred"),
        ]);
        table.note("0.5 is chance.");
        table
    }

    fn written(tables: &[Table], format: Format) -> String {
        let mut out = Vec::new();
        write(tables, format, Look::PLAIN, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn table_aligns_numbers_and_shows_no_control_characters() {
        assert_eq!(
            written(&[table()], Format::Table),
            "variant                   seed   AUROC  reason\n\
             ───────────────────────────────────────────────────────\n\
             mask=cycle                   1  0.2706  –\n\
             mask=\"a|b\", st_network=*    12  0.0500  killed  [31mred\n\
             0.5 is chance.\n"
        );
    }

    #[test]
    fn table_for_a_terminal_has_a_bold_header_and_keeps_to_its_width() {
        let text = render(&table(), Look { width: Some(40), style: table::Style::Coloured });

        assert!(text.contains("\u{1b}[1m"), "{text}");
        let plain = console::strip_ansi_codes(&text).into_owned();
        assert!(plain.lines().all(|line| console::measure_text_width(line) <= 40), "{plain}");
    }

    #[test]
    fn csv_quotes_and_keeps_full_precision() {
        assert_eq!(
            written(&[table()], Format::Csv),
            "variant,seed,auroc_mean,reason\n\
             mask=cycle,1,0.2706125,\n\
             \"mask=\"\"a|b\"\", st_network=*\",12,0.05,\"killed\n\u{1b}[31mred\"\n"
        );
    }

    #[test]
    fn json_names_tables_and_columns() {
        let document: serde_json::Value = serde_json::from_str(&written(&[table()], Format::Json)).unwrap();

        assert_eq!(
            document,
            serde_json::json!({"auroc": [
                {"variant": "mask=cycle", "seed": 1, "auroc_mean": 0.270_612_5, "reason": null},
                {"variant": "mask=\"a|b\", st_network=*", "seed": 12, "auroc_mean": 0.05, "reason": "killed\n\u{1b}[31mred"},
            ]})
        );
    }

    #[test]
    fn markdown_escapes_what_it_would_read_as_its_own() {
        assert_eq!(
            written(&[table()], Format::Markdown),
            "| variant | seed | AUROC | reason |\n\
             |:---|---:|---:|:---|\n\
             | mask=cycle | 1 | 0.2706 | – |\n\
             | mask=\"a\\|b\", st\\_network=\\* | 12 | 0.0500 | killed  \\[31mred |\n\
             \n\
             0.5 is chance.\n"
        );
    }

    #[test]
    fn several_tables_are_one_json_document_and_parted_by_an_empty_line_elsewhere() {
        let other = Table::new("jobs", vec![Column::text("state", "state")]);

        let tables = [table(), other];

        let document: serde_json::Value = serde_json::from_str(&written(&tables, Format::Json)).unwrap();
        assert_eq!(document["jobs"], serde_json::json!([]));
        assert!(written(&tables, Format::Csv).ends_with("\n\nstate\n"));
    }

    #[test]
    fn quantities_are_round_for_people_and_exact_for_programs() {
        for (number, shown) in [
            (0, "0"),
            (999, "999"),
            (1000, "1.00 k"),
            (9994, "9.99 k"),
            (9995, "10.0 k"),
            (14_707_336, "14.7 M"),
            (99_949_999, "99.9 M"),
            (999_499_999, "999 M"),
            (999_500_000, "1.00 G"),
            (u64::MAX, "18.4 E"),
        ] {
            assert_eq!(quantity(number, ""), shown, "{number}");
        }
        assert_eq!(quantity(1_250_000_000_000, "FLOP"), "1.25 TFLOP");
        assert_eq!(quantity(12, "FLOP"), "12 FLOP");
        let mut table = Table::new("sizes", vec![Column::number("flops", "FLOPs"), Column::number("none", "none")]);
        table.push(vec![Cell::quantity(u64::MAX, "FLOP"), Cell::quantity(None, "FLOP")]);

        assert!(written(&[table.clone()], Format::Table).ends_with("18.4 EFLOP     –\n"));
        assert_eq!(written(&[table.clone()], Format::Csv), "flops,none\n18446744073709551615,\n");
        assert!(written(&[table], Format::Json).contains("\"flops\": 18446744073709551615"));
    }

    #[test]
    fn numbers_that_are_none_stay_visible() {
        let mut table = Table::new("values", vec![Column::number("value", "value")]);
        table.push(vec![Cell::real(f64::INFINITY, 2)]);

        assert!(written(&[table.clone()], Format::Table).contains("inf"));
        assert!(written(&[table], Format::Csv).contains("inf"));
    }
}
