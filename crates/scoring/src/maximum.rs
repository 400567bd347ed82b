//! Maximised likelihoods: what criteria that need no draws are computed from.

/// The maximised likelihood of one K, and what criteria charge for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Maximum {
    /// K.
    pub components: usize,
    /// The maximised log-likelihood, natural logarithm. It must be an optimum of EM from many starts, never the best posterior draw;
    /// NaN where no regular optimum was found.
    pub log_likelihood: f64,
    /// Free parameters of the mixture.
    pub n_parameters: usize,
    /// [`entropy`](crate::entropy) of the responsibilities at the optimum, in nats.
    pub entropy: f64,
}

/// The maximised likelihoods of several K on the same data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Maxima<'a> {
    /// One for each K, ascending in K.
    pub of_each: &'a [Maximum],
    /// D.
    pub n_features: usize,
    /// N.
    pub n_observations: usize,
}
