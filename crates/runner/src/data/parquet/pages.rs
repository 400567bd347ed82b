//! What the pages of a Parquet file promise, looked at before anything is decoded: polars takes their own headers' word for how much
//! memory they want, and a header that lies then ends the process.

use std::io::{Read, Seek, SeekFrom};

use polars::prelude::FileMetadata;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;
use polars_parquet_format::{PageHeader, PageType};

/// Bytes of a page's header. What is longer has statistics of very long texts.
const LONGEST_HEADER: usize = 1 << 20;

/// Bytes of a column's pages together, decompressed: far above what a million rows of numbers or of names of classes take.
const LARGEST_COLUMN: u64 = 1 << 30;

/// Walks the pages of a flat column in all row groups.
///
/// # Errors
/// In words: a header that cannot be read; a page that is larger than what is left of its column, or promises more values than its
/// row group has rows; pages that would take more than a gibibyte.
pub fn check(file: &mut (impl Read + Seek), metadata: &FileMetadata, column: &str) -> Result<(), String> {
    let mut decompressed = 0;
    for group in &metadata.row_groups {
        for chunk in group.columns_under_root_iter(column).into_iter().flatten() {
            let range = chunk.byte_range();
            let (mut at, mut values) = (range.start, 0);
            while at < range.end && values < group.num_rows() {
                let header = header(file, &mut at).map_err(|error| format!("column `{column}`: {error}"))?;
                let compressed = within(header.compressed_page_size, range.end.saturating_sub(at));
                let size = within(header.uncompressed_page_size, LARGEST_COLUMN);
                let count = count(&header, size.unwrap_or(0), (group.num_rows() - values) as u64);
                let (Some(compressed), Some(size), Some(count)) = (compressed, size, count) else {
                    return Err(format!("column `{column}`: a page promises more than its column can hold"));
                };
                at += compressed;
                values += count as usize;
                decompressed += size;
                if decompressed > LARGEST_COLUMN {
                    return Err(format!("column `{column}` takes more than {LARGEST_COLUMN} bytes"));
                }
            }
        }
    }
    Ok(())
}

/// The header at a place, and the place behind it.
fn header(file: &mut (impl Read + Seek), at: &mut u64) -> Result<PageHeader, String> {
    file.seek(SeekFrom::Start(*at)).map_err(|error| error.to_string())?;
    let mut protocol = TCompactInputProtocol::new(&mut *file, LONGEST_HEADER);
    let header = PageHeader::read_from_in_protocol(&mut protocol).map_err(|error| error.to_string())?;
    *at = file.stream_position().map_err(|error| error.to_string())?;
    Ok(header)
}

/// A size or a count that a header gives, if it is not negative and at most this.
fn within(given: i32, most: u64) -> Option<u64> {
    u64::try_from(given).ok().filter(|&given| given <= most)
}

/// How many of its column's values a page has, if its header can be believed: `size` is that of the page, `left` the values that are
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
