//! Tables and paragraphs of text that fit a terminal.

use console::Term;

/// Columns of a table that is not for a terminal, or for one that does not say how wide it is.
const DEFAULT_WIDTH: usize = 80;

/// Terminals narrower than this get lines of this width all the same.
const LEAST_WIDTH: usize = 40;

/// Columns of a table in a file that people open with an editor.
pub const FILE_WIDTH: usize = 120;

/// Between two columns.
const GAP: &str = "   ";

/// A table of text: columns align right, but for the first ones that are named so.
#[derive(Debug, Clone, Default)]
pub struct TextTable {
    /// The header first.
    pub rows: Vec<Vec<String>>,
    /// The number of first columns that align left, as names do.
    pub n_left: usize,
}

impl TextTable {
    /// A table whose columns all align right.
    #[must_use]
    pub fn new(rows: Vec<Vec<String>>) -> Self {
        Self { rows, n_left: 0 }
    }

    /// A table whose first column holds names.
    #[must_use]
    pub fn with_names(rows: Vec<Vec<String>>) -> Self {
        Self { rows, n_left: 1 }
    }

    /// The table in lines of at most `width` characters where columns allow it: what does not fit beside the first `n_keys` columns
    /// follows below, with these columns repeated.
    #[must_use]
    pub fn render(&self, width: usize, n_keys: usize) -> String {
        let n_columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |row: &[String], column: usize| row.get(column).map_or(0, |cell| cell.chars().count());
        let widths: Vec<usize> = (0..n_columns)
            .map(|column| self.rows.iter().map(|row| cell(row, column)).max().unwrap_or(0))
            .collect();
        let n_keys = n_keys.min(n_columns);
        let taken = |columns: &[usize]| {
            columns.iter().map(|&column| widths[column]).sum::<usize>()
                + GAP.len() * columns.len().saturating_sub(1)
        };
        let keys: Vec<usize> = (0..n_keys).collect();
        let mut blocks: Vec<Vec<usize>> = vec![keys.clone()];
        for column in n_keys..n_columns {
            let block = blocks.last_mut().expect("there is a first block");
            block.push(column);
            if taken(block) > width && block.len() > n_keys + 1 {
                block.pop();
                blocks.push(keys.iter().copied().chain([column]).collect());
            }
        }
        let blocks: Vec<String> = blocks.iter().map(|columns| self.block(columns, &widths)).collect();
        blocks.join("\n")
    }

    fn block(&self, columns: &[usize], widths: &[usize]) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let cells = columns.iter().filter_map(|&column| {
                let (cell, width) = (row.get(column)?, widths[column]);
                Some(if column < self.n_left { format!("{cell:<width$}") } else { format!("{cell:>width$}") })
            });
            text.push_str(cells.collect::<Vec<_>>().join(GAP).trim_end());
            text.push('\n');
        }
        text
    }
}

/// The width for tables on standard output: the terminal's, where it is one and says so.
#[must_use]
pub fn terminal_width() -> usize {
    Term::stdout().size_checked().map_or(DEFAULT_WIDTH, |(_, columns)| usize::from(columns).max(LEAST_WIDTH))
}

/// Lines of more characters are hard to read, however wide the terminal is.
const READABLE_WIDTH: usize = 100;

/// A paragraph below a headline, indented, in lines of at most `width` characters.
#[must_use]
pub fn paragraph(text: &str, width: usize) -> String {
    let options = textwrap::Options::new(width.min(READABLE_WIDTH))
        .initial_indent("  ")
        .subsequent_indent("  ")
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    // A number stays with its name and its error.
    let joined = [" = ", " ± "]
        .iter()
        .fold(text.to_owned(), |text, sign| text.replace(sign, &sign.replace(' ', "\u{a0}")));
    textwrap::fill(&joined, options).replace('\u{a0}', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(cells: &[&[&str]]) -> Vec<Vec<String>> {
        cells.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
    }

    #[test]
    fn paragraphs_are_indented_and_keep_numbers_whole() {
        assert_eq!(paragraph("BIC is best at K = 3 alone.", 20), "  BIC is best at\n  K = 3 alone.");
    }

    #[test]
    fn columns_align_right_and_names_left() {
        let cells = rows(&[&["K", "x"], &["10", "1.5"]]);
        assert_eq!(TextTable::new(cells.clone()).render(80, 1), " K     x\n10   1.5\n");
        assert_eq!(TextTable::with_names(cells).render(80, 1), "K      x\n10   1.5\n");
    }

    #[test]
    fn what_does_not_fit_follows_below_with_its_keys() {
        let table = TextTable::new(rows(&[&["K", "first", "second"], &["1", "10", "20"]]));
        assert_eq!(table.render(18, 1), "K   first   second\n1      10       20\n");
        assert_eq!(table.render(17, 1), "K   first\n1      10\n\nK   second\n1       20\n");
    }

    #[test]
    fn a_column_wider_than_the_line_stands_alone() {
        let table = TextTable::new(rows(&[&["K", "a wide column", "b"], &["1", "x", "y"]]));
        assert_eq!(table.render(5, 1), "K   a wide column\n1               x\n\nK   b\n1   y\n");
    }
}
