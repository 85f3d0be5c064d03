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
use block::{Block, Row, Square, WIDTH};
use bytemuck::Zeroable;
use bytemuck::allocation::try_zeroed_vec;
use panel::Panel;
use team::{Step, Team};

pub(crate) use block::Real;

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
    team.each(&mut strips, rows * WIDTH, |number, strip| {
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
        team.each(others, (rows - top) * WIDTH, |_, strip| {
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
        team.each(&mut strips[number..], (rows - top) * WIDTH, |_, strip| {
            simd.run(Block { vectors, triangle, strip: &mut strip[top..] });
        })?;
    }
    let mut bands: Vec<_> = matrix.chunks_mut(columns * WIDTH).collect();
    team.each(&mut bands, columns * WIDTH, |number, band| {
        for (line, row) in band.chunks_exact_mut(columns).zip(number * WIDTH..) {
            for ((line, strip), signs) in line.chunks_mut(WIDTH).zip(&strips).zip(&signs) {
                for ((element, &value), &sign) in line.iter_mut().zip(&strip[row]).zip(signs) {
                    *element = value * (sign * gain);
                }
            }
        }
    })
}

/// So many zeros, in memory that nobody has written to yet: whoever does first waits for the system's pages.
fn zeros<T: Zeroable>(count: usize) -> Result<Vec<T>, Undone> {
    try_zeroed_vec(count).map_err(|()| Undone::Refused)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::Element;
    use crate::fill::{Native, fill};
    use crate::law::Law;
    use crate::machine::crew::INTERVAL;
    use crate::machine::level::Level;
    use crate::region::Region;
    use crate::stream::{Fields, Identity, Version};
    use crate::value::Placement;
    use std::cell::Cell;
    use std::time::Instant;

    fn normals<R: Real + Element>(rows: usize, columns: usize) -> Vec<R> {
        let placement = Placement { loc: 0.0, scale: 1.0, low: f64::NEG_INFINITY, high: f64::INFINITY };
        let identity = Identity { key: [1, 2], counter_high: [3, 4] };
        let mut matrix = vec![R::default(); rows * columns];
        let region = Region::whole(matrix.len() as u64);
        fill(
            &Native { law: Law::Normal, placement, words: Version::One.words(identity) },
            region,
            &mut matrix,
            &Schedule::new(1),
        );
        matrix
    }

    fn same_bits<R: Real + Element + bytemuck::Pod>(rows: usize, columns: usize) {
        let made = |threads, level| {
            let mut matrix = normals::<R>(rows, columns);
            orthogonalize(&mut matrix, (rows, columns), 1.5, &Schedule { level, ..Schedule::new(threads) }, None)
                .unwrap();
            bytemuck::cast_slice::<R, u8>(&matrix).to_vec()
        };
        let expected = made(1, Level::Baseline);
        for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
            for threads in [1, 2, 3, 7] {
                assert_eq!(made(threads, level), expected, "{rows} x {columns}, {level:?}, {threads} threads");
            }
        }
    }

    /// A level or a number of threads that rounds otherwise, or takes the steps of a strip in another order.
    #[test]
    fn levels_and_threads_change_no_bit() {
        for (rows, columns) in [(1, 1), (2, 2), (33, 33), (130, 70), (257, 64), (300, 31)] {
            same_bits::<f32>(rows, columns);
            same_bits::<f64>(rows, columns);
        }
    }

    /// A platform whose compiler takes the steps in another order, or fuses them: it would have other bits.
    #[test]
    fn bits_are_those_of_all_platforms() {
        fn hash<R: Real + Element + bytemuck::Pod>() -> u128 {
            let mut matrix = normals::<R>(130, 70);
            orthogonalize(&mut matrix, (130, 70), 1.5, &Schedule::new(2), None).unwrap();
            u128::from_le_bytes(Fields::new(Version::One, bytemuck::cast_slice(&matrix)).hash())
        }
        let expected =
            (242_722_244_983_416_525_580_013_482_265_040_570_593, 175_050_984_837_176_989_782_463_124_098_265_865_399);
        assert_eq!((hash::<f32>(), hash::<f64>()), expected);
    }

    /// Columns that are not orthonormal, a gain that is lost, or a factor R whose diagonal is not positive.
    #[test]
    fn columns_are_orthonormal_and_r_has_a_positive_diagonal() {
        for (rows, columns) in [(1, 1), (5, 3), (64, 64), (150, 99)] {
            let source = normals::<f64>(rows, columns);
            let mut matrix = source.clone();
            orthogonalize(&mut matrix, (rows, columns), 3.0, &Schedule::new(2), None).unwrap();
            let dot = |a: &[f64], i: usize, b: &[f64], j: usize| -> f64 {
                a.chunks(columns).zip(b.chunks(columns)).map(|(a, b)| a[i] * b[j]).sum()
            };
            for i in 0..columns {
                assert!(dot(&matrix, i, &source, i) > 0.0, "the diagonal of R");
                for j in 0..columns {
                    let expected = if i == j { 9.0 } else { 0.0 };
                    assert!((dot(&matrix, i, &matrix, j) - expected).abs() < 1e-12, "columns {i} and {j}");
                    assert!(j >= i || dot(&matrix, i, &source, j).abs() < 1e-12, "R below its diagonal");
                }
            }
        }
    }

    /// A matrix of no elements that fails, or columns of zeros that become NaN.
    #[test]
    fn degenerate_matrices_are_factorized() {
        orthogonalize::<f32>(&mut [], (0, 0), 1.0, &Schedule::new(1), None).unwrap();
        let mut zeros = [0.0_f32; 6];
        orthogonalize(&mut zeros, (3, 2), 1.0, &Schedule::new(1), None).unwrap();
        assert_eq!(zeros.map(f32::to_bits), [1.0_f32, 0.0, 0.0, 1.0, 0.0, 0.0].map(f32::to_bits));
    }

    /// A wide matrix that is taken for a tall one.
    #[test]
    #[should_panic(expected = "as tall as it is wide")]
    fn wide_matrices_are_refused() {
        let _ = orthogonalize(&mut [0.0_f32; 6], (2, 3), 1.0, &Schedule::new(1), None);
    }

    /// A work whose steps are all too short for the question whether to stop.
    #[test]
    fn many_short_steps_are_interrupted() {
        let (mut matrix, begin, asked) = (normals::<f64>(900, 900), Instant::now(), Cell::new(0));
        let mut interrupted = || {
            asked.set(asked.get() + 1);
            true
        };
        orthogonalize(&mut matrix, (900, 900), 1.0, &Schedule::new(1), Some(&mut interrupted)).unwrap();
        assert_eq!(asked.get(), 1, "nobody is asked after a yes");
        assert!(begin.elapsed() < 20 * INTERVAL);
    }
}
