//! The flat list of what an experiment has to fit, and which rows each fit must not see.

use std::collections::BTreeMap;
use std::sync::Arc;

use gmm_sampler::mixture::transform::Layout;
use gmm_scoring::{Criterion, Fits};
use rand::seq::SliceRandom;

use crate::engine::experiment::Experiment;
use crate::study::job::{Covariance, Job, LeftOut, ModelKey, Variant};
use crate::study::spec::Sample;
use crate::study::streams::Stream;

/// A fit with the rows that it must not see and is scored on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub job: Job,
    /// From 0, ascending; none for a fit of all rows.
    pub held_out: Arc<[usize]>,
}

impl Task {
    /// Whether two fits differ in their seed alone, and so share all that precedes sampling.
    #[must_use]
    pub fn shares_preparation_with(&self, other: &Self) -> bool {
        (self.job.model, self.job.variant) == (other.job.model, other.job.variant)
            && self.held_out == other.held_out
    }
}

/// A part of the rows that is held out, with all others of its criterion every row once.
pub type HeldOutPart = (Variant, Arc<[usize]>);

impl Experiment {
    /// Every fit, the longest first, so that the last ones to end are short.
    #[must_use]
    pub fn tasks(&self) -> Vec<Task> {
        if self.spec.sampler.sample == Sample::None {
            return Vec::new();
        }
        let mut parts = vec![(Variant::AllRows, Arc::from([]))];
        let mut own: Vec<Fits> =
            self.spec.scoring.criteria.iter().filter_map(|criterion| criterion.fits()).collect();
        own.sort_unstable();
        own.dedup();
        parts.extend(own.into_iter().flat_map(|fits| self.parts(fits)).flatten());
        let mut tasks = Vec::new();
        for &model in self.models().iter().rev() {
            for (variant, held_out) in &parts {
                tasks.extend(self.spec.sampler.seeds.iter().map(|&seed| Task {
                    job: Job { model, variant: *variant, seed },
                    held_out: held_out.clone(),
                }));
            }
        }
        tasks
    }

    /// Every model, ascending.
    #[must_use]
    pub fn models(&self) -> Vec<ModelKey> {
        let mut models: Vec<ModelKey> =
            self.spec.model.components.iter().copied().map(ModelKey::full).collect();
        models.sort_unstable();
        models
    }

    /// Whether a criterion was asked for.
    #[must_use]
    pub fn scores_by(&self, criterion: Criterion) -> bool {
        self.spec.scoring.criteria.contains(&criterion)
    }

    /// Whether a criterion that was asked for needs these fits.
    #[must_use]
    pub fn needs(&self, fits: Fits) -> bool {
        self.spec.scoring.criteria.iter().any(|criterion| criterion.fits() == Some(fits))
    }

    /// The parts of the rows, beside all, that a kind of fits is of: a list for each partition of the rows. Refits are not among
    /// them: which are needed is known after the fits of all rows alone.
    ///
    /// Partitions into folds are random, balanced to within one row, and the same for every K and seed, so that differences between
    /// them are paired.
    #[must_use]
    pub fn parts(&self, fits: Fits) -> Vec<Vec<HeldOutPart>> {
        match fits {
            Fits::AllRows | Fits::AllRowsAndRefits => Vec::new(),
            Fits::Tempered => vec![vec![(Variant::Tempered, Arc::from([]))]],
            Fits::Folds => (0..self.spec.scoring.repeats).map(|repeat| self.partition(repeat)).collect(),
            Fits::Groups => vec![self.groups()],
        }
    }

    /// The groups of rows that belong together; none where no criterion asks for them.
    #[must_use]
    pub fn groups(&self) -> Vec<HeldOutPart> {
        let groups = self.dataset.groups.iter().flatten().filter(|_| self.needs(Fits::Groups));
        let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (row, group) in groups.enumerate() {
            members.entry(group).or_default().push(row);
        }
        let part = |(group, rows): (usize, Vec<usize>)| (Variant::Group(group), rows.into());
        members.into_values().enumerate().map(part).collect()
    }

    fn partition(&self, repeat: usize) -> Vec<HeldOutPart> {
        let folds = self.folds_of(repeat, self.spec.scoring.folds).into_iter().enumerate();
        folds.map(|(fold, rows)| (Variant::Fold { repeat, fold }, rows)).collect()
    }

    /// The rows in so many folds, those of the first partition of K-fold.
    #[must_use]
    pub fn folds(&self, n_folds: usize) -> Vec<Arc<[usize]>> {
        self.folds_of(0, n_folds)
    }

    fn folds_of(&self, repeat: usize, n_folds: usize) -> Vec<Arc<[usize]>> {
        let mut rows: Vec<usize> = (0..self.dataset.data.n_observations()).collect();
        rows.shuffle(&mut Stream::Folds { repeat }.rng());
        (0..n_folds).map(|fold| every(&rows, fold, n_folds)).collect()
    }

    /// Fits without the observations, ascending, at which LOO's reweighting of the posterior of one K and seed fails: one for
    /// each, or, where these are more than may be refitted, as many as may, each without a random share of them.
    #[must_use]
    pub fn refits(&self, model: ModelKey, seed: u64, in_doubt: &[usize]) -> Vec<Task> {
        let most = self.spec.scoring.refits;
        let task =
            |left, held_out| Task { job: Job { model, variant: Variant::LeaveOut(left), seed }, held_out };
        if in_doubt.len() <= most {
            return in_doubt.iter().map(|&row| task(LeftOut::Observation(row), Arc::from([row]))).collect();
        }
        let mut rows = in_doubt.to_vec();
        rows.shuffle(&mut Stream::Refits { model, seed }.rng());
        (0..most).map(|fold| task(LeftOut::Fold(fold), every(&rows, fold, most))).collect()
    }

    /// Free parameters of a model, the p of AIC and BIC.
    #[must_use]
    pub fn n_parameters(&self, model: ModelKey) -> usize {
        let layout = Layout { n_components: model.components, n_features: self.dataset.data.n_features() };
        match model.covariance {
            Covariance::Full => layout.dimension(),
        }
    }
}

/// Every n-th row from the given one on, ascending: one of n folds of rows in random order.
fn every(rows: &[usize], first: usize, n: usize) -> Arc<[usize]> {
    let mut fold: Vec<usize> = rows.iter().skip(first).step_by(n).copied().collect();
    fold.sort_unstable();
    fold.into()
}
