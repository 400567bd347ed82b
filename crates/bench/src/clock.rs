//! CPU time of the calling thread: on a shared machine the only time that measures the program alone.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// CPU time that the calling thread has used since it started.
pub fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(now.tv_sec).expect("CPU time is not negative"),
        u32::try_from(now.tv_nsec).expect("nanoseconds are below 10⁹"),
    )
}
