//! What was done and what was found, as a manuscript says it.

use gmm_scoring::Criterion;

use super::list::{counted, list, models};
use crate::engine::experiment::Experiment;
use crate::present::words::answer;
use crate::scores::clusters::{CLEAR, Clusters, MISCLASSIFIED};
use crate::scores::criterion_title::title;
use crate::scores::results::Results;
use crate::storage::footer::VERSION;
use crate::study::spec::{
    Axes, Centre, ComponentsPrior, CorrelationsPrior, Sample, Scale, ScalePrior, Spec, WeightsPrior,
};

const BETA_NEGATIVE_BINOMIAL: &str = "Frühwirth-Schnatter, S., Malsiner-Walli, G. & Grün, B. (2021). Generalized mixtures of finite mixtures and \
     telescoping sampling. Bayesian Analysis 16, 1279–1307.";
const HIERARCHICAL_SCALES: &str = "Richardson, S. & Green, P. J. (1997). On Bayesian analysis of mixtures with an unknown number of components. \
     Journal of the Royal Statistical Society B 59, 731–792.";
const INVARIANT_AXES: &str = "Tyler, D. E., Critchley, F., Dümbgen, L. & Oja, H. (2009). Invariant co-ordinate selection. Journal of the Royal \
     Statistical Society B 71, 549–592.";
const LKJ: &str = "Lewandowski, D., Kurowicka, D. & Joe, H. (2009). Generating random correlation matrices based on vines and extended \
     onion method. Journal of Multivariate Analysis 100, 1989–2001.";
const MERGING: &str = "Hennig, C. (2010). Methods for merging Gaussian mixture components. Advances in Data Analysis and Classification 4, \
     3–34.";
const NUTS: &str = "Hoffman, M. D. & Gelman, A. (2014). The No-U-Turn sampler: adaptively setting path lengths in Hamiltonian Monte \
     Carlo. Journal of Machine Learning Research 15, 1593–1623.";
const PARTITION: &str = "Wade, S. & Ghahramani, Z. (2018). Bayesian cluster analysis: point estimation and credible balls. Bayesian \
     Analysis 13, 559–626.";
const RHAT: &str = "Vehtari, A., Gelman, A., Simpson, D., Carpenter, B. & Bürkner, P.-C. (2021). Rank-normalization, folding, and \
     localization: an improved R-hat for assessing convergence of MCMC. Bayesian Analysis 16, 667–718.";
const POISSON: &str = "Nobile, A. (2005). Bayesian finite mixtures: a note on prior specification and posterior computation. Technical \
     Report 05-3, University of Glasgow.";

/// Two paragraphs and the papers they cite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Methods {
    pub methods: String,
    /// `None` where nothing was scored.
    pub results: Option<String>,
    /// In the order in which they are cited: "[1]" cites the first.
    pub references: Vec<&'static str>,
}

impl Methods {
    #[must_use]
    pub fn new(experiment: &Experiment, results: &Results) -> Self {
        let mut cited = Cited::default();
        let mut methods = vec![data(experiment), prior(experiment, results, &mut cited)];
        let probable = results.probabilities().is_some();
        if probable {
            methods.push(components_prior(experiment.spec.model.components_prior, &mut cited));
        }
        methods.extend(sampling(&experiment.spec, &mut cited));
        methods.extend(criteria(experiment, results, &mut cited));
        methods.extend(results.clusters.as_ref().map(|found| clusters(found, probable, &mut cited)));
        methods.push(format!(
            "Spec and data have the BLAKE3 hashes {}… and {}….",
            beginning(&experiment.spec.hash()),
            beginning(&experiment.dataset.hash)
        ));
        Self { methods: methods.join(" "), results: found(results), references: cited.references }
    }
}

/// Papers by the number under which they are cited.
#[derive(Default)]
struct Cited {
    references: Vec<&'static str>,
}

impl Cited {
    fn cite(&mut self, reference: &'static str) -> String {
        let known = self.references.iter().position(|other| *other == reference);
        let place = known.unwrap_or_else(|| {
            self.references.push(reference);
            self.references.len() - 1
        });
        format!("[{}]", place + 1)
    }
}

fn beginning(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn data(experiment: &Experiment) -> String {
    let dataset = &experiment.dataset;
    let n_features = dataset.columns.len();
    let mut text = format!(
        "Gaussian mixtures with {} and unrestricted covariance matrices were fitted to {} of {} with gmm {VERSION}.",
        match &experiment.models()[..] {
            [only] => counted(only.components, "component"),
            several => format!("{} components", models(several, "or")),
        },
        counted(dataset.data.n_observations(), "observation"),
        counted(n_features, "feature"),
    );
    if dataset.dropped > 0 {
        let were = if dataset.dropped == 1 { "was" } else { "were" };
        text += &format!(" {} with missing cells {were} left out.", counted(dataset.dropped, "row"));
    }
    text += match experiment.spec.data.scale {
        Scale::Standardize => " Features were scaled to mean 0 and standard deviation 1.",
        Scale::Range => " Features were scaled to midrange 0 and range 1.",
        Scale::None => "",
    };
    if dataset.steps.iter().any(|&step| step > 0.0) {
        text += " Values were taken as rounded to the steps in which they were recorded: with a step δ, δ²/12 is added to the \
                 variance of a feature in every component.";
    }
    text
}

fn prior(experiment: &Experiment, results: &Results, cited: &mut Cited) -> String {
    let (spec, n_features) = (&experiment.spec, experiment.dataset.columns.len());
    let prior = &spec.model.prior;
    let WeightsPrior::Dirichlet { alpha } = prior.weights;
    let CorrelationsPrior::Lkj { eta } = prior.correlations;
    let centre = match prior.means.centre {
        Centre::Kmeans => "the centroids of k-means",
        Centre::Origin => "the origin",
        Centre::DataMean => "the mean of the data",
        Centre::Explicit(_) => "given centres",
    };
    let mut text = format!(
        "A priori, weights are Dirichlet({}), means normal about {centre} with variance {} in each coordinate, {}, and correlation \
         matrices LKJ({eta}) {}.",
        alpha.of(n_features),
        prior.means.variance,
        scales(&prior.scales, n_features, cited),
        cited.cite(LKJ),
    );
    // Collinear columns have no invariant axes.
    let systems = results.largest_parts.values().map(Vec::len).max().unwrap_or(1);
    let where_stated = match spec.model.axes {
        Axes::Invariant if n_features > 1 => "in invariant axes",
        Axes::Average if systems > 1 => {
            "in two systems of axes, equally probable beforehand: those of the features and invariant ones"
        }
        _ => return text,
    };
    text += &format!(" This prior is stated {where_stated} {}.", cited.cite(INVARIANT_AXES));
    text
}

fn scales(prior: &ScalePrior, n_features: usize, cited: &mut Cited) -> String {
    let distribution = match prior {
        ScalePrior::HalfCauchy { scale } => format!("half-Cauchy({scale})"),
        ScalePrior::HalfNormal { scale } => format!("half-normal({scale})"),
        ScalePrior::HalfStudentT { nu, scale } => {
            format!("half-Student-t with {nu} degrees of freedom and scale {scale}")
        }
        ScalePrior::Exponential { rate } => format!("exponential with rate {rate}"),
        ScalePrior::LogNormal { mu, sigma } => format!("log-normal({mu}, {sigma})"),
        ScalePrior::InverseGamma { shape, scale } => format!("inverse-gamma({shape}, {scale})"),
        ScalePrior::Hierarchical { shape, hyper_shape, hyper_rate } => {
            return format!(
                "precisions gamma({}, β), where the rate β, common to all components, is gamma({hyper_shape}, {hyper_rate}) {}",
                shape.of(n_features),
                cited.cite(HIERARCHICAL_SCALES)
            );
        }
    };
    format!("standard deviations {distribution}")
}

fn components_prior(prior: ComponentsPrior, cited: &mut Cited) -> String {
    let distribution = match prior {
        ComponentsPrior::Uniform => "K is uniform".to_owned(),
        ComponentsPrior::Poisson(rate) => format!("K is Poisson({rate}) {}", cited.cite(POISSON)),
        ComponentsPrior::Geometric(p) => format!("K is geometric with success probability {p}"),
        ComponentsPrior::BetaNegativeBinomial { r, a, b } => {
            format!("K − 1 is beta-negative-binomial({r}, {a}, {b}) {}", cited.cite(BETA_NEGATIVE_BINOMIAL))
        }
    };
    format!("A priori, {distribution}, among the K tried.")
}

fn sampling(spec: &Spec, cited: &mut Cited) -> Option<String> {
    let sampler = &spec.sampler;
    (sampler.sample == Sample::All).then(|| {
        format!(
            "Posteriors were sampled by the no-U-turn sampler {}: {} of {} iterations each, of which {} were warm-up, with the {} {}. \
             Convergence was judged by R-hat and effective sample sizes of label-invariant quantities {}.",
            cited.cite(NUTS),
            counted(sampler.chains, "chain"),
            sampler.warmup + sampler.draws,
            sampler.warmup,
            if sampler.seeds.len() == 1 { "seed" } else { "seeds" },
            list(&sampler.seeds, "and"),
            cited.cite(RHAT),
        )
    })
}

fn criteria(experiment: &Experiment, results: &Results, cited: &mut Cited) -> Vec<String> {
    let computed: Vec<Criterion> = results.rankings.iter().map(|ranking| ranking.criterion).collect();
    let name = |criterion: Criterion, cited: &mut Cited| {
        let mut name = title(criterion, &experiment.spec.scoring);
        if criterion == Criterion::Cv {
            name = format!("{}-fold {}", experiment.spec.scoring.folds, name.to_lowercase());
        }
        format!("{name} {}", cited.cite(criterion.descriptor().reference))
    };
    let decisive = results.answer.as_ref().map(|answer| answer.verdict.criterion);
    let mut sentences = Vec::new();
    if let Some(criterion) = decisive {
        let what = match (criterion, results.probabilities()) {
            (Criterion::Laplace, Some(_)) => {
                "Probabilities of K are from the evidence about all posterior modes found, by Laplace's method".to_owned()
            }
            (other, Some(_)) => format!("Probabilities of K are from the evidence, by {}", other.title()),
            (other, None) => format!("The number of components was chosen by {}", title(other, &experiment.spec.scoring)),
        };
        sentences.push(format!("{what} {}.", cited.cite(criterion.descriptor().reference)));
    }
    let others: Vec<String> = computed
        .into_iter()
        .filter(|criterion| Some(*criterion) != decisive)
        .map(|criterion| name(criterion, cited))
        .collect();
    if !others.is_empty() {
        sentences.push(format!("Also computed: {}.", list(others, "and")));
    }
    sentences
}

fn clusters(found: &Clusters, is_over_k: bool, cited: &mut Cited) -> String {
    let mixtures = counted(found.clustering.mixtures.draws.len(), "mixture");
    let from = if is_over_k { "the posterior, K included" } else { "the posterior of the chosen K" };
    format!(
        "In each of {mixtures} drawn from {from}, components were merged while at least {:.0} % of the observations of one would be \
         assigned to another {}. The clusters are the partition with the least expected variation of information to those of these \
         mixtures {}.",
        100.0 * MISCLASSIFIED,
        cited.cite(MERGING),
        cited.cite(PARTITION),
    )
}

fn found(results: &Results) -> Option<String> {
    let found = results.answer.as_ref()?;
    let mut sentences = match &found.probabilities {
        Some(probabilities) => {
            let most = probabilities.most_probable();
            let mut text = format!(
                "The most probable number of components is {}, {}.",
                most.model.components,
                answer::probability(probabilities)
            );
            if let Some(prediction) = &found.prediction {
                text += &format!(
                    " The smallest K that predicts held-out observations as well as the best is {}.",
                    prediction.smallest.components
                );
            }
            vec![text]
        }
        None => vec![answer::verdict(&found.verdict, &found.unscored)],
    };
    if let Some(Clusters { clustering, clear, agreement, .. }) = &results.clusters {
        sentences.push(format!(
            "The observations form {}; {:.0} % of them belong to theirs with a probability above {CLEAR}.",
            counted(clustering.n_clusters, "cluster"),
            100.0 * clear
        ));
        sentences
            .extend(agreement.map(|index| {
                format!("The adjusted Rand index of clusters and known classes is {index:.2}.")
            }));
    }
    let doubts = answer::doubts(found);
    if !doubts.is_empty() {
        sentences.push(format!("This is uncertain: {}", doubts.join(" ")));
    }
    Some(sentences.join(" "))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::engine::progress::Display;
    use crate::scores::findings::Findings;

    const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/data/faithful.csv");

    fn of(settings: &str, criteria: &str) -> Methods {
        let spec = format!(
            "name = \"x\"\ndata.path = \"faithful.csv\"\n[scoring]\ncriteria = {criteria}\n[model]\n{settings}\n"
        );
        let experiment = Experiment::from_text("x.toml", &spec, |_| PathBuf::from(DATA)).unwrap();
        let mut results =
            Results::new(&experiment, Findings::default(), Vec::new(), Display::Hidden).unwrap();
        results.find_clusters(&experiment);
        Methods::new(&experiment, &results)
    }

    /// Numbers in brackets, in the order of the text.
    fn citations(methods: &Methods) -> Vec<usize> {
        let after = methods.methods.split('[').skip(1);
        after.map(|rest| rest.split(']').next().unwrap().parse().unwrap()).collect()
    }

    #[test]
    fn what_a_spec_asks_for_is_told_with_its_sources() {
        let methods = of("components = [1, 2]\nprior = \"default\"", "[\"bic\", \"laplace\"]");
        insta::assert_snapshot!(format!(
            "{}\n\n{}\n\n{}",
            methods.methods.replace(VERSION, "VERSION"),
            methods.results.as_ref().unwrap(),
            methods.references.join("\n")
        ));
        // Numbered as they come, and nothing is listed that is not cited.
        let mut first = Vec::new();
        for number in citations(&methods) {
            if !first.contains(&number) {
                first.push(number);
            }
        }
        assert_eq!(first, (1..=methods.references.len()).collect::<Vec<_>>());
    }

    /// The published model is sampled, has no probability of K and its own priors.
    #[test]
    fn the_published_study_is_told_as_it_is() {
        let methods = of("components = 2", "[\"bic\"]");
        for part in [
            "with 2 components",
            "weights are Dirichlet(0.5), means normal about the centroids of k-means with variance 0.1",
            "standard deviations half-Cauchy(1)",
            "LKJ(2)",
            "no-U-turn",
            "chosen by BIC",
        ] {
            assert!(methods.methods.contains(part), "{part} is missing in {}", methods.methods);
        }
        for part in ["K − 1", "invariant axes", "rounded", "mixtures drawn"] {
            assert!(!methods.methods.contains(part), "{part} is in {}", methods.methods);
        }
    }
}
