//! The search for the posterior's modes, for every K together: the modes of one K show where those of the next may be.

use anyhow::Result;
use gmm_sampler::collapse::CollapseMonitor;
use gmm_sampler::data::{Data, Observations, Scaling};
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::mixture::prior::Prior;
use gmm_sampler::mixture::transform::Layout;
use gmm_sampler::start::em::EmOptimum;
use gmm_sampler::start::mode::{Limits, Mode, find_mode_within};
use gmm_sampler::start::moves::{merges, splits};
use gmm_sampler::start::{highest_first, match_to_centres};
use gmm_sampler::ties::Ties;
use rayon::prelude::*;

use crate::engine::experiment::Experiment;
use crate::engine::model::Model;
use crate::study::job::{ModelKey, Variant};
use crate::study::streams::Stream;

/// Candidates are compared after these many iterations.
const SHORT: Limits = Limits { iterations: 40, gain: 0.01 };

/// A mode this close to its peak, in nats, is close enough for the evidence.
const LONG: Limits = Limits { iterations: 1000, gain: 1e-5 };

/// As many of them are followed to their modes.
const FOLLOWED: usize = 4;

/// As many modes of a K are kept, the highest ones.
const KEPT: usize = 8;

/// As many modes of the neighbouring K are split or merged.
const PARENTS: usize = 2;

/// The modes of one K, highest first, on one scale.
pub struct Modes<'a> {
    pub model: ModelKey,
    pub prior: Prior,
    pub posterior: Posterior<'a>,
    pub modes: Vec<Mode>,
}

/// Modes of every K: those above EM's optima and the k-means clusters, then those above splits of the modes of K − 1 and merges of
/// the modes of K + 1, where these K are among the models.
///
/// # Errors
/// A constant column.
pub fn screen<'a>(
    experiment: &Experiment,
    scaling: &Scaling,
    likelihood: &'a Likelihood,
    optima: &[(ModelKey, Option<&EmOptimum>)],
) -> Result<Vec<Modes<'a>>> {
    let data = &experiment.dataset.data;
    let ties = Ties::from_data(data);
    let all = Screen { experiment, scaling, ties: &ties, data, likelihood, power: 1.0 };
    let n = data.n_observations();
    if n <= SAMPLE {
        return all.search(optima);
    }
    // Every so many rows stand for all; then the highest modes are followed on all rows.
    let rows: Vec<usize> = (0..n).step_by(n.div_ceil(SAMPLE)).collect();
    let sample = data.rows(&rows);
    let of_sample = Likelihood::new(&scaling.view(&sample));
    let power = n as f64 / rows.len() as f64;
    let some = Screen { data: &sample, likelihood: &of_sample, power, ..all };
    some.search(optima)?.into_iter().map(|found| all.follow(&found)).collect()
}

/// More rows than this are searched by a sample.
const SAMPLE: usize = 10_000;

struct Screen<'a, 'b> {
    experiment: &'b Experiment,
    scaling: &'b Scaling,
    /// Of all rows.
    ties: &'b [Ties],
    /// The rows of the likelihood.
    data: &'b Data,
    likelihood: &'a Likelihood,
    /// Of the likelihood.
    power: f64,
}

impl<'a> Screen<'a, '_> {
    fn search(&self, optima: &[(ModelKey, Option<&EmOptimum>)]) -> Result<Vec<Modes<'a>>> {
        let mut of_each: Vec<Modes<'a>> =
            optima.par_iter().map(|(model, optimum)| self.begin(*model, *optimum)).collect::<Result<_>>()?;
        of_each.sort_by_key(|modes| modes.model);
        self.upwards(&mut of_each);
        self.downwards(&mut of_each);
        self.upwards(&mut of_each);
        Ok(of_each)
    }

    /// The highest modes of a sample's posterior, followed on these rows.
    fn follow(&self, found: &Modes<'_>) -> Result<Modes<'a>> {
        let posterior = Posterior::new(self.likelihood, &found.prior, found.model.components)?;
        let long = |mode: &Mode| find_mode_within(&mut posterior.clone(), &mode.position, LONG);
        let highest: Vec<&Mode> = found.modes.iter().take(PARENTS).collect();
        let mut modes: Vec<Mode> = highest.into_par_iter().map(long).collect();
        self.keep_highest(&mut modes, found.model.components);
        Ok(Modes { model: found.model, prior: found.prior.clone(), posterior, modes })
    }

    /// The modes above EM's optima and the k-means clusters.
    fn begin(&self, key: ModelKey, optimum: Option<&EmOptimum>) -> Result<Modes<'a>> {
        let data = &self.experiment.dataset.data;
        let model = Model::on_scale(self.experiment, key, Variant::AllRows, data, self.scaling.clone())?;
        let posterior = Posterior::new(self.likelihood, &model.prior, key.components)?;
        let mut posterior = posterior.with_likelihood(self.likelihood, self.power);
        let of_optimum = |optimum: &EmOptimum| {
            optimum.best.iter().map(|best| &best.mixture).chain(&optimum.others).cloned().collect()
        };
        let optima: Vec<Mixture> = optimum.map_or_else(Vec::new, of_optimum);
        let layout = posterior.layout();
        let search = |start: &Mixture| find_mode_within(&mut posterior, &layout.unconstrain(start), LONG);
        let mut modes: Vec<Mode> = model.beginnings(&optima).iter().map(search).collect();
        self.keep_highest(&mut modes, key.components);
        Ok(Modes { model: key, prior: model.prior, posterior, modes })
    }

    fn is_collapsed(&self, mixture: &Mixture) -> bool {
        let watch = CollapseMonitor::new(mixture.n_components(), self.ties);
        watch.is_collapsed(&mixture.on_data_scale(self.scaling))
    }

    fn upwards(&self, of_each: &mut [Modes<'a>]) {
        let scaled = self.scaling.view(self.data);
        for index in 1..of_each.len() {
            let (smaller, larger) = of_each.split_at_mut(index);
            let (smaller, larger) = (&smaller[index - 1], &mut larger[0]);
            if smaller.model.components + 1 == larger.model.components {
                let mut rng = Stream::Splits { model: larger.model }.rng();
                let candidates =
                    smaller.highest().flat_map(|parent| splits(&scaled, self.likelihood, &parent, &mut rng));
                self.add(larger, candidates.collect());
            }
        }
    }

    fn downwards(&self, of_each: &mut [Modes<'a>]) {
        for index in (1..of_each.len()).rev() {
            let (smaller, larger) = of_each.split_at_mut(index);
            let (smaller, larger) = (&mut smaller[index - 1], &larger[0]);
            if smaller.model.components + 1 == larger.model.components {
                let candidates = larger.highest().flat_map(|parent| merges(&parent, larger.model.components));
                self.add(smaller, candidates.collect());
            }
        }
    }

    /// Follows the most promising candidates to their modes.
    fn add(&self, modes: &mut Modes<'a>, candidates: Vec<Mixture>) {
        let layout = modes.posterior.layout();
        let centres = &modes.prior.centres;
        let short = |candidate: Mixture| {
            let start = layout.unconstrain(&match_to_centres(&candidate, centres));
            find_mode_within(&mut modes.posterior.clone(), &start, SHORT)
        };
        let mut found: Vec<Mode> = candidates.into_par_iter().map(short).collect();
        found.retain(|mode| mode.log_density.is_finite());
        highest_first(&mut found);
        found.truncate(FOLLOWED);
        let long = |mode: Mode| find_mode_within(&mut modes.posterior.clone(), &mode.position, LONG);
        modes.modes.extend(found.into_par_iter().map(long).collect::<Vec<_>>());
        self.keep_highest(&mut modes.modes, modes.model.components);
    }

    /// The highest peaks, without collapsed mixtures and, if any search converged, without those that did not. Where few more than D
    /// observations lie near a hyperplane, the density of a component on these grows without bound as its correlations tend to ±1,
    /// and a search follows it; there is a spike of high density there, and next to no probability.
    fn keep_highest(&self, modes: &mut Vec<Mode>, components: usize) {
        let layout = Layout { n_components: components, n_features: self.likelihood.n_features() };
        let is_regular = |mode: &Mode| {
            mode.log_density.is_finite() && !self.is_collapsed(&layout.constrain(&mode.position))
        };
        modes.retain(is_regular);
        if modes.iter().any(|mode| mode.converged) {
            modes.retain(|mode| mode.converged);
        }
        highest_first(modes);
        modes.truncate(KEPT);
    }
}

impl Modes<'_> {
    /// The mixtures of the highest modes.
    fn highest(&self) -> impl Iterator<Item = Mixture> {
        let layout = self.posterior.layout();
        self.modes.iter().take(PARENTS).map(move |mode| layout.constrain(&mode.position))
    }
}
