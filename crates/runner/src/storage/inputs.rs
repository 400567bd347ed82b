//! What a stored result depends on, and how the inputs of two results differ.

use std::fmt;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Map, Value};

/// Everything that a result depends on, under the names of the spec's keys, and the name of its experiment. A stored result is current
/// if its inputs equal those of now, and stale otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs(Map<String, Value>);

/// One thing in which stored inputs differ from those of now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Names of a spec separated by points; or one of those below that no spec has.
    field: String,
    /// JSON; none where one side knows no such field.
    was: Option<String>,
    is: Option<String>,
}

/// Changes when the same spec and data would give other draws, held-out densities or outcomes of suites than before: what earlier
/// versions stored is then made anew.
const ALGORITHM: u32 = 4;

/// Inputs that are no fields of a spec: the hash of the observations, that of the rows held out, the algorithm.
pub const DATA: &str = "data";
const HELD_OUT: &str = "held_out";
const ALGORITHM_FIELD: &str = "algorithm";

impl Inputs {
    /// Inputs that have the program's [algorithm](ALGORITHM) and nothing else yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Map::new()).with(ALGORITHM_FIELD, ALGORITHM)
    }

    /// The same with one more field.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("inputs have string keys and finite numbers");
        self.0.insert(field.to_owned(), value);
        self
    }

    /// The same with the rows, counted from 0, that a fit does not see.
    #[must_use]
    pub fn with_held_out(self, rows: &[usize]) -> Self {
        let bytes: Vec<u8> = rows.iter().flat_map(|&row| (row as u64).to_le_bytes()).collect();
        self.with(HELD_OUT, blake3::hash(&bytes).to_hex().to_string())
    }

    /// A field that holds a text.
    #[must_use]
    pub fn text_of(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::as_str)
    }

    /// # Errors
    /// A text that is not a JSON object.
    pub fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).map(Self).context("the inputs are not a JSON object")
    }

    /// The value of a field that is a count.
    #[must_use]
    pub fn count(&self, field: &str) -> Option<u64> {
        self.0.get(field)?.as_u64()
    }

    /// Canonical JSON: fields in alphabetical order, no spaces.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(&self.0).expect("an object with string keys is JSON")
    }

    /// BLAKE3 of the text, in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        blake3::hash(self.text().as_bytes()).to_hex().to_string()
    }

    /// How these inputs differ from earlier ones; empty if they do not.
    #[must_use]
    pub fn changes_since(&self, earlier: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        compare(
            "",
            Some(&Value::Object(earlier.0.clone())),
            Some(&Value::Object(self.0.clone())),
            &mut changes,
        );
        changes
    }
}

/// Leaf by leaf.
fn compare(field: &str, was: Option<&Value>, is: Option<&Value>, changes: &mut Vec<Change>) {
    if was == is {
        return;
    }
    let object = |value: Option<&Value>| value.and_then(Value::as_object).cloned();
    let Some((was, is)) = object(was).zip(object(is)) else {
        let text = |value: Option<&Value>| value.map(Value::to_string);
        changes.push(Change { field: field.to_owned(), was: text(was), is: text(is) });
        return;
    };
    let mut keys: Vec<&String> = was.keys().chain(is.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let below = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
        compare(&below, was.get(key), is.get(key), changes);
    }
}

impl Change {
    /// Several, one after the other.
    #[must_use]
    pub fn list(changes: &[Self]) -> String {
        changes.iter().map(Self::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (field, was, is) = (&self.field, self.was.as_deref(), self.is.as_deref());
        match (field.as_str(), was, is) {
            (DATA, ..) => f.write_str("the data changed"),
            (HELD_OUT, ..) => f.write_str("other rows are held out"),
            (ALGORITHM_FIELD, Some(was), Some(is)) => {
                write!(f, "computed by algorithm {was}, now {is}")
            }
            (_, Some(was), Some(is)) => write!(f, "`{field}` was {was}, now {is}"),
            (_, Some(was), None) => write!(f, "`{field}` was {was}, now unset"),
            (_, None, Some(is)) => write!(f, "`{field}` was unset, now {is}"),
            (_, None, None) => write!(f, "`{field}` changed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(text: &str) -> Inputs {
        Inputs::parse(text).unwrap()
    }

    fn said(was: &str, is: &str) -> Vec<String> {
        inputs(is).changes_since(&inputs(was)).iter().map(Change::to_string).collect()
    }

    #[test]
    fn equal_inputs_have_no_changes_and_one_text_whatever_their_order() {
        let (one, other) =
            (r#"{"b": 1, "a": {"y": [1, 2], "x": null}}"#, r#"{"a":{"x":null,"y":[1,2]},"b":1}"#);
        assert_eq!(said(one, other), Vec::<String>::new());
        assert_eq!(inputs(one).text(), other);
        assert_eq!(inputs(one).hash(), inputs(other).hash());
    }

    #[test]
    fn changes_are_named_by_their_place_in_the_spec() {
        let was = r#"{"sampler.draws": 500, "model.prior": {"means": {"centre": "kmeans", "variance": 0.1}, "lkj": 2.0}, "algorithm": 3, "data": "a"}"#;
        let is = r#"{"sampler.draws": 1000, "model.prior": {"means": {"centre": "kmeans", "variance": 0.2}, "x": 1}, "algorithm": 4, "data": "b"}"#;
        assert_eq!(
            said(was, is),
            [
                "computed by algorithm 3, now 4",
                "the data changed",
                "`model.prior.lkj` was 2.0, now unset",
                "`model.prior.means.variance` was 0.1, now 0.2",
                "`model.prior.x` was unset, now 1",
                "`sampler.draws` was 500, now 1000",
            ]
        );
    }

    #[test]
    fn what_is_no_object_is_no_inputs() {
        for text in ["", "[]", "1", "{", "{\"a\": }"] {
            assert!(Inputs::parse(text).is_err(), "{text}");
        }
    }
}
