//! What a stored result depends on, and in which of these things two results differ.

use std::fmt;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::engine::experiment::Experiment;
use crate::engine::fit::settings;
use crate::engine::task::{Part, Task};
use crate::study::design::Set;
use crate::study::spec::suite::SuiteSpec;

/// Everything that a result depends on, by the names that a spec has for it, and its experiment's name, which its file carries. A result whose inputs are those that
/// it would have now is the result of running it again; any other is stale.
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

/// Inputs that are no fields of a spec.
const DATA: &str = "data";
const HELD_OUT: &str = "held_out";
const ALGORITHM_FIELD: &str = "algorithm";

impl Inputs {
    /// Of a fit. Adding a K, a seed, a criterion or a repeat changes no fit; of `folds` the rows that are held out are what counts.
    #[must_use]
    pub fn of_fit(experiment: &Experiment, task: &Task) -> Self {
        let (spec, job) = (&experiment.spec, task.job);
        let settings = settings(spec, job.part);
        let mut fields = Map::new();
        let mut put = |field: &str, value: Value| drop(fields.insert(field.to_owned(), value));
        put("name", spec.name.clone().into());
        put("components", job.components.into());
        put("seed", job.seed.into());
        put(DATA, experiment.observations_hash.clone().into());
        put(ALGORITHM_FIELD, ALGORITHM.into());
        put("data.scale", json(spec.data.scale));
        put("model.prior", json(&spec.model.prior));
        put("sampler.chains", spec.sampler.chains.into());
        put("sampler.warmup", settings.warmup.into());
        put("sampler.target_accept", spec.sampler.target_accept.into());
        put("sampler.max_tree_depth", spec.sampler.max_tree_depth.into());
        if job.part != Part::All {
            let (kind, name) = job.part.place();
            put("part", name.unwrap_or(kind.to_owned()).into());
        }
        match job.part {
            Part::All | Part::Tempered => put("sampler.draws", settings.draws.into()),
            Part::Fold { .. } | Part::Group(_) | Part::Without(_) => {
                put("scoring.fold_draws", settings.draws.into());
                put(HELD_OUT, rows_hash(&task.held_out).into());
            }
        }
        Self(fields)
    }

    /// Of one data set of a suite.
    #[must_use]
    pub fn of_set(spec: &SuiteSpec, set: &Set) -> Self {
        let design = &spec.suite;
        let mut fields = Map::new();
        let mut put = |field: &str, value: Value| drop(fields.insert(field.to_owned(), value));
        put("set", json(set));
        put(ALGORITHM_FIELD, ALGORITHM.into());
        put("suite.seed", design.seed.into());
        put("suite.least_weight", design.least_weight.into());
        put("suite.scale", json(design.scale));
        put("suite.fresh", design.fresh.into());
        put("suite.contrast", json(&design.contrast));
        put("model", json(&spec.model));
        put("sampler", json(&spec.sampler));
        put("scoring", json(&spec.scoring));
        Self(fields)
    }

    /// # Errors
    /// A text that is no JSON object.
    pub fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).map(Self).context("the inputs are no JSON object")
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

    /// In what these inputs differ from earlier ones; nothing if they do not.
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

fn json(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("parts of a spec have string keys and finite numbers")
}

/// BLAKE3 of the rows that are held out together.
fn rows_hash(rows: &[usize]) -> String {
    let bytes: Vec<u8> = rows.iter().flat_map(|&row| (row as u64).to_le_bytes()).collect();
    blake3::hash(&bytes).to_hex().to_string()
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
            (DATA, ..) => f.write_str("the observations are others"),
            (HELD_OUT, ..) => f.write_str("other rows are held out"),
            (ALGORITHM_FIELD, Some(was), Some(is)) => {
                write!(f, "it was made by algorithm {was}, this is algorithm {is}")
            }
            (_, Some(was), Some(is)) => write!(f, "`{field}` was {was} and is {is}"),
            (_, Some(was), None) => write!(f, "`{field}` was {was} and is not there"),
            (_, None, Some(is)) => write!(f, "`{field}` was not there and is {is}"),
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
                "it was made by algorithm 3, this is algorithm 4",
                "the observations are others",
                "`model.prior.lkj` was 2.0 and is not there",
                "`model.prior.means.variance` was 0.1 and is 0.2",
                "`model.prior.x` was not there and is 1",
                "`sampler.draws` was 500 and is 1000",
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
