//! Problems whose posterior expectations are known in closed form or by quadrature over one variable.

mod one_component;
mod prior_only;
mod truncated_normal;

pub(crate) use one_component::{one_component, problem as one_component_problem};
pub(crate) use prior_only::{correlation_prior, mixture_prior};
pub(crate) use truncated_normal::TruncatedNormal;
