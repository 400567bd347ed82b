//! Which instructions this machine has, and functions compiled for each set of them.

/// Instructions that this machine was found to have: [`InstructionSet::available`] alone makes them, from what it detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InstructionSet(pub(super) Instructions);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instructions {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Baseline,
}

impl InstructionSet {
    /// All that this machine has, the fastest first.
    pub(super) fn available() -> Vec<Self> {
        let mut available = Vec::new();
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw")
            {
                available.push(Self(Instructions::Avx512));
            }
            available.push(Self(Instructions::Avx2));
        }
        available.push(Self(Instructions::Baseline));
        available
    }

    pub(super) fn best() -> Self {
        Self::available()[0]
    }
}

/// Defines `$name`, which runs `$body` compiled for the instruction set that is its first argument.
macro_rules! dispatched {
    ($(#[$doc:meta])* $name:ident => $body:ident [$($generic:tt)*] ($($argument:ident: $type:ty),*) $(-> $result:ty)?) => {
        $(#[$doc])*
        pub(super) fn $name $($generic)* (set: InstructionSet, $($argument: $type),*) $(-> $result)? {
            match set.0 {
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => {
                    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]
                    fn avx512 $($generic)* ($($argument: $type),*) $(-> $result)? { $body($($argument),*) }
                    // SAFETY: an `InstructionSet` exists only where its features were detected.
                    unsafe { avx512($($argument),*) }
                }
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => {
                    #[target_feature(enable = "avx2,fma")]
                    fn avx2 $($generic)* ($($argument: $type),*) $(-> $result)? { $body($($argument),*) }
                    // SAFETY: as above.
                    unsafe { avx2($($argument),*) }
                }
                Instructions::Baseline => $body($($argument),*),
            }
        }
    };
}

pub(super) use dispatched;
