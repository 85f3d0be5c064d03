//! The one verb: writing a source's values into an array that somebody else allocated.

pub(crate) mod batch;
mod native;
mod queue;
pub(crate) mod run;
mod source;
#[cfg(any(feature = "python", test))]
pub(crate) mod spans;
#[cfg(any(feature = "python", test, fuzzing))]
#[cfg_attr(not(feature = "python"), allow(dead_code, reason = "only Python has arrays in any order"))]
pub(crate) mod strided;

use crate::element::Element;
use crate::region::Region;
pub use native::Native;
pub(crate) use queue::Task;
pub use run::{CHUNK, Schedule};
pub use source::{Passes, Source};
use std::sync::Arc;

/// Fills `out`, in C order, with the elements of `region`.
///
/// # Panics
///
/// If `out` and the region differ in length, or in a child that a signal handler of this thread has forked meanwhile.
#[allow(clippy::needless_pass_by_value, reason = "as in `tasks`; no caller has further use for it")]
pub fn fill<E, S>(source: &S, region: Region, out: &mut [E], schedule: &Schedule)
where
    E: Element,
    S: Source<E> + Clone + Send,
{
    // One pass, except for sources that draw until all values are in bounds.
    loop {
        let tasks = tasks(source, region.clone(), out, schedule);
        let done = run::run_tasks(schedule, region.len(), tasks, None::<fn() -> bool>);
        // Chunks in C order take no memory: only one error is left.
        assert!(done.is_ok(), "this process was forked during a fill: the threads that do it are its parent's");
        if !source.another_pass() {
            return;
        }
    }
}

/// The same work as [`fill`], in parts that may be done in any order; each is made when it is asked for.
///
/// # Panics
///
/// If `out` and the region differ in length.
pub(crate) fn tasks<'a, E, S>(
    source: &S,
    region: Region,
    out: &'a mut [E],
    schedule: &Schedule,
) -> impl Iterator<Item = Task<'a>> + Send + use<'a, E, S>
where
    E: Element,
    S: Source<E> + Clone + Send + 'a,
{
    assert!(out.len() as u64 == region.len(), "`out` must have as many elements as the region");
    // A region with lists may be large: tasks share it, while sources are a few numbers.
    let (source, region, Schedule { chunk, level, .. }) = (source.clone(), Arc::new(region), *schedule);
    // Disjoint slices: the compiler sees that no two tasks write the same element.
    out.chunks_mut(chunk).enumerate().map(move |(number, out)| {
        let (source, region, elements) = (source.clone(), Arc::clone(&region), out.len());
        // Boxed when it is taken: a large array has thousands of tasks, and few are alive at once.
        let work = move || {
            source.write(&region, (number * chunk) as u64, out, level);
            Ok(())
        };
        Task { elements, work: Box::new(work) }
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::element::float8::F8;
    use crate::element::{BF16, F16};
    use crate::law::Law;
    use crate::machine::level::Level;
    use crate::region::picks::Picks;
    use crate::stream::{Identity, Version, Words};
    use crate::value::Placement;
    use bytemuck::Pod;
    use std::fmt::Debug;

    const LEN: usize = 5003;

    const WORDS: Words = Version::One.words(Identity { key: [1, 2], counter_high: [3, 4] });

    fn native(law: Law) -> Native {
        let placement = Placement { loc: 0.125, scale: 0.3, low: -0.7, high: 0.8 };
        Native { law, placement, words: WORDS }
    }

    fn laws() -> [Law; 4] {
        [Law::Uniform, Law::Normal, Law::TruncatedNormal, Law::truncated_normal(-1.0, 3.0).unwrap()]
    }

    /// Asserts that levels, chunks and threads change no bit of what `source` fills, whole or in part.
    pub(crate) fn same_bits<E, S>(source: &S, zero: E)
    where
        E: Element + Pod,
        S: Source<E> + Clone + Send + Debug,
    {
        let part = Region::mesh(
            &[90, 80, 7],
            &[Picks::range(13, 17), Picks::Range { start: 60, step: -1, count: 59 }, Picks::range(1, 5)],
        );
        // A row twice, which begins in another block than it ends in.
        let twice = Region::mesh(&[90, 7], &[Picks::List(vec![5, 5, 88]), Picks::range(0, 7)]);
        for region in [Region::whole(LEN as u64), part.unwrap(), twice.unwrap()] {
            let filled = |schedule: Schedule| {
                let mut out = vec![zero; region.len() as usize];
                fill(source, region.clone(), &mut out, &schedule);
                bytemuck::cast_slice::<E, u8>(&out).to_vec()
            };
            let baseline = filled(Schedule { threads: 1, chunk: usize::MAX / 2, level: Level::Baseline });
            for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
                for (chunk, threads) in [(1, 1), (1, 3), (3, 3), (64, 1), (127, 3), (1024, 2), (1 << 16, 2)] {
                    let found = filled(Schedule { threads, chunk, level });
                    assert_eq!(found, baseline, "{source:?} {level:?} {chunk} {threads}");
                }
            }
        }
    }

    /// A level that rounds otherwise, a chunk that starts at the wrong word, or a thread that writes elsewhere.
    #[test]
    fn levels_chunks_and_threads_change_no_bit() {
        for law in laws() {
            same_bits(&native(law), 0.0_f32);
            same_bits(&native(law), 0.0_f64);
            same_bits(&native(law), F16(0));
            same_bits(&native(law), BF16(0));
            same_bits(&native(law), F8::<3>(0));
            same_bits(&native(law), F8::<2>(0));
        }
    }

    mod versions {
        use super::*;

        const VERSIONS: [Version; 2] = [Version::One, Version::Two];

        fn of(version: Version) -> Native {
            Native { words: version.words(Identity { key: [1, 2], counter_high: [3, 4] }), ..native(Law::Normal) }
        }

        /// Arrays of both versions, filled in one pass, which are those that each pass of its own fills.
        fn side_by_side<E: Element + Pod + PartialEq + Debug>(zero: E) -> [Vec<E>; 2] {
            let region = || Region::whole(LEN as u64);
            let alone = VERSIONS.map(|version| {
                let mut out = vec![zero; LEN];
                fill(&of(version), region(), &mut out, &Schedule::new(1));
                out
            });
            for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
                let schedule = Schedule { threads: 3, chunk: 127, level };
                let mut made = [vec![zero; LEN], vec![zero; LEN]];
                let work: Vec<_> = VERSIONS
                    .into_iter()
                    .zip(&mut made)
                    .flat_map(|(version, out)| tasks(&of(version), region(), out, &schedule))
                    .collect();
                run::run_tasks(&schedule, 2 * LEN as u64, work.into_iter(), None::<fn() -> bool>).unwrap();
                assert_eq!(made, alone, "{level:?}");
            }
            alone
        }

        /// A version that takes another one's words where one pass fills arrays of both; or a value that has changed.
        #[test]
        fn two_live_side_by_side() {
            let [one, two] =
                side_by_side(0.0_f32).map(|values| values.into_iter().map(f32::to_bits).collect::<Vec<_>>());
            // As they were before there was a second one.
            assert_eq!(one[..4], [0xbe48_ce28, 0xbcfb_4b40, 0x3f3b_fae3, 0x3d74_bef8]);
            assert_eq!(one[LEN - 1], 0x3def_ce27);
            let equal = one.iter().zip(&two).filter(|(one, two)| one == two).count();
            assert!(equal < 10, "{equal} values, of which hardly any are kept in the same bounds");
            side_by_side(0.0_f64);
            side_by_side(BF16(0));
        }

        /// A version whose elements depend on levels, chunks, threads or parts.
        #[test]
        fn the_second_keeps_the_promise_of_values() {
            same_bits(&of(Version::Two), 0.0_f32);
            same_bits(&of(Version::Two), 0.0_f64);
        }
    }

    /// An array that is silently filled past its region's end.
    #[test]
    #[should_panic(expected = "as many elements as the region")]
    fn a_region_that_is_too_small_is_refused() {
        fill(&native(Law::Uniform), Region::whole(3), &mut [0.0_f32; 4], &Schedule::new(1));
    }

    /// An empty array that starts threads, or fails.
    #[test]
    fn nothing_is_filled_with_nothing() {
        fill(&native(Law::Normal), Region::whole(0), &mut [0.0_f32; 0], &Schedule::new(4));
    }

    #[cfg(all(target_arch = "x86_64", not(miri)))]
    mod strange_environments {
        use super::*;
        use crate::machine::environment::exchange;

        const FLUSH_AND_ROUND_UP: u64 = 0x1f80 | 1 << 15 | 1 << 6 | 0b10 << 13;

        fn filled(scale: f64, threads: usize) -> (Vec<f32>, Vec<F16>) {
            let mut values = (vec![0.0; 3000], vec![F16(0); 3000]);
            for law in [Law::Uniform, Law::Normal, Law::TruncatedNormal] {
                let placement = Placement { loc: 0.0, scale, low: f64::NEG_INFINITY, high: f64::INFINITY };
                let source = Native { law, placement, words: WORDS };
                let schedule = Schedule { chunk: 500, ..Schedule::new(threads) };
                fill(&source, Region::whole(3000), &mut values.0, &schedule);
                fill(&source, Region::whole(3000), &mut values.1, &schedule);
            }
            values
        }

        /// Values that depend on what another library did to this thread, or a thread left changed.
        #[test]
        fn values_do_not_depend_on_the_callers_environment() {
            for scale in [1.0, 1e-39, 1e-6] {
                // Six at first, more than other tests have: some of these workers are made in the strange environment.
                for threads in [6, 1, 3] {
                    let saved = exchange(Some(FLUSH_AND_ROUND_UP));
                    let found = filled(scale, threads);
                    let after = exchange(Some(saved));
                    let expected = filled(scale, threads);
                    assert!(expected.0.iter().all(|x| *x != 0.0), "subnormals are part of the test");
                    assert_eq!(after & !0x3f, FLUSH_AND_ROUND_UP, "the caller's environment is restored");
                    assert!(
                        found.0.iter().zip(&expected.0).all(|(a, b)| a.to_bits() == b.to_bits()),
                        "{scale} {threads}"
                    );
                    assert_eq!(found.1, expected.1, "{scale} {threads}");
                }
            }
        }

        /// The test of modes cannot fail: their environment must change ordinary arithmetic.
        #[test]
        fn the_environment_of_the_test_does_something() {
            let saved = exchange(Some(FLUSH_AND_ROUND_UP));
            let tenth = std::hint::black_box(1.0_f32) / std::hint::black_box(10.0);
            let tiny = std::hint::black_box(1e-38_f32) * std::hint::black_box(0.1);
            let _ = exchange(Some(saved));
            assert!(tenth.to_bits() == 0.1_f32.to_bits() && tiny == 0.0 || tenth.to_bits() != 0.1_f32.to_bits());
            assert!(tiny == 0.0, "{tiny:e}");
        }
    }
}
