//! Parquet with a checksum over every byte, carried in the file's own footer: what was changed, cut short or made by anything
//! else is not read.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::footer::{INPUTS, VERSION, VERSION_ENTRY};
use super::inputs::Inputs;
use crate::parquet::{self, Column, Difference, Footer, MAGIC, Source, Table};
use crate::storage::atomic::{DiskError, DiskResult, write_bytes};

/// Footer entry, the last one: BLAKE3 of the file with zeros in the place of this very digest.
const CHECKSUM: &str = "gmm.checksum";

/// Hexadecimal digits of a checksum.
const DIGITS: usize = 64;

/// Between an entry's key and its value: Thrift's compact protocol says that a string follows, and how long it is.
const STRING_OF_DIGITS: [u8; 2] = [0x18, DIGITS as u8];

/// Bytes at the end of a Parquet file: the footer's length and the magic word.
const TAIL: usize = 8;

/// A file that is what it was when it was written.
#[derive(Debug)]
pub struct Sealed {
    bytes: Vec<u8>,
    footer: Footer,
}

impl Sealed {
    /// # Errors
    /// Bytes that are not those of a file that was written here.
    pub fn open(bytes: Vec<u8>) -> Result<Self> {
        ensure!(!bytes.is_empty(), "the file is empty");
        ensure!(bytes.starts_with(MAGIC), "the file does not start like Parquet");
        ensure!(bytes.len() > TAIL && bytes.ends_with(MAGIC), "the end of the file is missing");
        let Some(digits) = digits(&bytes) else {
            bail!("the file has no checksum: another program wrote it")
        };
        ensure!(
            checksum(&bytes, &digits).as_bytes() == &bytes[digits],
            "the checksum does not match the content"
        );
        let footer = Footer::read(Source::Memory(&bytes))?;
        Ok(Self { bytes, footer })
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
        Inputs::parse(self.entry(INPUTS).context("the file names no inputs")?)
    }

    /// The value of a footer entry.
    #[must_use]
    pub fn entry(&self, wanted: &str) -> Option<&str> {
        self.footer.entries().iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str())
    }

    /// The table.
    ///
    /// # Errors
    /// A content that this program did not write: the checksum says that nothing was changed, not who wrote it.
    pub fn table(&self) -> Result<Table> {
        self.footer.table(Source::Memory(&self.bytes))
    }
}

/// In what two files' bytes differ, as precisely as can be told.
#[must_use]
pub fn difference(before: Vec<u8>, now: Vec<u8>) -> String {
    let sizes = format!("{} and {} bytes", before.len(), now.len());
    let tables = || -> Result<String> {
        let (before, now) = (Sealed::open(before)?, Sealed::open(now)?);
        let entry = before
            .footer
            .entries()
            .iter()
            .find(|(key, value)| key != CHECKSUM && now.entry(key) != Some(value));
        if let Some((key, value)) = entry {
            return Ok(format!("{key} was {value} and is {}", now.entry(key).unwrap_or("not there")));
        }
        if let Some(Difference { column, row, cells: [was, is] }) =
            before.table()?.first_difference(&now.table()?)?
        {
            return Ok(format!("column {column} of row {row} was {was} and is {is}"));
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
    let entries = footer.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    let entries = entries.chain([(CHECKSUM.to_owned(), "0".repeat(DIGITS))]).collect();
    let bytes = parquet::write(Table::new(columns)?, entries)?;
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
    use std::fs;

    use super::*;
    use crate::parquet::foreign;

    fn written(rows: u32) -> Vec<u8> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.parquet");
        let column = Column::new("row", (0..rows).collect::<Vec<u32>>());
        write(&path, vec![column], &[("key", "value".to_owned())]).unwrap();
        fs::read(path).unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let file = Sealed::open(written(5)).unwrap();
        assert_eq!(file.table().unwrap().take::<u32>("row").unwrap(), [0, 1, 2, 3, 4]);
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
        let bytes = foreign::bytes(vec![foreign::column("row", [1u32, 2])]);
        let reason = |bytes: &[u8]| Sealed::open(bytes.to_vec()).unwrap_err().to_string();
        assert!(reason(&bytes).contains("another program"));
        assert!(reason(b"row\n1\n").contains("does not start like Parquet"));
        assert!(reason(b"").contains("empty"));
        assert!(reason(&bytes[..bytes.len() - 3]).contains("the end of the file is missing"));
    }
}
