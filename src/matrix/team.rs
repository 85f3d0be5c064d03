//! A team: threads that take the strips of one step after another.

use crate::fill::run::{Undone, run_tasks};
use crate::fill::{Schedule, Task};
use crate::machine::crew::INTERVAL;
use crate::machine::level::Simd;
use std::time::Instant;

/// Elements that are worth a thread: a step multiplies each some 128 times.
const WORTH: usize = 1 << 12;

/// The end of a step: that it is undone, or `None` where somebody wants the work to stop.
pub(super) type Step = Result<(), Option<Undone>>;

/// Threads, and who may stop them.
pub(super) struct Team<'a> {
    schedule: Schedule,
    interrupted: Option<&'a mut dyn FnMut() -> bool>,
    asked: Instant,
}

impl<'a> Team<'a> {
    pub(super) fn new(schedule: &Schedule, interrupted: Option<&'a mut dyn FnMut() -> bool>) -> Self {
        Self { schedule: Schedule { chunk: WORTH, ..*schedule }, interrupted, asked: Instant::now() }
    }

    pub(super) fn simd(&self) -> Simd {
        self.schedule.level.simd()
    }

    /// Does the work on each of the items, which have so many elements.
    pub(super) fn each<T: Send>(
        &mut self,
        items: &mut [T],
        elements: usize,
        work: impl Fn(usize, &mut T) + Sync,
    ) -> Step {
        let work = &work;
        let all = items.len() as u64 * elements as u64;
        let tasks = items.iter_mut().enumerate().map(|(number, item)| {
            let work = move || {
                work(number, item);
                Ok(())
            };
            Task { elements, work: Box::new(work) }
        });
        let Some(interrupted) = &mut self.interrupted else {
            return Ok(run_tasks(&self.schedule, all, tasks, None::<fn() -> bool>)?);
        };
        let mut stops = false;
        let mut ask = || {
            self.asked = Instant::now();
            stops = interrupted();
            stops
        };
        run_tasks(&self.schedule, all, tasks, Some(&mut ask))?;
        // Many a step ends before it would ask.
        if !stops && self.asked.elapsed() > INTERVAL {
            self.asked = Instant::now();
            stops = interrupted();
        }
        if stops { Err(None) } else { Ok(()) }
    }
}
