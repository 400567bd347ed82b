//! Problems whose posteriors are formulas, or integrals over one variable.

mod edge;
mod one_component;
mod prior_only;

pub(crate) use edge::Edge;
pub(crate) use one_component::{one_component, problem as one_component_problem};
pub(crate) use prior_only::{correlations, mixture};
