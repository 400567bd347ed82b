//! CSV as RFC 4180 has it, read strictly: every cell keeps its place, and nothing is guessed or filled in.

use std::borrow::Cow;
use std::ops::Range;

use super::faults::{Faults, SourceFile};
use super::table::{Choice, NumberColumn, Table, TextColumn, choose};
use crate::cli::problem::{Excerpt, Problem, Problems};
use crate::study::spec::DataSpec;
use crate::study::spec::limits::MOST_ROWS;

/// What programs write for a missing value; case does not matter.
const MISSING: [&str; 6] = ["", "na", "n/a", "nan", "null", "none"];
/// Cells of the wanted columns: 1.6 GB.
const MOST_CELLS: usize = 200_000_000;
/// Cells of one line, wanted or not: their places take 32 MB.
const MOST_CELLS_OF_A_LINE: usize = 2_000_000;
/// Characters of a cell that are quoted in a message.
const LONGEST_QUOTE: usize = 40;

/// One record: its cells, with their quotes, as bytes of the text.
#[derive(Debug, PartialEq, Eq)]
struct Record {
    /// Where it begins, counted from 1.
    line: usize,
    cells: Vec<Range<usize>>,
}

/// Where a text stops being CSV.
#[derive(Debug, PartialEq, Eq)]
enum Malformed {
    /// The quote at this byte is never closed.
    Unclosed(usize),
    /// At this byte, something other than a comma follows a closing quote.
    AfterQuote(usize),
    /// The line that ends or goes on at this byte has more cells than any table.
    TooManyCells(usize),
}

/// The records of a text. A record ends with LF, CR LF or CR; a blank line is a record of one blank cell.
struct Records<'a> {
    text: &'a str,
    position: usize,
    line: usize,
}

impl<'a> Records<'a> {
    /// Of a text that follows so many lines of its file.
    fn after(text: &'a str, lines: usize) -> Self {
        Self { text, position: 0, line: lines + 1 }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    /// Moves behind the line break at the position.
    fn end_line(&mut self) {
        let crlf = self.text.as_bytes()[self.position..].starts_with(b"\r\n");
        self.position += if crlf { 2 } else { 1 };
        self.line += 1;
    }

    /// Moves behind the closing quote of the cell that begins with a quote at the position.
    fn quoted(&mut self) -> Result<(), Malformed> {
        let start = self.position;
        self.position += 1;
        loop {
            match self.byte() {
                None => return Err(Malformed::Unclosed(start)),
                Some(b'\n' | b'\r') => self.end_line(),
                Some(b'"') if self.text.as_bytes().get(self.position + 1) == Some(&b'"') => {
                    self.position += 2
                }
                Some(b'"') => break,
                Some(_) => self.position += 1,
            }
        }
        self.position += 1;
        match self.byte() {
            None | Some(b',' | b'\n' | b'\r') => Ok(()),
            Some(_) => Err(Malformed::AfterQuote(self.position)),
        }
    }

    fn record(&mut self) -> Result<Record, Malformed> {
        let mut record = Record { line: self.line, cells: Vec::new() };
        loop {
            let start = self.position;
            if self.byte() == Some(b'"') {
                self.quoted()?;
            } else {
                let rest = &self.text.as_bytes()[start..];
                let length = rest.iter().position(|byte| matches!(byte, b',' | b'\n' | b'\r'));
                self.position = start + length.unwrap_or(rest.len());
            }
            if record.cells.len() == MOST_CELLS_OF_A_LINE {
                return Err(Malformed::TooManyCells(start));
            }
            record.cells.push(start..self.position);
            match self.byte() {
                Some(b',') => self.position += 1,
                Some(_) => {
                    self.end_line();
                    return Ok(record);
                }
                None => return Ok(record),
            }
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.position >= self.text.len() {
            return None;
        }
        let record = self.record();
        if record.is_err() {
            // What follows a broken quote cannot be told apart.
            self.position = self.text.len();
        }
        Some(record)
    }
}

/// The text of a cell, without its quotes and the spaces around it.
fn content(cell: &str) -> Cow<'_, str> {
    match cell.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if inner.contains('"') => Cow::Owned(inner.replace("\"\"", "\"").trim().to_owned()),
        Some(inner) => Cow::Borrowed(inner.trim()),
        None => Cow::Borrowed(cell.trim()),
    }
}

fn is_missing(content: &str) -> bool {
    MISSING.iter().any(|missing| content.eq_ignore_ascii_case(missing))
}

/// The first line of a CSV text.
#[derive(Debug)]
pub struct Header {
    pub names: Vec<String>,
    pub choice: Choice,
    /// Where the text goes on after it, and how many lines are before that.
    pub bytes: usize,
    pub lines: usize,
}

/// Reads the names of the columns and finds the wanted ones among them.
///
/// # Errors
/// No header, unknown column names, broken quotes.
pub fn header(text: &str, spec: &DataSpec, groups: Option<&str>) -> Result<Header, Problems> {
    let source = SourceFile { file: &spec.path, text: Some(text), lines_before: 0 };
    let mut records = Records::after(text, 0);
    let Some(header) = records.by_ref().find(|record| !is_blank_line(text, record)) else {
        return Err(Problem::new(source.file, "the file has only blank lines")
            .help("start with a line of column names, then one line for each observation")
            .into());
    };
    let header = header.map_err(|malformed| problem(source, text, &malformed))?;
    let names: Vec<String> =
        header.cells.iter().map(|cell| content(&text[cell.clone()]).into_owned()).collect();
    if let Some(problem) = not_a_header(source, text, &header, &names, spec) {
        return Err(problem.into());
    }
    let choice = choose(&names, spec, groups)?;
    Ok(Header { names, choice, bytes: records.position, lines: records.line - 1 })
}

/// The end of the last record of a part of a text that surely goes on no further, and how many lines are before it, given those before
/// the part; `None` if there is no such record.
#[must_use]
pub fn complete(text: &str, lines_before: usize) -> Option<(usize, usize)> {
    let mut records = Records::after(text, lines_before);
    let mut end = None;
    // A record that ends with the part may go on in the next one, and so may one whose quote is not closed.
    while let Some(Ok(_)) = records.next()
        && records.position < text.len()
    {
        end = Some((records.position, records.line - 1));
    }
    end
}

/// The wanted cells of a CSV text.
///
/// # Errors
/// No header, unknown column names, broken quotes, or more rows than the limit.
pub fn table<'a>(text: &'a str, spec: &'a DataSpec, groups: Option<&str>) -> Result<Table<'a>, Problems> {
    let source = SourceFile { file: &spec.path, text: Some(text), lines_before: 0 };
    let header = header(text, spec, groups)?;
    read(source, text, Records { text, position: header.bytes, line: header.lines + 1 }, &header, spec)
}

/// The same of a part of a file after its header, of whole lines.
///
/// # Errors
/// As [`table`].
pub fn rows<'a>(
    source: SourceFile<'a>,
    text: &'a str,
    header: &Header,
    spec: &'a DataSpec,
) -> Result<Table<'a>, Problems> {
    read(source, text, Records::after(text, source.lines_before), header, spec)
}

fn read<'a>(
    source: SourceFile<'a>,
    text: &'a str,
    records: Records<'a>,
    header: &Header,
    spec: &DataSpec,
) -> Result<Table<'a>, Problems> {
    let Header { names, choice: Choice { features, label, group }, .. } = header;

    let named = spec.columns.is_some();
    let column = |&feature: &usize| NumberColumn { name: names[feature].clone(), ..NumberColumn::default() };
    let mut columns: Vec<NumberColumn> = features.iter().map(column).collect();
    let records = records.filter(|record| !is_blank_line(text, record));
    let (mut classes, mut groups) =
        (label.map(|_| TextColumn::default()), group.map(|_| TextColumn::default()));
    let (mut rows, mut ragged) = (Vec::new(), Faults::default());
    for record in records {
        let record = record.map_err(|malformed| problem(source, text, &malformed))?;
        let (found, expected) = (record.cells.len(), names.len());
        if found != expected {
            let whole = record.cells[0].start..record.cells[found - 1].end;
            ragged.push(record.line, Some(whole), || format!("{found} cells, the header has {expected}"));
            continue;
        }
        if rows.len() == MOST_ROWS {
            let message = format!("the file has more than {MOST_ROWS} rows, the limit");
            return Err(Problem::new(source.file, message).help("fit a random subset of the rows").into());
        }
        if (rows.len() + 1).saturating_mul(columns.len()) > MOST_CELLS {
            let message = format!(
                "{} columns of more than {} rows exceed the limit of {MOST_CELLS} cells",
                columns.len(),
                rows.len()
            );
            return Err(Problem::new(source.file, message)
                .help("list the columns you need in `data.columns`, or fit a random subset of the rows")
                .into());
        }
        rows.push(record.line);
        for (column, &feature) in columns.iter_mut().zip(features) {
            column.read(text, &record, feature, named);
        }
        for (texts, column) in [(&mut classes, label), (&mut groups, group)] {
            if let (Some(texts), Some(column)) = (texts, *column) {
                texts.read(text, &record, column, &names[column]);
            }
        }
    }
    let problems = ragged.problem(
        source,
        "a line and the header differ in their number of cells",
        "lines differ from the header in their number of cells",
    );
    let problems = problems.into_iter().collect();
    Ok(Table { source, names: names.clone(), rows, columns, label: classes, groups, problems })
}

fn is_blank_line(text: &str, record: &Result<Record, Malformed>) -> bool {
    matches!(record, Ok(record) if record.cells.len() == 1 && text[record.cells[0].clone()].trim().is_empty())
}

/// Why the first line cannot be one of names.
fn not_a_header(
    source: SourceFile<'_>,
    text: &str,
    header: &Record,
    names: &[String],
    spec: &DataSpec,
) -> Option<Problem> {
    let line = header.cells[0].start..header.cells[header.cells.len() - 1].end;
    let problem =
        |message: &str| Problem::new(source.file, message).at(source.file, Excerpt::new(text, line.clone()));
    // Columns that were asked for by number, as `columns = ["0", "1"]`, are names after all.
    if spec.columns.is_none() && names.iter().all(|name| name.parse::<f64>().is_ok()) {
        let problem = problem("the first line has numbers instead of column names");
        return Some(problem.help("add a line of column names, such as `x,y`, above it"));
    }
    let separator =
        [("semicolons", ';'), ("tabs", '\t')].into_iter().find(|(_, sign)| names[0].contains(*sign));
    match (names, separator) {
        ([_], Some((signs, _))) => {
            let problem = problem(&format!("cells are separated by {signs}"));
            Some(problem.label("allowed: commas between cells and points in decimal numbers"))
        }
        _ => None,
    }
}

fn problem(source: SourceFile<'_>, text: &str, malformed: &Malformed) -> Problem {
    let (place, message, label) = match *malformed {
        Malformed::Unclosed(place) => (place, "a quote is never closed", "opened here"),
        Malformed::AfterQuote(place) => {
            (place, "text follows a closing quote", "allowed: a comma or the end of the line")
        }
        Malformed::TooManyCells(_) => {
            let message = format!("a line has more than {MOST_CELLS_OF_A_LINE} cells, the limit");
            return Problem::new(source.file, message);
        }
    };
    let excerpt = Excerpt::new(text, place..place + 1).after(source.lines_before);
    let problem = Problem::new(source.file, message).at(source.file, excerpt);
    problem.label(label).note("inside a quoted cell, write a quote twice: \"\"")
}

/// A cell as it is shown in a message.
fn given(name: &str, content: &str) -> String {
    let cut = content.floor_char_boundary(LONGEST_QUOTE);
    let more = if cut < content.len() { "…" } else { "" };
    format!("column `{name}` is \"{}{more}\"", content[..cut].escape_debug())
}

fn missing(name: &str, content: &str) -> String {
    if content.is_empty() { format!("column `{name}` is empty") } else { given(name, content) }
}

impl NumberColumn {
    /// Takes the cell of one more row. A column that was not asked for by name and begins as text is not stored.
    fn read(&mut self, text: &str, record: &Record, feature: usize, named: bool) {
        let span = &record.cells[feature];
        let content = content(&text[span.clone()]);
        let (line, span, name) = (record.line, Some(span.clone()), &self.name);
        let number = content.parse::<f64>();
        let value = number.clone().ok().filter(|value| value.is_finite()).unwrap_or(f64::NAN);
        match number {
            _ if is_missing(&content) => self.missing.push(line, span, || missing(name, &content)),
            Err(_) => self.texts.push(line, span, || given(name, &content)),
            // "-nan" and its kin.
            Ok(number) if number.is_nan() => self.missing.push(line, span, || missing(name, &content)),
            Ok(number) => {
                self.numbers += 1;
                if number.is_infinite() {
                    self.infinite.push(line, span, || given(name, &content));
                }
            }
        }
        if named || self.numbers > 0 || self.texts.is_empty() {
            self.values.push(value);
        }
    }
}

impl TextColumn {
    fn read(&mut self, text: &str, record: &Record, label: usize, name: &str) {
        let span = &record.cells[label];
        let content = content(&text[span.clone()]);
        let is_missing = is_missing(&content);
        if is_missing {
            self.missing.push(record.line, Some(span.clone()), || missing(name, &content));
        }
        self.values.push((!is_missing).then(|| content.into_owned()));
    }
}

/// Every cell of a text, untrimmed; `None` if a quote is broken.
#[cfg(test)]
pub fn cells(text: &str) -> Option<Vec<Vec<String>>> {
    let cell = |cell: &Range<usize>| match &text[cell.clone()] {
        quoted if quoted.starts_with('"') => quoted[1..quoted.len() - 1].replace("\"\"", "\""),
        plain => plain.to_owned(),
    };
    let records = Records::after(text, 0).map(|record| Some(record.ok()?.cells.iter().map(cell).collect()));
    records.collect()
}
