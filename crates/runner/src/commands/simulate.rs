//! `gmm simulate`: data from a random mixture whose components overlap by a given amount, and the mixture itself.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use gmm_sampler::data::Data;
use gmm_sampler::mixture::overlap::Overlap;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::simulate::mixsim::{MAX_ECCENTRICITY, MixSim, TargetOverlap};
use gmm_sampler::mixture::triangular::at;

use crate::cli::arguments::Simulate;
use crate::cli::output::{ends_in, print};
use crate::present::csv;
use crate::recovery::stored::write_observations;
use crate::storage::atomic::write_bytes;
use crate::study::design::columns;
use crate::study::streams::{Simulated, Stream};

/// The name of the column that says where an observation came from.
const LABEL: &str = "component";

/// Draws mixture and data, and writes both.
///
/// # Errors
/// A mixture that cannot be, the disk.
pub fn simulate(flags: &Simulate) -> Result<ExitCode> {
    if let Some(path) = flags.truth.as_ref().filter(|&path| flags.out.as_ref() == Some(path)) {
        bail!("{} cannot hold both the data and the truth", path.display());
    }
    let n_components = flags.components as usize;
    let recipe = MixSim {
        n_components,
        n_features: flags.features as usize,
        target: TargetOverlap::Average(flags.overlap),
        least_weight: flags.least_weight,
        eccentricity: MAX_ECCENTRICITY,
    };
    let stream = |part| Stream::Simulation { seed: flags.seed, set: 0, part }.rng();
    let mixture = recipe.simulate(&mut stream(Simulated::Mixture))?;
    let (data, origins) = mixture.simulate(flags.observations as usize, &mut stream(Simulated::Observations));
    match &flags.out {
        None => print(&csv(&data, &origins))?,
        Some(path) if ends_in(path, "parquet") => {
            write_observations(path, &columns(&data), &data, (LABEL, labels(&origins)))?
        }
        Some(path) => write_bytes(path, csv(&data, &origins).as_bytes())?,
    }
    if let Some(path) = &flags.truth {
        let mut text =
            serde_json::to_string_pretty(&truth(&mixture, flags)).context("the truth is plain data")?;
        text.push('\n');
        write_bytes(path, text.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Words, so that nobody takes the column for a feature.
fn labels(origins: &[usize]) -> Vec<String> {
    origins.iter().map(|component| format!("c{}", component + 1)).collect()
}

fn csv(data: &Data, origins: &[usize]) -> String {
    let header = columns(data).into_iter().chain([LABEL.to_owned()]);
    let rows = labels(origins).into_iter().enumerate().map(|(row, label)| {
        data.observation(row)
            .into_iter()
            .map(|value| format!("{value:?}"))
            .chain([label])
            .collect::<Vec<String>>()
    });
    csv::csv(header, rows)
}

/// The parameters, components from c1 on, and how far they overlap.
fn truth(mixture: &Mixture, flags: &Simulate) -> serde_json::Value {
    let (k, d) = (mixture.n_components(), mixture.n_features());
    let covariance = |component: usize| {
        let packed = mixture.covariance(component);
        (0..d).map(|i| (0..d).map(|j| packed[at(i.max(j), i.min(j))]).collect()).collect::<Vec<Vec<f64>>>()
    };
    let overlap = Overlap::from_mixture(mixture);
    serde_json::json!({
        "seed": flags.seed,
        "weights": (0..k).map(|k| mixture.weight(k)).collect::<Vec<_>>(),
        "means": (0..k).map(|k| mixture.mean(k)).collect::<Vec<_>>(),
        "covariances": (0..k).map(covariance).collect::<Vec<_>>(),
        "overlap": {
            "average": overlap.average(),
            "maximum": overlap.maximum(),
            // Row i, column j: the probability that an observation of i is taken for one of j.
            "misclassification": (0..k).map(|i| (0..k).map(|j| overlap.misclassification(i, j)).collect()).collect::<Vec<Vec<f64>>>(),
        },
    })
}
