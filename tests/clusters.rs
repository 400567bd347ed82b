//! Clusters of the rows that were fitted, and of new ones.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Workplace, two_clusters};

/// A directory with results of two clusters.
fn fitted() -> Workplace {
    let workplace = Workplace::new();
    workplace.write("data.csv", &two_clusters());
    workplace.expect(0, "choose data.csv --columns length,width -k 1..3 --out r --no-report -q");
    workplace
}

/// The cells of a CSV text, without its header.
fn cells(csv: &str) -> Vec<Vec<String>> {
    csv.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn numbers(csv: &str) -> Vec<Vec<f64>> {
    let number = |cell: String| cell.parse().unwrap_or(f64::NAN);
    cells(csv).into_iter().map(|row| row.into_iter().map(number).collect()).collect()
}

#[track_caller]
fn assert_close(one: &str, other: &str) {
    let (one, other) = (numbers(one), numbers(other));
    assert_eq!(one.len(), other.len());
    for (a, b) in one.iter().flatten().zip(other.iter().flatten()) {
        assert!((a - b).abs() <= 1e-9 * (1.0 + a.abs()) || a.is_nan() && b.is_nan(), "{a} {b}");
    }
}

#[test]
fn fitted_rows_have_the_clusters_of_their_classes() {
    let workplace = fitted();
    let (csv, _) = workplace.expect(0, "clusters r");
    let header =
        "row,cluster,probability,runner_up,runner_up_probability,log_density,probability[1],probability[2]";
    assert_eq!(csv.lines().next(), Some(header));
    let rows = cells(&csv);
    assert_eq!(rows.len(), 60);
    for (row, line) in rows.iter().zip(two_clusters().lines().skip(1)) {
        // The larger cluster is the first.
        let cluster = if line.ends_with("large") { "1" } else { "2" };
        assert_eq!(row[1], cluster, "{line}");
        assert!(row[2].parse::<f64>().unwrap() > 0.99, "{row:?}");
    }
    assert_eq!(rows[0][0], "2", "the line of the first row");
}

#[test]
fn a_prediction_of_the_fitted_rows_is_what_is_stored() {
    let workplace = fitted();
    let (stored, _) = workplace.expect(0, "clusters r");
    let (predicted, _) = workplace.expect(0, "predict r data.csv");
    assert_close(&stored, &predicted);
    assert_eq!(workplace.expect(0, "predict r data.csv --jobs 1").0, predicted);
}

#[test]
fn columns_are_matched_by_name_and_files_have_the_format_of_their_ending() {
    let workplace = fitted();
    workplace.expect(0, "clusters r --out c.csv");
    workplace.expect(0, "clusters r --out c.json");
    workplace.expect(0, "clusters r --out c.parquet");
    let (stored, _) = workplace.expect(0, "clusters r");
    assert_eq!(fs::read_to_string(workplace.path("c.csv")).unwrap(), stored);
    assert!(fs::read(workplace.path("c.parquet")).unwrap().starts_with(b"PAR1"));
    let json: Value = serde_json::from_str(&fs::read_to_string(workplace.path("c.json")).unwrap()).unwrap();
    let rows = json.as_array().unwrap();
    assert_eq!(rows.len(), 60);
    assert_eq!(rows[0]["cluster"].to_string(), cells(&stored)[0][1]);
    assert_eq!(rows[0]["probabilities"].as_array().unwrap().len(), 2);

    let swapped: String = two_clusters()
        .lines()
        .map(|line| {
            let [length, width, kind] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
            format!("{width},\"{kind}\",{length}\r\n")
        })
        .collect();
    workplace.write("swapped.csv", &swapped);
    assert_close(&workplace.expect(0, "predict r swapped.csv").0, &stored);
}

#[test]
fn one_row_far_away_has_finite_numbers() {
    let workplace = fitted();
    workplace.write("new.csv", "width,length\n1e6,-1e6\n");
    let (csv, _) = workplace.expect(0, "predict r new.csv");
    let row = &numbers(&csv)[0];
    assert!(row[5].is_finite() && row[5] < -1e6, "{csv}");
    assert!((row[6] + row[7] - 1.0).abs() < 1e-12, "{csv}");
}

/// More than one block of a megabyte, with a quoted cell that spans lines in each.
#[test]
fn long_files_are_read_in_blocks_and_faults_keep_their_places() {
    let workplace = fitted();
    let mut text = String::from("length,note,width\n");
    for row in 0..40_000 {
        let note = if row % 1000 == 7 {
            "\"two\nlines, and a quote: \"\"\""
        } else {
            "a note that makes lines longer"
        };
        text.push_str(&format!("{}.25,{note},{}\n", row % 9, row % 5));
    }
    workplace.write("long.csv", &text);
    let (csv, _) = workplace.expect(0, "predict r long.csv");
    let rows = cells(&csv);
    assert_eq!(rows.len(), 40_000);
    // A row with a note of two lines begins where the first of them does.
    assert_eq!([&rows[0][0], &rows[7][0], &rows[8][0]], ["2", "9", "11"]);
    let last = 40_000 + 40;
    assert_eq!(rows[39_999][0], (last + 1).to_string());
    // Equal rows have equal predictions up to rounding, whichever block they are in.
    let density = |row: usize| rows[row][5].parse::<f64>().unwrap();
    assert!((density(0) - density(45 * 800)).abs() < 1e-9, "{} {}", density(0), density(45 * 800));

    text.push_str("three,,1\n");
    workplace.write("bad.csv", &text);
    let (_, stderr) = workplace.expect(1, "predict r bad.csv");
    let line = last + 2;
    assert!(stderr.contains("a cell is not a number"), "{stderr}");
    assert!(stderr.contains(&format!("bad.csv:{line}:1")), "{stderr}");
}

#[test]
fn what_cannot_be_predicted_is_refused_with_its_place() {
    let workplace = fitted();
    workplace.write("other.csv", "lenght,width\n1,2\n");
    let (_, stderr) = workplace.expect(1, "predict r other.csv");
    assert!(
        stderr.contains("has no column `length`") && stderr.contains("did you mean `lenght`?"),
        "{stderr}"
    );
    workplace.write("missing.csv", "length,width\n1,2\n1,\n");
    let (_, stderr) = workplace.expect(1, "predict r missing.csv");
    assert!(stderr.contains("missing.csv:3") && stderr.contains("remove its row"), "{stderr}");
    let (_, stderr) = workplace.expect(1, "predict r data.csv -k 7");
    assert!(stderr.contains("no stored mixture has 7 components; allowed: "), "{stderr}");
    let (_, stderr) = workplace.expect(1, "predict . data.csv");
    assert!(stderr.contains("holds no clusters"), "{stderr}");
    let stored = fs::read(workplace.path("r/mixtures.parquet")).unwrap();
    fs::write(workplace.path("r/mixtures.parquet"), &stored[..stored.len() - 9]).unwrap();
    let (_, stderr) = workplace.expect(1, "predict r data.csv");
    assert!(stderr.contains("mixtures.parquet is damaged"), "{stderr}");
    // Nothing is left of a file that was not finished.
    workplace.expect(1, "predict r data.csv --out new.csv");
    assert!(!Path::new(&workplace.path("new.csv")).exists());
}
