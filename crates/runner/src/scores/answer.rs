//! The answer to "how many components?", and the disagreement that it must not hide; `present::words` has the sentences.

use std::collections::BTreeMap;

use gmm_scoring::{Criterion, Difference, Flag, SMALL_ELPD_DIFFERENCE, Scale, Verdict};

use crate::scores::diagnostic::ScoreDiagnostic;
use crate::scores::probabilities::{Doubt, Probabilities};
use crate::scores::ranking::Ranking;
use crate::scores::rows::ScoreRow;
use crate::study::job::ModelKey;
use crate::study::spec::ModelSpec;

/// A number of components, with its reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub model: ModelKey,
    /// The criterion that the answer is taken from.
    pub criterion: Criterion,
    /// What that criterion says.
    pub verdict: Verdict<ModelKey>,
    /// The posterior probability of every K, where the answer is the most probable one.
    pub probabilities: Option<Probabilities>,
    /// What cross-validation at modes says, where it was asked for.
    pub prediction: Option<Prediction>,
    /// Models that were tried and have no score by that criterion; ascending.
    pub unscored: Vec<ModelKey>,
    /// The criteria that choose each model, in the order of models.
    pub choices: BTreeMap<ModelKey, Vec<Criterion>>,
    /// By how much PSIS-LOO exceeds K-fold at the answer's model, where that is too much for chance.
    pub optimism: Option<Difference>,
    /// By how many nats two searches for the modes of a K differ, where they do.
    pub gaps: BTreeMap<ModelKey, f64>,
    /// The best model of each seed, where several seeds were scored.
    pub best_by_seed: Vec<(u64, ModelKey)>,
    /// Whether the data have rows enough for a larger K than were tried.
    pub could_be_larger: bool,
}

/// The answer to another question: with how many components are new rows predicted best?
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// The smallest model whose held-out score is indistinguishable from the best.
    pub smallest: ModelKey,
    /// The model of the best score.
    pub best: ModelKey,
    /// By how much its score exceeds that of the smallest, in nats over all rows, and the standard error of that.
    pub lead: f64,
    pub lead_se: f64,
}

impl Prediction {
    fn new(ranking: &Ranking) -> Option<Self> {
        let verdict = ranking.verdict.as_ref()?;
        let row = ranking.comparison.rows.iter().find(|row| row.model == verdict.smallest)?;
        Some(Self {
            smallest: verdict.smallest,
            best: verdict.best,
            lead: -row.difference,
            lead_se: row.difference_se,
        })
    }
}

/// The model that a criterion chooses: for predictions the smallest that is indistinguishable from the best, since a spare component
/// costs predictions next to nothing; for evidence the most probable; for the others, which charge for components, the best.
fn choice(verdict: &Verdict<ModelKey>, probabilities: Option<&Probabilities>) -> ModelKey {
    match verdict.criterion.scale() {
        Scale::Prediction => verdict.smallest,
        Scale::Evidence => probabilities.map_or(verdict.best, |found| found.most_probable().model),
        Scale::Deviance => verdict.best,
    }
}

impl Answer {
    /// None where nothing was scored.
    #[must_use]
    pub fn new(spec: &ModelSpec, rankings: &[Ranking], scores: &[ScoreRow]) -> Option<Self> {
        let probabilities = |ranking: &Ranking| Probabilities::new(spec.components_prior, ranking);
        let verdicts: Vec<(&Ranking, &Verdict<ModelKey>)> =
            rankings.iter().filter_map(|ranking| Some((ranking, ranking.verdict.as_ref()?))).collect();
        let (ranking, verdict) = Criterion::ranked()
            .into_iter()
            .filter_map(|wanted| verdicts.iter().find(|(ranking, _)| ranking.criterion == wanted))
            .filter(|(ranking, verdict)| judges(ranking, verdict))
            .find(|(ranking, _)| may_answer(spec, ranking, probabilities(ranking).as_ref()))
            .or_else(|| verdicts.iter().find(|(ranking, verdict)| judges(ranking, verdict)))?;
        let found = probabilities(ranking);
        let model = choice(verdict, found.as_ref());
        let mut choices: BTreeMap<ModelKey, Vec<Criterion>> = BTreeMap::new();
        for (ranking, verdict) in verdicts.iter().filter(|(ranking, _)| ranking.criterion != Criterion::Cv) {
            let chosen = choice(verdict, probabilities(ranking).as_ref());
            choices.entry(chosen).or_default().push(ranking.criterion);
        }
        Some(Self {
            model,
            criterion: ranking.criterion,
            verdict: (*verdict).clone(),
            probabilities: found,
            prediction: rankings
                .iter()
                .find(|ranking| ranking.criterion == Criterion::Cv)
                .and_then(Prediction::new),
            unscored: ranking.unscored.clone(),
            choices,
            optimism: optimism(model, scores),
            gaps: gaps(scores),
            best_by_seed: ranking.best_by_seed.clone(),
            could_be_larger: true,
        })
    }

    /// Whether criteria choose different K.
    #[must_use]
    pub fn criteria_disagree(&self) -> bool {
        self.choices.len() > 1
    }

    /// The other criteria that choose the answer's K.
    pub fn agreeing(&self) -> impl Iterator<Item = Criterion> {
        let same = self.choices.get(&self.model).into_iter().flatten().copied();
        same.filter(|criterion| *criterion != self.criterion)
    }

    /// What could make another K the most probable; none where the answer is no probability.
    #[must_use]
    pub fn doubts(&self) -> Vec<Doubt> {
        let Some(found) = &self.probabilities else { return Vec::new() };
        let mut models: Vec<ModelKey> = found.of_each.iter().map(|entry| entry.model).collect();
        models.extend(&self.unscored);
        models.sort_unstable();
        models.dedup();
        let mut doubts = found.doubts(&models, &self.gaps);
        doubts.retain(|doubt| self.could_be_larger || !matches!(doubt, Doubt::LargestIsProbable { .. }));
        doubts
    }

    /// Whether the scores that the answer rests on are unreliable.
    #[must_use]
    pub fn is_unreliable(&self) -> bool {
        self.verdict.flags.iter().any(|flag| match flag {
            Flag::Unreliable { models } => {
                models.contains(&self.model) || models.contains(&self.verdict.best)
            }
            Flag::LargestIsBest { .. }
            | Flag::Undefined { .. }
            | Flag::FewTerms { .. }
            | Flag::ManyModels { .. } => false,
        })
    }

    /// Whether the best K is the largest that has a score, so that a larger one may be better still.
    #[must_use]
    pub fn is_at_the_largest(&self) -> bool {
        self.verdict.flags.iter().any(|flag| matches!(flag, Flag::LargestIsBest { .. }))
    }
}

/// Whether a ranking judges K at all. Cross-validation answers another question, and evidence is for a K only against the next smaller
/// one: a K that could not be fitted is evidence for nothing.
fn judges(ranking: &Ranking, verdict: &Verdict<ModelKey>) -> bool {
    let is_next_smaller = |model: &ModelKey| model.components + 1 == verdict.best.components;
    ranking.criterion != Criterion::Cv
        && (ranking.criterion.scale() != Scale::Evidence || !ranking.unscored.iter().any(is_next_smaller))
}

/// Whether a ranking may give the answer: evidence only under a prior that it is evidence of, and where the most probable K has a
/// reliable one.
fn may_answer(spec: &ModelSpec, ranking: &Ranking, probabilities: Option<&Probabilities>) -> bool {
    ranking.criterion.scale() != Scale::Evidence
        || spec.prior.precedes_data() && probabilities.is_some_and(|found| found.most_probable().reliable)
}

fn gaps(scores: &[ScoreRow]) -> BTreeMap<ModelKey, f64> {
    let gap = |row: &ScoreRow| {
        row.diagnostics.iter().find_map(|found| match found {
            ScoreDiagnostic::SearchesDiffer { nats } => Some((row.model, *nats)),
            _ => None,
        })
    };
    scores.iter().filter_map(gap).collect()
}

fn optimism(model: ModelKey, scores: &[ScoreRow]) -> Option<Difference> {
    let by = |criterion: Criterion| {
        scores.iter().find(|row| row.model == model && row.score.criterion == criterion)
    };
    let (loo, kfold) = (by(Criterion::Loo)?, by(Criterion::Kfold)?);
    let excess = Difference::new(&loo.score, &kfold.score);
    (excess.estimate > SMALL_ELPD_DIFFERENCE && excess.estimate > 2.0 * excess.se).then_some(excess)
}
