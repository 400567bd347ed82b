//! New rows of known columns, a block at a time: a file may be larger than the memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use gmm_sampler::data::Data;

use super::csv::{Header, complete};
use super::faults::SourceFile;
use super::file::{not_utf8, open};
use super::parquet::damaged;
use super::table::Table;
use super::{csv, parquet};
use crate::cli::problem::{Problem, Problems};
use crate::parquet::{Footer, MAGIC, Numbers, Source};
use crate::study::spec::{DataSpec, Missing, Resolution, Scale};

/// Bytes of CSV that are read at a time, and rows of Parquet.
const BYTES: usize = 1 << 20;
const ROWS: usize = 1 << 15;

/// What some programs begin a text with.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A record with more bytes than this has no end.
const MOST_BYTES_OF_A_RECORD: usize = 1 << 27;

/// A data file from which some columns are read.
pub struct RowBlocks {
    spec: DataSpec,
    /// In which each column was recorded.
    steps: Vec<f64>,
    content: Content,
}

enum Content {
    Csv { file: File, header: Header, unread: Vec<u8>, lines_before: usize, ended: bool },
    Parquet { file: File, footer: Footer, places: Vec<usize>, next: usize },
}

/// Some rows, read but not yet parsed.
pub enum Block {
    Csv { text: String, lines_before: usize },
    Parquet { columns: Vec<Numbers>, rows_before: usize },
}

/// Rows and where they are in their file.
pub struct Rows {
    /// The line (CSV) or row (Parquet) of each, counted from 1.
    pub places: Vec<usize>,
    pub data: Data,
}

impl RowBlocks {
    /// Opens a file that has these columns, among others and in any order.
    ///
    /// # Errors
    /// A file that cannot be read or lacks a column.
    pub fn open(path: &Path, columns: &[String], steps: &[f64]) -> Result<Self, Problems> {
        let spec = DataSpec {
            path: path.display().to_string(),
            columns: Some(columns.to_vec()),
            label: None,
            scale: Scale::None,
            resolution: Resolution::None,
            missing: Missing::Error,
        };
        let (mut file, first) = open(path, &spec.path)?;
        let content = if first.starts_with(MAGIC) {
            let footer = Footer::read(Source::Disk(&file)).map_err(|error| damaged(&spec.path, &error))?;
            let places = parquet::places(&footer, &spec)?;
            Content::Parquet { file, footer, places, next: 0 }
        } else {
            let mut unread = Vec::new();
            // The header is in the first block, whatever its length.
            let mut ended = more(&mut file, &mut unread, &spec.path)?;
            if unread.starts_with(BYTE_ORDER_MARK) {
                unread.drain(..BYTE_ORDER_MARK.len());
            }
            let mut text = valid(&unread, ended, &spec.path)?;
            while !ended && complete(text, 0).is_none() {
                ended = more(&mut file, &mut unread, &spec.path)?;
                text = valid(&unread, ended, &spec.path)?;
            }
            let header = csv::header(text, &spec, None)?;
            let (bytes, lines_before) = (header.bytes, header.lines);
            unread.drain(..bytes);
            Content::Csv { file, header, unread, lines_before, ended }
        };
        Ok(Self { spec, steps: steps.to_vec(), content })
    }

    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// The disk, a damaged file, text that is not UTF-8.
    pub fn next(&mut self) -> Result<Option<Block>, Problems> {
        let shown = &self.spec.path;
        match &mut self.content {
            Content::Parquet { footer, next, .. } if *next >= footer.n_rows() => Ok(None),
            Content::Parquet { file, footer, places, next } => {
                let rows = *next..(*next + ROWS).min(footer.n_rows());
                let columns = footer.numbers_of_rows(Source::Disk(file), places, rows.clone());
                let columns = columns.map_err(|error| damaged(shown, &error))?;
                *next = rows.end;
                Ok(Some(Block::Parquet { columns, rows_before: rows.start }))
            }
            Content::Csv { file, unread, lines_before, ended, .. } => loop {
                if *ended && unread.is_empty() {
                    return Ok(None);
                }
                let text = valid(unread, *ended, shown)?;
                let found = if *ended { Some((text.len(), 0)) } else { complete(text, *lines_before) };
                let Some((bytes, lines)) = found else {
                    if unread.len() > MOST_BYTES_OF_A_RECORD {
                        let message =
                            format!("line {} has no end, or a quote that is never closed", *lines_before + 1);
                        return Err(Problem::new(shown, message).into());
                    }
                    *ended = more(file, unread, shown)?;
                    continue;
                };
                let block = Block::Csv { text: text[..bytes].to_owned(), lines_before: *lines_before };
                unread.drain(..bytes);
                *lines_before = lines;
                if !*ended {
                    *ended = more(file, unread, shown)?;
                }
                return Ok(Some(block));
            },
        }
    }

    /// The rows of a block; `None` if it has only blank lines.
    ///
    /// # Errors
    /// Cells that are missing or no numbers, with their places.
    pub fn parse(&self, block: Block) -> Result<Option<Rows>, Problems> {
        let (places, columns) = match (block, &self.content) {
            (Block::Csv { text, lines_before }, Content::Csv { header, .. }) => {
                let source = SourceFile { file: &self.spec.path, text: Some(&text), lines_before };
                numbers(csv::rows(source, &text, header, &self.spec)?, &self.spec)?
            }
            (Block::Parquet { columns, rows_before }, Content::Parquet { .. }) => {
                let source = SourceFile { file: &self.spec.path, text: None, lines_before: 0 };
                let names = self.spec.columns.as_deref().unwrap_or_default();
                numbers(parquet::rows(source, columns, names, rows_before), &self.spec)?
            }
            _ => unreachable!("a block is of the file that it was read from"),
        };
        if places.is_empty() {
            return Ok(None);
        }
        let data =
            Data::from_columns(&columns).map_err(|error| Problem::new(&self.spec.path, error.to_string()))?;
        Ok(Some(Rows { places, data: data.with_steps(&self.steps) }))
    }
}

/// Places and columns of rows of which no cell may be missing.
fn numbers(table: Table<'_>, spec: &DataSpec) -> Result<(Vec<usize>, Vec<Vec<f64>>), Problems> {
    let drop = "set `data.missing = \"drop\"` to leave out rows with missing cells";
    table
        .into_columns(spec)
        .map_err(|problems| problems.rephrase_help(drop, "fill in the cell, or remove its row"))
}

/// Reads more bytes. Whether the file has ended.
fn more(file: &mut File, unread: &mut Vec<u8>, shown: &str) -> Result<bool, Problems> {
    let read = file.take(BYTES as u64).read_to_end(unread);
    let cannot = |error: io::Error| Problem::new(shown, format!("`{shown}` cannot be read: {error}"));
    Ok(read.map_err(cannot)? == 0)
}

/// The text of bytes that may end within a character.
fn valid<'a>(bytes: &'a [u8], ended: bool, shown: &str) -> Result<&'a str, Problems> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && !ended => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("it is valid up to there")
        }
        Err(error) => return Err(not_utf8(shown, &bytes[..error.valid_up_to()]).into()),
    };
    Ok(text)
}
