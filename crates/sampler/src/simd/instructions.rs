//! The machine's instruction sets, and functions compiled for each of them.

use std::sync::OnceLock;

use thiserror::Error;

#[cfg(target_arch = "x86_64")]
use super::avx::{Avx2, Avx512};
use super::lanes::Lanes;
use super::portable::Portable;

/// An instruction set that this machine has: values are made only after its detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InstructionSet(pub(crate) Instructions);

/// The instruction sets with code of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instructions {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Baseline,
}

/// The set that all hot loops use. Fixed by the first loop, or by a choice before it.
static CHOSEN: OnceLock<InstructionSet> = OnceLock::new();

/// Why an instruction set cannot be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InstructionsError {
    /// This machine has no set of that name.
    #[error("there are no instructions `{given}` on this machine; it has {}", available.join(", "))]
    Unavailable {
        /// The name given.
        given: String,
        /// Names of this machine's sets.
        available: Vec<&'static str>,
    },
    /// A hot loop has run, or a choice was made before.
    #[error("the instructions were chosen before")]
    TooLate,
}

/// Makes all hot loops use this instruction set instead of the machine's best: slower, with the same bits. Call it before any
/// other function of the crate.
///
/// # Errors
/// If the machine has no instruction set of this name, or if a hot loop has already run.
pub fn choose_instructions(name: &str) -> Result<(), InstructionsError> {
    let available = InstructionSet::available();
    let named = available.iter().find(|set| set.name().eq_ignore_ascii_case(name)).copied();
    let set = named.ok_or_else(|| InstructionsError::Unavailable {
        given: name.to_owned(),
        available: available.iter().map(|set| set.name()).collect(),
    })?;
    CHOSEN.set(set).map_err(|_| InstructionsError::TooLate)
}

impl InstructionSet {
    /// The machine's fastest set, unless another was chosen.
    pub(crate) fn best() -> Self {
        *CHOSEN.get_or_init(Self::fastest)
    }

    fn fastest() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return if is_x86_feature_detected!("avx512f") {
                Self(Instructions::Avx512)
            } else {
                Self(Instructions::Avx2)
            };
        }
        Self(Instructions::Baseline)
    }

    pub(crate) fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "AVX2",
            Instructions::Baseline => "baseline",
        }
    }

    /// All sets of this machine, fastest first.
    pub(crate) fn available() -> Vec<Self> {
        let mut sets = vec![Self::fastest()];
        #[cfg(target_arch = "x86_64")]
        if sets[0].0 == Instructions::Avx512 {
            sets.push(Self(Instructions::Avx2));
        }
        if sets[0].0 != Instructions::Baseline {
            sets.push(Self(Instructions::Baseline));
        }
        sets
    }
}

/// A computation written once in [`Lanes`] and compiled for each instruction set.
///
/// `run`, and all that it calls, must be `#[inline(always)]`: only code inlined into the dispatched function may use its
/// instructions. Other code is slow.
pub trait Kernel {
    /// The result.
    type Output;

    /// Computes the result with lanes V.
    fn run<V: Lanes>(self) -> Self::Output;
}

/// Runs a kernel with the machine's best instruction set. The result has the same bits on any.
pub fn run<K: Kernel>(kernel: K) -> K::Output {
    run_on(InstructionSet::best(), kernel)
}

#[allow(unsafe_code)] // As in `dispatched`.
pub(crate) fn run_on<K: Kernel>(set: InstructionSet, kernel: K) -> K::Output {
    match set.0 {
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx512 => {
            #[target_feature(enable = "avx512f,avx2,fma")]
            fn avx512<K: Kernel>(kernel: K) -> K::Output {
                kernel.run::<Avx512>()
            }
            // SAFETY: an `InstructionSet` exists only where its features were detected.
            unsafe { avx512(kernel) }
        }
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx2 => {
            #[target_feature(enable = "avx2,fma")]
            fn avx2<K: Kernel>(kernel: K) -> K::Output {
                kernel.run::<Avx2>()
            }
            // SAFETY: as above.
            unsafe { avx2(kernel) }
        }
        Instructions::Baseline => kernel.run::<Portable>(),
    }
}

/// Runs a kernel with every instruction set of this machine, fastest first. For tests that all results have the same bits.
pub fn run_on_all<K: Kernel + Clone>(kernel: &K) -> Vec<K::Output> {
    InstructionSet::available().into_iter().map(|set| run_on(set, kernel.clone())).collect()
}

/// Defines `$name`, which runs `$body`, generic over [`Lanes`](super::lanes::Lanes), compiled for the instruction set in its
/// first argument. As for [`Kernel`], bodies and all that they call must be `#[inline(always)]`.
macro_rules! dispatched {
    ($(#[$doc:meta])* $visible:vis $name:ident => $body:ident ($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?) => {
        $(#[$doc])*
        #[allow(unsafe_code)] // The calls of `#[target_feature]` functions, behind the check of their features.
        $visible fn $name(
            set: $crate::simd::instructions::InstructionSet,
            $($argument: $type),*
        ) $(-> $result)? {
            use $crate::simd::instructions::Instructions;
            match set.0 {
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => {
                    #[target_feature(enable = "avx512f,avx2,fma")]
                    fn avx512($($argument: $type),*) $(-> $result)? { $body::<$crate::simd::avx::Avx512>($($argument),*) }
                    // SAFETY: an `InstructionSet` exists only where its features were detected.
                    unsafe { avx512($($argument),*) }
                }
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => {
                    #[target_feature(enable = "avx2,fma")]
                    fn avx2($($argument: $type),*) $(-> $result)? { $body::<$crate::simd::avx::Avx2>($($argument),*) }
                    // SAFETY: as above.
                    unsafe { avx2($($argument),*) }
                }
                Instructions::Baseline => $body::<$crate::simd::portable::Portable>($($argument),*),
            }
        }
    };
}

pub(crate) use dispatched;
