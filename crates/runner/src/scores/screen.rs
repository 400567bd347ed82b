//! The search for the posterior's modes, for every K together: the modes of one K show where those of the next may be.

use anyhow::Result;
use gmm_sampler::collapse::CollapseMonitor;
use gmm_sampler::data::{Data, Observations, Scaling};
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::mixture::prior::Prior;
use gmm_sampler::start::em::EmOptimum;
use gmm_sampler::start::kmeans::kmeans;
use gmm_sampler::start::mode::{Limits, Mode, find_mode_within};
use gmm_sampler::start::moves::{merges, splits};
use gmm_sampler::start::normal::{NormalApproximation, Standardized};
use gmm_sampler::start::{SAME_HEIGHT, highest_first, match_to_centres, mixture_from_clusters};
use gmm_sampler::ties::Ties;
use gmm_scoring::{log_evidence_by_blocks, log_evidence_of_labelled, log_sum_exp};
use rayon::prelude::*;

use super::effort::{Effort, SAMPLE, Step};
use crate::engine::experiment::Experiment;
use crate::engine::model::Model;
use crate::study::job::{ModelKey, Variant};
use crate::study::spec::Centre;
use crate::study::streams::{Search, Stream};

/// Candidates are compared after these many iterations.
const SHORT: Limits = Limits { iterations: 40, gain: 0.01 };

/// A mode this close to its peak, in nats, is close enough for the evidence.
const LONG: Limits = Limits { iterations: 1000, gain: 1e-5 };

/// As many of them are followed to their modes.
const FOLLOWED: usize = 4;

/// As many modes of a K are kept, those with the most evidence about them.
const KEPT: usize = 8;

/// As many modes of the neighbouring K are split or merged.
const PARENTS: usize = 2;

/// As many clusterings, each from other random seeds, does the second search begin with.
const CLUSTERINGS: usize = 12;

/// A mode with less of the evidence about it than the one with the most, by more nats than this, is left out.
const NEGLIGIBLE: f64 = 12.0;

/// The modes of one K on one scale.
#[derive(Clone)]
pub struct Modes<'a> {
    pub model: ModelKey,
    pub prior: Prior,
    pub posterior: Posterior<'a>,
    /// The one with the most evidence about it first.
    pub modes: Vec<Weighed>,
    /// How far apart the log evidences of the two searches are, in nats; `None` where one of them found no mode.
    pub gap: Option<f64>,
}

/// A mode, and roughly the log evidence about it.
#[derive(Debug, Clone)]
pub struct Weighed {
    pub mode: Mode,
    log_evidence: f64,
}

/// Modes of every K from two searches, which have nothing in common but the data: those above EM's optima and the k-means clusters
/// that the prior knows, and those above the clusterings of single runs of k-means; in both, then, those above splits of the modes of
/// K − 1 and merges of the modes of K + 1, where these K are among the models. A K at which the searches end apart may have a higher
/// mode than either.
///
/// # Errors
/// A constant column.
pub fn screen<'a>(
    experiment: &Experiment,
    scaling: &Scaling,
    likelihood: &'a Likelihood,
    optima: &[(ModelKey, Option<&EmOptimum>)],
    effort: &Effort,
) -> Result<Vec<Modes<'a>>> {
    let data = &experiment.dataset.data;
    let ties = Ties::from_data(data);
    let all = Screen { experiment, effort, scaling, ties: &ties, data, likelihood, power: 1.0 };
    let n = data.n_observations();
    if n <= SAMPLE {
        return all.search(optima);
    }
    // Every so many rows stand for all; then the highest modes are followed on all rows.
    let rows = data.spread_rows(SAMPLE);
    let sample = data.rows(&rows);
    let of_sample = Likelihood::new(&scaling.view(&sample));
    let power = n as f64 / rows.len() as f64;
    let some = Screen { data: &sample, likelihood: &of_sample, power, ..all };
    some.search(optima)?.into_iter().map(|found| all.follow(&found)).collect()
}

struct Screen<'a, 'b> {
    experiment: &'b Experiment,
    effort: &'b Effort,
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
        let mut of_first: Vec<Modes<'a>> =
            optima.par_iter().map(|(model, optimum)| self.begin(*model, *optimum)).collect::<Result<_>>()?;
        of_first.sort_by_key(|modes| modes.model);
        let mut of_second: Vec<Modes<'a>> =
            of_first.par_iter().map(|modes| self.begin_again(modes)).collect();
        self.go_on(Search::First, &mut of_first);
        self.go_on(Search::Second, &mut of_second);
        Ok(of_first.into_iter().zip(of_second).map(|(first, second)| self.joined(first, second)).collect())
    }

    /// Splits and merges, up and down the K.
    fn go_on(&self, search: Search, of_each: &mut [Modes<'a>]) {
        self.upwards(search, of_each);
        self.downwards(of_each);
        self.upwards(search, of_each);
    }

    fn joined(&self, mut first: Modes<'a>, second: Modes<'a>) -> Modes<'a> {
        let both_found = !first.modes.is_empty() && !second.modes.is_empty();
        first.gap = both_found.then(|| (first.log_evidence() - second.log_evidence()).abs());
        first.modes.extend(second.modes);
        first.sort();
        first
    }

    /// The highest modes of a sample's posterior, followed on these rows.
    fn follow(&self, found: &Modes<'_>) -> Result<Modes<'a>> {
        let posterior = Posterior::new(self.likelihood, &found.prior, found.model.components)?;
        let of_sample = &found.posterior;
        let long = |found: &Weighed| {
            let (start, mut posterior) = (&found.mode.position, posterior.clone());
            // The curvature is that of all rows but for the sampling error: few steps are left in its coordinates.
            match NormalApproximation::at_mode(&mut of_sample.clone(), start) {
                Some(normal) => {
                    let mut standardized = Standardized { density: &mut posterior, normal: &normal };
                    let found = find_mode_within(&mut standardized, &vec![0.0; start.len()], LONG);
                    Mode { position: normal.point(&found.position), ..found }
                }
                None => find_mode_within(&mut posterior, start, LONG),
            }
        };
        let modes = found.modes[..found.modes.len().min(PARENTS)].par_iter().map(long).collect();
        let prior = found.prior.clone();
        let mut of_all = Modes { model: found.model, prior, posterior, modes: Vec::new(), gap: found.gap };
        self.keep(&mut of_all, modes);
        Ok(of_all)
    }

    /// The modes above EM's optima and the k-means clusters.
    fn begin(&self, key: ModelKey, optimum: Option<&EmOptimum>) -> Result<Modes<'a>> {
        // Of a prior whose centres do not depend on the rows, some of them will do.
        let data = match self.experiment.spec.model.prior.means.centre {
            Centre::Origin | Centre::Explicit(_) => self.data,
            Centre::Kmeans | Centre::DataMean => &self.experiment.dataset.data,
        };
        let model = Model::on_scale(self.experiment, key, Variant::AllRows, data, self.scaling.clone())?;
        let posterior = Posterior::new(self.likelihood, &model.prior, key.components)?;
        let posterior = posterior.with_likelihood(self.likelihood, self.power);
        let of_optimum = |optimum: &EmOptimum| {
            optimum.best.iter().map(|best| &best.mixture).chain(&optimum.others).cloned().collect()
        };
        let optima: Vec<Mixture> = optimum.map_or_else(Vec::new, of_optimum);
        let layout = posterior.layout();
        let search =
            |start: &Mixture| find_mode_within(&mut posterior.clone(), &layout.unconstrain(start), LONG);
        let found = model.beginnings(&optima).par_iter().map(search).collect();
        let mut modes = Modes { model: key, prior: model.prior, posterior, modes: Vec::new(), gap: None };
        self.keep(&mut modes, found);
        self.effort.did(Step::Begin, key);
        Ok(modes)
    }

    /// The modes above other clusterings.
    fn begin_again(&self, first: &Modes<'a>) -> Modes<'a> {
        let model = first.model;
        let scaled = self.scaling.view(self.data);
        let mut rng = Stream::Clusterings { model }.rng();
        let clusterings = if model.components == 1 { 1 } else { CLUSTERINGS };
        let mixture =
            |_| mixture_from_clusters(&scaled, &kmeans(&scaled, model.components, 1, &mut rng)).ok();
        let candidates = (0..clusterings).filter_map(mixture).collect();
        let mut second = Modes { modes: Vec::new(), ..first.clone() };
        self.add(&mut second, candidates);
        self.effort.did(Step::BeginAgain, model);
        second
    }

    fn is_collapsed(&self, mixture: &Mixture) -> bool {
        let watch = CollapseMonitor::new(mixture.n_components(), self.ties);
        watch.is_collapsed(&mixture.on_data_scale(self.scaling))
    }

    fn upwards(&self, search: Search, of_each: &mut [Modes<'a>]) {
        let scaled = self.scaling.view(self.data);
        for index in 1..of_each.len() {
            let (smaller, larger) = of_each.split_at_mut(index);
            let (smaller, larger) = (&smaller[index - 1], &mut larger[0]);
            if smaller.model.components + 1 == larger.model.components {
                let mut rng = Stream::Splits { model: larger.model, search }.rng();
                let candidates =
                    smaller.parents().flat_map(|parent| splits(&scaled, self.likelihood, &parent, &mut rng));
                self.add(larger, candidates.collect());
            }
            self.effort.did(Step::Splits, larger.model);
        }
    }

    fn downwards(&self, of_each: &mut [Modes<'a>]) {
        for index in (1..of_each.len()).rev() {
            let (smaller, larger) = of_each.split_at_mut(index);
            let (smaller, larger) = (&mut smaller[index - 1], &larger[0]);
            if smaller.model.components + 1 == larger.model.components {
                let candidates = larger.parents().flat_map(|parent| merges(&parent, larger.model.components));
                self.add(smaller, candidates.collect());
            }
            self.effort.did(Step::Merges, smaller.model);
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
        let mut found: Vec<(f64, Mode)> = candidates
            .into_par_iter()
            .map(short)
            .filter(|mode| mode.log_density.is_finite())
            .map(|mode| (log_evidence_of_labelled(&modes.posterior, &mode), mode))
            .collect();
        found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        found.truncate(FOLLOWED);
        let long =
            |(_, mode): (f64, Mode)| find_mode_within(&mut modes.posterior.clone(), &mode.position, LONG);
        let found = found.into_par_iter().map(long).collect();
        self.keep(modes, found);
    }

    /// Adds modes that are new, without collapsed mixtures and, if any search converged, without those that did not. Where few more
    /// than D observations lie near a hyperplane, the density of a component on these grows without bound as its correlations tend to
    /// ±1, and a search follows it; there is a spike of high density there, and next to no probability.
    fn keep(&self, of_model: &mut Modes<'a>, mut found: Vec<Mode>) {
        let Modes { posterior, modes, .. } = of_model;
        let layout = posterior.layout();
        let is_regular = |mode: &Mode| {
            mode.log_density.is_finite() && !self.is_collapsed(&layout.constrain(&mode.position))
        };
        found.retain(is_regular);
        if found.iter().chain(modes.iter().map(|known| &known.mode)).any(|mode| mode.converged) {
            found.retain(|mode| mode.converged);
            modes.retain(|known| known.mode.converged);
        }
        found.retain(|mode| !modes.iter().any(|known| is_same(&known.mode, mode)));
        highest_first(&mut found);
        let weigh = |mode: Mode| {
            let log_evidence = log_evidence_by_blocks(&mut posterior.clone(), &mode);
            Weighed { mode, log_evidence }
        };
        modes.extend(found.into_par_iter().map(weigh).collect::<Vec<_>>());
        of_model.sort();
    }
}

/// Whether two modes are one, or differ only in their labels.
fn is_same(one: &Mode, other: &Mode) -> bool {
    (one.log_density - other.log_density).abs() < SAME_HEIGHT
}

impl Modes<'_> {
    /// Roughly the evidence about all of them.
    fn log_evidence(&self) -> f64 {
        log_sum_exp(&self.modes.iter().map(|mode| mode.log_evidence).collect::<Vec<_>>())
    }

    /// The mixtures with the most evidence about them.
    fn parents(&self) -> impl Iterator<Item = Mixture> {
        let layout = self.posterior.layout();
        self.modes.iter().take(PARENTS).map(move |parent| layout.constrain(&parent.mode.position))
    }

    /// The most evidence first; each once, and no more than are kept.
    fn sort(&mut self) {
        self.modes.sort_by(|a, b| b.log_evidence.total_cmp(&a.log_evidence));
        let lowest = self.modes.first().map_or(f64::NEG_INFINITY, |most| most.log_evidence - NEGLIGIBLE);
        self.modes.retain(|mode| mode.log_evidence >= lowest);
        let mut kept: Vec<Weighed> = Vec::with_capacity(KEPT);
        for next in std::mem::take(&mut self.modes) {
            if kept.len() < KEPT && !kept.iter().any(|other| is_same(&other.mode, &next.mode)) {
                kept.push(next);
            }
        }
        self.modes = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::progress::Display;

    fn experiment(columns: [&[f64]; 2]) -> Experiment {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.csv");
        let lines: String =
            columns[0].iter().zip(columns[1]).map(|(x, y)| format!("{x:?},{y:?}\n")).collect();
        std::fs::write(&path, format!("x,y\n{lines}")).unwrap();
        let spec =
            "name = \"x\"\ndata.path = \"x.csv\"\nmodel.components = [1, 2, 3]\nmodel.prior = \"default\"\n";
        Experiment::from_text("x.toml", spec, |_| path).unwrap()
    }

    /// Two clusters, twenty standard deviations apart.
    fn of_two_clusters<R>(then: impl FnOnce(Vec<Modes<'_>>) -> R) -> R {
        let noise = |i: usize, by: f64| (by * i as f64).sin();
        let x: Vec<f64> =
            (0..60).map(|i| noise(i, 12.9) + if i.is_multiple_of(2) { 0.0 } else { 14.0 }).collect();
        let y: Vec<f64> = (0..60).map(|i| noise(i, 78.2)).collect();
        let experiment = experiment([&x, &y]);
        let scaling = Scaling::standardizing(&experiment.dataset.data).unwrap();
        let likelihood = Likelihood::new(&scaling.view(&experiment.dataset.data));
        let optima: Vec<(ModelKey, Option<&EmOptimum>)> =
            (1..=3).map(|k| (ModelKey::full(k), None)).collect();
        let effort = Effort::new(&experiment, Display::Hidden);
        then(screen(&experiment, &scaling, &likelihood, &optima, &effort).unwrap())
    }

    #[test]
    fn both_searches_find_two_clusters() {
        of_two_clusters(|of_each| {
            for modes in &of_each[..2] {
                // Lower modes, in which a few rows are a component, may be found by one search alone.
                assert!(modes.gap.unwrap() < 1.0, "{:?}", modes.gap);
            }
            let two = of_each[1].posterior.layout().constrain(&of_each[1].modes[0].mode.position);
            let distance = (two.mean(0)[0] - two.mean(1)[0]).abs();
            // Of standardised rows.
            assert!((1.9..2.1).contains(&distance), "{distance}");
        });
    }

    #[test]
    fn modes_are_kept_once_by_the_evidence_about_them() {
        of_two_clusters(|mut of_each| {
            let modes = &mut of_each[1];
            let weighed = |log_density: f64, log_evidence: f64| {
                let mode =
                    Mode { position: modes.modes[0].mode.position.clone(), log_density, converged: true };
                Weighed { mode, log_evidence }
            };
            let found =
                [(-100.0, -140.0), (-110.0, -130.0), (-100.0, -140.0), (-90.0, -143.0), (-95.0, -139.0)];
            modes.modes =
                found.map(|(log_density, log_evidence)| weighed(log_density, log_evidence)).to_vec();
            modes.sort();
            let heights: Vec<f64> = modes.modes.iter().map(|found| found.mode.log_density).collect();
            assert_eq!(heights, [-110.0, -95.0, -100.0]);
        });
    }
}
