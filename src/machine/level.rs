//! SIMD levels: one plain-Rust kernel, compiled once for each, chosen when the process runs.
//!
//! The bits do not depend on the level, because nothing the kernel does rounds differently on any of them.

use crate::machine::setting::{SettingError, variable};
use std::sync::atomic::{AtomicU8, Ordering};

/// The environment variable that forces a lower level; read at first use.
pub const VARIABLE: &str = "VARSCALE_SIMD";

/// The level in force, as its place in [`Level::ALL`]; `UNKNOWN` until the first use.
static CURRENT: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = u8::MAX;

/// Work that is compiled once per level. Everything it calls must be `#[inline(always)]`, or it is compiled for
/// the baseline and called from there.
pub trait Kernel {
    /// The highest level that makes this kernel faster; higher machines run this one, and the library is smaller.
    const HIGHEST: Level = Level::Avx512;

    /// Does the work; `#[inline(always)]` in every implementation, where `level` is then a constant.
    fn run(self, level: Level);
}

/// The instructions a kernel may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What every machine of the target has: SSE2 on x86-64, NEON on aarch64.
    Baseline,
    /// 256-bit integers on x86-64, and fused multiply-add, which only replays use.
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
            // Both are looked for, because `run_avx2` is compiled for both.
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
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

    /// Its name in `VARSCALE_SIMD`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// The level of this process: what `VARSCALE_SIMD` says, else the best.
    ///
    /// # Errors
    ///
    /// [`SettingError`] when the variable names no level, or one that this machine lacks.
    pub fn get() -> Result<Self, SettingError> {
        if let Some(level) = Self::ALL.get(usize::from(CURRENT.load(Ordering::Relaxed))) {
            return Ok(*level);
        }
        let level = match variable(VARIABLE) {
            None => Self::best(),
            Some((value, text)) => {
                let available: Vec<Self> = Self::ALL.into_iter().filter(|level| level.is_available()).collect();
                // Only among what this machine has: a forced level that is missing is an error, and no silent fallback.
                let found = available.iter().copied().find(|level| level.name() == text);
                found.ok_or_else(|| {
                    let names: Vec<&str> = available.iter().map(|level| level.name()).collect();
                    let legal = format!("one of {} on this machine", names.join(", "));
                    SettingError { name: VARIABLE, value, legal }
                })?
            }
        };
        // Two first uses at once find the same level.
        CURRENT.store(level as u8, Ordering::Relaxed);
        Ok(level)
    }

    /// The instructions of this level, or of the baseline where the machine lacks it.
    #[must_use]
    pub fn simd(self) -> Simd {
        // The one way to a `Simd`, which `Simd::run` takes as the proof that the instructions exist.
        Simd(if self.is_available() { self } else { Self::Baseline })
    }
}

/// Instructions that this machine has.
#[derive(Clone, Copy, Debug)]
pub struct Simd(Level);

impl Simd {
    /// The level that has them.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(crate) fn level(self) -> Level {
        self.0
    }

    /// Runs `kernel` as compiled for these instructions.
    #[inline(always)]
    #[allow(unsafe_code, reason = "calling a function compiled for more than the baseline; see the block")]
    pub fn run<K: Kernel>(self, kernel: K) {
        // `HIGHEST` is a constant, so that the arms above it are dropped, and their copies of the kernel with them.
        match self.0.min(K::HIGHEST) {
            Level::Baseline => run_baseline(kernel),
            // SAFETY: the only requirement of these two is that the machine has the features they are compiled for. It
            // has those of `self.0`, as `Level::simd` found, which hold those of every lower level.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { run_avx2(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { run_avx512(kernel) },
            #[cfg(not(target_arch = "x86_64"))]
            _ => run_baseline(kernel),
        }
    }
}

// Functions of their own: no arithmetic moves out of the floating-point environment around the call, and a kernel that
// others share stands in the library once for each level.
#[inline(never)]
fn run_baseline(kernel: impl Kernel) {
    kernel.run(Level::Baseline);
}

#[cfg(target_arch = "x86_64")]
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
fn run_avx2(kernel: impl Kernel) {
    kernel.run(Level::Avx2);
}

#[cfg(target_arch = "x86_64")]
#[inline(never)]
#[target_feature(enable = "fma,avx512f,avx512bw,avx512dq,avx512vl")]
fn run_avx512(kernel: impl Kernel) {
    kernel.run(Level::Avx512);
}
