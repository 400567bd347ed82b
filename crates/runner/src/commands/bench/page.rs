//! The measurements' `index.html`, self-contained.

use anyhow::Result;
use gmm_bench::suite::Speed;
use minijinja::context;

use super::{broken, tables};
use crate::present::report::{PLAIN_STYLE, Plate, render_page};
use crate::storage::provenance::Machine;

const TEMPLATE: &str = include_str!("page.html");

/// # Errors
/// A template that does not fit its data.
pub fn render(speed: &Speed, machine: &Machine, plate: &Plate) -> Result<String> {
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
    render_page(TEMPLATE, values)
}
