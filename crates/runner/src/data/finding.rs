//! Many faults of one kind: all are counted, the first few are shown.

use std::ops::Range;

use crate::cli::problem::{Excerpt, Problem};

/// Of each kind. More would not be read, and one mistake often makes thousands of faults.
const SHOWN: usize = 10;

/// Faults of one kind.
#[derive(Debug, Default)]
pub struct Findings {
    count: usize,
    first: Vec<Finding>,
}

#[derive(Debug)]
struct Finding {
    /// Counted from 1.
    row: usize,
    /// Bytes of a CSV text.
    span: Option<Range<usize>>,
    what: String,
}

/// The file in which something was found.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// As the spec calls it.
    pub file: &'a str,
    /// The text of a CSV file; `None` for Parquet, which has none.
    pub text: Option<&'a str>,
}

impl Source<'_> {
    /// What rows are counted in.
    fn unit(&self) -> &'static str {
        if self.text.is_some() { "line" } else { "row" }
    }
}

impl Findings {
    /// Counts a fault of the row (counted from 1) at these bytes of the text; `what` is asked for only if it will be shown.
    pub fn push(&mut self, row: usize, span: Option<Range<usize>>, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < SHOWN {
            self.first.push(Finding { row, span, what: what() });
        }
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Both, in the order of rows.
    pub fn merge(mut self, other: Self) -> Self {
        self.count += other.count;
        self.first.extend(other.first);
        self.first.sort_by_key(|finding| finding.row);
        self.first.truncate(SHOWN);
        self
    }

    /// One problem for all faults, with a message for one and a message for many; `None` if there is no fault.
    pub fn problem(&self, source: Source<'_>, one: &str, many: &str) -> Option<Problem> {
        let (first, rest) = self.first.split_first()?;
        let message = if self.count == 1 { one.to_owned() } else { format!("{} {many}", self.count) };
        let problem = Problem::of_file(source.file, message);
        let place = |finding: &Finding| format!("{} {}: {}", source.unit(), finding.row, finding.what);
        let mut problem = match (source.text, &first.span) {
            (Some(text), Some(span)) => {
                problem.at(source.file, Excerpt::new(text, span.clone())).label(first.what.as_str())
            }
            _ => problem.note(place(first)),
        };
        for finding in rest {
            problem = problem.note(place(finding));
        }
        let unshown = self.count - self.first.len();
        Some(if unshown > 0 { problem.note(format!("and {unshown} more")) } else { problem })
    }
}
