//! Random mixtures with a given overlap, as MixSim draws them (Maitra & Melnykov 2010; Melnykov, Chen & Maitra 2012).

use nalgebra::{DMatrix, SymmetricEigen};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1, StandardNormal};
use thiserror::Error;

use crate::mixture::overlap::{Overlap, Pairs};
use crate::mixture::params::Mixture;
use crate::mixture::triangular::packed_len;

/// MixSim's default for the largest eccentricity √(1 − smallest / largest eigenvalue) of a covariance.
pub const MAX_ECCENTRICITY: f64 = 0.9;

/// Mixtures drawn before an overlap counts as unreachable: MixSim's number.
const ATTEMPTS: usize = 100;

/// Largest difference between the overlap and its target.
const TOLERANCE: f64 = 1e-7;

/// Largest number of steps in the search for the common factor; bisection of sixty octaves takes 60.
const MOST_STEPS: usize = 200;

/// Range of the common factor.
const FACTORS: (f64, f64) = (1e-12, 1e12);

/// The overlap asked for, in (0, 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TargetOverlap {
    /// Mean over all pairs of components.
    Average(f64),
    /// Overlap of the pair that overlaps most.
    Maximum(f64),
}

impl TargetOverlap {
    fn value(self) -> f64 {
        match self {
            Self::Average(value) | Self::Maximum(value) => value,
        }
    }

    fn measure(self, overlap: &Overlap) -> f64 {
        match self {
            Self::Average(_) => overlap.average(),
            Self::Maximum(_) => overlap.maximum(),
        }
    }
}

/// The distribution of a random mixture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MixSim {
    /// K.
    pub n_components: usize,
    /// D.
    pub n_features: usize,
    /// The overlap asked for; ignored for a single component.
    pub target: TargetOverlap,
    /// Smallest weight, at most 1/K, which makes all weights equal.
    pub least_weight: f64,
    /// Largest √(1 − smallest / largest eigenvalue) of a covariance, in [0, 1). 0 makes all covariances spherical.
    pub eccentricity: f64,
}

/// Why no mixture can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum MixSimError {
    /// K or D is 0.
    #[error("a mixture has at least one component and one feature")]
    Empty,
    /// The overlap asked for is not in (0, 1).
    #[error("an overlap of {value}: it must lie between 0 and 1, both excluded")]
    Overlap {
        /// The overlap.
        value: f64,
    },
    /// The smallest weight exceeds 1/K, or is negative.
    #[error("weights of at least {least_weight} for {n_components} components: at most {} is possible", 1.0 / *n_components as f64)]
    Weights {
        /// The smallest weight.
        least_weight: f64,
        /// K.
        n_components: usize,
    },
    /// The eccentricity is not in [0, 1).
    #[error("an eccentricity of {value}: it must be at least 0 and below 1")]
    Eccentricity {
        /// The eccentricity.
        value: f64,
    },
    /// No mixture that was tried reaches the overlap at any factor.
    #[error(
        "none of {ATTEMPTS} random mixtures of {n_components} components in {n_features} dimensions can overlap by {value}"
    )]
    OutOfReach {
        /// K.
        n_components: usize,
        /// D.
        n_features: usize,
        /// The overlap asked for.
        value: f64,
    },
}

impl MixSim {
    /// Checks the fields.
    ///
    /// # Errors
    /// The first field out of its range.
    pub fn check(&self) -> Result<(), MixSimError> {
        let Self { n_components, n_features, target, least_weight, eccentricity } = *self;
        if n_components == 0 || n_features == 0 {
            return Err(MixSimError::Empty);
        }
        if !(target.value() > 0.0 && target.value() < 1.0) {
            return Err(MixSimError::Overlap { value: target.value() });
        }
        if !(0.0..=1.0 / n_components as f64).contains(&least_weight) {
            return Err(MixSimError::Weights { least_weight, n_components });
        }
        if !(0.0..1.0).contains(&eccentricity) {
            return Err(MixSimError::Eccentricity { value: eccentricity });
        }
        Ok(())
    }

    /// Draws a mixture whose overlap is within 1e-6 of the target. Means are uniform on the unit cube; covariances are Wishart
    /// with D degrees of freedom and bounded eccentricity, then all multiplied by one factor.
    ///
    /// # Errors
    /// If a field is out of its range, or if none of a hundred mixtures reaches the overlap.
    pub fn simulate(&self, rng: &mut impl Rng) -> Result<Mixture, MixSimError> {
        self.check()?;
        for _ in 0..ATTEMPTS {
            let raw = self.unscaled(rng);
            if let Some(factor) = self.factor(&raw) {
                return Ok(scaled(raw, factor));
            }
        }
        let Self { n_components, n_features, target, .. } = *self;
        Err(MixSimError::OutOfReach { n_components, n_features, value: target.value() })
    }

    fn unscaled(&self, rng: &mut impl Rng) -> Mixture {
        let (k, d) = (self.n_components, self.n_features);
        // Exponential variables divided by their sum are uniform on the simplex. Each component gets the smallest weight first.
        let shares: Vec<f64> = (0..k).map(|_| Exp1.sample(rng)).collect();
        let total: f64 = shares.iter().sum();
        let free = 1.0 - k as f64 * self.least_weight;
        // For a single component rounding may give a weight a little above 1.
        let weights: Vec<f64> =
            shares.iter().map(|share| (self.least_weight + free * share / total).min(1.0)).collect();
        let means: Vec<f64> = (0..k * d).map(|_| rng.random()).collect();
        let covariances: Vec<f64> = (0..k).flat_map(|_| self.covariance(rng)).collect();
        Mixture::from_covariances(d, &weights, &means, &covariances)
            .expect("weights are positive, and bounded eccentricity leaves covariances definite")
    }

    /// The covariance of D + 1 standard normal observations, with its eigenvalues shrunk together if they lie too far apart.
    fn covariance(&self, rng: &mut impl Rng) -> Vec<f64> {
        let d = self.n_features;
        // D + 1 observations minus their mean: Wishart with D degrees of freedom.
        let factor: DMatrix<f64> = DMatrix::from_fn(d, d, |_, _| StandardNormal.sample(rng));
        let SymmetricEigen { mut eigenvalues, eigenvectors } =
            (&factor * factor.transpose() / d as f64).symmetric_eigen();
        let (least, largest) = (eigenvalues.min(), eigenvalues.max());
        let least_allowed = largest * (1.0 - self.eccentricity * self.eccentricity);
        if least < least_allowed {
            // Linear: the largest stays, the smallest becomes the smallest allowed.
            let shrink = (largest - least_allowed) / (largest - least);
            eigenvalues.apply(|value| *value = largest - shrink * (largest - *value));
        }
        let covariance = &eigenvectors * DMatrix::from_diagonal(&eigenvalues) * eigenvectors.transpose();
        (0..d).flat_map(|i| (0..=i).map(move |j| (i, j))).map(|place| covariance[place]).collect()
    }

    /// The common factor of all covariances that gives the target overlap, by regula falsi (Illinois) on logarithms, with every
    /// third step a bisection. `None` if even coinciding means overlap less.
    fn factor(&self, raw: &Mixture) -> Option<f64> {
        if self.n_components == 1 {
            return Some(1.0);
        }
        let pairs = Pairs::from_mixture(raw);
        let target = self.target.value();
        let excess = |log_factor: f64| self.target.measure(&pairs.overlap(libm::exp(log_factor))) - target;
        let most = self.target.measure(&pairs.overlap(f64::INFINITY));
        if most.is_nan() || most <= target {
            return None;
        }
        // Widen the bracket from 1 until it contains the target.
        let (mut low, mut high) = (0.0, 0.0);
        while excess(low) > 0.0 && low > libm::log(FACTORS.0) {
            (high, low) = (low, low - 1.0);
        }
        while excess(high) <= 0.0 && high < libm::log(FACTORS.1) {
            (low, high) = (high, high + 1.0);
        }
        let (mut below, mut above) = (excess(low), excess(high));
        let mut rose = None;
        for step in 0..MOST_STEPS {
            if !(below <= 0.0 && above >= 0.0) {
                return None;
            }
            // Every third step halves the bracket, because regula falsi alone may converge slowly.
            let middle = match step % 3 {
                2 => 0.5 * (low + high),
                _ => (low * above - high * below) / (above - below),
            };
            let found = excess(middle);
            if found.abs() < TOLERANCE {
                return Some(libm::exp(middle));
            }
            // An end that stays twice in a row counts half (Dowell & Jarratt 1971).
            let rises = found > 0.0;
            let half = if rose == Some(rises) { 0.5 } else { 1.0 };
            if rises {
                (high, above, below) = (middle, found, half * below);
            } else {
                (low, below, above) = (middle, found, half * above);
            }
            rose = Some(rises);
        }
        None
    }
}

fn scaled(raw: Mixture, factor: f64) -> Mixture {
    let d = raw.n_features();
    let k = raw.n_components();
    let weights: Vec<f64> = (0..k).map(|k| raw.weight(k)).collect();
    let means: Vec<f64> = (0..k).flat_map(|k| raw.mean(k).to_vec()).collect();
    let mut covariances = Vec::with_capacity(k * packed_len(d));
    for component in 0..k {
        covariances.extend(raw.covariance(component).iter().map(|entry| factor * entry));
    }
    Mixture::from_covariances(d, &weights, &means, &covariances)
        .expect("a positive factor leaves them definite")
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    #[test]
    fn mixtures_overlap_as_asked() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (k, d) in [(2, 1), (8, 1), (3, 2), (5, 4), (8, 10)] {
            for value in [0.001, 0.05] {
                for target in [TargetOverlap::Average(value), TargetOverlap::Maximum(value)] {
                    let design = MixSim {
                        n_components: k,
                        n_features: d,
                        target,
                        least_weight: 0.05,
                        eccentricity: MAX_ECCENTRICITY,
                    };
                    let mixture = design.simulate(&mut rng).unwrap();
                    let found = target.measure(&Overlap::from_mixture(&mixture));
                    assert!((found - value).abs() < 1e-6, "{design:?}: {found}");
                    let weights: Vec<f64> = (0..k).map(|k| mixture.weight(k)).collect();
                    assert!(weights.iter().all(|&weight| weight > 0.05 - 1e-12), "{weights:?}");
                    assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn covariances_are_no_flatter_than_allowed() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for eccentricity in [0.0, 0.5, 0.9] {
            let target = TargetOverlap::Average(0.01);
            let design = MixSim { n_components: 3, n_features: 4, target, least_weight: 0.1, eccentricity };
            let mixture = design.simulate(&mut rng).unwrap();
            for k in 0..3 {
                let packed = mixture.covariance(k);
                let entry = |i: usize, j: usize| packed[crate::mixture::triangular::at(i.max(j), i.min(j))];
                let eigenvalues = DMatrix::from_fn(4, 4, entry).symmetric_eigenvalues();
                let found = (1.0 - eigenvalues.min() / eigenvalues.max()).max(0.0).sqrt();
                assert!(found < eccentricity + 1e-6, "{found} {eccentricity}");
            }
        }
    }

    #[test]
    fn a_single_component_needs_no_overlap_and_equal_weights_are_possible() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let target = TargetOverlap::Average(0.01);
        let design = MixSim { n_components: 1, n_features: 3, target, least_weight: 1.0, eccentricity: 0.9 };
        for least_weight in [0.05, 0.1, 0.3, 1.0] {
            // 0.1 + 0.9 rounds to more than 1.
            let design = MixSim { least_weight, ..design };
            assert_eq!(design.simulate(&mut rng).unwrap().n_components(), 1);
        }
        let design = MixSim { n_components: 4, least_weight: 0.25, ..design };
        assert!((design.simulate(&mut rng).unwrap().weight(2) - 0.25).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let target = TargetOverlap::Average(0.01);
        let sound = MixSim { n_components: 3, n_features: 2, target, least_weight: 0.1, eccentricity: 0.9 };
        let refused = |design: MixSim, rng: &mut ChaCha8Rng| design.simulate(rng).unwrap_err().to_string();
        assert_eq!(
            refused(MixSim { least_weight: 0.5, ..sound }, &mut rng),
            "weights of at least 0.5 for 3 components: at most 0.3333333333333333 is possible"
        );
        assert_eq!(
            refused(MixSim { target: TargetOverlap::Average(0.0), ..sound }, &mut rng),
            "an overlap of 0: it must lie between 0 and 1, both excluded"
        );
        assert!(refused(MixSim { eccentricity: 1.0, ..sound }, &mut rng).contains("below 1"));
        assert!(refused(MixSim { n_features: 0, ..sound }, &mut rng).contains("at least one"));
    }
}
