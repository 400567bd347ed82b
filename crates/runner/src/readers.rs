//! The readers of bytes that may come from anywhere. Each takes any bytes whatever and ends: with what they mean, which is dropped,
//! or with an error in words.

use crate::cli::problem::{Problems, Style};
use crate::data;
pub use crate::process::panics::keep_caught_panics_quiet;
use crate::recovery::stored::outcome_of;
use crate::scores::stored_clusters::StoredClustering;
use crate::storage;
use crate::storage::seal::Sealed;
use crate::study::spec::suite::read_suite;
use crate::study::spec::{self, DataSpec, Missing, Resolution, Scale};

/// What a reader says of bytes that it refuses.
type Refusal = Result<(), String>;

fn words(problems: Problems) -> String {
    problems.render(Style::Plain)
}

/// A spec, of an experiment and of a suite; what is accepted is written out again.
///
/// # Errors
/// All that is wrong with it.
pub fn spec(text: &str) -> Refusal {
    let suite = read_suite("spec.toml", text).map(|suite| drop(suite.to_toml()));
    let spec = spec::read("spec.toml", text)
        .and_then(|reading| reading.spec())
        .map(|spec| drop((spec.to_toml(), spec.hash())));
    suite.or(spec).map_err(words)
}

/// A data file, CSV or Parquet, with every kind of column asked for: all that are numeric, or named ones, labels and groups.
///
/// # Errors
/// What keeps it from being data.
pub fn data(bytes: &[u8]) -> Refusal {
    let spec = |columns: Option<&str>, label: Option<&str>, missing| DataSpec {
        path: "data".to_owned(),
        columns: columns.map(|name| vec![name.to_owned()]),
        label: label.map(str::to_owned),
        scale: Scale::Standardize,
        resolution: Resolution::Auto,
        missing,
    };
    let all = data::from_bytes(bytes.to_vec(), &spec(None, None, Missing::Error), None);
    let some = data::from_bytes(bytes.to_vec(), &spec(Some("x"), Some("kind"), Missing::Drop), Some("group"));
    all.or(some).map(drop).map_err(words)
}

/// A stored result, of whatever kind. `Sealed::reseal` first lets bytes through whose checksum alone is wrong, as no damage is.
///
/// # Errors
/// What is wrong with it.
pub fn stored(bytes: &[u8]) -> Refusal {
    let file = Sealed::open(bytes.to_vec()).or_else(|_| Sealed::open(Sealed::reseal(bytes.to_vec())));
    let file = file.map_err(|error| format!("{error:#}"))?;
    let readings = [
        file.inputs().map(drop),
        storage::fits::fit(&file, 2, 2).map(drop),
        storage::fits::held_out(&file).map(drop),
        StoredClustering::from_file(&file).map(drop),
        outcome_of(&file).map(drop),
    ];
    let n_readers = readings.len();
    let errors: Vec<String> =
        readings.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    if errors.len() < n_readers { Ok(()) } else { Err(errors.join("; ")) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The fuzzers' seeds, and inputs that once were too much.
    #[test]
    fn every_input_of_the_corpus_is_read_or_refused_in_words() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus");
        let mut accepted = 0;
        let mut each = |target: &str, read: &dyn Fn(Vec<u8>) -> Refusal| {
            for entry in fs::read_dir(format!("{corpus}/{target}")).unwrap() {
                let path = entry.unwrap().path();
                match read(fs::read(&path).unwrap()) {
                    Ok(()) => accepted += 1,
                    Err(words) => assert!(!words.is_empty(), "{}", path.display()),
                }
            }
        };
        each("spec", &|bytes| spec(&String::from_utf8_lossy(&bytes)));
        each("csv", &|bytes| data(&bytes));
        each("parquet", &|bytes| data(&[b"PAR1", bytes.as_slice()].concat()));
        each("stored", &|bytes| stored(&bytes));
        assert!(accepted > 20, "{accepted} inputs are sound");
    }
}
