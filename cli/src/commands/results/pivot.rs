//! Numbers in a grid: each row and column is what the keys of `--rows` and `--columns` tell apart.

use std::collections::BTreeMap;

use anyhow::anyhow;
use proto::v1::TableRow;

use super::{
    best::Best,
    key::Key,
    long::{DECIMALS, without_number},
    names::{rank, title},
    selection::Settings,
};
use crate::{
    failure::Failure,
    output::{Audience, Cell, Column, Estimate, Table},
};

/// What stands for a setting that a variant does not have.
const NO_SETTING: &str = "–";

/// What tells rows apart, and what columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    rows: Vec<Key>,
    columns: Vec<Key>,
}

/// The place of a value among others of its key: by rank, then by when it came.
type Place = (usize, String, u64, usize);

/// A row of the grid: what it is, and its numbers by their columns' places.
type Line<'a> = (Vec<String>, BTreeMap<Vec<Place>, &'a TableRow>);

/// The values of one key, each with its place.
#[derive(Debug, Default)]
struct Values {
    places: BTreeMap<String, Place>,
}

impl Layout {
    /// The layout that the keys given describe; what is not given is what users mean most often.
    pub fn new(rows: &[Key], columns: &[Key]) -> Result<Self, Failure> {
        let given = |key: &Key| rows.contains(key) || columns.contains(key);
        let left = |keys: &[Key]| -> Vec<Key> { keys.iter().filter(|key| !given(key)).cloned().collect() };
        let layout = Self {
            rows: if rows.is_empty() { left(&[Key::Variant]) } else { rows.to_vec() },
            columns: if columns.is_empty() { left(&[Key::Out, Key::Score]) } else { columns.to_vec() },
        };
        let all: Vec<&Key> = layout.rows.iter().chain(&layout.columns).collect();
        if let Some(double) = all.iter().enumerate().find(|(index, key)| all[..*index].contains(key)) {
            return Err(anyhow!("`{}` stands twice in --rows and --columns", double.1.name()).into());
        }
        if layout.rows.is_empty() {
            return Err(anyhow!("nothing is left to tell rows apart: say what with --rows").into());
        }
        Ok(layout)
    }

    /// Whether single seeds are told apart.
    pub fn names_seeds(&self) -> bool {
        self.keys().any(|key| *key == Key::Seed)
    }

    /// The settings that are shown.
    pub fn paths(&self) -> Vec<String> {
        let paths = self.keys().filter_map(|key| match key {
            Key::Setting(path) => Some(path.clone()),
            Key::Variant | Key::In | Key::Out | Key::Score | Key::Metric | Key::Seed => None,
        });
        paths.collect()
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        self.rows.iter().chain(&self.columns)
    }
}

/// The grid of `rows`. Two numbers in one cell are an error: nothing is averaged in silence.
pub fn pivot(
    rows: &[TableRow],
    settings: &Settings,
    layout: &Layout,
    best: &Best,
    audience: Audience,
) -> Result<Table, Failure> {
    let mut values: BTreeMap<&str, Values> = BTreeMap::new();
    let mut cells: BTreeMap<Vec<Place>, Line<'_>> = BTreeMap::new();
    let mut columns: BTreeMap<Vec<Place>, Vec<String>> = BTreeMap::new();
    for row in rows {
        let mut side = |keys: &[Key]| -> (Vec<Place>, Vec<String>) {
            let shown = keys.iter().map(|key| {
                let value = value_of(row, settings, key);
                (values.entry(place_name(key)).or_default().place(key, &value), value)
            });
            shown.unzip()
        };
        let (at, labels) = side(&layout.rows);
        let (column, headings) = side(&layout.columns);
        columns.entry(column.clone()).or_insert(headings);
        let (_, line) = cells.entry(at).or_insert_with(|| (labels, BTreeMap::new()));
        if let Some(other) = line.insert(column, row) {
            return Err(clash(other, row));
        }
    }
    let mut heads: Vec<Column> =
        layout.rows.iter().map(|key| Column::named(key.name().to_owned(), vec![key.name().to_owned()])).collect();
    for headings in columns.values() {
        heads.extend(head(headings, layout, rows, audience));
    }
    let mut table = Table::new("results", heads);
    table.set_stubs(layout.rows.len());
    for (labels, line) in cells.values() {
        let mut shown: Vec<Cell> = labels.iter().map(Cell::text).collect();
        for column in columns.keys() {
            match audience {
                Audience::People => shown.push(line.get(column).map_or(Cell::Absent, |row| for_people(row, best))),
                Audience::Machines => shown.extend(for_machines(line.get(column).copied())),
            }
        }
        table.push(shown);
    }
    Ok(table)
}

fn head(headings: &[String], layout: &Layout, rows: &[TableRow], audience: Audience) -> Vec<Column> {
    let metric = rows.first().map(|row| row.metric.as_str()).unwrap_or_default();
    let shown = layout.columns.iter().zip(headings);
    let shown = shown.map(|(key, heading)| if *key == Key::Metric { title(heading) } else { heading.clone() });
    let titles = if headings.is_empty() { vec![title(metric)] } else { shown.collect() };
    let key = if headings.is_empty() { metric.to_owned() } else { headings.join("/") };
    match audience {
        Audience::People => vec![Column::named(key, titles).of_reals()],
        Audience::Machines => vec![
            Column::named(key.clone(), titles.clone()).of_reals(),
            Column::named(format!("{key}/sd"), titles.clone()).of_reals(),
            Column::named(format!("{key}/seeds"), titles).of_wholes(),
        ],
    }
}

fn for_people(row: &TableRow, best: &Best) -> Cell {
    let partial = row.seed.is_none() && row.seeds < row.seeds_planned;
    let seeds = format!("{}/{} seeds", row.seeds, row.seeds_planned);
    match row.mean {
        None => Cell::text(without_number(row)),
        Some(mean) => Cell::Estimate(Estimate {
            mean,
            deviation: row.sd,
            decimals: DECIMALS,
            remark: if partial { seeds } else { String::new() },
            is_best: best.holds(row),
        }),
    }
}

fn for_machines(row: Option<&TableRow>) -> [Cell; 3] {
    match row {
        None => [Cell::Absent, Cell::Absent, Cell::Absent],
        Some(row) => [Cell::real(row.mean, DECIMALS), Cell::real(row.sd, DECIMALS), row.seeds.into()],
    }
}

impl Values {
    fn place(&mut self, key: &Key, value: &str) -> Place {
        let come = self.places.len();
        let place = || match key {
            Key::Score => {
                let (first, stem, number) = rank(value);
                (first, stem, number, come)
            }
            Key::Seed => (0, String::new(), value.parse().unwrap_or(u64::MAX), come),
            Key::Variant | Key::In | Key::Out | Key::Metric | Key::Setting(_) => (0, String::new(), 0, come),
        };
        self.places.entry(value.to_owned()).or_insert_with(place).clone()
    }
}

fn place_name(key: &Key) -> &'static str {
    match key {
        Key::Variant => "variant",
        Key::In => "in",
        Key::Out => "out",
        Key::Score => "score",
        Key::Metric => "metric",
        Key::Seed => "seed",
        // Values of different settings may share places: each tuple still has one of its own.
        Key::Setting(_) => "setting",
    }
}

fn value_of(row: &TableRow, settings: &Settings, key: &Key) -> String {
    match key {
        Key::Variant => row.variant.clone(),
        Key::In => row.in_dataset.clone(),
        Key::Out => row.out_dataset.clone(),
        Key::Score => row.score.clone(),
        Key::Metric => row.metric.clone(),
        Key::Seed => row.seed.map(|seed| seed.to_string()).unwrap_or_default(),
        Key::Setting(path) => {
            let value = settings.get(&row.variant).and_then(|of| of.get(path));
            value.map_or_else(|| NO_SETTING.to_owned(), Clone::clone)
        }
    }
}

/// Says what tells two numbers of one cell apart.
fn clash(one: &TableRow, other: &TableRow) -> Failure {
    let no_settings = Settings::new();
    let keys = [Key::Variant, Key::In, Key::Out, Key::Score, Key::Metric, Key::Seed];
    let differ = keys.into_iter().find_map(|key| {
        let (first, second) = (value_of(one, &no_settings, &key), value_of(other, &no_settings, &key));
        (first != second).then_some((key, first, second))
    });
    match differ {
        None => anyhow!("the coordinator sent the same number twice").into(),
        Some((key, first, second)) => {
            let name = key.name();
            anyhow!(
                "several numbers share a cell, of {name} `{first}` and `{second}` for one: add `{name}` to --rows or --columns, or choose \
                 one with --where '{name}={first}'"
            )
            .into()
        }
    }
}
