//! A posterior and how it is sampled, as in a user's fit: k-means, EM, mode and curvature, dispersed starts, warm-up.

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

use crate::case::{CaseError, Columns};
use crate::stream::{Purpose, stream};

/// Chains of a fit; the program's default.
pub(crate) const CHAINS: usize = 4;

/// Starts of k-means and of EM. Fewer than in a fit, because here they only have to lead chains to the posterior.
const STARTS: usize = 10;

/// A chain with more leapfrog steps per iteration on average than this is stopped, so that the suite ends for a faulty sampler too.
/// A correct one takes up to 31 in the hardest replicate of the long suite, a faulty one may take a thousand.
const MAX_MEAN_STEPS: usize = 100;
/// Added to the number of iterations, because the first ones, which look for a step size, take more steps.
const GRACE_ITERATIONS: usize = 1000;

/// A posterior to sample, or a prior if there are no data.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) data: Option<Data>,
    pub(crate) likelihood: Likelihood,
    pub(crate) prior: Prior,
    pub(crate) layout: Layout,
    /// Leapfrog steps per iteration on average above which a chain is stopped with an error.
    pub(crate) max_mean_steps: usize,
}

impl Problem {
    pub(crate) fn new(data: Data, prior: Prior, n_components: usize) -> Self {
        let layout = Layout { n_components, n_features: data.n_features() };
        Self {
            likelihood: Likelihood::new(&data),
            data: Some(data),
            prior,
            layout,
            max_mean_steps: MAX_MEAN_STEPS,
        }
    }

    /// The prior alone, without data.
    pub(crate) fn without_data(prior: Prior, layout: Layout) -> Self {
        Self {
            data: None,
            likelihood: Likelihood::empty(layout.n_features),
            prior,
            layout,
            max_mean_steps: MAX_MEAN_STEPS,
        }
    }

    pub(crate) fn posterior(&self) -> Result<Posterior<'_>, CaseError> {
        Ok(Posterior::new(&self.likelihood, &self.prior, self.layout.n_components)?)
    }

    /// Where chains start, found in the same way as in a fit.
    pub(crate) fn start(&self, rng: &mut ChaCha8Rng) -> Result<Start, CaseError> {
        let mut posterior = self.posterior()?;
        let start = match &self.data {
            Some(data) => {
                let watch = CollapseMonitor::new(self.layout.n_components, &Ties::from_data(data));
                Start::find(&mut posterior, &self.candidates(data, rng)?, |mixture| {
                    watch.is_collapsed(mixture)
                })
            }
            None => Start::find(&mut posterior, &[self.mixture_at_centres()], |_| false),
        };
        start.ok_or(CaseError::NoStart)
    }

    fn candidates(&self, data: &Data, rng: &mut ChaCha8Rng) -> Result<Vec<Mixture>, CaseError> {
        let k = self.layout.n_components;
        let clusters = kmeans(data, k, STARTS, rng);
        let from_clusters = mixture_from_clusters(data, &clusters)?;
        let mut candidates = vec![match_to_centres(&from_clusters, &self.prior.centres)];
        // There may be too few observations for EM. Then the clusters are the only candidate, as in a fit.
        if let Ok(EmOptimum { best: Some(best), .. }) = em(data, k, STARTS, rng)
            && best.regularity == Regularity::Regular
        {
            candidates.push(match_to_centres(&best.mixture, &self.prior.centres));
        }
        Ok(candidates)
    }

    /// The start without data: equal weights and unit covariances at the prior's centres.
    fn mixture_at_centres(&self) -> Mixture {
        let Layout { n_components, n_features } = self.layout;
        let mut identity = vec![0.0; packed_len(n_features)];
        (0..n_features).for_each(|i| identity[at(i, i)] = 1.0);
        let weights = vec![1.0 / n_components as f64; n_components];
        Mixture::from_covariances(n_features, &weights, &self.prior.centres, &identity.repeat(n_components))
            .expect("equal weights and the identity make a mixture")
    }

    /// Runs one chain. `measure` maps a draw and its log density to numbers, each of which becomes a column.
    pub(crate) fn run_chain(
        &self,
        start: &Start,
        settings: ChainSettings,
        mut rng: ChaCha8Rng,
        mut measure: impl FnMut(&Mixture, f64) -> Vec<f64>,
    ) -> Result<Columns, CaseError> {
        let mut posterior = self.posterior()?;
        let position = start.disperse(&mut posterior, &mut rng);
        let mut chain = Chain::new(posterior, &position, start.metric.clone(), settings, rng)?;
        let mut columns = Vec::new();
        let mut steps = 0;
        for iteration in 0..settings.warmup + settings.draws {
            let warming_up = chain.is_warming_up();
            let stats = chain.step();
            steps += stats.transition.n_steps as usize;
            if steps > self.max_mean_steps * (iteration + GRACE_ITERATIONS) {
                return Err(CaseError::TooManySteps { limit: self.max_mean_steps });
            }
            if !warming_up {
                let values = measure(&self.layout.constrain(chain.position()), stats.lp);
                columns.resize_with(values.len().max(columns.len()), Vec::new);
                columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
            }
        }
        Ok(columns)
    }

    /// Runs one of the chains of a case. Every chain finds the same start again.
    pub(crate) fn run_case_chain(
        &self,
        case: &str,
        chain: usize,
        draws: usize,
        measure: impl FnMut(&Mixture, f64) -> Vec<f64>,
    ) -> Result<Columns, CaseError> {
        let start = self.start(&mut stream(case, Purpose::Start, 0))?;
        let settings = ChainSettings { draws, ..ChainSettings::default() };
        self.run_chain(&start, settings, stream(case, Purpose::Chain, chain), measure)
    }
}

/// Joins the columns of several chains into chain-major columns.
pub(crate) fn join_chains(chains: Vec<Columns>) -> Columns {
    let mut joined = vec![Vec::new(); chains[0].len()];
    for chain in chains {
        joined.iter_mut().zip(chain).for_each(|(column, values)| column.extend(values));
    }
    joined
}
