//! Sampling as users' fits are sampled: k-means, EM, the mode and its curvature, dispersed starts, chains with a warm-up.

use gmm_sampler::collapse::CollapseMonitor;
use gmm_sampler::data::Data;
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::mixture::prior::Prior;
use gmm_sampler::mixture::transform::Layout;
use gmm_sampler::mixture::triangular::{at, packed_len};
use gmm_sampler::nuts::chain::{Chain, ChainSettings};
use gmm_sampler::start::em::{EmOptimum, Regularity, em};
use gmm_sampler::start::kmeans::kmeans;
use gmm_sampler::start::{Start, match_to_centres, mixture_from_clusters};
use gmm_sampler::ties::Ties;
use rand::rngs::ChaCha8Rng;

use crate::case::{Columns, Failure};
use crate::stream::{Purpose, stream};

/// Chains of a fit: the program's default.
pub(crate) const CHAINS: usize = 4;

/// Starts of k-means and of EM, fewer than a fit's: they have only to lead chains to where the posterior is.
const STARTS: usize = 10;

/// Steps of the integrator per iteration, on average, from which a chain is given up: a right sampler's take up to 31 in the hardest
/// replicate of the long suite, a wrong one's may take a thousand, and its suite would not end. The first iterations, in which
/// chains look for their step size, count as this many more.
const MOST_STEPS: usize = 100;
const GRACE: usize = 1000;

/// A posterior to be sampled, or a prior where there are no data.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) data: Option<Data>,
    pub(crate) likelihood: Likelihood,
    pub(crate) prior: Prior,
    pub(crate) layout: Layout,
    /// Steps of the integrator per iteration, on average, from which a chain is given up.
    pub(crate) most_steps: usize,
}

impl Problem {
    pub(crate) fn new(data: Data, prior: Prior, n_components: usize) -> Self {
        let layout = Layout { n_components, n_features: data.n_features() };
        Self { likelihood: Likelihood::new(&data), data: Some(data), prior, layout, most_steps: MOST_STEPS }
    }

    /// The prior alone.
    pub(crate) fn without_data(prior: Prior, layout: Layout) -> Self {
        Self {
            data: None,
            likelihood: Likelihood::empty(layout.n_features),
            prior,
            layout,
            most_steps: MOST_STEPS,
        }
    }

    pub(crate) fn posterior(&self) -> Result<Posterior<'_>, Failure> {
        Ok(Posterior::new(&self.likelihood, &self.prior, self.layout.n_components)?)
    }

    /// Where chains start, found as the program finds it.
    pub(crate) fn start(&self, rng: &mut ChaCha8Rng) -> Result<Start, Failure> {
        let mut posterior = self.posterior()?;
        let start = match &self.data {
            Some(data) => {
                let watch = CollapseMonitor::new(self.layout.n_components, &Ties::from_data(data));
                Start::find(&mut posterior, &self.candidates(data, rng)?, |mixture| {
                    watch.is_collapsed(mixture)
                })
            }
            None => Start::find(&mut posterior, &[self.at_the_centres()], |_| false),
        };
        start.ok_or(Failure::NoStart)
    }

    fn candidates(&self, data: &Data, rng: &mut ChaCha8Rng) -> Result<Vec<Mixture>, Failure> {
        let k = self.layout.n_components;
        let clusters = kmeans(data, k, STARTS, rng);
        let of_clusters =
            mixture_from_clusters(data, &clusters).map_err(|error| Failure::Broken(error.to_string()))?;
        let mut candidates = vec![match_to_centres(&of_clusters, &self.prior.centres)];
        // A few observations may be too few for EM; then the clusters have to do, as in a fit.
        if let Ok(EmOptimum { best: Some(best), .. }) = em(data, k, STARTS, rng)
            && best.regularity == Regularity::Regular
        {
            candidates.push(match_to_centres(&best.mixture, &self.prior.centres));
        }
        Ok(candidates)
    }

    /// Without data: unit covariances at the prior's centres.
    fn at_the_centres(&self) -> Mixture {
        let Layout { n_components, n_features } = self.layout;
        let mut identity = vec![0.0; packed_len(n_features)];
        (0..n_features).for_each(|i| identity[at(i, i)] = 1.0);
        let weights = vec![1.0 / n_components as f64; n_components];
        Mixture::from_covariances(n_features, &weights, &self.prior.centres, &identity.repeat(n_components))
            .expect("equal weights and the identity make a mixture")
    }

    /// Runs one chain and measures each draw: one column per number that `measure` returns for a mixture and its log density.
    pub(crate) fn chain(
        &self,
        start: &Start,
        settings: ChainSettings,
        mut rng: ChaCha8Rng,
        mut measure: impl FnMut(&Mixture, f64) -> Vec<f64>,
    ) -> Result<Columns, Failure> {
        let mut posterior = self.posterior()?;
        let position = start.disperse(&mut posterior, &mut rng);
        let mut chain = Chain::new(posterior, &position, start.metric.clone(), settings, rng)?;
        let mut columns = Vec::new();
        let mut steps = 0;
        for iteration in 0..settings.warmup + settings.draws {
            let warming_up = chain.is_warming_up();
            let stats = chain.step();
            steps += stats.transition.n_steps as usize;
            if steps > self.most_steps * (iteration + GRACE) {
                return Err(Failure::Endless { most: self.most_steps });
            }
            if !warming_up {
                let values = measure(&self.layout.constrain(chain.position()), stats.lp);
                columns.resize_with(values.len().max(columns.len()), Vec::new);
                columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
            }
        }
        Ok(columns)
    }

    /// One of the chains of the case's fit; every chain finds the same start again.
    pub(crate) fn chain_of(
        &self,
        case: &str,
        chain: usize,
        draws: usize,
        measure: impl FnMut(&Mixture, f64) -> Vec<f64>,
    ) -> Result<Columns, Failure> {
        let start = self.start(&mut stream(case, Purpose::Start, 0))?;
        let settings = ChainSettings { draws, ..ChainSettings::default() };
        self.chain(&start, settings, stream(case, Purpose::Chain, chain), measure)
    }
}

/// Chain-major columns from those of each chain.
pub(crate) fn joined(chains: Vec<Columns>) -> Columns {
    let mut joined = vec![Vec::new(); chains[0].len()];
    for chain in chains {
        joined.iter_mut().zip(chain).for_each(|(column, values)| column.extend(values));
    }
    joined
}
