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
