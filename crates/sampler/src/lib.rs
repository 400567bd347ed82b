//! Bayesian Gaussian mixtures: the density, its gradient, chains that sample it, and what describes their draws.
//!
//! No files, no plots: numbers in, numbers out, and the caller brings the random numbers. Threads are the caller's too, but
//! for one pass over many observations, which may use as many as it is told.
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
//! The likelihood is `Π_i Σ_k w_k MVN(y_i | μ_k, Σ_k)`: labels are summed out. Every log density keeps its constants.
//!
//! # The tour
//!
//! 1. [`data`]: observations, and the map to the scale that is sampled; [`ties`] in them, which make posteriors improper.
//! 2. [`mixture`]: the model. [`mixture::likelihood`] is the hot loop: one pass over the data for the log-likelihood and
//!    the moments that its gradient, and a step of EM, are made of. [`mixture::posterior`] is the [`log_density`] that chains see.
//!    [`mixture::overlap`] says how far components lie apart, and [`mixture::simulate::mixsim`] draws mixtures of a given overlap.
//! 3. [`start`]: k-means, EM with restarts, the posterior mode and its curvature.
//! 4. [`nuts`]: the No-U-Turn sampler, a step at a time.
//! 5. [`draws`] and their [`diagnostics`]; [`relabel`] brings them to one labelling, [`collapse`] notices chains lost to ties.
//!
//! ```
//! use gmm_sampler::mixture::{likelihood::Likelihood, params::Mixture, posterior::Posterior};
//! use gmm_sampler::mixture::prior::{Prior, ScalePrior};
//! use gmm_sampler::nuts::chain::{Chain, ChainSettings};
//! use gmm_sampler::nuts::metric::Metric;
//! use rand::{SeedableRng, rngs::ChaCha8Rng};
//!
//! let mut rng = ChaCha8Rng::seed_from_u64(1);
//! let truth = Mixture::from_covariances(1, &[0.4, 0.6], &[-2.0, 2.0], &[0.5, 0.5])?;
//! let (data, _) = truth.simulate(200, &mut rng);
//!
//! let prior = Prior {
//!     concentration: 0.5,
//!     centres: vec![-2.0, 2.0],
//!     mean_sd: 0.3,
//!     scales: ScalePrior::HalfCauchy { scale: 1.0 },
//!     lkj_shape: 2.0,
//! };
//! let likelihood = Likelihood::new(&data);
//! let posterior = Posterior::new(&likelihood, &prior, 2)?;
//! let layout = posterior.layout();
//! let start = layout.unconstrain(&truth);
//! let settings = ChainSettings { warmup: 200, draws: 200, ..ChainSettings::default() };
//! let mut chain = Chain::new(posterior, &start, Metric::identity(start.len()), settings, rng)?;
//! let mut mean = 0.0;
//! while chain.is_warming_up() {
//!     chain.step();
//! }
//! for _ in 0..settings.draws {
//!     chain.step();
//!     mean += layout.constrain(chain.position()).weight(1) / settings.draws as f64;
//! }
//! assert!((mean - 0.6).abs() < 0.1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod anneal;
pub mod assignment;
pub mod collapse;
pub mod data;
pub mod diagnostics;
pub mod draws;
pub mod graph;
pub mod log_density;
pub mod mixture;
pub mod nuts;
pub mod relabel;
pub mod simd;
pub mod start;
pub mod ties;
