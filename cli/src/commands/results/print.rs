//! Asks for numbers and writes them: in a stream for programs, as whole tables for people.

use std::{
    collections::BTreeSet,
    io::{self, BufWriter, IsTerminal, Write},
};

use anyhow::anyhow;
use proto::v1::{QueryTableRequest, TableRow};

use super::{
    Arguments,
    best::Best,
    bits_per_dim,
    long::{self, Rows},
    names::{FIRST_SCORES, meaning, rank, title},
    over_images,
    pivot::{Layout, pivot},
    selection::{Selection, Settings},
};
use crate::{
    client::Client,
    failure::Failure,
    output::{self, Audience, Format, Look, Sink, Table},
};

/// Reasons that are listed for what is not tested.
const REASONS: usize = 5;

/// What is asked for, made out.
struct Plan<'a> {
    arguments: &'a Arguments,
    selection: Selection,
    layout: Option<Layout>,
    settings: Settings,
    kind: Rows,
}

/// Asks and writes.
pub(super) async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    if arguments.format == Format::Parquet && arguments.output.is_none() && io::stdout().is_terminal() {
        return Err(anyhow!("Parquet is not for terminals: name a file with -o").into());
    }
    let plan = Plan::of(arguments, client).await?;
    if plan.is_stream() {
        return match &arguments.output {
            None => plan.stream(client, &mut BufWriter::new(io::stdout())).await,
            Some(path) => {
                let mut file = output::to_file(path)?;
                plan.stream(client, file.out()).await?;
                Ok(file.keep()?)
            }
        };
    }
    let tables = plan.tables(client).await?;
    if tables.is_empty() {
        return Ok(());
    }
    match &arguments.output {
        None => output::print(&tables, arguments.format)?,
        Some(path) => {
            let mut file = output::to_file(path)?;
            output::write(&tables, arguments.format, Look::PLAIN, file.out())?;
            file.keep()?;
        }
    }
    Ok(())
}

impl<'a> Plan<'a> {
    async fn of(arguments: &'a Arguments, client: &Client) -> Result<Self, Failure> {
        let Arguments { sweep, format, rows, columns, conditions, metric, scores, per_seed, evaluations, .. } =
            arguments;
        let for_people = format.audience() == Audience::People;
        let is_grid =
            !rows.is_empty() || !columns.is_empty() || (*format == Format::Latex && !per_seed && !evaluations);
        let layout = if is_grid { Some(Layout::new(rows, columns)?) } else { None };
        let mut selection =
            if *evaluations { Selection::default() } else { Selection::new(conditions, scores, metric, for_people) };
        let paths = layout.as_ref().map(Layout::paths).unwrap_or_default();
        let settings = selection.resolve(client, sweep, &paths).await?;
        let of_seeds =
            *per_seed || *evaluations || selection.names_seeds() || layout.as_ref().is_some_and(Layout::names_seeds);
        let kind = if of_seeds { Rows::OfSeeds } else { Rows::OverSeeds };
        Ok(Self { arguments, selection, layout, settings, kind })
    }

    fn request(&self) -> QueryTableRequest {
        match self.kind {
            Rows::OverSeeds => self.selection.over_seeds(&self.arguments.sweep),
            Rows::OfSeeds => self.selection.of_seeds(&self.arguments.sweep),
        }
    }

    /// Whether rows are written while they come.
    fn is_stream(&self) -> bool {
        let Arguments { format, sort, .. } = self.arguments;
        format.audience() == Audience::Machines && self.layout.is_none() && sort.is_none()
    }

    /// Whether the table of bits/dim belongs below: when everything is shown.
    fn has_bits_per_dim(&self) -> bool {
        let Arguments { format, conditions, metric, .. } = self.arguments;
        let takes_two = matches!(format, Format::Table | Format::Markdown | Format::Json);
        takes_two && conditions.is_empty() && metric.is_empty() && self.layout.is_none() && self.kind == Rows::OverSeeds
    }

    /// Writes each row as it comes: a table may be larger than memory.
    async fn stream(&self, client: &Client, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
        let Arguments { sweep, format, .. } = self.arguments;
        let sink = Sink::begin(*format, "results", &long::columns(self.kind), out)?;
        let mut sink = sink.ok_or_else(|| anyhow!("the format is written as a whole"))?;
        if !self.selection.is_impossible() {
            let write = |row: TableRow| -> Result<(), Failure> {
                if self.selection.holds(&row) {
                    sink.push(&long::cells(&row, self.kind))?;
                }
                Ok(())
            };
            client.table(self.request(), write).await?;
        }
        if self.has_bits_per_dim() {
            sink.next_table("bits_per_dim", &bits_per_dim::columns())?;
            for row in client.bits_per_dim(sweep).await? {
                sink.push(&bits_per_dim::cells(&row))?;
            }
        }
        Ok(sink.end()?)
    }

    /// The tables; none when there is nothing to show, which is said.
    async fn tables(mut self, client: &Client) -> Result<Vec<Table>, Failure> {
        let Arguments { sweep, format, sort, .. } = self.arguments;
        let mut rows = self.rows(client).await?;
        if rows.is_empty() && self.selection.is_first_scores {
            // None of the first ones was measured: what was is more than nothing.
            self.selection.scores.clear();
            self.selection.is_first_scores = false;
            rows = self.rows(client).await?;
        }
        if rows.is_empty() && format.audience() == Audience::People {
            self.say_that_there_is_nothing();
            return Ok(Vec::new());
        }
        let mut table = match &self.layout {
            None => long::table(&rows, self.kind, format.audience()),
            Some(layout) => self.grid(&rows, layout, client).await?,
        };
        if let Some(key) = sort {
            table.sort(key).map_err(|text| anyhow!(text))?;
        }
        if self.selection.is_first_scores {
            let first = FIRST_SCORES.join(", ");
            table.note(format!("Scores: those of {first} that were measured; --scores all shows every one."));
        }
        let mut tables = vec![table];
        if self.has_bits_per_dim() {
            tables.push(bits_per_dim::table(&client.bits_per_dim(sweep).await?, format.audience()));
        }
        Ok(tables)
    }

    async fn rows(&self, client: &Client) -> Result<Vec<TableRow>, Failure> {
        let mut rows = Vec::new();
        if self.selection.is_impossible() {
            return Ok(rows);
        }
        client
            .table(self.request(), |row| {
                // A grid is about both sides.
                if self.selection.holds(&row) && (self.layout.is_none() || row.dataset.is_empty()) {
                    rows.push(row);
                }
                Ok(())
            })
            .await?;
        if self.arguments.format.audience() == Audience::People {
            let group = |one: &TableRow, other: &TableRow| {
                one.variant == other.variant && one.seed == other.seed && one.out_dataset == other.out_dataset
            };
            rows.chunk_by_mut(group).for_each(|rows| rows.sort_by_key(|row| rank(&row.score)));
        }
        Ok(rows)
    }

    async fn grid(&self, rows: &[TableRow], layout: &Layout, client: &Client) -> Result<Table, Failure> {
        let Arguments { sweep, format, .. } = self.arguments;
        let audience = format.audience();
        let has_rivals = rows.iter().any(|row| row.variant != rows[0].variant);
        let mut untested = BTreeSet::new();
        let best = if audience == Audience::Machines || self.kind == Rows::OfSeeds || !has_rivals {
            Best::default()
        } else if self.arguments.images && rows.iter().all(|row| row.seeds < 2) {
            let numbers = self.numbers(client).await?;
            let (best, reasons) = over_images::judge(rows, &numbers, client).await?;
            untested = reasons;
            best
        } else if rows.iter().all(|row| row.seeds < 2) {
            Best::over_seeds(rows, &[])
        } else {
            Best::over_seeds(rows, &self.numbers(client).await?)
        };
        let mut table = pivot(rows, &self.settings, layout, &best, audience)?;
        let all = |of: fn(&TableRow) -> &String| -> Vec<&str> {
            rows.iter().map(|row| of(row).as_str()).collect::<BTreeSet<_>>().into_iter().collect()
        };
        let (metrics, inside) = (all(|row| &row.metric), all(|row| &row.in_dataset));
        let (outside, scores) = (all(|row| &row.out_dataset), all(|row| &row.score));
        let titles: Vec<String> = metrics.iter().map(|metric| title(metric)).collect();
        table.set_caption(format!("{} of sweep {sweep}, in-distribution {}.", titles.join(", "), inside.join(", ")));
        metrics.iter().for_each(|metric| table.note(meaning(metric)));
        if let ([inside], [outside], [score]) = (&inside[..], &outside[..], &scores[..]) {
            table.note(format!("In-distribution: {inside}. Out-of-distribution: {outside}. Score: {score}."));
        } else if let [inside] = &inside[..] {
            table.note(format!("In-distribution: {inside}."));
        }
        let mark = if *format == Format::Table { "*" } else { "Bold" };
        best.footnote(mark).into_iter().for_each(|note| table.note(note));
        untested.iter().take(REASONS).for_each(|reason| table.note(format!("Not tested over images: {reason}.")));
        long::warn(rows, &mut table);
        Ok(table)
    }

    /// The numbers of single seeds that tests rest on.
    async fn numbers(&self, client: &Client) -> Result<Vec<TableRow>, Failure> {
        let mut numbers = Vec::new();
        let request = self.selection.of_seeds(&self.arguments.sweep);
        let keep = |row: TableRow| {
            numbers.extend(row.dataset.is_empty().then_some(row));
            Ok(())
        };
        client.table(request, keep).await?;
        Ok(numbers)
    }

    fn say_that_there_is_nothing(&self) {
        let Arguments { sweep, conditions, metric, scores, .. } = self.arguments;
        if conditions.is_empty() && metric.is_empty() && scores.is_empty() {
            eprintln!("sweep `{sweep}` has no results yet: `spillway watch {sweep}` shows how far it is");
        } else {
            eprintln!(
                "sweep `{sweep}` has no number that fits --where, --metric and --scores: \
                 `spillway results {sweep} --metric all --scores all` shows what it has"
            );
        }
    }
}
