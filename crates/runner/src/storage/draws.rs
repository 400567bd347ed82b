//! Draws that any program left as Parquet: a row a draw, chain after chain, read a few columns at a time.

use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::cli::messages::first_of;
use crate::cli::problem::{Problem, Problems};
use crate::data::parquet::damaged;
use crate::parquet::{Field, Footer, Kind, MAGIC, Numbers, Source};

/// The column that tells chains apart, and the one that may count their draws.
pub const CHAIN: &str = "chain";
pub const DRAW: &str = "draw";

/// Each reading of columns goes through the names of all, so that a file of many is read in few batches.
const MOST_BATCHES: usize = 16;

/// Columns of a batch at least: fewer would leave threads with little to do between two readings.
const SMALLEST_BATCH: usize = 64;

/// Bytes of a batch at most: each thread holds one, and as much again of the file.
const BATCH_BYTES: usize = 1 << 26;

/// Column names that are listed in a message; a file may have thousands.
const NAMES_SHOWN: usize = 10;

/// Which columns may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Numbers alone.
    Observations,
    /// Numbers, and truth values as 1 and 0.
    Variables,
}

/// An opened file: its shape is known and sound, its numbers are still on disk.
#[derive(Debug)]
pub struct DrawsFile {
    path: PathBuf,
    shown: String,
    footer: Footer,
    /// Of each wanted column, its place in the file.
    places: Vec<usize>,
    names: Vec<String>,
    n_chains: usize,
}

impl DrawsFile {
    /// Opens a file and checks its chains. `is_wanted` picks columns by name among those that are neither chain nor draw.
    ///
    /// # Errors
    /// A file that is missing, damaged or not Parquet; without a `chain` column, without a wanted one, or with one that holds no
    /// numbers; chains of unequal length, or that come back after another has begun; fewer than two draws.
    pub fn open(path: &Path, content: Content, is_wanted: impl Fn(&str) -> bool) -> Result<Self, Problems> {
        let shown = path.display().to_string();
        let mut file = opened(path, &shown)?;
        let mut start = [0; MAGIC.len()];
        if file.read_exact(&mut start).is_err() || start != MAGIC {
            let problem = Problem::new(&shown, format!("`{shown}` is not a Parquet file"));
            return Err(problem.help("save the draws as Parquet, one row for each draw").into());
        }
        let footer = Footer::read(Source::Disk(&file)).map_err(|error| damaged(&shown, &error))?;
        // Numbers do not need them, and every reading of a batch would decode the Arrow schema that is among them.
        let footer = footer.without_entries();
        let fields = footer.fields();
        let names = || fields.iter().map(|field| field.name.as_str());
        let columns = || format!("its columns: {}", first_of(names().map(str::escape_debug), NAMES_SHOWN));
        let Some(chain) = names().position(|name| name == CHAIN) else {
            let message = format!("`{shown}` has no column `{CHAIN}`");
            return Err(Problem::new(&shown, message)
                .note(columns())
                .note("rows are draws, chain after chain, and `chain` says which chain each belongs to")
                .did_you_mean(CHAIN, names())
                .into());
        };
        let is_value = |name: &str| name != CHAIN && name != DRAW && is_wanted(name);
        let places: Vec<usize> = (0..fields.len()).filter(|&place| is_value(&fields[place].name)).collect();
        let takes = |kind: &Kind| match kind {
            Kind::Numbers => true,
            Kind::Booleans => content == Content::Variables,
            Kind::Text | Kind::Other(_) => false,
        };
        let refused: Vec<&Field> =
            places.iter().map(|&place| &fields[place]).filter(|field| !takes(&field.kind)).collect();
        if let Some(Field { name, kind }) = refused.first() {
            let message = format!("column `{}` holds {kind}, not numbers", name.escape_debug());
            let problem = Problem::new(&shown, message);
            return Err(match refused.len() {
                1 => problem,
                more => problem.note(format!("and so do {} more columns", more - 1)),
            }
            .note(format!("every column but `{CHAIN}` and `{DRAW}` is read as {}", content.name()))
            .into());
        }
        if fields[chain].kind != Kind::Numbers {
            let message = format!("column `{CHAIN}` holds {}, not numbers", fields[chain].kind);
            return Err(Problem::new(&shown, message).note("allowed: a whole number for each chain").into());
        }
        if places.is_empty() {
            let message = format!("`{shown}` has no column of {}", content.name());
            return Err(Problem::new(&shown, message).note(columns()).into());
        }
        let names = places.iter().map(|&place| fields[place].name.clone()).collect();
        let mut opened = Self { path: path.to_path_buf(), shown, footer, places, names, n_chains: 1 };
        let chains = opened.read(&[chain])?.remove(0);
        opened.n_chains = opened.chains(&chains)?;
        Ok(opened)
    }

    /// How messages call the file.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The wanted columns' names, in the order of the file.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    #[must_use]
    pub fn n_chains(&self) -> usize {
        self.n_chains
    }

    /// S, the draws of all chains.
    #[must_use]
    pub fn n_draws(&self) -> usize {
        self.footer.n_rows()
    }

    /// The wanted columns in batches of a bearable size.
    #[must_use]
    pub fn batches(&self) -> Vec<Range<usize>> {
        let of_memory = BATCH_BYTES / (8 * self.n_draws()).max(1);
        let size = self.names.len().div_ceil(MOST_BATCHES).max(SMALLEST_BATCH).min(of_memory.max(1));
        let batch = |first: usize| first..self.names.len().min(first + size);
        (0..self.names.len()).step_by(size).map(batch).collect()
    }

    /// The draws of some of the wanted columns, chain-major.
    ///
    /// # Errors
    /// Empty cells, a damaged file.
    pub fn columns(&self, range: Range<usize>) -> Result<Vec<Vec<f64>>, Problems> {
        self.read(&self.places[range])
    }

    /// Columns by their places in the file.
    fn read(&self, places: &[usize]) -> Result<Vec<Vec<f64>>, Problems> {
        // Opened anew, so that what is mapped of the file is let go with each batch.
        let file = opened(&self.path, &self.shown)?;
        let columns = self.footer.numbers(Source::Disk(&file), places);
        let columns = columns.map_err(|error| damaged(&self.shown, &error))?;
        places.iter().zip(columns).map(|(&place, column)| self.full(place, column)).collect()
    }

    /// The values of a column in which no cell may be empty.
    fn full(&self, place: usize, column: Numbers) -> Result<Vec<f64>, Problems> {
        let Some(first) = column.empty.first() else { return Ok(column.values) };
        let (name, first) = (self.footer.fields()[place].name.escape_debug(), first + 1);
        let problem = Problem::new(&self.shown, format!("column `{name}` is null in row {first}"));
        Err(match column.empty.len() {
            1 => problem,
            more => problem.note(format!("and in {} more rows", more - 1)),
        }
        .note("rows are counted from 1; every draw needs a number in every column")
        .into())
    }

    /// The number of chains, whose rows must stand together and be equally many.
    fn chains(&self, chains: &[f64]) -> Result<usize, Problems> {
        let problem = |message: String| Problem::new(&self.shown, message);
        if chains.len() < 2 {
            let message = match chains.len() {
                0 => "there are names of columns and no draws",
                _ => "there is one draw: nothing can be said of a distribution",
            };
            return Err(problem(message.to_owned()).into());
        }
        if let Some(row) = chains.iter().position(|chain| !chain.is_finite()) {
            return Err(problem(format!("column `{CHAIN}` is {} in row {}", chains[row], row + 1)).into());
        }
        let mut seen: Vec<(f64, usize)> = Vec::new();
        let mut row = 0;
        for block in chains.chunk_by(|a, b| a == b) {
            let chain = block[0];
            if seen.iter().any(|(earlier, _)| *earlier == chain) {
                let before = seen.last().map_or(chain, |(before, _)| *before);
                let message = format!("chain {chain} comes back in row {}, after chain {before}", row + 1);
                let help = format!("sort the rows by `{CHAIN}`, and by `{DRAW}` within each");
                return Err(problem(message)
                    .note("rows must be chain-major: all draws of one chain, then all of the next")
                    .help(help)
                    .into());
            }
            seen.push((chain, block.len()));
            row += block.len();
        }
        let (first, length) = seen[0];
        if let Some((other, found)) = seen.iter().find(|(_, other)| *other != length) {
            let message = format!(
                "chains are of unequal length: chain {first} has {length} draws, chain {other} has {found}"
            );
            return Err(problem(message).help("cut all chains to the length of the shortest").into());
        }
        Ok(seen.len())
    }
}

impl Content {
    fn name(self) -> &'static str {
        match self {
            Self::Observations => "log-likelihoods of an observation",
            Self::Variables => "draws of a variable",
        }
    }
}

/// A regular file.
fn opened(path: &Path, shown: &str) -> Result<File, Problems> {
    let cannot = |reason: &dyn Display| {
        Problems::from(Problem::new(shown, format!("`{shown}` cannot be read: {reason}")))
    };
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Err(cannot(&"it is a directory")),
        // A pipe or a device may never end.
        Ok(metadata) if !metadata.is_file() => Err(cannot(&"it is not a regular file")),
        Ok(_) => File::open(path).map_err(|error| cannot(&error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Problem::new(shown, format!("there is no file `{shown}`")).into())
        }
        Err(error) => Err(cannot(&error)),
    }
}
