//! One component in one dimension: moments and quantiles of μ and σ, known by quadrature.

use gmm_sampler::data::Data;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::prior::{Prior, ScalePrior};
use libm::log;

use crate::check::Part;
use crate::component::{ComponentPosterior, ComponentPrior};
use crate::expectations::{Expectation, ExpectationCase, Group};
use crate::problem::Problem;

/// Seven arbitrary numbers.
const OBSERVATIONS: [f64; 7] = [0.31, -0.77, 1.62, 0.05, 0.94, -1.38, 0.58];
const CENTRE: f64 = 0.8;
const MEAN_SD: f64 = 0.6;

const PROBABILITIES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// The problem and its exact posterior.
pub(crate) fn problem(scales: ScalePrior) -> (Problem, ComponentPosterior) {
    let exact =
        ComponentPosterior::new(ComponentPrior { centre: CENTRE, mean_sd: MEAN_SD, scales }, &OBSERVATIONS);
    let prior = Prior { concentration: 1.0, centres: vec![CENTRE], mean_sd: MEAN_SD, scales, lkj_shape: 1.0 };
    let data = Data::from_columns(&[OBSERVATIONS.to_vec()]).expect("the observations are finite");
    (Problem::new(data, prior, 1), exact)
}

/// The case for one prior of σ.
pub(crate) fn one_component(name: &str, scales: ScalePrior, draws: usize) -> ExpectationCase {
    let (problem, exact) = problem(scales);
    let moments = vec![
        Expectation::new("mu", exact.mean()),
        Expectation::new("mu²", exact.mean_square()),
        Expectation::new("log sigma", exact.log_sigma()),
        Expectation::new("(log sigma)²", exact.log_sigma_square()),
    ];
    let probabilities = |name: &str| -> Vec<Expectation> {
        let probability = |p: &f64| Expectation::new(format!("P({name} < {:.0} %)", 100.0 * p), *p);
        PROBABILITIES.iter().map(probability).collect()
    };
    let quantiles = [probabilities("mu"), probabilities("sigma")].concat();
    let mu = PROBABILITIES.map(|p| exact.mean_quantile(p));
    let log_sigma = PROBABILITIES.map(|p| exact.log_sigma_quantile(p));
    let measure = move |_: &Problem, mixture: &Mixture| {
        let (mean, scale) = (mixture.mean(0)[0], log(mixture.scales(0)[0]));
        let mut values = vec![mean, mean * mean, scale, scale * scale];
        values.extend(mu.iter().map(|quantile| f64::from(u8::from(mean <= *quantile))));
        values.extend(log_sigma.iter().map(|quantile| f64::from(u8::from(scale <= *quantile))));
        values
    };
    ExpectationCase {
        part: Part::ClosedForms,
        name: format!("K = 1, D = 1, {name}"),
        problem,
        draws,
        groups: vec![
            Group { name: "moments", expectations: moments },
            Group { name: "quantiles", expectations: quantiles },
        ],
        measure: Box::new(measure),
    }
}
