//! Bayesian Gaussian mixtures: the posterior density with its gradient, EM, the No-U-Turn sampler, and diagnostics of its
//! draws.
//!
//! The crate reads no files and draws no plots. The caller brings the data, the random numbers and the threads. The one
//! exception: a pass over many observations may use several threads if [`Likelihood::with_threads`] allows it. Results have the
//! same bits on every processor and for every number of threads.
//!
//! # Notation
//!
//! | | |
//! |---|---|
//! | N, D, K, S | observations, features, components, posterior draws |
//! | `weights` w | K, positive, sum to one; prior Dirichlet(α, …, α) |
//! | `mu` μ_k | K × D; prior MVN(A_k, τ² I), A_k by default the k-th k-means centroid |
//! | `sigma` σ_kd | K × D, standard deviations; prior half-Cauchy(1) by default |
//! | `omega` Ω_k = L_k L_kᵀ | correlation matrices; prior LKJ(η) |
//! | T_k = diag(σ_k) L_k | scale factor, Σ_k = T_k T_kᵀ; W_k = T_k⁻¹ |
//! | r_ik | responsibility of component k for observation i |
//!
//! The likelihood is `Π_i Σ_k w_k MVN(y_i | μ_k, Σ_k)`: labels are summed out. Every log density keeps its constants and is in
//! nats. Covariances and their factors are lower triangles, packed by rows (see [`mixture::triangular`]).
//!
//! # Tour
//!
//! 1. [`data`]: observations, and the map to the scale on which chains run. [`ties`] counts equal values, which can make a
//!    posterior improper.
//! 2. [`mixture`]: the model. [`mixture::likelihood`] has the hot loop: one pass over the data gives the log-likelihood and the
//!    moments for its gradient, or for a step of EM. [`mixture::posterior`] is the [`log_density`] that chains sample.
//!    [`mixture::overlap`] measures how far apart components lie. [`mixture::simulate`] draws data, and mixtures of a given
//!    overlap.
//! 3. [`start`]: k-means, EM with restarts, the posterior mode and its curvature.
//! 4. [`nuts`]: the No-U-Turn sampler, one draw at a time. [`anneal`] is sequential Monte Carlo, an independent check.
//! 5. [`draws`] and their [`diagnostics`]. [`relabel`] gives all draws the same labels. [`collapse`] detects chains that
//!    collapsed onto tied observations.
//!
//! [`simd`], [`graph`] and [`mixture::triangular`] are building blocks: vectorised arithmetic, connected components, packed
//! triangles.
//!
//! # A log density and its gradient
//!
//! ```
//! use gmm_sampler::{Data, Likelihood, LogDensity, Mixture, Posterior, Prior};
//!
//! let data = Data::from_columns(&[vec![-2.1, -1.8, -2.4, 1.9, 2.3, 2.0]])?;
//! let likelihood = Likelihood::new(&data);
//! let prior = Prior::published(vec![-2.0, 2.0]);
//! let mut posterior = Posterior::new(&likelihood, &prior, 2)?;
//!
//! // A chain moves in unconstrained coordinates; `layout` maps mixtures to them and back.
//! let mixture = Mixture::from_covariances(1, &[0.5, 0.5], &[-2.0, 2.0], &[0.1, 0.1])?;
//! let position = posterior.layout().unconstrain(&mixture);
//! let mut gradient = vec![0.0; posterior.dimension()];
//! let log_density = posterior.log_density_and_gradient(&position, &mut gradient);
//! assert!(log_density.is_finite());
//!
//! // The gradient is the slope of the log density.
//! let step = 1e-6;
//! let mut moved = position.clone();
//! moved[0] += step;
//! let slope = (posterior.log_density_and_gradient(&moved, &mut gradient.clone()) - log_density) / step;
//! assert!((slope - gradient[0]).abs() < 1e-4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The maximum likelihood by EM
//!
//! ```
//! use gmm_sampler::{Mixture, Regularity, em};
//! use rand::{SeedableRng, rngs::ChaCha8Rng};
//!
//! let mut rng = ChaCha8Rng::seed_from_u64(1);
//! let truth = Mixture::from_covariances(1, &[0.4, 0.6], &[-2.0, 2.0], &[0.5, 0.5])?;
//! let (data, _) = truth.simulate(200, &mut rng);
//!
//! let optimum = em(&data, 2, 20, &mut rng)?;
//! let fit = optimum.best.expect("some start ends at a proper optimum");
//! assert_eq!(fit.regularity, Regularity::Regular);
//! let mut means = [fit.mixture.mean(0)[0], fit.mixture.mean(1)[0]];
//! means.sort_by(f64::total_cmp);
//! assert!((means[0] + 2.0).abs() < 0.3 && (means[1] - 2.0).abs() < 0.3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Chains and their diagnostics
//!
//! ```
//! use gmm_sampler::{Chain, ChainSettings, Likelihood, Metric, Mixture, Posterior, Prior, Summary};
//! use rand::{SeedableRng, rngs::ChaCha8Rng};
//!
//! let truth = Mixture::from_covariances(1, &[0.4, 0.6], &[-2.0, 2.0], &[0.5, 0.5])?;
//! let (data, _) = truth.simulate(200, &mut ChaCha8Rng::seed_from_u64(1));
//! let likelihood = Likelihood::new(&data);
//! let prior = Prior::published(vec![-2.0, 2.0]);
//! let posterior = Posterior::new(&likelihood, &prior, 2)?;
//! let layout = posterior.layout();
//! let start = layout.unconstrain(&truth);
//!
//! let settings = ChainSettings { warmup: 300, draws: 500, ..ChainSettings::default() };
//! let n_chains = 4;
//! // The weight of component 1 in every draw: all draws of chain 0, then all of chain 1, and so on.
//! let mut weight = Vec::new();
//! for stream in 0..n_chains {
//!     let mut rng = ChaCha8Rng::seed_from_u64(2);
//!     rng.set_stream(stream);
//!     let metric = Metric::identity(start.len());
//!     let mut chain = Chain::new(posterior.clone(), &start, metric, settings, rng)?;
//!     while chain.is_warming_up() {
//!         chain.step();
//!     }
//!     for _ in 0..settings.draws {
//!         chain.step();
//!         weight.push(layout.constrain(chain.position()).weight(1));
//!     }
//! }
//! let summary = Summary::from_column(&weight, n_chains as usize);
//! assert!((summary.mean - 0.6).abs() < 0.1);
//! assert!(summary.rhat < 1.01, "R-hat {}", summary.rhat);
//! assert!(summary.ess_bulk > 400.0, "effective sample size {}", summary.ess_bulk);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]

pub mod anneal;
mod assignment;
pub mod axes;
pub mod collapse;
pub mod data;
pub mod diagnostics;
pub mod draws;
pub mod graph;
pub mod invariant;
pub mod log_density;
pub mod mixture;
pub mod nuts;
pub mod relabel;
pub mod rounding;
pub mod simd;
pub mod start;
pub mod ties;

pub use data::{Data, DataError, Observations, Scaling};
pub use diagnostics::Summary;
pub use draws::Draws;
pub use log_density::LogDensity;
pub use mixture::likelihood::{Likelihood, WhitenedComponents, Workspace};
pub use mixture::params::{Mixture, MixtureError};
pub use mixture::posterior::Posterior;
pub use mixture::prior::{Prior, PriorError, ScalePrior};
pub use mixture::transform::Layout;
pub use nuts::chain::{Chain, ChainError, ChainSettings, DrawStats};
pub use nuts::metric::Metric;
pub use nuts::trajectory::{Ending, Transition};
pub use start::Start;
pub use start::em::{EmError, EmFit, EmOptimum, Regularity, em};
