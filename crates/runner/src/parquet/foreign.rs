//! Parquet as other programs write it, for tests: columns of any type, polars' own settings, no checksum.

use polars::prelude::{DataFrame, NamedFrom, ParquetWriter, Series};

pub use polars::prelude::Column;

/// A column of any type that polars knows.
pub fn column<T, P: ?Sized>(name: &str, cells: T) -> Column
where
    Series: NamedFrom<T, P>,
{
    Series::new(name.into(), cells).into()
}

/// The bytes of a file.
pub fn bytes(columns: Vec<Column>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut frame = DataFrame::new_infer_height(columns).unwrap();
    ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
    bytes
}
