//! The posteriors that both programs sample, and their common starting points.

use std::path::Path;

use gmm_sampler::collapse::CollapseMonitor;
use gmm_sampler::data::{Data, Scaling};
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::mixture::prior::Prior;
use gmm_sampler::start::em::{Regularity, em};
use gmm_sampler::start::kmeans::{DEFAULT_RESTARTS, kmeans};
use gmm_sampler::start::{Start, match_to_centres, mixture_from_clusters};
use gmm_sampler::ties::Ties;

use crate::program::stream;

/// Starts of EM, as in the sampler's tests against Stan.
const EM_STARTS: usize = 50;

/// One posterior, and the start of its chains.
pub struct Case {
    /// Name in tables.
    pub name: &'static str,
    /// K.
    pub n_components: usize,
    prior: Prior,
    likelihood: Likelihood,
    /// The mode around which chains start, and our sampler's first metric.
    pub start: Start,
}

impl Case {
    /// 500 points in eight round clusters, on the raw scale; 47 parameters.
    #[must_use]
    pub fn blobs() -> Self {
        Self::from_reference("blobs_k8", 8)
    }

    /// Old Faithful with two components, standardised; 11 parameters.
    #[must_use]
    pub fn faithful() -> Self {
        Self::from_reference("faithful_k2", 2)
    }

    /// Iris with three components, standardised; 44 parameters.
    #[must_use]
    pub fn iris() -> Self {
        Self::from_reference("iris_k3", 3)
    }

    /// Wine with three components in 13 dimensions, standardised; 314 parameters for 178 observations.
    #[must_use]
    pub fn wine() -> Self {
        let raw =
            Data::from_columns(&columns("experiments/data/wine.csv")).expect("wine has no missing values");
        let data = Scaling::standardizing(&raw).expect("no column of wine is constant").apply(&raw);
        let centres = kmeans(&data, 3, DEFAULT_RESTARTS, &mut stream(0, 0)).centroids;
        Self::new("wine_k3", &data, 3, centres)
    }

    fn from_reference(name: &'static str, n_components: usize) -> Self {
        let file = |part: &str| columns(&format!("tests/reference/posteriors/{name}_{part}.csv"));
        let data = Data::from_columns(&file("data")).expect("the reference data are finite");
        let centroids = file("centroids");
        let centres = (0..n_components).flat_map(|k| centroids.iter().map(move |column| column[k])).collect();
        Self::new(name, &data, n_components, centres)
    }

    fn new(name: &'static str, data: &Data, n_components: usize, centres: Vec<f64>) -> Self {
        let prior = Prior::published(centres);
        let likelihood = Likelihood::new(data);
        let mut posterior =
            Posterior::new(&likelihood, &prior, n_components).expect("the prior is the default");
        let clusters = kmeans(data, n_components, DEFAULT_RESTARTS, &mut stream(0, 1));
        let from_clusters = mixture_from_clusters(data, &clusters).expect("no column is constant");
        let mut candidates = vec![match_to_centres(&from_clusters, &prior.centres)];
        let optimum = em(data, n_components, EM_STARTS, &mut stream(0, 2)).expect("the data have full rank");
        if let Some(best) = optimum.best.filter(|best| best.regularity == Regularity::Regular) {
            candidates.push(match_to_centres(&best.mixture, &prior.centres));
        }
        let watch = CollapseMonitor::new(n_components, &Ties::from_data(data));
        let start = Start::find(&mut posterior, &candidates, |mixture| watch.is_collapsed(mixture))
            .expect("one of the candidates leads to a regular mode");
        Self { name, n_components, prior, likelihood, start }
    }

    /// The log density that both programs sample.
    #[must_use]
    pub fn posterior(&self) -> Posterior<'_> {
        Posterior::new(&self.likelihood, &self.prior, self.n_components)
            .expect("the prior was checked before")
    }

    /// Names of the numbers in [`Mixture::values`].
    #[must_use]
    pub fn variables(&self) -> Vec<String> {
        Mixture::variables(self.n_components, self.likelihood.n_features())
    }
}

/// The numeric columns of a CSV file with a header, its path relative to the workspace.
fn columns(file: &str) -> Vec<Vec<f64>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rows: Vec<Vec<Option<f64>>> =
        text.lines().skip(1).map(|line| line.split(',').map(|cell| cell.parse().ok()).collect()).collect();
    (0..rows[0].len()).filter_map(|column| rows.iter().map(|row| row[column]).collect()).collect()
}
