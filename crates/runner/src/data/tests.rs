use std::ops::Range;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::dataset::{LeftOut, LeftOutColumn};
use super::table::MOST_COLUMNS;
use super::*;
use crate::cli::problem::Style;
use crate::parquet::foreign::{bytes as parquet, column as series};
use crate::study::spec::limits::{MOST_FEATURES, MOST_ROWS};
use crate::study::spec::{Missing, Resolution, Scale};

const PLAIN: &str = "a,b,kind\n1,10,x\n2,20.5,y\n3,-3e1,x\n";

fn all() -> DataSpec {
    DataSpec {
        path: "data/d.csv".to_owned(),
        columns: None,
        label: None,
        scale: Scale::Standardize,
        resolution: Resolution::None,
        missing: Missing::Error,
    }
}

fn columns(names: &[&str]) -> DataSpec {
    DataSpec { columns: Some(names.iter().map(|&name| name.to_owned()).collect()), ..all() }
}

fn labelled(label: &str) -> DataSpec {
    DataSpec { label: Some(label.to_owned()), ..all() }
}

fn dropping() -> DataSpec {
    DataSpec { missing: Missing::Drop, ..all() }
}

fn file(content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.csv");
    std::fs::write(&path, content).unwrap();
    (directory, path)
}

fn dataset(content: impl AsRef<[u8]>, spec: &DataSpec) -> Result<Dataset, Problems> {
    let (_directory, path) = file(content);
    read(&path, spec, None)
}

fn report(content: impl AsRef<[u8]>, spec: &DataSpec) -> String {
    dataset(content, spec).expect_err("the data are wrong").render(Style::Plain)
}

#[test]
fn groups_are_read_as_text_and_are_no_feature() {
    let (_directory, path) = file("a,site,b\n1,10,5\n2,10,7\n4,x,6\n");
    let read = read(&path, &all(), Some("site")).unwrap();
    assert_eq!(read.columns, ["a", "b"]);
    assert_eq!(read.groups.unwrap(), ["10", "10", "x"]);
}

#[test]
fn every_column_left_out_is_named_with_its_reason() {
    let text = "id,a,site,b,kind\nr1,1,10,5,x\nr2,2,10,7,y\nr3,4,x,6,x\n";
    let left_out = |spec: &DataSpec, groups: Option<&str>| {
        let read = from_bytes(text.as_bytes().to_vec(), spec, groups).unwrap();
        let shown = |column: &LeftOutColumn| format!("{} ({})", column.name, column.reason);
        read.left_out.iter().map(shown).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(left_out(&labelled("kind"), Some("site")), "id (not numeric), site (groups), kind (label)");
    assert_eq!(
        left_out(&columns(&["b"]), None),
        "id (not in data.columns), a (not in data.columns), site (not in data.columns), kind (not in data.columns)"
    );
    let bytes = parquet(vec![series("id", ["r", "s"]), series("a", [1.0, 2.0])]);
    let read = from_bytes(bytes, &all(), None).unwrap();
    assert_eq!(read.left_out, [LeftOutColumn { name: "id".to_owned(), reason: LeftOut::NotNumeric }]);
}

#[test]
fn a_row_without_a_group_is_refused_or_dropped() {
    let text = "a,site\n1,x\n2,\n4,y\n";
    let (_directory, path) = file(text);
    let refused = read(&path, &all(), Some("site")).unwrap_err().render(Style::Plain);
    assert!(refused.contains("column `site` is empty"), "{refused}");
    let read = read(&path, &dropping(), Some("site")).unwrap();
    assert_eq!((read.groups.unwrap(), read.dropped), (vec!["x".to_owned(), "y".to_owned()], 1));
}

fn reports<const N: usize>(reports: [String; N]) -> String {
    reports.join("\n\n- - -\n\n")
}

#[test]
fn all_numeric_columns_are_features_by_default() {
    let read = dataset(PLAIN, &all()).unwrap();
    assert_eq!(read.columns, ["a", "b"]);
    assert_eq!(read.data.feature(0), [1.0, 2.0, 3.0]);
    assert_eq!(read.data.feature(1), [10.0, 20.5, -30.0]);
    assert_eq!((read.rows, read.classes, read.dropped), (vec![2, 3, 4], None, 0));
    assert_eq!(read.hash, blake3::hash(PLAIN.as_bytes()).to_hex().to_string());
}

#[test]
fn columns_come_in_the_order_asked_for_and_classes_beside_them() {
    let read = dataset(PLAIN, &DataSpec { label: Some("kind".to_owned()), ..columns(&["b", "a"]) }).unwrap();
    assert_eq!(read.columns, ["b", "a"]);
    assert_eq!(read.data.observation(1), [20.5, 2.0]);
    assert_eq!(read.classes.unwrap(), ["x", "y", "x"]);
}

#[test]
fn a_numeric_label_is_no_feature() {
    let read = dataset("a,label\n1,0\n2,1\n", &labelled("label")).unwrap();
    assert_eq!(
        (read.columns, read.classes),
        (vec!["a".to_owned()], Some(vec!["0".to_owned(), "1".to_owned()]))
    );
}

#[test]
fn layout_changes_no_value() {
    let plain = dataset(PLAIN, &all()).unwrap();
    let variants = [
        format!("\u{feff}{PLAIN}"),
        PLAIN.replace('\n', "\r\n"),
        PLAIN.replace('\n', "\r"),
        format!("{PLAIN}\n\r\n  \n"),
        PLAIN.trim_end().to_owned(),
        PLAIN.replace("1,10,x", "\"1\",  10 ,\"x \"\"1\"\",\r\nof two lines\""),
        PLAIN.replace("2,20.5", "\n2,20.5"),
    ];
    for variant in variants {
        let read = dataset(&variant, &all()).unwrap();
        assert_eq!((read.columns, read.data), (plain.columns.clone(), plain.data.clone()), "{variant:?}");
    }
}

#[test]
fn lines_are_counted_through_quotes_and_blank_lines() {
    let read = dataset("\r\na,note\r\n1,\"two\r\nlines\"\r\n\r\n2,x\r\n", &columns(&["a"])).unwrap();
    assert_eq!(read.rows, [3, 6]);
}

#[test]
fn rows_with_missing_cells_are_dropped_and_counted_when_asked() {
    let text = "a,b,kind\n1,NA,x\n2,1,y\n,2,x\n4,3,\n5,nan,x\n6,7,z\n8,null,x\n";
    let read = dataset(text, &DataSpec { missing: Missing::Drop, ..labelled("kind") }).unwrap();
    assert_eq!((read.rows, read.dropped), (vec![3, 7], 5));
    assert_eq!(read.data.feature(1), [1.0, 7.0]);
    assert_eq!(read.classes.unwrap(), ["y", "z"]);
}

#[test]
fn missing_cells_of_columns_that_are_not_used_drop_nothing() {
    let read =
        dataset("a,b,text\n1,,x\n2,3,\n4,5,NA\n", &DataSpec { missing: Missing::Drop, ..columns(&["a"]) });
    assert_eq!(read.unwrap().dropped, 0);
}

#[test]
fn a_file_that_is_not_there_is_reported_with_its_neighbours() {
    let (directory, path) = file(PLAIN);
    let missing =
        |name: &str| read(&directory.path().join(name), &DataSpec { path: name.to_owned(), ..all() }, None);
    let place = directory.path().display().to_string();
    let report = |name: &str| missing(name).unwrap_err().to_string().replace(&place, "[DIRECTORY]");
    insta::assert_snapshot!(reports([report("d.csw"), report("elsewhere.parquet")]));
    assert!(path.exists());
}

#[test]
fn what_is_not_a_file_of_data_is_refused() {
    let (directory, _) = file(PLAIN);
    let problems = read(directory.path(), &all(), None).unwrap_err();
    insta::assert_snapshot!(reports([
        problems.to_string(),
        report("", &all()),
        report("\n\n", &all()),
        report("a,b\n", &all()),
        report("x;y\n1,5;2\n", &all()),
        report("1.5,2\n1.7,3\n", &all()),
        report(b"a,b\n1,\xff\n", &all()),
        report(b"\xff\xfea\x00", &all()),
    ]));
}

#[cfg(unix)]
#[test]
fn a_device_is_refused_before_it_is_read() {
    let problems = read(Path::new("/dev/zero"), &all(), None).unwrap_err();
    assert!(problems.to_string().contains("not a regular file"));
}

#[test]
fn a_huge_file_is_refused_before_it_is_read() {
    let (_directory, path) = file("");
    std::fs::File::options().write(true).open(&path).unwrap().set_len(MOST_BYTES + 1).unwrap();
    insta::assert_snapshot!(read(&path, &all(), None).unwrap_err());
}

#[test]
fn a_file_of_too_many_columns_is_refused_unless_the_wanted_ones_are_named() {
    let names = (0..=MOST_COLUMNS).map(|column| format!("c{column}")).collect::<Vec<_>>().join(",");
    let row = |value: &str| [value; MOST_COLUMNS + 1].join(",");
    let wide = format!("{names}\n{}\n{}\n", row("1"), row("2"));
    let refused = report(&wide, &all());
    assert!(refused.contains("10001 columns; at most 10000 are searched for numbers"), "{refused}");
    assert!(dataset(&wide, &columns(&["c7", "c10000"])).is_ok());
}

#[test]
fn more_rows_or_columns_than_can_be_fitted_are_refused() {
    let rows = format!("a\n{}", "1\n".repeat(MOST_ROWS + 1));
    let names = (0..=MOST_FEATURES).map(|column| format!("c{column}")).collect::<Vec<_>>().join(",");
    let row = |value: &str| [value; MOST_FEATURES + 1].join(",");
    let wide = format!("{names}\n{}\n{}\n", row("1"), row("2"));
    insta::assert_snapshot!(reports([report(rows, &all()), report(&wide, &all())]));
    assert!(dataset(&wide, &columns(&["c7", "c99"])).is_ok());
}

#[test]
fn names_that_are_not_there_or_not_clear_are_refused() {
    insta::assert_snapshot!(reports([
        report(PLAIN, &DataSpec { label: Some("knd".to_owned()), ..columns(&["a", "bb", "zzz"]) }),
        report("a,b,a\n1,2,3\n2,3,4\n", &all()),
        report("a,b,a\n1,2,3\n2,3,4\n", &columns(&["a"])),
        report("\"\",x\n1,5\n2,6\n", &all()),
    ]));
    assert!(dataset("a,b,a\n1,2,3\n2,3,4\n", &columns(&["b"])).is_ok());
    assert!(dataset("\"\",x\n1,5\n2,6\n", &columns(&["x"])).is_ok());
}

#[test]
fn bad_cells_are_reported_all_at_once_with_their_places() {
    insta::assert_snapshot!(reports([
        report("a,b\n1,2\nx1,3\n4,1e400\n5\n6,\n7,8,9\n9,\"-inf\"\nNA,1O\n", &all()),
        report("a,b\n1,2\n2,three\n", &columns(&["b"])),
        report("a,kind\n1,x\n2,\n3,NA\n", &labelled("kind")),
    ]));
}

#[test]
fn many_bad_cells_are_counted_and_the_first_are_shown() {
    let text = format!("a,b\n1,2\n{}", "oops,3\n".repeat(67));
    insta::assert_snapshot!(report(text, &all()));
}

#[test]
fn broken_quotes_are_refused() {
    insta::assert_snapshot!(reports([
        report("a,b\n1,\"2\n3,4\n", &all()),
        report("a,b\n1,\"2\"3\n", &all()),
    ]));
}

#[test]
fn a_line_too_long_to_show_is_named_by_its_number() {
    let text = format!("a,b\n1,2\n{},3\n", "x".repeat(5000));
    insta::assert_snapshot!(report(text, &columns(&["a", "b"])));
}

#[test]
fn columns_without_spread_are_refused() {
    insta::assert_snapshot!(reports([
        report("a,b\n7,1\n7,2\n", &all()),
        report("a,b\n,1\n,2\n", &all()),
        report("a,b\n1,\n,2\n", &dropping()),
        report("a,b\n1,1\n1,2\n2,\n", &dropping()),
        report("a\n1.7e308\n1.7e308\n-1.7e308\n", &all()),
        report("kind\nx\ny\n", &all()),
    ]));
}

#[test]
fn parquet_gives_what_csv_gives() {
    let bytes = parquet(vec![
        series("a", [1_i32, 2, 3]),
        series("b", [10.0, 20.5, -30.0]),
        series("kind", ["x", "y", "x"]),
    ]);
    let spec = labelled("kind");
    let (from_parquet, from_csv) = (dataset(&bytes, &spec).unwrap(), dataset(PLAIN, &spec).unwrap());
    assert_eq!(from_parquet.data, from_csv.data);
    assert_eq!((from_parquet.columns, from_parquet.classes), (from_csv.columns, from_csv.classes));
    assert_eq!(from_parquet.rows, [1, 2, 3]);
    let swapped = dataset(&bytes, &columns(&["b", "a"])).unwrap();
    assert_eq!(swapped.data.observation(0), [10.0, 1.0]);
}

#[test]
fn small_integers_and_floats_of_parquet_are_numbers() {
    let bytes = parquet(vec![
        series("i8", [1_i8, 2]),
        series("u16", [1_u16, 2]),
        series("u64", [1_u64, 2]),
        series("f32", [0.5_f32, 2.0]),
        series("bool", [true, false]),
    ]);
    assert_eq!(dataset(&bytes, &all()).unwrap().columns, ["i8", "u16", "u64", "f32"]);
    assert_eq!(dataset(&bytes, &labelled("bool")).unwrap().classes.unwrap(), ["true", "false"]);
}

#[test]
fn bad_parquet_is_refused_by_row_and_name() {
    let bytes = parquet(vec![
        series("a", [Some(1.0), None, Some(f64::NAN), Some(f64::INFINITY)]),
        series("kind", ["x", "y", "x", "z"]),
    ]);
    insta::assert_snapshot!(reports([
        report(&bytes, &all()),
        report(&bytes, &columns(&["a", "kind"])),
        report(&bytes, &columns(&["A"])),
        report(&bytes[..bytes.len() / 2], &all()),
        report(parquet(vec![series("kind", ["x", "y"])]), &all()),
        report(parquet(vec![series("a", [0.0; 0])]), &all()),
    ]));
}

/// What the csv crate, which fills in for the standard, makes of a text.
fn oracle(text: &str) -> Vec<Vec<String>> {
    let mut reader =
        ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

proptest! {
    #[test]
    fn cells_are_split_as_the_csv_crate_splits_them(
        rows in prop::collection::vec(prop::collection::vec("[a-z,\"\n\ré ]{0,5}", 2..4), 1..6),
        line_break in prop::sample::select(vec!["\n", "\r\n"]),
    ) {
        let quoted = |cell: &String| {
            if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
        };
        let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(",");
        let text = rows.iter().map(line).collect::<Vec<_>>().join(line_break);
        prop_assert_eq!(csv::cells(&text), Some(oracle(&text)));
    }

    #[test]
    fn no_mutation_of_a_csv_file_makes_reading_panic(
        edits in prop::collection::vec((0..PLAIN.len(), 0..4_usize, prop::collection::vec(any::<u8>(), 0..3)), 1..5),
        ours in "[\"\n\r,;\u{feff}0-9e.-]{0,3}",
        named: bool,
    ) {
        let mut bytes = PLAIN.as_bytes().to_vec();
        for (place, deleted, inserted) in edits {
            let place = place.min(bytes.len());
            let end = (place + deleted).min(bytes.len());
            bytes.splice(place..end, inserted.into_iter().chain(ours.bytes()));
        }
        let spec = if named { columns(&["a"]) } else { labelled("kind") };
        match dataset(&bytes, &spec) {
            Ok(read) => prop_assert_eq!(read.rows.len(), read.data.n_observations()),
            Err(problems) => prop_assert!(problems.render(Style::Coloured).contains("error")),
        }
    }

    #[test]
    fn no_mutation_of_a_parquet_footer_makes_reading_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (mut bytes, footer) = small_parquet();
        for (place, byte) in edits {
            bytes[footer.start + place.index(footer.len())] = byte;
        }
        survives(&bytes);
    }
}

/// A small Parquet file, and where its footer is: before the footer's length (4 bytes) and the magic (4 bytes).
fn small_parquet() -> (Vec<u8>, Range<usize>) {
    let bytes = parquet(vec![series("a", [1.0, 2.0]), series("kind", ["x", "y"])]);
    let end = bytes.len() - 8;
    let length: [u8; 4] = bytes[end..end + 4].try_into().unwrap();
    let footer = end - u32::from_le_bytes(length) as usize..bytes.len();
    (bytes, footer)
}

/// Damaged bytes are read as data that agree with themselves, or refused by the file's name.
fn survives(bytes: &[u8]) {
    match dataset(bytes, &labelled("kind")) {
        Ok(read) => assert_eq!(read.rows.len(), read.data.n_observations()),
        Err(problems) => assert!(problems.to_string().contains("data/d.csv")),
    }
}

/// One such bit is the number of rows: a file that claimed more rows than its columns have once made reading panic.
#[test]
fn no_flipped_bit_of_a_parquet_footer_makes_reading_panic() {
    let (bytes, footer) = small_parquet();
    for place in footer {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            survives(&damaged);
        }
    }
}
