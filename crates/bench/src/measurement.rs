//! What is measured: areas, quantities with their units, and one measurement of a case.

use crate::case::Shape;
use crate::timing::Timing;

/// A part of the program that is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// One pass of the likelihood over the data.
    Kernel,
    /// One gradient of a chain, including everything else that the chain does.
    Chain,
    /// One iteration of EM.
    Em,
    /// A whole fit, from data to draws.
    Fit,
}

impl Area {
    /// All areas, in the order of the tables.
    pub const ALL: [Self; 4] = [Self::Kernel, Self::Chain, Self::Em, Self::Fit];

    /// The name in tables and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Chain => "chain",
            Self::Em => "EM",
            Self::Fit => "fit",
        }
    }
}

/// A quantity that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    Pass,
    PassPerObservationAndComponent,
    ShareOfPeak,
    Gradient,
    Density,
    OutsideDensity,
    OutsidePass,
    Iteration,
    Fit,
    EffectiveDraws,
    EffectiveDrawsPerSecond,
}

impl Quantity {
    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::PassPerObservationAndComponent => "pass per observation and component",
            Self::ShareOfPeak => "share of peak arithmetic rate",
            Self::Gradient => "gradient",
            Self::Density => "density",
            Self::OutsideDensity => "share of a gradient outside the density",
            Self::OutsidePass => "share of a gradient outside the pass",
            Self::Iteration => "iteration",
            Self::Fit => "fit",
            Self::EffectiveDraws => "minimum bulk effective sample size",
            Self::EffectiveDrawsPerSecond => "minimum bulk effective sample size per second",
        }
    }

    /// The unit; seconds are CPU time.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Pass
            | Self::PassPerObservationAndComponent
            | Self::Gradient
            | Self::Density
            | Self::Iteration
            | Self::Fit => "s",
            Self::ShareOfPeak | Self::OutsideDensity | Self::OutsidePass => "1",
            Self::EffectiveDraws => "draws",
            Self::EffectiveDrawsPerSecond => "draws/s",
        }
    }
}

/// One quantity of one case.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    pub area: Area,
    pub shape: Shape,
    pub quantity: Quantity,
    pub timing: Timing,
}
