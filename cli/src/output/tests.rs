//! Every format on the same tables.

#![allow(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

use super::{cell::quantity, *};

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

/// One row of a grid: two headings above each number, the best one marked, one of them partial.
fn grid() -> Table {
    let column = |out: &str, score: &str| {
        Column::named(format!("{out}/{score}"), vec![out.to_owned(), score.to_owned()]).of_reals()
    };
    let columns = vec![
        Column::named("variant".to_owned(), vec!["variant".to_owned()]),
        column("mnist", "dose"),
        column("mnist", "typicality"),
        column("svhn|gray", "dose"),
    ];
    let mut table = Table::new("results", columns);
    table.set_stubs(1);
    table.set_caption("AUROC of sweep a_b");
    let estimate = |mean, remark: &str, is_best| {
        let remark = remark.to_owned();
        Cell::Estimate(Estimate { mean, deviation: Some(0.003), decimals: 3, remark, is_best })
    };
    let cells = [estimate(0.0654, "", true), estimate(0.5, "1/3 seeds", false), Cell::Absent];
    table.push([vec![Cell::text("[x] 50 % & \\more\u{7}")], cells.to_vec()].concat());
    table.note("Score: log₂ p(x) ± 5 %.");
    table
}

#[test]
fn grid_has_its_headings_above_each_other_and_marks_what_is_best() {
    assert_eq!(
        written(&[grid()], Format::Table),
        [
            "                   mnist           mnist                      svhn|gray",
            "variant            dose            typicality                 dose",
            "───────────────────────────────────────────────────────────────────────",
            "[x] 50 % & \\more   0.065 ± 0.003*  0.500 ± 0.003 (1/3 seeds)  –",
            "Score: log₂ p(x) ± 5 %.\n",
        ]
        .join("\n")
    );
    assert!(written(&[grid()], Format::Markdown).contains("| **0.065 ± 0.003** | 0.500 ± 0.003 (1/3 seeds) | – |"));
    assert!(written(&[grid()], Format::Csv).starts_with("variant,mnist/dose,mnist/typicality,svhn|gray/dose\n"));
    assert!(written(&[grid()], Format::Csv).contains(",0.0654,0.5,\n"));
}

#[test]
fn grid_on_a_narrow_terminal_is_drawn_in_parts_that_name_their_rows() {
    let text = render(&grid(), Look { width: Some(60), style: table::Style::Plain });

    assert_eq!(text.matches("variant").count(), 2, "{text}");
    assert!(text.lines().all(|line| console::measure_text_width(line) <= 60), "{text}");
    assert_eq!(text.matches("[x] 50 % &").count(), 2, "{text}");
}

#[test]
fn latex_is_a_whole_table_with_every_text_escaped() {
    assert_eq!(
        written(&[grid()], Format::Latex),
        r"% Needs \usepackage{booktabs}.
\begin{table}
  \centering
  \caption{AUROC of sweep a\_b}
  \begin{tabular}{llll}
    \toprule
     & \multicolumn{2}{c}{mnist} & \multicolumn{1}{c}{svhn\textbar{}gray} \\
    \cmidrule(lr){2-3} \cmidrule(lr){4-4}
    variant & dose & typicality & dose \\
    \midrule
    {[}x{]} 50 \% \& \textbackslash{}more  & $\mathbf{0.065 \pm 0.003}$ & $0.500 \pm 0.003$ (1/3 seeds) & -- \\
    \bottomrule
  \end{tabular}

  \smallskip
  {\footnotesize Score: log$_2$ p(x) $\pm$ 5 \%.\par}
\end{table}
"
    );
}

#[test]
fn parquet_has_typed_columns_and_nulls() {
    use ::parquet::{
        file::reader::{FileReader, SerializedFileReader},
        record::Field,
    };
    let columns = vec![
        Column::text("variant", "variant"),
        Column::whole("seeds", "seeds"),
        Column::flag("partial", "partial"),
        Column::number("mean", "mean"),
    ];
    let mut table = Table::new("results", columns);
    table.push(vec![Cell::text("mask=\u{7}cycle"), 3_u32.into(), Cell::Flag(true), Cell::real(0.1, 2)]);
    table.push(vec![Cell::Absent, Cell::Absent, Cell::Absent, Cell::Absent]);
    let mut out = Vec::new();
    write(&[table], Format::Parquet, Look::PLAIN, &mut out).unwrap();

    let file = SerializedFileReader::new(bytes::Bytes::from(out)).unwrap();
    let rows: Vec<Vec<(String, Field)>> =
        file.get_row_iter(None).unwrap().map(|row| row.unwrap().into_columns()).collect();

    let values = |row: &Vec<(String, Field)>| row.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>();
    let names: Vec<&str> = rows[0].iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["variant", "seeds", "partial", "mean"]);
    assert_eq!(
        values(&rows[0]),
        [Field::Str("mask=\u{7}cycle".to_owned()), Field::Long(3), Field::Bool(true), Field::Double(0.1)]
    );
    assert_eq!(values(&rows[1]), [Field::Null, Field::Null, Field::Null, Field::Null]);
}

#[test]
fn several_tables_fit_no_parquet_file() {
    let refusal = write(&[table(), table()], Format::Parquet, Look::PLAIN, &mut Vec::new()).unwrap_err();

    assert!(refusal.to_string().contains("holds one table"), "{refusal}");
}

#[test]
fn rows_are_sorted_by_value_with_those_without_one_last() {
    let mut table = Table::new("values", vec![Column::text("name", "name"), Column::number("mean", "mean")]);
    for (name, mean) in [("a", Some(0.5)), ("b", None), ("c", Some(10.0)), ("d", Some(9.0))] {
        table.push(vec![Cell::text(name), Cell::real(mean, 1)]);
    }
    let names = |table: &Table| table.rows.iter().map(|row| row[0].shown()).collect::<String>();

    table.sort("-mean").unwrap();
    let falling = names(&table);
    table.sort("mean").unwrap();
    let rising = names(&table);

    assert_eq!((falling.as_str(), rising.as_str()), ("cdab", "adcb"));
    assert!(table.sort("size").unwrap_err().contains("one of `name`, `mean` expected"));
}
