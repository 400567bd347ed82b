//! A finished figure, and its place among a report's files and on its page.

use std::path::Path;

use minijinja::{Value, context};

use crate::storage::atomic::{DiskResult, write_bytes};

/// The directory of figures, below that of the results.
pub const FIGURES: &str = "figures";

/// One figure in the two formats that papers and pages ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// A complete `<svg>` element without identifiers, so that many fit into one HTML page.
    pub svg: String,
    /// The same marks as a PNG image, with two pixels for every unit of the SVG.
    pub png: Vec<u8>,
}

/// A figure with its file name and its caption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFigure {
    /// File name without extension.
    pub name: String,
    pub caption: String,
    pub figure: Figure,
}

impl ReportFigure {
    /// Writes the figure in both formats, below a directory of results.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, root: &Path) -> DiskResult<()> {
        let path = |extension: &str| root.join(FIGURES).join(format!("{}.{extension}", self.name));
        write_bytes(&path("svg"), self.figure.svg.as_bytes())?;
        write_bytes(&path("png"), &self.figure.png)
    }

    /// What a page's template shows of the figure: `name`, `caption` and `svg`.
    #[must_use]
    pub fn page_values(&self) -> Value {
        context! {
            name => self.name.clone(),
            caption => self.caption.clone(),
            svg => self.figure.svg.clone(),
        }
    }
}
