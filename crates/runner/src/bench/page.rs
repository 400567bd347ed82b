//! The measurements' `index.html`, self-contained.

use anyhow::{Context, Result};
use gmm_bench::suite::Speed;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use super::{broken, tables};
use crate::provenance::Machine;
use crate::report::{PLAIN_STYLE, Plate};

const TEMPLATE: &str = include_str!("page.html");

/// # Errors
/// A template that does not fit its data.
pub fn render(speed: &Speed, machine: &Machine, plate: &Plate) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("page", TEMPLATE).context("the page's template")?;
    let table = |(heading, text): (&str, String)| context! { heading, text };
    let values = context! {
        kept => broken(speed) == 0,
        summary => tables::summary(speed),
        machine => tables::this_machine(machine),
        caption => plate.caption.clone(),
        svg => plate.figure.svg.clone(),
        tables => tables::headed(speed).into_iter().map(table).collect::<Vec<_>>(),
        style => PLAIN_STYLE,
        version => env!("CARGO_PKG_VERSION"),
    };
    let page = environment.get_template("page").and_then(|template| template.render(values));
    page.context("the page cannot be rendered")
}
