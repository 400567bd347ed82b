//! CPU time: on a shared machine the only time that says what a program costs.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// CPU time that the calling thread has used since it began.
#[must_use]
pub fn thread_time() -> Duration {
    time(ClockId::ThreadCPUTime)
}

/// CPU time that all threads of this process have used since it began. A thread that runs on another processor is charged by the
/// tick, and exactly once it is gone.
#[must_use]
pub fn process_time() -> Duration {
    time(ClockId::ProcessCPUTime)
}

fn time(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    Duration::new(
        u64::try_from(now.tv_sec).expect("time used is not negative"),
        u32::try_from(now.tv_nsec).expect("nanoseconds are below 10⁹"),
    )
}
