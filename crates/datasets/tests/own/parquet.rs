//! Parquet tables; `tests/parquet/make.py` says who wrote them.

use datasets::Split;

use crate::data::{Data, bytes, floats, put_parquet};

#[test]
fn parquet_tables_of_other_programs_are_read() {
    let data = Data::new();
    let expected: Vec<f32> = (0..300_u16).flat_map(|row| [f32::from(row) * 0.5, f32::from(row % 7) - 3.0]).collect();
    for name in ["snappy.parquet", "zstd.parquet", "pandas.parquet"] {
        put_parquet(&data, name);

        let table = data.load(&format!("own:{name}@2"), Split::Test).unwrap();
        let few = data.load_some(&format!("own:{name}@2"), Split::Test, Some(130)).unwrap();
        let twos = data.load_some(&format!("own:{name}@2|classes=2"), Split::Test, Some(50)).unwrap();

        assert_eq!(floats(&table), expected, "{name}");
        assert_eq!(table.labels().unwrap(), (0..300).map(|row| row % 3).collect::<Vec<u32>>());
        assert_eq!(floats(&few), &expected[..260]);
        assert_eq!((twos.len(), &floats(&twos)[..2]), (50, &[1.0, -1.0][..]));
    }
}

#[test]
fn parquet_lists_and_pixels_are_read() {
    let data = Data::new();
    put_parquet(&data, "lists.parquet");
    put_parquet(&data, "pixels.parquet");

    let vectors = data.load("own:lists.parquet@4", Split::Test).unwrap();
    let images = data.load("own:pixels.parquet@1x2x2|rotate=90", Split::Test).unwrap();

    assert_eq!(floats(&vectors), (0..1200_u16).map(f32::from).collect::<Vec<_>>());
    assert_eq!(bytes(&images), [1, 3, 0, 2, 254, 252, 255, 253]);
}

#[test]
fn parquet_tables_that_do_not_fit_are_refused_with_the_place() {
    let data = Data::new();
    let refusal = |name: &str, shape: &str| {
        put_parquet(&data, name);
        data.refusal(&format!("own:{name}@{shape}"), Split::Test)
    };

    let missing = refusal("missing.parquet", "2");
    assert_eq!(missing, "DATA/missing.parquet: row 1 (from 0), column `x` is `empty`, and a number is expected");
    let text = refusal("text.parquet", "2");
    assert!(text.contains("column `x` is of UTF8") && text.contains("leave other columns out"), "{text}");
    assert!(
        refusal("uneven.parquet", "2")
            .contains("row 1 (from 0), column `embedding` is a list of another length than 2")
    );
    assert!(refusal("lists.parquet", "3").contains("is a list of another length than 3"));
    assert!(refusal("snappy.parquet", "3").contains("the table has 2 columns of features, and 3 are expected"));
    let gzip = refusal("gzip.parquet", "2");
    assert!(gzip.contains("write it with snappy or zstd"), "{gzip}");
    data.put("no.parquet", "PAR1 and nothing else");
    assert!(data.refusal("own:no.parquet@2", Split::Test).contains("it does not end in PAR1"));
    data.put("short.parquet", "PAR1");
    assert!(data.refusal("own:short.parquet@2", Split::Test).contains("too short"));
}
