//! One criterion over all models: means over seeds, compared.

use anyhow::{Context, Result};
use gmm_scoring::{Comparison, Criterion, Row, Score, Verdict};

use crate::scores::rows::ScoreRow;
use crate::study::job::ModelKey;

/// One criterion over all models.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    pub criterion: Criterion,
    /// Of means over seeds.
    pub comparison: Comparison<ModelKey>,
    pub verdict: Option<Verdict<ModelKey>>,
    /// Models that were tried and have no score; ascending.
    pub unscored: Vec<ModelKey>,
    /// The best model of each seed, where several seeds were scored.
    pub best_by_seed: Vec<(u64, ModelKey)>,
}

impl Ranking {
    /// The compared models in ascending order, as figures show them.
    #[must_use]
    pub fn rows_by_model(&self) -> Vec<&Row<ModelKey>> {
        let mut rows: Vec<&Row<ModelKey>> = self.comparison.rows.iter().collect();
        rows.sort_by_key(|row| row.model);
        rows
    }

    /// Whether a model is the one that the others are compared with.
    #[must_use]
    pub fn is_best(&self, model: ModelKey) -> bool {
        self.verdict.as_ref().is_some_and(|verdict| verdict.best == model)
    }
}

/// The mean of several seeds' scores: each estimates the same quantity with its own Monte Carlo error.
fn mean_over_seeds(scores: &[&Score]) -> Option<Score> {
    let first = *scores.first()?;
    let n = scores.len() as f64;
    let mean = |value: &dyn Fn(&Score) -> f64| scores.iter().map(|score| value(score)).sum::<f64>() / n;
    Some(Score {
        criterion: first.criterion,
        estimate: mean(&|score| score.estimate),
        // Errors over observations are common to all seeds, Monte Carlo errors are not.
        se: mean(&|score| score.se),
        mcse: mean(&|score| score.mcse * score.mcse).sqrt() / n.sqrt(),
        p_eff: mean(&|score| score.p_eff),
        n_bad: scores.iter().map(|score| score.n_bad).max().unwrap_or(0),
        reliable: scores.iter().all(|score| score.reliable),
        // Each seed's own diagnostics stand with its own score.
        diagnostics: Vec::new(),
        pointwise: (0..first.pointwise.len()).map(|i| mean(&|score| score.pointwise[i])).collect(),
        data: first.data,
    })
}

/// One criterion's scores of several models and seeds, compared; none where nothing has a score.
///
/// # Errors
/// Scores that cannot be compared.
pub fn ranking(criterion: Criterion, rows: &[ScoreRow], models: &[ModelKey]) -> Result<Option<Ranking>> {
    let rows: Vec<&ScoreRow> = rows.iter().filter(|row| row.score.criterion == criterion).collect();
    let scores: Vec<(ModelKey, Score)> = rows
        .chunk_by(|a, b| a.model == b.model)
        .filter_map(|of_model| {
            let scores: Vec<&Score> = of_model.iter().map(|row| &row.score).collect();
            Some((of_model[0].model, mean_over_seeds(&scores)?))
        })
        .collect();
    if scores.is_empty() {
        return Ok(None);
    }
    let compare = |scores: &[(ModelKey, &Score)]| {
        Comparison::new(scores).with_context(|| format!("scores by {criterion} cannot be compared"))
    };
    let comparison = compare(&scores.iter().map(|(model, score)| (*model, score)).collect::<Vec<_>>())?;
    let verdict = Verdict::new(&comparison);
    let mut seeds: Vec<u64> = rows.iter().filter_map(|row| row.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let mut best_by_seed = Vec::new();
    if seeds.len() > 1 {
        for seed in seeds {
            let of_seed: Vec<(ModelKey, &Score)> =
                rows.iter().filter(|row| row.seed == Some(seed)).map(|row| (row.model, &row.score)).collect();
            if let Some(verdict) = Verdict::new(&compare(&of_seed)?) {
                best_by_seed.push((seed, verdict.best));
            }
        }
    }
    let has_score =
        |model: &ModelKey| scores.iter().any(|(scored, score)| scored == model && !score.estimate.is_nan());
    let unscored = models.iter().copied().filter(|model| !has_score(model)).collect();
    Ok(Some(Ranking { criterion, comparison, verdict, unscored, best_by_seed }))
}
