//! SIMD levels: one plain-Rust kernel, compiled once for each, chosen when the process runs.
//!
//! The bits do not depend on the level, because nothing the kernel does rounds differently on any of them.

/// Work that is compiled once per level. Everything it calls must be `#[inline(always)]`, or it is compiled for
/// the baseline and called from there.
pub trait Kernel {
    /// Does the work; `#[inline(always)]` in every implementation.
    fn run(self);
}

/// The instructions a kernel may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What every machine of the target has: SSE2 on x86-64, NEON on aarch64.
    Baseline,
    /// 256-bit integers on x86-64.
    Avx2,
    /// 512-bit vectors with 64-bit conversions on x86-64.
    Avx512,
}

impl Level {
    /// Every level, the lowest first.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::Avx2, Self::Avx512];

    /// Whether this machine has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// The highest level this machine has.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL.into_iter().rev().find(|level| level.is_available()).unwrap_or(Self::Baseline)
    }

    /// Runs `kernel` as compiled for this level, or for the baseline where the machine lacks it.
    #[allow(unsafe_code, reason = "calling a function compiled for more than the baseline; see the block")]
    pub fn run(self, kernel: impl Kernel) {
        if !self.is_available() {
            return kernel.run();
        }
        match self {
            Self::Baseline => kernel.run(),
            // SAFETY: the only requirement of these two is that the machine has the features they are compiled
            // for, and `is_available` has just found them.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { run_avx2(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { run_avx512(kernel) },
            #[cfg(not(target_arch = "x86_64"))]
            _ => kernel.run(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_avx2(kernel: impl Kernel) {
    kernel.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn run_avx512(kernel: impl Kernel) {
    kernel.run();
}
