//! How much of a report is wanted.

/// How much of a report is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportScope {
    /// Tables, figures and the page.
    Full,
    /// Tables alone: nothing is kept for figures.
    Tables,
}
