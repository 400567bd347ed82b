//! The flat list of what an experiment has to fit.

use gmm_sampler::mixture::transform::Layout;
use gmm_scoring::Criterion;
use rand::seq::SliceRandom;

use crate::experiment::Experiment;
use crate::stream::Stream;

/// One fit: a K, a seed and, in cross-validation, the fold whose rows it must not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Job {
    pub components: usize,
    pub fold: Option<usize>,
    pub seed: u64,
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "K = {}, seed {}", self.components, self.seed)?;
        self.fold.map_or(Ok(()), |fold| write!(f, ", fold {}", fold + 1))
    }
}

impl Experiment {
    /// Every fit, the longest first, so that the last ones to end are short.
    #[must_use]
    pub fn jobs(&self) -> Vec<Job> {
        let folds = if self.scores_by(Criterion::Kfold) { self.spec.scoring.folds } else { 0 };
        let all_rows_and_folds = || std::iter::once(None).chain((0..folds).map(Some));
        let mut jobs = Vec::new();
        for &components in &self.spec.model.components {
            for fold in all_rows_and_folds() {
                jobs.extend(self.spec.sampler.seeds.iter().map(|&seed| Job { components, fold, seed }));
            }
        }
        // Stable: within a K, all rows before folds, then in the order of the spec.
        jobs.sort_by_key(|job| std::cmp::Reverse((job.components, job.fold.is_none())));
        jobs
    }

    /// Every K, ascending.
    #[must_use]
    pub fn ks(&self) -> Vec<usize> {
        let mut ks = self.spec.model.components.clone();
        ks.sort_unstable();
        ks
    }

    /// Whether a criterion was asked for.
    #[must_use]
    pub fn scores_by(&self, criterion: Criterion) -> bool {
        self.spec.scoring.criteria.contains(&criterion)
    }

    /// Which rows (from 0, ascending) each fold holds out. The assignment is random, balanced to within one row, and the
    /// same for every K and seed, so that differences between them are paired.
    #[must_use]
    pub fn folds(&self) -> Vec<Vec<usize>> {
        let n = self.dataset.data.n_observations();
        let mut rows: Vec<usize> = (0..n).collect();
        rows.shuffle(&mut Stream::Folds.rng());
        let mut folds = vec![Vec::new(); self.spec.scoring.folds];
        for (position, row) in rows.into_iter().enumerate() {
            let fold = position % self.spec.scoring.folds;
            folds[fold].push(row);
        }
        folds.iter_mut().for_each(|fold| fold.sort_unstable());
        folds
    }

    /// Free parameters of a mixture of K components, the p of AIC and BIC.
    #[must_use]
    pub fn n_parameters(&self, components: usize) -> usize {
        Layout { n_components: components, n_features: self.dataset.data.n_features() }.dimension()
    }
}
