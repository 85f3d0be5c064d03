//! What a block of reflections does to a strip: products of narrow matrices.

use crate::machine::level::{Kernel, Level};
use crate::value::Value;
use bytemuck::Zeroable;
use std::ops::Div;

/// Columns of a strip, and reflections that are done at once.
pub(super) const WIDTH: usize = 32;

/// A row of a strip.
pub(super) type Row<R> = [R; WIDTH];

/// A matrix of a strip's width on both sides.
pub(super) type Square<R> = [Row<R>; WIDTH];

/// Rows whose products are summed before they join the others': sums of sums lose less than one long sum.
pub(super) const TOGETHER: usize = 128;

/// A type that matrices are factorized in.
pub(crate) trait Real: Value + Div<Output = Self> + Zeroable {
    /// The square root.
    fn root(self) -> Self;
}

impl Real for f32 {
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
}

impl Real for f64 {
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
}

/// Reflects a strip: `C - V T Vᵀ C`.
pub(super) struct Block<'a, R> {
    /// V: a vector a column, with ones on the diagonal and zeros above it.
    pub(super) vectors: &'a [Row<R>],
    /// T, or its transpose for the reflections in the other order.
    pub(super) triangle: &'a Square<R>,
    /// C: as many rows as V has.
    pub(super) strip: &'a mut [Row<R>],
}

impl<R: Real> Kernel for Block<'_, R> {
    // The compiler makes the longer vectors' loops a tenth as fast, for it keeps no sums in registers.
    const HIGHEST: Level = Level::Avx2;

    #[inline(always)]
    fn run(self, level: Level) {
        // Four rows of two vectors: eight sums in registers, of sixteen that there are.
        match (level, size_of::<R>()) {
            (Level::Baseline, 4) => self.reflect::<8>(),
            (Level::Baseline, _) => self.reflect::<4>(),
            (_, 4) => self.reflect::<16>(),
            _ => self.reflect::<8>(),
        }
    }
}

/// Rows of products that are summed in registers.
const ROWS: usize = 4;

impl<R: Real> Block<'_, R> {
    #[inline(always)]
    fn reflect<const LANES: usize>(self) {
        let dots = self.dots::<LANES>();
        let mut turned = [[R::default(); WIDTH]; WIDTH];
        for (turned, triangle) in turned.chunks_exact_mut(ROWS).zip(self.triangle.chunks_exact(ROWS)) {
            for first in (0..WIDTH).step_by(LANES) {
                add(&product::<R, ROWS, LANES>(triangle, &dots, first), turned, first, |_, product| product);
            }
        }
        let (mut vectors, mut strip) = (self.vectors.chunks_exact(ROWS), self.strip.chunks_exact_mut(ROWS));
        for (vectors, strip) in vectors.by_ref().zip(strip.by_ref()) {
            for first in (0..WIDTH).step_by(LANES) {
                add(&product::<R, ROWS, LANES>(vectors, &turned, first), strip, first, |c, product| c - product);
            }
        }
        for (vector, row) in vectors.remainder().chunks_exact(1).zip(strip.into_remainder().chunks_exact_mut(1)) {
            for first in (0..WIDTH).step_by(LANES) {
                add(&product::<R, 1, LANES>(vector, &turned, first), row, first, |c, product| c - product);
            }
        }
    }

    /// Vᵀ C.
    #[inline(always)]
    fn dots<const LANES: usize>(&self) -> Square<R> {
        let mut dots = [[R::default(); WIDTH]; WIDTH];
        for (vectors, strip) in self.vectors.chunks(TOGETHER).zip(self.strip.chunks(TOGETHER)) {
            for (dots, row) in dots.chunks_exact_mut(ROWS).zip((0..WIDTH).step_by(ROWS)) {
                for first in (0..WIDTH).step_by(LANES) {
                    let mut sums = [[R::default(); LANES]; ROWS];
                    for (vector, values) in vectors.iter().zip(strip) {
                        multiply_add(&mut sums, lanes::<R, ROWS>(vector, row), lanes(values, first));
                    }
                    add(&sums, dots, first, |dot, sum| dot + sum);
                }
            }
        }
        dots
    }
}

/// Some rows and lanes of the product of rows and a square.
#[inline(always)]
fn product<R: Real, const ROWS: usize, const LANES: usize>(
    rows: &[Row<R>],
    square: &Square<R>,
    first: usize,
) -> [[R; LANES]; ROWS] {
    let mut sums = [[R::default(); LANES]; ROWS];
    for (column, values) in square.iter().enumerate() {
        let mut factors = [R::default(); ROWS];
        for (factor, row) in factors.iter_mut().zip(rows) {
            *factor = row[column];
        }
        multiply_add(&mut sums, &factors, lanes(values, first));
    }
    sums
}

/// Adds the products of each factor and each value.
#[inline(always)]
fn multiply_add<R: Real, const ROWS: usize, const LANES: usize>(
    sums: &mut [[R; LANES]; ROWS],
    factors: &[R; ROWS],
    values: &[R; LANES],
) {
    for r in 0..ROWS {
        for l in 0..LANES {
            sums[r][l] = sums[r][l] + factors[r] * values[l];
        }
    }
}

/// Changes so many lanes of these rows.
#[inline(always)]
fn add<R: Real, const LANES: usize>(by: &[[R; LANES]], rows: &mut [Row<R>], first: usize, change: impl Fn(R, R) -> R) {
    for (row, by) in rows.iter_mut().zip(by) {
        for (value, &by) in row[first..first + LANES].iter_mut().zip(by) {
            *value = change(*value, by);
        }
    }
}

/// Neighbours in a row.
#[inline(always)]
fn lanes<R, const LANES: usize>(row: &Row<R>, first: usize) -> &[R; LANES] {
    row[first..].first_chunk().unwrap_or_else(|| unreachable!("lanes divide a row"))
}
