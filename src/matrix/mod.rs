//! Orthogonal matrices: the Q of a matrix by Householder reflections, each element by one order of operations.
//!
//! A matrix is cut into strips of [`WIDTH`] columns. What is done to an element, and in which order, depends on its
//! place and the matrix's sizes alone: any number of threads may take strips, and vectors of any length their rows.

mod block;
mod panel;
mod team;

use crate::fill::Schedule;
use crate::fill::run::Undone;
use crate::machine::environment::DefaultEnvironment;
use block::Block;
use bytemuck::Zeroable;
use panel::Panel;
use team::{Step, Team};

pub(crate) use block::Real;

/// Columns of a strip, and reflections that are done at once.
const WIDTH: usize = 32;

/// A row of a strip.
type Row<R> = [R; WIDTH];

/// A matrix of a strip's width on both sides.
type Square<R> = [Row<R>; WIDTH];

/// Replaces a matrix in C order by `gain` times its Q, where its R has a positive diagonal.
///
/// Q's columns are orthonormal. It has as many rows as the matrix, no fewer than columns. Where the elements were
/// independent standard normal values, Q is as likely as any other such matrix (Haar's measure).
///
/// `interrupted`, if there is one, is asked now and then. After a yes the matrix is of no use.
///
/// # Errors
///
/// [`Undone`] where memory is refused, or in a child that a signal handler of this thread has forked meanwhile.
///
/// # Panics
///
/// If the matrix has not `rows * columns` elements, or fewer rows than columns.
pub(crate) fn orthogonalize<R: Real>(
    matrix: &mut [R],
    (rows, columns): (usize, usize),
    gain: f64,
    schedule: &Schedule,
    interrupted: Option<&mut dyn FnMut() -> bool>,
) -> Result<(), Undone> {
    assert!(matrix.len() == rows * columns && rows >= columns, "a matrix must be as tall as it is wide");
    if matrix.is_empty() {
        return Ok(());
    }
    let mut team = Team::new(schedule, interrupted);
    // Nothing is left to say of a work that was to be stopped.
    factorize(matrix, columns, R::from_f64(gain), &mut team).or_else(|undone| undone.map_or(Ok(()), Err))
}

fn factorize<R: Real>(matrix: &mut [R], columns: usize, gain: R, team: &mut Team<'_>) -> Step {
    let (rows, count, simd) = (matrix.len() / columns, columns.div_ceil(WIDTH), team.simd());
    let (mut strips, mut vectors) = (Vec::new(), zeros::<Row<R>>(rows)?);
    let (mut triangles, mut signs) = (zeros::<Square<R>>(count)?, zeros::<Row<R>>(count)?);
    for _ in 0..count {
        strips.push(zeros::<Row<R>>(rows)?);
    }
    let source = &*matrix;
    team.each(&mut strips, rows, |number, strip| {
        for (row, source) in strip.iter_mut().zip(source.chunks_exact(columns)) {
            let source = &source[number * WIDTH..];
            let width = source.len().min(WIDTH);
            row[..width].copy_from_slice(&source[..width]);
        }
    })?;
    // From the left: each strip becomes reflections, and those right of it are reflected.
    for number in 0..count {
        let (top, [strip, others @ ..]) = (number * WIDTH, &mut strips[number..]) else { break };
        let (columns, triangle, signs) = (columns - top, &mut triangles[number], &mut signs[number]);
        {
            let _environment = DefaultEnvironment::enter(); // tasks enter it by themselves
            simd.run(Panel { strip: &mut strip[top..], columns, triangle, signs });
        }
        let (vectors, backwards) = (&strip[top..], transposed(triangle));
        team.each(others, rows - top, |_, strip| {
            simd.run(Block { vectors, triangle: &backwards, strip: &mut strip[top..] });
        })?;
    }
    // From the right: the unit matrix is reflected, a strip of it once those on its right are there.
    for (number, triangle) in triangles.iter().enumerate().rev() {
        let (top, strip) = (number * WIDTH, &mut strips[number]);
        let vectors = &mut vectors[top..];
        vectors.copy_from_slice(&strip[top..]);
        strip.fill([R::default(); WIDTH]);
        for (row, column) in strip[top..].iter_mut().zip(0..WIDTH) {
            row[column] = R::from_f64(1.0);
        }
        let vectors = &*vectors;
        team.each(&mut strips[number..], rows - top, |_, strip| {
            simd.run(Block { vectors, triangle, strip: &mut strip[top..] });
        })?;
    }
    let mut bands: Vec<_> = matrix.chunks_mut(columns * WIDTH).collect();
    team.each(&mut bands, columns, |number, band| {
        for (line, row) in band.chunks_exact_mut(columns).zip(number * WIDTH..) {
            for ((line, strip), signs) in line.chunks_mut(WIDTH).zip(&strips).zip(&signs) {
                for ((element, &value), &sign) in line.iter_mut().zip(&strip[row]).zip(signs) {
                    *element = value * (sign * gain);
                }
            }
        }
    })
}

/// So many zeros.
fn zeros<T: Zeroable + Copy>(count: usize) -> Result<Vec<T>, Undone> {
    let mut zeros = Vec::new();
    zeros.try_reserve_exact(count)?;
    zeros.resize(count, T::zeroed());
    Ok(zeros)
}

fn transposed<R: Real>(square: &Square<R>) -> Square<R> {
    let mut transposed = *square;
    for (i, row) in transposed.iter_mut().enumerate() {
        for (element, column) in row.iter_mut().zip(square) {
            *element = column[i];
        }
    }
    transposed
}
