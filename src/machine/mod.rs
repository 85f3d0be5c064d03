//! What the machine and the process give: instructions, threads, memory, settings. No numbers are made here.

pub(crate) mod crew;
pub mod environment;
pub(crate) mod forks;
pub mod level;
pub(crate) mod lines;
pub mod pages;
pub(crate) mod prefetch;
pub mod setting;
pub mod threads;
pub(crate) mod workers;
