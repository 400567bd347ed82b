//! Exact posterior expectations for a few observations, by a sum over all K^N assignments to components.
//!
//! Given an assignment, components are independent and weights have a Dirichlet distribution. So an expectation is a sum over
//! assignments of the Dirichlet-multinomial probability times K integrals over one component each. In one dimension these are
//! exact ([`ComponentPosterior`]).

use std::collections::HashMap;

use gmm_sampler::data::Data;
use gmm_sampler::mixture::likelihood::WhitenedComponents;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::prior::{Prior, ScalePrior};
use libm::{exp, lgamma, log};

use crate::check::Part;
use crate::component::{ComponentPosterior, ComponentPrior};
use crate::expectations::{Expectation, ExpectationCase, Group};
use crate::normal;
use crate::problem::Problem;

/// Points at which the predictive density is compared.
const POINTS: [f64; 3] = [-1.5, 0.2, 1.4];

/// The threshold of the probability P(log σ ≤ threshold).
const LOG_SIGMA: f64 = -0.5;

/// A mixture model of a few observations in one dimension.
pub(crate) struct SmallSample {
    pub(crate) name: &'static str,
    pub(crate) observations: &'static [f64],
    pub(crate) concentration: f64,
    pub(crate) centres: &'static [f64],
    pub(crate) mean_sd: f64,
    pub(crate) scales: ScalePrior,
}

impl SmallSample {
    pub(crate) fn problem(&self) -> Problem {
        let prior = Prior {
            concentration: self.concentration,
            centres: self.centres.to_vec(),
            mean_sd: self.mean_sd,
            scales: self.scales,
            lkj_shape: 1.0,
        };
        let data = Data::from_columns(&[self.observations.to_vec()]).expect("the observations are finite");
        Problem::new(data, prior, self.centres.len())
    }

    pub(crate) fn case(&self, draws: usize) -> ExpectationCase {
        ExpectationCase {
            part: Part::Enumeration,
            name: self.name.to_owned(),
            problem: self.problem(),
            draws,
            groups: self.groups(),
            measure: Box::new(measure),
        }
    }

    /// Exact expectations of the numbers that [`measure`] returns, in the same order.
    fn groups(&self) -> Vec<Group> {
        let mut sums = Sums::new(self.observations.len(), self.centres.len());
        let Labellings { components, log_masses, log_evidence } = self.labellings();
        for (labels, log_mass) in log_masses {
            let component = |k: usize| &components[&(k, subset(&labels, k))];
            sums.add(exp(log_mass - log_evidence), &labels, self.concentration, component);
        }
        sums.groups(self.observations.len())
    }

    /// log p(y).
    pub(crate) fn log_evidence(&self) -> f64 {
        self.labellings().log_evidence
    }

    fn labellings(&self) -> Labellings {
        let (n, n_components) = (self.observations.len(), self.centres.len());
        let mut components: HashMap<(usize, usize), ComponentPosterior> = HashMap::new();
        let mut log_masses = Vec::new();
        // The factors of the Dirichlet-multinomial probability that do not depend on the labels; below, those that do.
        let total = self.concentration * n_components as f64;
        let constant =
            lgamma(total) - lgamma(total + n as f64) - n_components as f64 * lgamma(self.concentration);
        for code in 0..n_components.pow(n as u32) {
            let labels: Vec<usize> =
                (0..n).map(|i| code / n_components.pow(i as u32) % n_components).collect();
            let mut log_mass = constant;
            for (k, &centre) in self.centres.iter().enumerate() {
                let members: Vec<f64> =
                    (0..n).filter(|&i| labels[i] == k).map(|i| self.observations[i]).collect();
                let prior = ComponentPrior { centre, mean_sd: self.mean_sd, scales: self.scales };
                let component = components
                    .entry((k, subset(&labels, k)))
                    .or_insert_with(|| ComponentPosterior::new(prior, &members));
                log_mass += lgamma(members.len() as f64 + self.concentration) + component.log_evidence;
            }
            log_masses.push((labels, log_mass));
        }
        let largest = log_masses.iter().map(|(_, mass)| *mass).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = log_masses.iter().map(|(_, mass)| exp(mass - largest)).sum();
        Labellings { components, log_masses, log_evidence: largest + log(sum) }
    }
}

/// Every assignment of the observations to components.
struct Labellings {
    /// Keyed by component and by the set of its observations, as bits.
    components: HashMap<(usize, usize), ComponentPosterior>,
    /// log p(y, labels).
    log_masses: Vec<(Vec<usize>, f64)>,
    log_evidence: f64,
}

/// The set of observations assigned to component k, as bits.
fn subset(labels: &[usize], k: usize) -> usize {
    labels.iter().enumerate().filter(|&(_, &label)| label == k).map(|(i, _)| 1 << i).sum()
}

/// Expectations, summed over labellings.
struct Sums {
    /// Per component: w, w², μ, μ², log σ, P(log σ ≤ threshold).
    labelled: Vec<[f64; 6]>,
    /// N × K: P(label of i = k).
    labels: Vec<f64>,
    predictive: [f64; 3],
    /// Σ w_k², Σ w_k μ_k.
    invariant: [f64; 2],
    /// P(i and j have the same label), j < i.
    together: Vec<f64>,
}

impl Sums {
    fn new(n: usize, n_components: usize) -> Self {
        Self {
            labelled: vec![[0.0; 6]; n_components],
            labels: vec![0.0; n * n_components],
            predictive: [0.0; 3],
            invariant: [0.0; 2],
            together: vec![0.0; n * (n - 1) / 2],
        }
    }

    fn add<'a>(
        &mut self,
        mass: f64,
        labels: &[usize],
        concentration: f64,
        component: impl Fn(usize) -> &'a ComponentPosterior,
    ) {
        let n_components = self.labelled.len();
        let total = labels.len() as f64 + concentration * n_components as f64;
        for k in 0..n_components {
            let alpha = labels.iter().filter(|&&label| label == k).count() as f64 + concentration;
            let component = component(k);
            let (weight, weight_square) = (alpha / total, alpha * (alpha + 1.0) / (total * (total + 1.0)));
            let mean = component.mean();
            let values = [
                weight,
                weight_square,
                mean,
                component.mean_square(),
                component.log_sigma(),
                component.log_sigma_below(LOG_SIGMA),
            ];
            self.labelled[k].iter_mut().zip(values).for_each(|(sum, value)| *sum += mass * value);
            for (sum, y) in self.predictive.iter_mut().zip(POINTS) {
                *sum += mass * weight * component.density(y);
            }
            self.invariant[0] += mass * weight_square;
            self.invariant[1] += mass * weight * mean;
        }
        let mut pair = 0;
        for i in 0..labels.len() {
            self.labels[i * n_components + labels[i]] += mass;
            for j in 0..i {
                self.together[pair] += mass * f64::from(u8::from(labels[i] == labels[j]));
                pair += 1;
            }
        }
    }

    fn groups(self, n: usize) -> Vec<Group> {
        let n_components = self.labelled.len();
        let mut labelled = Vec::new();
        for (k, values) in self.labelled.iter().enumerate() {
            let names = ["weights", "weights²", "mu", "mu²", "log sigma", "P(log sigma < −½)"];
            labelled.extend(
                names
                    .iter()
                    .zip(values)
                    .map(|(name, &exact)| Expectation::new(format!("{name}[{k}]"), exact)),
            );
        }
        labelled.extend(self.labels.iter().enumerate().map(|(index, &exact)| {
            Expectation::new(format!("P(z[{}] = {})", index / n_components, index % n_components), exact)
        }));
        let mut invariant: Vec<Expectation> = POINTS
            .iter()
            .zip(self.predictive)
            .map(|(y, exact)| Expectation::new(format!("p({y})"), exact))
            .collect();
        invariant.push(Expectation::new("Σ weights²", self.invariant[0]));
        invariant.push(Expectation::new("Σ weights mu", self.invariant[1]));
        let pairs = (0..n).flat_map(|i| (0..i).map(move |j| (i, j)));
        invariant.extend(
            pairs
                .zip(self.together)
                .map(|((i, j), exact)| Expectation::new(format!("P(z[{i}] = z[{j}])"), exact)),
        );
        vec![
            Group { name: "by label", expectations: labelled },
            Group { name: "label-invariant", expectations: invariant },
        ]
    }
}

/// The numbers of one draw that are averaged. For a label this is its probability given the draw, which has the same expectation
/// as the label itself and a smaller variance.
fn measure(problem: &Problem, mixture: &Mixture) -> Vec<f64> {
    let k = mixture.n_components();
    let responsibilities = problem.likelihood.responsibilities(&WhitenedComponents::from_mixture(mixture));
    let mut values = Vec::new();
    for component in 0..k {
        let (weight, mean) = (mixture.weight(component), mixture.mean(component)[0]);
        let log_sigma = log(mixture.scales(component)[0]);
        let below = f64::from(u8::from(log_sigma <= LOG_SIGMA));
        values.extend([weight, weight * weight, mean, mean * mean, log_sigma, below]);
    }
    values.extend_from_slice(&responsibilities);
    for y in POINTS {
        let terms = (0..k).map(|component| {
            let sigma = mixture.scales(component)[0];
            let z = (y - mixture.mean(component)[0]) / sigma;
            mixture.weight(component) * normal::density(z) / sigma
        });
        values.push(terms.sum());
    }
    values.push((0..k).map(|component| mixture.weight(component).powi(2)).sum());
    values.push((0..k).map(|component| mixture.weight(component) * mixture.mean(component)[0]).sum());
    let rows: Vec<&[f64]> = responsibilities.chunks_exact(k).collect();
    for i in 0..rows.len() {
        values.extend((0..i).map(|j| rows[i].iter().zip(rows[j]).map(|(a, b)| a * b).sum::<f64>()));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn one_observation_between_two_components_has_the_expectations_of_symmetry() {
        let sample = SmallSample {
            name: "symmetry",
            observations: &[0.0],
            concentration: 0.7,
            centres: &[-1.0, 1.0],
            mean_sd: 0.5,
            scales: ScalePrior::InverseGamma { shape: 3.0, scale: 2.0 },
        };
        let groups = sample.groups();
        let exact = |group: usize, name: &str| {
            groups[group].expectations.iter().find(|e| e.name == name).map(|e| e.exact).unwrap()
        };
        assert_relative_eq!(exact(0, "weights[0]"), 0.5, max_relative = 1e-12);
        assert_relative_eq!(exact(0, "P(z[0] = 1)"), 0.5, max_relative = 1e-12);
        assert_relative_eq!(exact(0, "mu[0]"), -exact(0, "mu[1]"), max_relative = 1e-12);
        assert_relative_eq!(exact(1, "Σ weights mu"), 0.0, epsilon = 1e-12);
    }

    #[test]
    fn probabilities_of_labels_sum_to_one() {
        let sample = SmallSample {
            name: "sums",
            observations: &[-1.0, 0.3, 1.2],
            concentration: 1.5,
            centres: &[-1.0, 0.0, 1.0],
            mean_sd: 0.5,
            scales: ScalePrior::LogNormal { mu: -0.5, sigma: 0.5 },
        };
        let groups = sample.groups();
        let sum = |prefix: &str| -> f64 {
            groups[0].expectations.iter().filter(|e| e.name.starts_with(prefix)).map(|e| e.exact).sum()
        };
        assert_relative_eq!(sum("weights["), 1.0, max_relative = 1e-12);
        assert_relative_eq!(sum("P(z[2]"), 1.0, max_relative = 1e-12);
    }
}
