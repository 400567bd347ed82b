//! Posterior draws, indexed by variable, chain and draw, and the sampler's statistics beside them.

/// S = chains × draws values of each variable. The values of one variable are contiguous and chain-major: all draws of chain 0,
/// then all of chain 1, and so on.
#[derive(Debug, Clone, PartialEq)]
pub struct Draws {
    n_chains: usize,
    n_draws: usize,
    variables: Vec<String>,
    values: Vec<f64>,
}

impl Draws {
    /// From one chain-major column of length `n_chains × n_draws` per variable.
    ///
    /// # Panics
    /// If a column has another length, or if names and columns differ in number.
    #[must_use]
    pub fn from_columns(n_chains: usize, variables: Vec<String>, columns: Vec<Vec<f64>>) -> Self {
        assert_eq!(variables.len(), columns.len(), "one column a variable");
        let length = columns.first().map_or(0, Vec::len);
        assert!(n_chains > 0 && length.is_multiple_of(n_chains), "chains must be of one length");
        assert!(columns.iter().all(|column| column.len() == length), "columns must be of one length");
        Self { n_chains, n_draws: length / n_chains, variables, values: columns.concat() }
    }

    /// Number of chains.
    #[must_use]
    pub fn n_chains(&self) -> usize {
        self.n_chains
    }

    /// Number of draws of each chain.
    #[must_use]
    pub fn n_draws(&self) -> usize {
        self.n_draws
    }

    /// S: number of draws of all chains together.
    #[must_use]
    pub fn len(&self) -> usize {
        self.n_chains * self.n_draws
    }

    /// Whether S is 0.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names of the variables.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// The values of all variables in draw `s` of S, chain-major.
    #[must_use]
    pub fn draw(&self, s: usize) -> Vec<f64> {
        self.values[s..].iter().step_by(self.len()).copied().collect()
    }

    /// The S values of one variable, chain-major.
    #[must_use]
    pub fn column(&self, variable: usize) -> &[f64] {
        &self.values[variable * self.len()..][..self.len()]
    }
}
