//! Faults of one kind in the cells of a file: all are counted, the first few are shown.

use std::ops::Range;

use crate::cli::problem::{Excerpt, Problem};

/// Faults of each kind. Nobody reads more, and one mistake often causes thousands.
const SHOWN: usize = 10;

/// Faults of one kind.
#[derive(Debug, Default)]
pub struct Faults {
    count: usize,
    first: Vec<Fault>,
}

#[derive(Debug)]
struct Fault {
    /// Counted from 1.
    row: usize,
    /// Bytes of a CSV text.
    span: Option<Range<usize>>,
    what: String,
}

/// The file that has the faults.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    /// As the spec calls it.
    pub file: &'a str,
    /// The text of a CSV file, or a part of it; `None` for Parquet, which has none.
    pub text: Option<&'a str>,
    /// Lines of the file before that text.
    pub lines_before: usize,
}

impl SourceFile<'_> {
    /// What rows are counted in.
    fn unit(&self) -> &'static str {
        if self.text.is_some() { "line" } else { "row" }
    }
}

impl Faults {
    /// Counts a fault in a row (counted from 1), at these bytes of the text. `what` describes it and is called only if it is shown.
    pub fn push(&mut self, row: usize, span: Option<Range<usize>>, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < SHOWN {
            self.first.push(Fault { row, span, what: what() });
        }
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The faults of both, in the order of rows.
    pub fn merge(mut self, other: Self) -> Self {
        self.count += other.count;
        self.first.extend(other.first);
        self.first.sort_by_key(|fault| fault.row);
        self.first.truncate(SHOWN);
        self
    }

    /// One problem for all faults, with a message for one and a message for many; `None` if there is no fault.
    pub fn problem(&self, source: SourceFile<'_>, one: &str, many: &str) -> Option<Problem> {
        let (first, rest) = self.first.split_first()?;
        let message = if self.count == 1 { one.to_owned() } else { format!("{} {many}", self.count) };
        let problem = Problem::new(source.file, message);
        let place = |fault: &Fault| format!("{} {}: {}", source.unit(), fault.row, fault.what);
        let mut problem = match (source.text, &first.span) {
            (Some(text), Some(span)) => {
                let excerpt = Excerpt::new(text, span.clone()).after(source.lines_before);
                problem.at(source.file, excerpt).label(first.what.as_str())
            }
            _ => problem.note(place(first)),
        };
        for fault in rest {
            problem = problem.note(place(fault));
        }
        let unshown = self.count - self.first.len();
        Some(if unshown > 0 { problem.note(format!("and {unshown} more")) } else { problem })
    }
}
