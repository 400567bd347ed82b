//! What a Parquet file promises, looked at before anything is decoded: polars 0.55 takes the footer's and the pages' word for how
//! much memory they want, and where they lie the process ends for want of it.

use std::io::{Read, Seek, SeekFrom};

use polars::prelude::FileMetadata;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;
use polars_parquet_format::{FileMetaData, PageHeader, PageType};

use super::MAGIC;

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

/// Reads the footer of a file, and forgets it.
///
/// # Errors
/// In words: a footer that is not there, is too long, cannot be read, or has longer lists than bytes.
pub fn check_footer(file: &mut (impl Read + Seek)) -> Result<(), String> {
    let words = |error: std::io::Error| error.to_string();
    let end = file.seek(SeekFrom::End(0)).map_err(words)?.checked_sub(TAIL).ok_or("it has no footer")?;
    file.seek(SeekFrom::Start(end)).map_err(words)?;
    let (mut length, mut magic) = ([0; 4], [0; 4]);
    file.read_exact(&mut length).and_then(|()| file.read_exact(&mut magic)).map_err(words)?;
    if magic != MAGIC {
        return Err("its end is missing".to_owned());
    }
    let length = u64::from(u32::from_le_bytes(length));
    if length > LARGEST_FOOTER {
        return Err(format!("its footer has {length} bytes, at most {LARGEST_FOOTER} are read"));
    }
    file.seek(SeekFrom::Start(end.checked_sub(length).ok_or("its footer is longer than the file")?))
        .map_err(words)?;
    // What is read is counted: eight bytes for an element of a list, which takes at least one.
    let budget = (10 * length as usize + 1024).min(LARGEST_LISTS);
    let mut protocol = TCompactInputProtocol::new(file.take(length), budget);
    let read = FileMetaData::read_from_in_protocol(&mut protocol);
    read.map(drop).map_err(|error| format!("its footer is not to be believed: {error}"))
}

/// Walks the pages of a flat column in all row groups.
///
/// # Errors
/// In words: a header that cannot be read; a page that is larger than what is left of its column, or promises more values than its
/// row group has rows; pages that would take more than a gibibyte.
pub fn check_pages(
    file: &mut (impl Read + Seek),
    metadata: &FileMetadata,
    column: &str,
) -> Result<(), String> {
    let mut decompressed = 0;
    let rows = metadata.row_groups.iter().try_fold(0usize, |sum, group| sum.checked_add(group.num_rows()));
    if rows != Some(metadata.num_rows) {
        return Err("its row groups have not as many rows as the file".to_owned());
    }
    for group in &metadata.row_groups {
        for chunk in group.columns_under_root_iter(column).into_iter().flatten() {
            if usize::try_from(chunk.num_values()) != Ok(group.num_rows()) {
                return Err(format!("column `{column}` has not as many values as its row group has rows"));
            }
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
                // A value that is repeated, or missing, takes next to nothing in the file and as much as others in memory.
                decompressed += size.max(8 * count);
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

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use polars::prelude::{Column, DataFrame, ParquetReader, ParquetWriter, SerReader};

    use super::*;

    fn written() -> Vec<u8> {
        let mut bytes = Vec::new();
        let column = Column::new("x".into(), (0..100).map(f64::from).collect::<Vec<f64>>());
        ParquetWriter::new(&mut bytes)
            .finish(&mut DataFrame::new_infer_height(vec![column]).unwrap())
            .unwrap();
        bytes
    }

    fn pages(bytes: &[u8]) -> Result<(), String> {
        let metadata = ParquetReader::new(Cursor::new(bytes)).get_metadata().unwrap().clone();
        check_pages(&mut Cursor::new(bytes), &metadata, "x")
    }

    #[test]
    fn what_is_written_promises_no_more_than_it_holds() {
        let bytes = written();
        assert_eq!(check_footer(&mut Cursor::new(&bytes)), Ok(()));
        assert_eq!(pages(&bytes), Ok(()));
    }

    #[test]
    fn a_footer_whose_list_is_longer_than_itself_is_refused() {
        // Version 1, then a schema of 2²⁸ − 1 elements, of which there is none.
        let footer = [0x15, 0x02, 0x19, 0xfc, 0xff, 0xff, 0xff, 0x7f];
        let mut bytes = b"PAR1".to_vec();
        bytes.extend(footer);
        bytes.extend((footer.len() as u32).to_le_bytes());
        bytes.extend(b"PAR1");
        let refused = check_footer(&mut Cursor::new(&bytes)).unwrap_err();
        assert!(refused.contains("not to be believed"), "{refused}");
        let length = bytes.len() - 8;
        bytes[length..length + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(check_footer(&mut Cursor::new(&bytes)).unwrap_err().contains("at most"));
        assert!(check_footer(&mut Cursor::new(b"PAR1")).is_err());
    }

    #[test]
    fn pages_of_more_than_their_column_holds_are_refused() {
        let bytes = written();
        // Behind the magic word the first page's header: its type, its sizes and its count are zigzag integers.
        let mut refused = 0;
        for place in 4..24 {
            let mut lying = bytes.clone();
            lying[place] = lying[place].wrapping_add(0x7f);
            refused += usize::from(pages(&lying).is_err());
        }
        assert!(refused >= 3, "{refused} of 20 bytes of the header are looked at");
    }
}
