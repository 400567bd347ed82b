//! Parquet with a checksum over every byte, carried in the file's own footer: what was changed, cut short or made by anything
//! else is not read.

use std::io::Cursor;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Error, Result, bail, ensure};
use polars::polars_utils::compression::ZstdLevel;
use polars::prelude::*;

use super::footer::{INPUTS, VERSION, VERSION_ENTRY};
use super::inputs::Inputs;
use crate::data::parquet::{MAGIC, promises};
use crate::process::panics::{catch_panic, defect};
use crate::storage::atomic::{DiskError, DiskResult, write_bytes};

/// Footer entry, the last one: BLAKE3 of the file with zeros in the place of this very digest.
const CHECKSUM: &str = "gmm.checksum";

/// Hexadecimal digits of a checksum.
const DIGITS: usize = 64;

/// Between an entry's key and its value: Thrift's compact protocol says that a string follows, and how long it is.
const STRING_OF_DIGITS: [u8; 2] = [0x18, DIGITS as u8];

/// Bytes at the end of a Parquet file: the footer's length and the magic word.
const TAIL: usize = 8;

/// Rows that are encoded, and later read, at a time: polars' own default. A fit rarely has more.
const ROW_GROUP: usize = 512 * 512;

/// A file that is what it was when it was written.
#[derive(Debug)]
pub struct Sealed {
    bytes: Vec<u8>,
    metadata: FileMetadataRef,
    entries: Vec<(String, String)>,
}

impl Sealed {
    /// # Errors
    /// Bytes that are not those of a file that was written here.
    pub fn open(bytes: Vec<u8>) -> Result<Self> {
        ensure!(!bytes.is_empty(), "the file is empty");
        ensure!(bytes.starts_with(MAGIC), "it does not begin like Parquet");
        ensure!(bytes.len() > TAIL && bytes.ends_with(MAGIC), "its end is missing");
        let Some(digits) = digits(&bytes) else { bail!("it carries no checksum: another program wrote it") };
        ensure!(
            checksum(&bytes, &digits).as_bytes() == &bytes[digits],
            "its checksum does not match its content"
        );
        promises::check_footer(&mut Cursor::new(&bytes)).map_err(Error::msg)?;
        let metadata =
            catch_panic(|| Ok(ParquetReader::new(Cursor::new(&bytes)).get_metadata()?.clone()), defect)?;
        let entries = metadata.key_value_metadata().clone().unwrap_or_default();
        let entries = entries.into_iter().filter_map(|entry| Some((entry.key, entry.value?))).collect();
        Ok(Self { bytes, metadata, entries })
    }

    /// Bytes with the checksum that they should have, if there is a place for one.
    #[must_use]
    pub fn reseal(mut bytes: Vec<u8>) -> Vec<u8> {
        if let Some(digits) = digits(&bytes) {
            let checksum = checksum(&bytes, &digits);
            bytes[digits].copy_from_slice(checksum.as_bytes());
        }
        bytes
    }

    /// Whether this version of the program wrote it.
    #[must_use]
    pub fn is_of_this_version(&self) -> bool {
        self.entry(VERSION_ENTRY) == Some(VERSION)
    }

    /// What it depends on.
    ///
    /// # Errors
    /// A file that does not say so.
    pub fn inputs(&self) -> Result<Inputs> {
        Inputs::parse(self.entry(INPUTS).context("it has no inputs")?)
    }

    /// The value of a footer entry.
    #[must_use]
    pub fn entry(&self, wanted: &str) -> Option<&str> {
        self.entries.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str())
    }

    /// The table.
    ///
    /// # Errors
    /// A content that polars does not read, which this program did not write.
    pub fn frame(&self) -> Result<DataFrame> {
        let read = || {
            let mut reader = ParquetReader::new(Cursor::new(&self.bytes));
            reader.set_metadata(self.metadata.clone());
            for name in reader.schema()?.iter_names() {
                // The checksum says that nothing was changed, not who wrote it.
                promises::check_pages(&mut Cursor::new(&self.bytes), &self.metadata, name)
                    .map_err(Error::msg)?;
            }
            // Whoever reads many files has threads of their own.
            let frame = reader.read_parallel(ParallelStrategy::None).finish()?;
            let columns = frame.columns().iter();
            ensure!(
                columns.into_iter().all(|column| column.len() == frame.height()),
                "its columns are not of one length"
            );
            Ok(frame)
        };
        catch_panic(read, defect)
    }
}

/// In what two files' bytes differ, as precisely as can be told.
#[must_use]
pub fn difference(before: Vec<u8>, now: Vec<u8>) -> String {
    let sizes = format!("{} and {} bytes", before.len(), now.len());
    let tables = || -> Result<String> {
        let (before, now) = (Sealed::open(before)?, Sealed::open(now)?);
        let entry =
            before.entries.iter().find(|(key, value)| key != CHECKSUM && now.entry(key) != Some(value));
        if let Some((key, value)) = entry {
            return Ok(format!("{key} was {value} and is {}", now.entry(key).unwrap_or("not there")));
        }
        let (before, now) = (before.frame()?, now.frame()?);
        ensure!(
            before.schema() == now.schema() && before.height() == now.height(),
            "the tables have other columns or rows"
        );
        for (was, is) in before.columns().iter().zip(now.columns()) {
            if let Some(row) = (0..was.len()).find(|&row| was.get(row).ok() != is.get(row).ok()) {
                return Ok(format!(
                    "column {} of row {row} was {} and is {}",
                    was.name(),
                    was.get(row)?,
                    is.get(row)?
                ));
            }
        }
        bail!("the tables are the same, their bytes are not")
    };
    tables().unwrap_or(sizes)
}

/// Writes a table with footer entries.
///
/// # Errors
/// The disk.
pub fn write(path: &Path, columns: Vec<Column>, footer: &[(&'static str, String)]) -> DiskResult<()> {
    let bytes =
        encode(columns, footer).map_err(|error| DiskError::new(path, "written", format!("{error:#}")))?;
    write_bytes(path, &bytes)
}

/// The bytes of a table with footer entries and its checksum.
fn encode(columns: Vec<Column>, footer: &[(&'static str, String)]) -> Result<Vec<u8>> {
    let frame = DataFrame::new_infer_height(columns)?;
    let entries = footer.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    let entries = entries.chain([(CHECKSUM.to_owned(), "0".repeat(DIGITS))]).collect();
    let mut bytes = Vec::new();
    // `finish` of the writer as a whole would first split the frame into its chunks, of which there is one, and for that
    // make a buffer of 8 MiB of zeros that nobody reads.
    let mut writer = ParquetWriter::new(&mut bytes)
        // Random mantissas do not compress; statistics and labels do, and level 1 costs next to nothing.
        .with_compression(ParquetCompression::Zstd(Some(ZstdLevel::try_new(1)?)))
        .with_key_value_metadata(Some(KeyValueMetadata::from_static(entries)))
        // Writers run inside our own pool already.
        .set_parallel(false)
        .batched(frame.schema())?;
    for first in (0..frame.height()).step_by(ROW_GROUP) {
        writer.write_batch(&frame.slice(first as i64, ROW_GROUP))?;
    }
    writer.finish()?;
    drop(writer);
    ensure!(digits(&bytes).is_some(), "a Parquet file has the footer entries that it was given");
    Ok(Sealed::reseal(bytes))
}

/// Where the checksum stands.
fn digits(bytes: &[u8]) -> Option<Range<usize>> {
    let end = bytes.len().checked_sub(TAIL)?;
    let length = u32::from_le_bytes(bytes[end..end + 4].try_into().ok()?) as usize;
    let footer = end.checked_sub(length)?;
    let sign = [CHECKSUM.as_bytes(), &STRING_OF_DIGITS].concat();
    let at = bytes[footer..end].windows(sign.len()).rposition(|window| window == sign)?;
    let first = footer + at + sign.len();
    (first + DIGITS <= end).then_some(first..first + DIGITS)
}

fn checksum(bytes: &[u8], digits: &Range<usize>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes[..digits.start]).update(&[b'0'; DIGITS]).update(&bytes[digits.end..]);
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn written(rows: u32) -> Vec<u8> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.parquet");
        let column = Column::new("row".into(), (0..rows).collect::<Vec<u32>>());
        write(&path, vec![column], &[("key", "value".to_owned())]).unwrap();
        fs::read(path).unwrap()
    }

    fn rows(file: &Sealed) -> Vec<u32> {
        let frame = file.frame().unwrap();
        frame.column("row").unwrap().u32().unwrap().into_no_null_iter().collect()
    }

    #[test]
    fn more_rows_than_a_group_holds_come_back_in_their_order() {
        let n = ROW_GROUP as u32 + 5;
        let file = Sealed::open(written(n)).unwrap();
        assert!(rows(&file).into_iter().eq(0..n));
        assert_eq!((file.entry("key"), file.entry("other")), (Some("value"), None));
    }

    #[test]
    fn no_bit_can_be_flipped_and_no_byte_be_missing_unnoticed() {
        let bytes = written(20);
        assert!(Sealed::open(bytes.clone()).is_ok());
        for bit in 0..8 * bytes.len() {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Sealed::open(flipped).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(Sealed::open(bytes[..length].to_vec()).is_err(), "{length} bytes");
        }
        let longer = [bytes.as_slice(), &bytes[4..]].concat();
        assert!(Sealed::open(longer).is_err());
    }

    #[test]
    fn files_of_other_programs_are_told_apart() {
        let mut bytes = Vec::new();
        let mut frame = DataFrame::new_infer_height(vec![Column::new("row".into(), [1u32, 2])]).unwrap();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        let reason = |bytes: &[u8]| Sealed::open(bytes.to_vec()).unwrap_err().to_string();
        assert!(reason(&bytes).contains("another program"));
        assert!(reason(b"row\n1\n").contains("does not begin like Parquet"));
        assert!(reason(b"").contains("empty"));
        assert!(reason(&bytes[..bytes.len() - 3]).contains("end is missing"));
    }
}
