//! Tables as CSV.

/// A table with a header. Cells that hold commas or quotes are quoted (RFC 4180).
#[must_use]
pub fn csv<H, R>(header: H, rows: impl IntoIterator<Item = R>) -> String
where
    H: IntoIterator<Item: AsRef<[u8]>>,
    R: IntoIterator<Item: AsRef<[u8]>>,
{
    const MEMORY: &str = "writing to memory cannot fail, and all rows have as many cells as the header";
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).expect(MEMORY);
    rows.into_iter().for_each(|row| writer.write_record(row).expect(MEMORY));
    String::from_utf8(writer.into_inner().expect(MEMORY)).expect("cells are text")
}

/// A number with all its digits; an empty cell where it is undefined or missing.
#[must_use]
pub fn number(value: Option<f64>) -> String {
    value.filter(|value| !value.is_nan()).map_or(String::new(), |value| format!("{value:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_commas_and_quotes_come_back() {
        let table = csv(
            ["rule", "n"],
            [["WAIC, best".to_owned(), "3".to_owned()], ["\"x\"".to_owned(), number(None)]],
        );
        assert_eq!(table, "rule,n\n\"WAIC, best\",3\n\"\"\"x\"\"\",\n");
    }

    #[test]
    fn numbers_keep_all_digits() {
        assert_eq!([number(Some(0.1)), number(Some(f64::NAN)), number(Some(1e-300))], ["0.1", "", "1e-300"]);
    }
}
