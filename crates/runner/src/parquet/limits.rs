//! Limits on what a Parquet file may ask for, checked before anything is decoded: the decoder allocates whatever footer and page
//! headers demand, and a hostile file would end the process for lack of memory.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use parquet_format::thrift::protocol::TCompactInputProtocol;
use parquet_format::{FileMetaData, PageHeader, PageType};

/// How every Parquet file begins and ends.
pub const MAGIC: &[u8] = b"PAR1";

/// Bytes. That of ten thousand columns has about one million.
const LARGEST_FOOTER: u64 = 1 << 24;

/// Bytes that the lists of a footer may count for, at eight an element: a list that lies then asks for three gigabytes at most, which
/// are not touched.
const LARGEST_LISTS: usize = 1 << 25;

/// Bytes at the end: the footer's length and the magic word.
const TAIL: u64 = 8;

/// Bytes of a page's header. What is longer has statistics of very long texts.
const LONGEST_HEADER: usize = 1 << 20;

/// Bytes of a column's pages together, decompressed: far above what a million rows of numbers or of names of classes take.
const LARGEST_COLUMN: u64 = 1 << 30;

/// Rows of a file that are stored together.
pub struct RowGroup {
    pub n_rows: usize,
    /// What it has of one column: a single chunk, unless the column is nested.
    pub chunks: Vec<Chunk>,
}

/// The pages of a column in a row group.
pub struct Chunk {
    pub n_values: i64,
    /// Bytes of the file.
    pub bytes: Range<u64>,
}

/// Reads the footer of a file and discards it.
///
/// # Errors
/// A footer that is missing, too long or unreadable, or whose lists claim more elements than it has bytes.
pub fn check_footer(file: &mut (impl Read + Seek)) -> Result<()> {
    let end = file.seek(SeekFrom::End(0))?.checked_sub(TAIL).context("it has no footer")?;
    file.seek(SeekFrom::Start(end))?;
    let (mut length, mut magic) = ([0; 4], [0; 4]);
    file.read_exact(&mut length).and_then(|()| file.read_exact(&mut magic))?;
    ensure!(magic == MAGIC, "its end is missing");
    let length = u64::from(u32::from_le_bytes(length));
    ensure!(
        length <= LARGEST_FOOTER,
        "invalid Parquet footer: it has {length} bytes, at most {LARGEST_FOOTER} are read"
    );
    let start = end.checked_sub(length).context("invalid Parquet footer: it is longer than the file")?;
    file.seek(SeekFrom::Start(start))?;
    // What is read is counted: eight bytes for an element of a list, which takes at least one.
    let budget = (10 * length as usize + 1024).min(LARGEST_LISTS);
    let mut protocol = TCompactInputProtocol::new(file.take(length), budget);
    FileMetaData::read_from_in_protocol(&mut protocol).map(drop).context("invalid Parquet footer")
}

/// Walks the pages of a flat column in all row groups of a file of `n_rows` rows.
///
/// # Errors
/// A header that cannot be read; a page that is larger than what is left of its column, or claims more values than its row group
/// has rows; pages that would take more than a gibibyte.
pub fn check_pages(
    file: &mut (impl Read + Seek),
    n_rows: usize,
    groups: &[RowGroup],
    column: &str,
) -> Result<()> {
    let mut decompressed = 0;
    let rows = groups.iter().try_fold(0usize, |sum, group| sum.checked_add(group.n_rows));
    ensure!(
        rows == Some(n_rows),
        "the rows of its row groups do not add up to the {n_rows} rows of the file"
    );
    let column = column.escape_debug();
    for group in groups {
        for chunk in &group.chunks {
            ensure!(
                usize::try_from(chunk.n_values) == Ok(group.n_rows),
                "column `{column}` has {} values in a row group of {} rows",
                chunk.n_values,
                group.n_rows
            );
            let (mut at, end, mut values) = (chunk.bytes.start, chunk.bytes.end, 0);
            while at < end && values < group.n_rows {
                let header = header(file, &mut at).with_context(|| format!("column `{column}`"))?;
                let compressed = within(header.compressed_page_size, end.saturating_sub(at));
                let size = within(header.uncompressed_page_size, LARGEST_COLUMN);
                let count = count(&header, size.unwrap_or(0), (group.n_rows - values) as u64);
                let (Some(compressed), Some(size), Some(count)) = (compressed, size, count) else {
                    bail!("column `{column}`: a page header claims more than its column can hold");
                };
                at += compressed;
                values += count as usize;
                // A value that is repeated, or missing, takes next to nothing in the file and as much as others in memory.
                decompressed += size.max(8 * count);
                ensure!(
                    decompressed <= LARGEST_COLUMN,
                    "column `{column}` has more than {LARGEST_COLUMN} bytes, the most that is read"
                );
            }
        }
    }
    Ok(())
}

/// The header at a place, and the place behind it.
fn header(file: &mut (impl Read + Seek), at: &mut u64) -> Result<PageHeader> {
    file.seek(SeekFrom::Start(*at))?;
    let mut protocol = TCompactInputProtocol::new(&mut *file, LONGEST_HEADER);
    let header = PageHeader::read_from_in_protocol(&mut protocol)?;
    *at = file.stream_position()?;
    Ok(header)
}

/// A size or a count that a header gives, if it is not negative and at most this.
fn within(given: i32, most: u64) -> Option<u64> {
    u64::try_from(given).ok().filter(|&given| given <= most)
}

/// How many of its column's values a page has, if its header is plausible: `size` is that of the page, `left` the values that are
/// still to come.
fn count(header: &PageHeader, size: u64, left: u64) -> Option<u64> {
    match header.type_ {
        // No value of a dictionary takes less than a byte.
        PageType::DICTIONARY_PAGE => {
            within(header.dictionary_page_header.as_ref()?.num_values, size).map(|_| 0)
        }
        PageType::DATA_PAGE => within(header.data_page_header.as_ref()?.num_values, left),
        PageType::DATA_PAGE_V2 => {
            let header = header.data_page_header_v2.as_ref()?;
            let lengths = [header.definition_levels_byte_length, header.repetition_levels_byte_length];
            let fit = lengths.into_iter().all(|length| within(length, size).is_some());
            let fit =
                fit && [header.num_rows, header.num_nulls].into_iter().all(|n| within(n, left).is_some());
            within(header.num_values, left).filter(|_| fit)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_footer_whose_list_is_longer_than_itself_is_refused() {
        // Version 1, then a schema of 2²⁸ − 1 elements, of which there is none.
        let footer = [0x15, 0x02, 0x19, 0xfc, 0xff, 0xff, 0xff, 0x7f];
        let mut bytes = b"PAR1".to_vec();
        bytes.extend(footer);
        bytes.extend((footer.len() as u32).to_le_bytes());
        bytes.extend(b"PAR1");
        let refused = |bytes: &[u8]| check_footer(&mut Cursor::new(bytes)).unwrap_err().to_string();
        assert_eq!(refused(&bytes), "invalid Parquet footer");
        let length = bytes.len() - 8;
        bytes[length..length + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(refused(&bytes).contains("at most"));
        assert_eq!(refused(b"PAR1"), "it has no footer");
    }
}
