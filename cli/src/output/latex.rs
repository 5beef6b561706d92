//! Tables as LaTeX with the rules of the package booktabs. Every text is escaped: a variant's label may hold any character.

use std::io::{self, Write};

use super::{Alignment, Cell, Column, Table};

pub(super) fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let alignments = table.columns.iter().map(|column| match column.alignment {
        Alignment::Left => 'l',
        Alignment::Right => 'r',
    });
    writeln!(out, "% Needs \\usepackage{{booktabs}}.")?;
    writeln!(out, "\\begin{{table}}")?;
    writeln!(out, "  \\centering")?;
    if !table.caption.is_empty() {
        writeln!(out, "  \\caption{{{}}}", escape(&table.caption))?;
    }
    writeln!(out, "  \\begin{{tabular}}{{{}}}", alignments.collect::<String>())?;
    writeln!(out, "    \\toprule")?;
    for level in 0..table.levels() {
        write_headings(table, level, out)?;
    }
    writeln!(out, "    \\midrule")?;
    for row in &table.rows {
        write_row(row.iter().map(shown), out)?;
    }
    writeln!(out, "    \\bottomrule")?;
    writeln!(out, "  \\end{{tabular}}")?;
    if !table.notes.is_empty() {
        let notes: Vec<String> = table.notes.iter().map(|note| escape(note)).collect();
        writeln!(out, "\n  \\smallskip\n  {{\\footnotesize {}\\par}}", notes.join("\n  "))?;
    }
    writeln!(out, "\\end{{table}}")
}

/// One line of headings. Equal ones side by side are one heading over a rule, but for those of the last line.
fn write_headings(table: &Table, level: usize, out: &mut dyn Write) -> io::Result<()> {
    let levels = table.levels();
    if level + 1 == levels {
        return write_row(
            table.columns.iter().map(|column| escape(column.titles.last().map_or("", AsRef::as_ref))),
            out,
        );
    }
    let mut cells = Vec::new();
    let mut rules = Vec::new();
    let mut first = 0;
    while first < table.columns.len() {
        let heading = headings(&table.columns[first], levels, level);
        let same = |column: &Column| headings(column, levels, level) == heading;
        let span = match heading {
            None => 1,
            Some(_) => table.columns[first..].iter().take_while(|column| same(column)).count(),
        };
        match heading.and_then(|upper| upper.last()) {
            None => cells.push(String::new()),
            Some(title) => {
                cells.push(format!("\\multicolumn{{{span}}}{{c}}{{{}}}", escape(title)));
                rules.push(format!("\\cmidrule(lr){{{}-{}}}", first + 1, first + span));
            }
        }
        first += span;
    }
    write_row(cells.into_iter(), out)?;
    writeln!(out, "    {}", rules.join(" "))
}

/// The headings of a column from the first line to `level`; none when its own begin below.
fn headings(column: &Column, levels: usize, level: usize) -> Option<&[std::borrow::Cow<'static, str>]> {
    let above = levels - column.titles.len();
    (level >= above).then(|| &column.titles[..=level - above])
}

fn write_row(cells: impl Iterator<Item = String>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "    {} \\\\", cells.collect::<Vec<_>>().join(" & "))
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Absent => "--".to_owned(),
        Cell::Estimate(estimate) => {
            let value = estimate.value("\\pm");
            let value = if estimate.is_best { format!("$\\mathbf{{{value}}}$") } else { format!("${value}$") };
            value + &escape(&estimate.suffix())
        }
        other => escape(&other.shown()),
    }
}

/// Text that LaTeX prints as it is. Letters beyond ASCII stay: LaTeX has read UTF-8 by itself since 2018.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', letter]),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            '|' => escaped.push_str("\\textbar{}"),
            '"' => escaped.push_str("\\textquotedbl{}"),
            // After a line's end, a bracket would be read as the end's argument.
            '[' | ']' => escaped.extend(['{', letter, '}']),
            '±' => escaped.push_str("$\\pm$"),
            '−' => escaped.push_str("$-$"),
            '·' => escaped.push_str("$\\cdot$"),
            '₂' => escaped.push_str("$_2$"),
            '–' => escaped.push_str("--"),
            '…' => escaped.push_str("\\ldots{}"),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}
