//! CPU time: on a shared machine the only time that says what a program costs.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// CPU time that all threads of this process have used since it began: one pass over more than 8,192 observations runs on a
/// thread of its own, which the calling thread's time would leave out.
#[must_use]
pub fn process_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(now.tv_sec).expect("time used is not negative"),
        u32::try_from(now.tv_nsec).expect("nanoseconds are below 10⁹"),
    )
}
