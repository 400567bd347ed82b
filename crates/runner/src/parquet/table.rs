//! A table of named, typed columns, whichever file it comes from or goes to.

use std::fmt;

use anyhow::{Context, Result, ensure};

/// The cells of a column, one for each row.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    F64(Vec<f64>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    Bool(Vec<bool>),
    Text(Vec<String>),
    /// `None` for an empty cell, as in the next two.
    OptionalF64(Vec<Option<f64>>),
    OptionalU32(Vec<Option<u32>>),
    OptionalU64(Vec<Option<u64>>),
}

/// What a cell of a column can be.
pub trait Cell: Sized {
    /// What messages call such cells.
    const TYPE: &'static str;

    /// The cells, if they are such.
    fn from_values(values: Values) -> Option<Vec<Self>>;
}

macro_rules! cells {
    ($($cell:ty, $name:literal => $variant:ident);+) => {
        $(impl From<Vec<$cell>> for Values {
            fn from(cells: Vec<$cell>) -> Self {
                Self::$variant(cells)
            }
        }

        impl Cell for $cell {
            const TYPE: &'static str = $name;

            fn from_values(values: Values) -> Option<Vec<Self>> {
                match values {
                    Values::$variant(cells) => Some(cells),
                    _ => None,
                }
            }
        })+
    };
}

cells!(
    f64, "f64" => F64;
    u32, "u32" => U32;
    u64, "u64" => U64;
    bool, "bool" => Bool;
    String, "text" => Text;
    Option<f64>, "f64" => OptionalF64;
    Option<u32>, "u32" => OptionalU32;
    Option<u64>, "u64" => OptionalU64
);

impl From<Vec<&str>> for Values {
    fn from(cells: Vec<&str>) -> Self {
        Self::Text(cells.into_iter().map(str::to_owned).collect())
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::F64(cells) => cells.len(),
            Self::U32(cells) => cells.len(),
            Self::U64(cells) => cells.len(),
            Self::Bool(cells) => cells.len(),
            Self::Text(cells) => cells.len(),
            Self::OptionalF64(cells) => cells.len(),
            Self::OptionalU32(cells) => cells.len(),
            Self::OptionalU64(cells) => cells.len(),
        }
    }

    /// What the cells are, empty or not.
    fn type_name(&self) -> &'static str {
        match self {
            Self::F64(_) | Self::OptionalF64(_) => f64::TYPE,
            Self::U32(_) | Self::OptionalU32(_) => u32::TYPE,
            Self::U64(_) | Self::OptionalU64(_) => u64::TYPE,
            Self::Bool(_) => bool::TYPE,
            Self::Text(_) => String::TYPE,
        }
    }

    /// A cell as it is shown in a message; cells with different bits look different, NaN aside.
    fn shown(&self, row: usize) -> String {
        fn optional(cell: Option<impl fmt::Debug>) -> String {
            cell.map_or_else(|| "empty".to_owned(), |cell| format!("{cell:?}"))
        }
        match self {
            Self::F64(cells) => format!("{:?}", cells[row]),
            Self::U32(cells) => format!("{:?}", cells[row]),
            Self::U64(cells) => format!("{:?}", cells[row]),
            Self::Bool(cells) => format!("{:?}", cells[row]),
            Self::Text(cells) => format!("{:?}", cells[row]),
            Self::OptionalF64(cells) => optional(cells[row]),
            Self::OptionalU32(cells) => optional(cells[row]),
            Self::OptionalU64(cells) => optional(cells[row]),
        }
    }
}

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub values: Values,
}

impl Column {
    pub fn new(name: impl Into<String>, values: impl Into<Values>) -> Self {
        Self { name: name.into(), values: values.into() }
    }
}

/// A cell in which two tables differ.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference<'a> {
    pub column: &'a str,
    /// Counted from 0.
    pub row: usize,
    /// The cell in either table, as text.
    pub cells: [String; 2],
}

/// Columns of one length.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
}

impl Table {
    /// # Errors
    /// Columns of different lengths.
    pub fn new(columns: Vec<Column>) -> Result<Self> {
        let table = Self { columns };
        let n_rows = table.n_rows();
        ensure!(
            table.columns.iter().all(|column| column.values.len() == n_rows),
            "its columns are not of one length"
        );
        Ok(table)
    }

    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    #[must_use]
    pub fn into_columns(self) -> Vec<Column> {
        self.columns
    }

    /// The names of the columns, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name == name)
    }

    /// Takes the cells of a column out of the table.
    ///
    /// # Errors
    /// No such column, or one of other or of empty cells.
    pub fn take<T: Cell>(&mut self, name: &str) -> Result<Vec<T>> {
        let place = self.columns.iter().position(|column| column.name == name);
        let place = place.with_context(|| format!("column {name} is missing"))?;
        let values = self.columns.swap_remove(place).values;
        let found = values.type_name();
        T::from_values(values).with_context(|| {
            if T::TYPE == found {
                format!("column {name} has empty cells")
            } else {
                format!("column {name} holds {found}, expected {}", T::TYPE)
            }
        })
    }

    /// The first cell in which a table of the same shape differs.
    ///
    /// # Errors
    /// A table of another shape.
    pub fn first_difference(&self, other: &Self) -> Result<Option<Difference<'_>>> {
        let shape = |table: &Self| -> Vec<(String, &'static str)> {
            table.columns.iter().map(|column| (column.name.clone(), column.values.type_name())).collect()
        };
        ensure!(
            shape(self) == shape(other) && self.n_rows() == other.n_rows(),
            "the tables have other columns or rows"
        );
        for (column, counterpart) in self.columns.iter().zip(&other.columns) {
            for row in 0..self.n_rows() {
                let cells = [column, counterpart].map(|column| column.values.shown(row));
                if cells[0] != cells[1] {
                    return Ok(Some(Difference { column: &column.name, row, cells }));
                }
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::new(vec![
            Column::new("x", vec![0.1, f64::NAN]),
            Column::new("k", vec![Some(1u32), None]),
            Column::new("name", vec!["a", "b"]),
        ])
        .unwrap()
    }

    #[test]
    fn columns_are_taken_by_name_and_type() {
        let mut table = table();
        assert_eq!(table.take::<String>("name").unwrap(), ["a", "b"]);
        assert_eq!(table.take::<Option<u32>>("k").unwrap(), [Some(1), None]);
        assert_eq!(table.take::<u32>("k").unwrap_err().to_string(), "column k is missing");
        assert_eq!(table.take::<u32>("x").unwrap_err().to_string(), "column x holds f64, expected u32");
        assert_eq!(self::table().take::<u32>("k").unwrap_err().to_string(), "column k has empty cells");
    }

    #[test]
    fn columns_of_different_lengths_are_no_table() {
        let columns = vec![Column::new("a", vec![1u32]), Column::new("b", vec![true, false])];
        assert!(Table::new(columns).is_err());
    }

    #[test]
    fn the_first_cell_that_differs_is_found_by_its_bits() {
        let before = table();
        assert_eq!(before.first_difference(&table()).unwrap(), None);
        let mut now = table();
        now.columns[0].values = Values::F64(vec![0.1 + 5e-18, f64::NAN]);
        assert_eq!(before.first_difference(&now).unwrap(), None);
        now.columns[0].values = Values::F64(vec![0.1 + 2e-17, f64::NAN]);
        let cells = ["0.1", "0.10000000000000002"].map(str::to_owned);
        let difference = Difference { column: "x", row: 0, cells };
        assert_eq!(before.first_difference(&now).unwrap(), Some(difference));
        now.columns.pop();
        assert!(before.first_difference(&now).is_err());
    }
}
