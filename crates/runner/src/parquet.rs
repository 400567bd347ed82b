//! Parquet files read and written as columns of plain Rust types: the only file that knows polars.

mod limits;
mod table;

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Cursor, Write};
use std::ops::Range;

use anyhow::{Result, anyhow, bail, ensure};
use polars::io::mmap::MmapBytesReader;
use polars::io::parquet::write::BatchedWriter;
use polars::polars_utils::compression::ZstdLevel;
use polars::prelude::{
    ArrowDataType, Column as Series, DataFrame, DataType, FileMetadata, FileMetadataRef, Float64Chunked,
    IntoColumn, KeyValueMetadata, ParallelStrategy, ParquetCompression, ParquetReader, ParquetWriter,
    SerReader, UInt32Chunked, UInt64Chunked,
};

use crate::process::panics::catch_panic;
use limits::{Chunk, RowGroup};

pub use limits::MAGIC;
pub use table::{Column, Difference, Table, Values};

/// Rows that are encoded, and later read, at a time: polars' own default. A fit rarely has more.
const ROW_GROUP: usize = 512 * 512;

/// Bytes of a page's header, nearly always.
const HEADER_BYTES: usize = 256;

/// Bytes of all texts of a column.
const LARGEST_TEXTS: usize = 1 << 30;

/// What a column of any program's file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Integers or floating-point numbers.
    Numbers,
    Booleans,
    Text,
    /// Anything else, by Arrow's name for it.
    Other(String),
}

impl Kind {
    fn new(data_type: &ArrowDataType) -> Self {
        use ArrowDataType as Arrow;
        match data_type {
            Arrow::Int8 | Arrow::Int16 | Arrow::Int32 | Arrow::Int64 => Self::Numbers,
            Arrow::UInt8 | Arrow::UInt16 | Arrow::UInt32 | Arrow::UInt64 => Self::Numbers,
            Arrow::Float32 | Arrow::Float64 => Self::Numbers,
            Arrow::Boolean => Self::Booleans,
            Arrow::Utf8 | Arrow::LargeUtf8 | Arrow::Utf8View => Self::Text,
            other => Self::Other(format!("{other:?}")),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbers => f.write_str("numbers"),
            Self::Booleans => f.write_str("booleans"),
            Self::Text => f.write_str("text"),
            Self::Other(name) => write!(f, "values of type {name}"),
        }
    }
}

/// A column of a file, before its cells are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub kind: Kind,
}

/// A column's cells as numbers, whatever type of number or boolean they are stored as.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers {
    /// One a row, NaN where the cell is empty.
    pub values: Vec<f64>,
    /// The rows of empty cells, counted from 0.
    pub empty: Vec<usize>,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    Memory(&'a [u8]),
    Disk(&'a File),
}

impl<'a> Source<'a> {
    fn reader(self) -> Result<ParquetReader<Box<dyn MmapBytesReader + 'a>>> {
        let bytes: Box<dyn MmapBytesReader + 'a> = match self {
            Self::Memory(bytes) => Box::new(Cursor::new(bytes)),
            Self::Disk(file) => Box::new(file.try_clone()?),
        };
        // Whoever reads many files, or columns, has threads of their own.
        Ok(ParquetReader::new(bytes).read_parallel(ParallelStrategy::None))
    }

    fn check_footer(self) -> Result<()> {
        match self {
            Self::Memory(bytes) => limits::check_footer(&mut Cursor::new(bytes)),
            Self::Disk(file) => limits::check_footer(&mut BufReader::new(file)),
        }
    }

    fn check_pages(self, metadata: &FileMetadata, column: &str) -> Result<()> {
        let groups: Vec<RowGroup> = metadata
            .row_groups
            .iter()
            .map(|group| RowGroup {
                n_rows: group.num_rows(),
                chunks: group
                    .columns_under_root_iter(column)
                    .into_iter()
                    .flatten()
                    .map(|chunk| Chunk { n_values: chunk.num_values(), bytes: chunk.byte_range() })
                    .collect(),
            })
            .collect();
        let n_rows = metadata.num_rows;
        match self {
            Self::Memory(bytes) => limits::check_pages(&mut Cursor::new(bytes), n_rows, &groups, column),
            // Of a page little more than its header is read here.
            Self::Disk(file) => {
                let mut headers = BufReader::with_capacity(HEADER_BYTES, file);
                limits::check_pages(&mut headers, n_rows, &groups, column)
            }
        }
    }
}

/// What a file says of itself: its columns, rows and key-value entries.
#[derive(Debug)]
pub struct Footer {
    metadata: FileMetadataRef,
    fields: Vec<Field>,
    entries: Vec<(String, String)>,
}

impl Footer {
    /// # Errors
    /// A file that is not Parquet, is damaged, or asks for more memory than any sound footer needs.
    pub fn read(source: Source<'_>) -> Result<Self> {
        source.check_footer()?;
        decode(|| {
            let mut reader = source.reader()?;
            let fields = reader.schema()?;
            let fields = fields
                .iter_values()
                .map(|field| Field { name: field.name.to_string(), kind: Kind::new(&field.dtype) })
                .collect();
            let metadata = reader.get_metadata()?.clone();
            let entries = metadata.key_value_metadata().clone().unwrap_or_default();
            let entries = entries.into_iter().filter_map(|entry| Some((entry.key, entry.value?))).collect();
            Ok(Self { metadata, fields, entries })
        })
    }

    /// Without its entries. Among them is the Arrow schema, which every reading of columns would decode again, and polars slowly;
    /// columns of numbers do not need it.
    #[must_use]
    pub fn without_entries(self) -> Self {
        let mut metadata = FileMetadata::clone(&self.metadata);
        metadata.key_value_metadata = None;
        Self { metadata: FileMetadataRef::new(metadata), fields: self.fields, entries: Vec::new() }
    }

    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.metadata.num_rows
    }

    /// The columns, in the order of the file.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The entries that have a value.
    #[must_use]
    pub fn entries(&self) -> &[(String, String)] {
        &self.entries
    }

    /// The cells of columns of numbers or booleans (1 and 0), by the columns' places in the file.
    ///
    /// # Errors
    /// A damaged file, a column of another kind or of more memory than any sound one takes.
    pub fn numbers(&self, source: Source<'_>, places: &[usize]) -> Result<Vec<Numbers>> {
        let frame = self.frame(source, places)?;
        // Each is let go when it has been copied, so that the next copy takes its place in memory.
        frame.into_columns().into_iter().map(|column| decode(|| numbers(&column))).collect()
    }

    /// The same of some rows.
    ///
    /// # Errors
    /// As [`numbers`](Self::numbers).
    pub fn numbers_of_rows(
        &self,
        source: Source<'_>,
        places: &[usize],
        rows: Range<usize>,
    ) -> Result<Vec<Numbers>> {
        // One by one, in the order asked for.
        let of_place = |&place: &usize| {
            let frame = self.frame_of_rows(source, &[place], rows.clone())?;
            decode(|| numbers(&frame.columns()[0]))
        };
        places.iter().map(of_place).collect()
    }

    /// The cells of a column of texts, numbers or booleans, as texts; `None` where the cell is empty.
    ///
    /// # Errors
    /// A damaged file, a column of another kind, more than a gibibyte of text.
    pub fn texts(&self, source: Source<'_>, place: usize) -> Result<Vec<Option<String>>> {
        let frame = self.frame(source, &[place])?;
        decode(|| texts(&frame.columns()[0]))
    }

    /// The whole table of a file that was written by [`write`].
    ///
    /// # Errors
    /// A damaged file, or columns that [`write`] does not write.
    pub fn table(&self, source: Source<'_>) -> Result<Table> {
        let places: Vec<usize> = (0..self.fields.len()).collect();
        let frame = self.frame(source, &places)?;
        let columns = frame.into_columns().into_iter().map(|column| {
            let name = column.name().to_string();
            Ok(Column { values: decode(|| values(&column))?, name })
        });
        Table::new(columns.collect::<Result<_>>()?)
    }

    fn frame(&self, source: Source<'_>, places: &[usize]) -> Result<DataFrame> {
        self.frame_of_rows(source, places, 0..self.n_rows())
    }

    fn frame_of_rows(&self, source: Source<'_>, places: &[usize], rows: Range<usize>) -> Result<DataFrame> {
        for &place in places {
            source.check_pages(&self.metadata, &self.fields[place].name)?;
        }
        let frame = decode(|| {
            let mut reader = source.reader()?.with_projection(Some(places.to_vec()));
            if rows.len() < self.n_rows() {
                reader = reader.with_slice(Some((rows.start, rows.len())));
            }
            reader.set_metadata(self.metadata.clone());
            Ok(reader.finish()?)
        })?;
        // A column has as many rows as its own header says, which may not be what the footer says.
        if let Some(column) = frame.columns().iter().find(|column| column.len() != rows.len()) {
            let name = column.name().escape_debug();
            bail!("column `{name}` has {} rows instead of {}", column.len(), rows.len());
        }
        Ok(frame)
    }
}

/// Runs the decoder, which panics on many damaged files instead of returning an error.
fn decode<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_panic(work, |_| anyhow!("its content cannot be decoded"))
}

fn numbers(column: &Series) -> Result<Numbers> {
    let numbers = column.cast(&DataType::Float64)?;
    let numbers = numbers.f64()?;
    let mut values = Vec::with_capacity(numbers.len());
    if numbers.null_count() == 0 {
        // Whole blocks: an iterator over cells that may be empty costs more than scoring them.
        numbers.downcast_iter().for_each(|block| values.extend_from_slice(block.values()));
        return Ok(Numbers { values, empty: Vec::new() });
    }
    values.extend(numbers.iter().map(|value| value.unwrap_or(f64::NAN)));
    let empty = numbers.iter().enumerate().filter_map(|(row, value)| value.is_none().then_some(row));
    Ok(Numbers { values, empty: empty.collect() })
}

fn texts(column: &Series) -> Result<Vec<Option<String>>> {
    let cells = column.cast(&DataType::String)?;
    let mut texts = Vec::new();
    let mut bytes = 0;
    for text in cells.str()?.iter() {
        // One text of a dictionary may stand in every row.
        bytes += text.map_or(0, str::len);
        ensure!(
            bytes <= LARGEST_TEXTS,
            "column `{}` has more than {LARGEST_TEXTS} bytes of text, the most that is read",
            column.name().escape_debug()
        );
        texts.push(text.map(str::to_owned));
    }
    Ok(texts)
}

/// A column as it was written.
fn values(column: &Series) -> Result<Values> {
    let is_full = column.null_count() == 0;
    Ok(match column.dtype() {
        DataType::Float64 if is_full => Values::F64(column.f64()?.into_no_null_iter().collect()),
        DataType::Float64 => Values::OptionalF64(column.f64()?.iter().collect()),
        DataType::UInt32 if is_full => Values::U32(column.u32()?.into_no_null_iter().collect()),
        DataType::UInt32 => Values::OptionalU32(column.u32()?.iter().collect()),
        DataType::UInt64 if is_full => Values::U64(column.u64()?.into_no_null_iter().collect()),
        DataType::UInt64 => Values::OptionalU64(column.u64()?.iter().collect()),
        DataType::Boolean if is_full => Values::Bool(column.bool()?.iter().flatten().collect()),
        DataType::String if is_full => {
            Values::Text(texts(column)?.into_iter().map(|text| text.expect("no cell is empty")).collect())
        }
        other => {
            bail!("column `{}` has an unexpected type or empty cells: {other}", column.name().escape_debug())
        }
    })
}

fn series(column: Column) -> Series {
    let name = column.name.into();
    match column.values {
        // Without a copy.
        Values::F64(cells) => Float64Chunked::from_vec(name, cells).into_column(),
        Values::U32(cells) => UInt32Chunked::from_vec(name, cells).into_column(),
        Values::U64(cells) => UInt64Chunked::from_vec(name, cells).into_column(),
        Values::Bool(cells) => Series::new(name, cells),
        Values::Text(cells) => Series::new(name, cells),
        Values::OptionalF64(cells) => Series::new(name, cells),
        Values::OptionalU32(cells) => Series::new(name, cells),
        Values::OptionalU64(cells) => Series::new(name, cells),
    }
}

/// The bytes of a Parquet file with key-value entries in its footer, in this order.
///
/// # Errors
/// None that a table of distinct column names meets.
pub fn write(table: Table, entries: Vec<(String, String)>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let frame = frame(table)?;
    let mut writer = Writer::new(&mut bytes, &frame, entries)?;
    for first in (0..frame.height()).step_by(ROW_GROUP) {
        writer.0.write_batch(&frame.slice(first as i64, ROW_GROUP))?;
    }
    writer.finish()?;
    Ok(bytes)
}

fn frame(table: Table) -> Result<DataFrame> {
    Ok(DataFrame::new_infer_height(table.into_columns().into_iter().map(series).collect())?)
}

/// Writes tables of the same columns, one below the other, to a Parquet file.
pub struct Writer<W: Write>(BatchedWriter<W>);

impl<W: Write> Writer<W> {
    fn new(to: W, frame: &DataFrame, entries: Vec<(String, String)>) -> Result<Self> {
        // `finish` of the writer as a whole would first split the frame into its chunks, of which there is one, and for that
        // make a buffer of 8 MiB of zeros that nobody reads.
        let writer = ParquetWriter::new(to)
            // Random mantissas do not compress; statistics and labels do, and level 1 costs next to nothing.
            .with_compression(ParquetCompression::Zstd(Some(ZstdLevel::try_new(1)?)))
            .with_key_value_metadata(Some(KeyValueMetadata::from_static(entries)))
            // Writers run inside our own pool already.
            .set_parallel(false)
            .batched(frame.schema())?;
        Ok(Self(writer))
    }

    /// Begins with the first of the tables.
    ///
    /// # Errors
    /// As [`write`], and those of what is written to.
    pub fn begin(to: W, table: Table) -> Result<Self> {
        let frame = frame(table)?;
        let mut writer = Self::new(to, &frame, Vec::new())?;
        writer.0.write_batch(&frame)?;
        Ok(writer)
    }

    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn write(&mut self, table: Table) -> Result<()> {
        Ok(self.0.write_batch(&frame(table)?)?)
    }

    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn finish(self) -> Result<()> {
        self.0.finish()?;
        Ok(())
    }
}

#[cfg(test)]
pub mod foreign;
#[cfg(test)]
mod tests;
