//! The list of criteria.

/// Hands the list of criteria to a macro: module and variant of each, in the order in which they are reported. The module, in
/// `criteria`, holds the formula and its `DESCRIPTOR`.
macro_rules! for_each_criterion {
    ($apply:ident) => {
        $apply! {
            /// Akaike (1973).
            aic::Aic,
            /// Schwarz (1978).
            bic::Bic,
            /// Singular BIC, Drton & Plummer (2017).
            sbic::Sbic,
            /// Widely applicable Bayesian information criterion, Watanabe (2013).
            wbic::Wbic,
            /// Integrated completed likelihood, Biernacki, Celeux & Govaert (2000).
            icl::Icl,
            /// Widely applicable information criterion, Watanabe (2010).
            waic::Waic,
            /// Leave-one-out by Pareto-smoothed importance sampling, Vehtari, Gelman & Gabry (2017).
            loo::Loo,
            /// K-fold cross-validation with fits that never saw the held-out rows.
            kfold::Kfold,
            /// Cross-validation of posterior modes, Smyth (2000).
            cv::Cv,
            /// Leave-one-group-out: cross-validation that holds out whole groups of rows.
            logo::Logo,
            /// Log evidence by bridge sampling, Meng & Wong (1996).
            evidence::Evidence,
            /// Log evidence by Laplace's method, Tierney & Kadane (1986).
            laplace::Laplace,
        }
    };
}
pub(crate) use for_each_criterion;

macro_rules! enumerate {
    ($($(#[$doc:meta])* $module:ident::$variant:ident),* $(,)?) => {
        /// A way to score a fitted mixture. Each has a [`Descriptor`](crate::Descriptor).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Criterion {
            $($(#[$doc])* $variant,)*
        }

        impl Criterion {
            /// All criteria, in the order in which they are reported.
            pub const ALL: [Self; [$(stringify!($variant)),*].len()] = [$(Self::$variant),*];
        }
    };
}
for_each_criterion!(enumerate);
