//! The reference posteriors: data, prior centres and the results of rstan, embedded from `tests/reference/posteriors`.

use gmm_sampler::data::Data;
use gmm_sampler::mixture::prior::Prior;

use crate::problem::Problem;

macro_rules! reference {
    ($name:literal, $file:literal) => {
        ReferenceTables {
            name: $name,
            data: include_str!(concat!("../../../../tests/reference/posteriors/", $file, "_data.csv")),
            centres: include_str!(concat!(
                "../../../../tests/reference/posteriors/",
                $file,
                "_centroids.csv"
            )),
            summary: include_str!(concat!("../../../../tests/reference/posteriors/", $file, "_summary.csv")),
            predictive: include_str!(concat!(
                "../../../../tests/reference/posteriors/",
                $file,
                "_predictive.csv"
            )),
        }
    };
}

pub(crate) const BLOBS: ReferenceTables = reference!("blobs, K = 8", "blobs_k8");
pub(crate) const FAITHFUL: ReferenceTables = reference!("faithful, K = 2", "faithful_k2");
pub(crate) const IRIS: ReferenceTables = reference!("iris, K = 3", "iris_k3");

/// The tables of one posterior.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReferenceTables {
    pub(crate) name: &'static str,
    data: &'static str,
    centres: &'static str,
    summary: &'static str,
    predictive: &'static str,
}

/// The other program's estimates for one quantity, with Monte Carlo standard errors.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quantity {
    pub(crate) name: String,
    pub(crate) mean: f64,
    pub(crate) sd: f64,
    pub(crate) mcse_mean: f64,
    pub(crate) mcse_sd: f64,
    /// Probability, quantile and the quantile's standard error.
    pub(crate) quantiles: [(f64, f64, f64); 3],
}

/// A point and, there, the mean of the log density, its error, the log of the mean density and its error.
pub(crate) type Prediction = (Vec<f64>, [f64; 4]);

const VALID: &str = "a test checks that the embedded tables are valid";

impl ReferenceTables {
    pub(crate) fn data(&self) -> Data {
        let rows = rows(self.data, ',');
        let columns: Vec<Vec<f64>> =
            (0..rows[0].len()).map(|d| rows.iter().map(|row| number(row[d])).collect()).collect();
        Data::from_columns(&columns).expect(VALID)
    }

    /// K × D.
    pub(crate) fn centres(&self) -> Vec<f64> {
        rows(self.centres, ',').concat().into_iter().map(number).collect()
    }

    /// The published model, which the other program sampled.
    pub(crate) fn problem(&self) -> Problem {
        let data = self.data();
        let centres = self.centres();
        let n_components = centres.len() / data.n_features();
        let prior = Prior::published(centres);
        Problem::new(data, prior, n_components)
    }

    /// The parameters in the order of `Mixture::variables`, then label-invariant quantities.
    pub(crate) fn quantities(&self) -> Vec<Quantity> {
        let quantity = |row: Vec<&str>| {
            let numbers: Vec<f64> = row[1..].iter().map(|cell| number(cell)).collect();
            let [mean, sd, q5, q50, q95, mcse_mean, mcse_sd, mcse_q5, mcse_q50, mcse_q95] =
                numbers.try_into().expect(VALID);
            Quantity {
                name: row[0].to_owned(),
                mean,
                sd,
                mcse_mean,
                mcse_sd,
                quantiles: [(0.05, q5, mcse_q5), (0.5, q50, mcse_q50), (0.95, q95, mcse_q95)],
            }
        };
        rows(self.summary, ';').into_iter().map(quantity).collect()
    }

    pub(crate) fn predictions(&self) -> Vec<Prediction> {
        let prediction = |row: Vec<&str>| {
            let mut numbers: Vec<f64> = row.into_iter().map(number).collect();
            let rest = numbers.split_off(numbers.len() - 4);
            (numbers, rest.try_into().expect(VALID))
        };
        rows(self.predictive, ',').into_iter().map(prediction).collect()
    }
}

/// The cells of a table below its header.
fn rows(text: &'static str, separator: char) -> Vec<Vec<&'static str>> {
    text.lines().skip(1).map(|line| line.split(separator).collect()).collect()
}

fn number(cell: &str) -> f64 {
    cell.parse().expect(VALID)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gmm_sampler::mixture::params::Mixture;

    #[test]
    fn the_tables_are_valid_and_agree_with_the_summaries() {
        for (reference, file) in [(BLOBS, "blobs_k8"), (FAITHFUL, "faithful_k2"), (IRIS, "iris_k3")] {
            let path = format!(
                "{}/../../tests/reference/posteriors/{file}_summary.json",
                env!("CARGO_MANIFEST_DIR")
            );
            let summary: serde_json::Value =
                serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            let d = reference.data().n_features();
            let variables = Mixture::variables(reference.centres().len() / d, d);
            let quantities = reference.quantities();
            for (index, quantity) in quantities.iter().enumerate() {
                let theirs = if let Some(variable) = variables.get(index) {
                    assert_eq!(*variable, quantity.name);
                    &summary["parameters"][quantity.name.replace("weights", "w")]
                } else {
                    let name = match quantity.name.as_str() {
                        "log_likelihood" => "loglik".to_owned(),
                        "log_joint" => "logjoint_constrained".to_owned(),
                        name => name.replace("sorted_weights", "w_sorted"),
                    };
                    &summary["label_invariant"][name]
                };
                let same = |value: f64, key: &str| {
                    assert_eq!(Some(value), theirs[key].as_f64(), "{}", quantity.name)
                };
                same(quantity.mean, "mean");
                same(quantity.mcse_mean, "mcse_mean");
                same(quantity.sd, "sd");
                same(quantity.mcse_sd, "mcse_sd");
                for ((_, quantile, error), key) in quantity.quantiles.iter().zip(["q5", "q50", "q95"]) {
                    same(*quantile, key);
                    same(*error, &format!("mcse_{key}"));
                }
            }
            assert_eq!(quantities.last().unwrap().name, "log_joint");
            let grid = summary["predictive_grid"].as_array().unwrap();
            assert_eq!(grid.len(), reference.predictions().len());
            for (theirs, (point, values)) in grid.iter().zip(reference.predictions()) {
                let x: Vec<f64> =
                    theirs["x"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
                assert_eq!(x, point);
                for (value, key) in
                    values.iter().zip(["mean_log_density", "mcse", "log_mean_density", "mcse_log_mean"])
                {
                    assert_eq!(Some(*value), theirs[key].as_f64());
                }
            }
        }
    }
}
