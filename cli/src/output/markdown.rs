//! Tables as GitHub-flavoured Markdown.

use std::io::{self, Write};

use super::{Alignment, Cell, Table};

/// Characters that would be read as markup inside a cell.
const MARKUP: [char; 7] = ['\\', '|', '*', '_', '`', '<', '['];

pub(super) fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    write_row(table.columns.iter().map(|column| escape(&column.title())), out)?;
    let rules = table.columns.iter().map(|column| match column.alignment {
        Alignment::Left => ":---",
        Alignment::Right => "---:",
    });
    writeln!(out, "|{}|", rules.collect::<Vec<_>>().join("|"))?;
    for row in &table.rows {
        write_row(row.iter().map(shown), out)?;
    }
    for note in &table.notes {
        writeln!(out, "\n{}", escape(note))?;
    }
    Ok(())
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Estimate(estimate) if estimate.is_best => {
            format!("**{}**{}", escape(&estimate.value("±")), escape(&estimate.suffix()))
        }
        other => escape(&other.shown()),
    }
}

fn write_row(cells: impl Iterator<Item = String>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| {} |", cells.collect::<Vec<_>>().join(" | "))
}

fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, letter| {
        if MARKUP.contains(&letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
        escaped
    })
}
