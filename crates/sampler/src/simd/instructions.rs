//! Which instructions this machine has, and functions compiled for each set of them.

/// Instructions that this machine was found to have: [`InstructionSet::best`] makes them from what it
/// detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InstructionSet(pub(crate) Instructions);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instructions {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Baseline,
}

impl InstructionSet {
    /// The fastest that this machine has.
    pub(crate) fn best() -> Self {
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

    /// All that this machine has, the fastest first.
    #[cfg(test)]
    pub(crate) fn available() -> Vec<Self> {
        let mut sets = vec![Self::best()];
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

/// Defines `$name`, which runs `$body`, generic over [`Lanes`](super::lanes::Lanes), compiled for the instruction set that is
/// its first argument. Bodies, and what they call, must be `#[inline(always)]`: code that is not compiled into these functions
/// would not have their instructions.
macro_rules! dispatched {
    ($(#[$doc:meta])* $visible:vis $name:ident => $body:ident ($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?) => {
        $(#[$doc])*
        #[allow(unsafe_code)] // The calls of `#[target_feature]` functions, behind the check of their features.
        $visible fn $name(
            set: $crate::simd::instructions::InstructionSet,
            $($argument: $type),*
        ) $(-> $result)? {
            use $crate::simd::{instructions::Instructions, lanes};
            match set.0 {
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => {
                    #[target_feature(enable = "avx512f,avx2,fma")]
                    fn avx512($($argument: $type),*) $(-> $result)? { $body::<lanes::Avx512>($($argument),*) }
                    // SAFETY: an `InstructionSet` exists only where its features were detected.
                    unsafe { avx512($($argument),*) }
                }
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => {
                    #[target_feature(enable = "avx2,fma")]
                    fn avx2($($argument: $type),*) $(-> $result)? { $body::<lanes::Avx2>($($argument),*) }
                    // SAFETY: as above.
                    unsafe { avx2($($argument),*) }
                }
                Instructions::Baseline => $body::<lanes::Portable>($($argument),*),
            }
        }
    };
}

pub(crate) use dispatched;
