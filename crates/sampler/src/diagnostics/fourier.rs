//! Autocorrelation at every lag through a fast Fourier transform.
//!
//! Written here, not taken from a library: it must give the same bits on every instruction set, and needs only powers of two.

use std::cell::RefCell;
use std::f64::consts::TAU;
use std::rc::Rc;

/// Σ over chains and t of `x[t] x[t + lag]`, for every lag below the chains' length.
pub(super) fn summed_autocorrelation(values: &[f64], length: usize) -> Vec<f64> {
    // Twice the length, so that the circular correlation does not wrap round.
    let size = (2 * length).next_power_of_two();
    let twiddles = Twiddles::cached(size);
    let mut power = vec![0.0; size];
    let chains: Vec<&[f64]> = values.chunks_exact(length).collect();
    // Two chains share one transform: the real part of the autocorrelation of x + iy is the sum of those of x and y.
    for pair in chains.chunks(2) {
        let mut signal = vec![[0.0; 2]; size];
        for (part, chain) in pair.iter().enumerate() {
            for (place, value) in signal.iter_mut().zip(*chain) {
                place[part] = *value;
            }
        }
        twiddles.transform(&mut signal);
        for (sum, [re, im]) in power.iter_mut().zip(signal) {
            *sum += re * re + im * im;
        }
    }
    // Wiener–Khinchin. The imaginary part, odd in the lag, is dropped; forward and inverse transforms agree in the real part.
    let mut spectrum: Vec<[f64; 2]> = power.into_iter().map(|p| [p, 0.0]).collect();
    twiddles.transform(&mut spectrum);
    spectrum[..length].iter().map(|[re, _]| re / size as f64).collect()
}

/// Roots of unity `exp(−2πi j / size)`, j < size / 2, for a size that is a power of two.
#[derive(Clone)]
struct Twiddles(Rc<[[f64; 2]]>);

thread_local! {
    /// The last roots, which cost as much as a transform: all variables of a fit have the same number of draws.
    static LAST: RefCell<Option<Twiddles>> = const { RefCell::new(None) };
}

impl Twiddles {
    fn cached(size: usize) -> Self {
        LAST.with_borrow_mut(|last| match last {
            Some(twiddles) if twiddles.0.len() == size / 2 => twiddles.clone(),
            _ => last.insert(Self::new(size)).clone(),
        })
    }

    fn new(size: usize) -> Self {
        let angle = |j: usize| -TAU * j as f64 / size as f64;
        Self((0..size / 2).map(|j| [libm::cos(angle(j)), libm::sin(angle(j))]).collect())
    }

    /// Discrete Fourier transform in place, unnormalised: Cooley & Tukey (1965), decimation in time.
    fn transform(&self, signal: &mut [[f64; 2]]) {
        let size = signal.len();
        let shift = usize::BITS - size.trailing_zeros();
        for i in 0..size {
            let j = i.reverse_bits() >> shift;
            if i < j {
                signal.swap(i, j);
            }
        }
        let mut half = 1;
        while half < size {
            let stride = size / (2 * half);
            for block in signal.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for (j, (a, b)) in low.iter_mut().zip(high).enumerate() {
                    let [cos, sin] = self.0[j * stride];
                    let turned = [b[0] * cos - b[1] * sin, b[0] * sin + b[1] * cos];
                    *b = [a[0] - turned[0], a[1] - turned[1]];
                    *a = [a[0] + turned[0], a[1] + turned[1]];
                }
            }
            half *= 2;
        }
    }
}
