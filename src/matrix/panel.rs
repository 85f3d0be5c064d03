//! A strip becomes reflections: Householder's, one column after another, each in one pass over the rows.

use super::block::{Real, Row, Square, TOGETHER, WIDTH};
use crate::machine::level::{Kernel, Level};

/// Sums side by side, of every fourth row: an addition need not wait for the one before it.
const SUMS: usize = 4;

/// Makes reflections of a strip's columns.
///
/// Reflection `j` is `I - tau v vᵀ`: it makes column `j` zero below row `j`. All of them, one after another, are
/// `I - V T Vᵀ` (Schreiber and Van Loan, 1989).
pub(super) struct Panel<'a, R> {
    /// The strip from its diagonal on; V afterwards.
    pub(super) strip: &'a mut [Row<R>],
    /// Columns that the matrix has from here on; those of a strip behind its end are not looked at.
    pub(super) columns: usize,
    /// T afterwards.
    pub(super) triangle: &'a mut Square<R>,
    /// The signs of R's diagonal afterwards.
    pub(super) signs: &'a mut Row<R>,
}

impl<R: Real> Kernel for Panel<'_, R> {
    const HIGHEST: Level = Level::Avx2;

    #[inline(always)]
    fn run(self, _: Level) {
        let Self { strip, columns, triangle, signs } = self;
        let (zero, one) = (R::default(), R::from_f64(1.0));
        // The vectors lack these factors until the end.
        let mut scales = [zero; WIDTH];
        let mut dots = pass(strip, 0, 0, &[zero; WIDTH]);
        for j in 0..columns.min(strip.len()).min(WIDTH) {
            let (head, tail) = (strip[j], dots[j]);
            let (mut tau, mut end) = (zero, head[j]);
            if tail > zero {
                let length = (head[j] * head[j] + tail).root();
                end = if head[j] > zero { zero - length } else { length };
                let difference = head[j] - end; // of numbers with different signs
                tau = zero - difference / end;
                scales[j] = one / difference;
            }
            signs[j] = if end < zero { zero - one } else { one };
            // vᵀ times each column: the later ones are reflected, and T is made of those with earlier vectors.
            let mut by = [zero; WIDTH];
            for c in 0..WIDTH {
                dots[c] = head[c] + dots[c] * scales[j];
                if c > j {
                    by[c] = tau * dots[c] * scales[j];
                }
            }
            for (i, row) in triangle[..j].iter_mut().enumerate() {
                let mut sum = zero;
                for l in i..j {
                    sum = sum + row[l] * (dots[l] * scales[l]);
                }
                row[j] = zero - tau * sum;
            }
            triangle[j][j] = tau;
            dots = pass(&mut strip[j + 1..], j, (j + 1).min(WIDTH - 1), &by);
        }
        for (k, row) in strip.iter_mut().enumerate() {
            for c in 0..WIDTH {
                row[c] = if k > c { row[c] * scales[c] } else { [zero, one][usize::from(k == c)] };
            }
        }
    }
}

/// Takes `by` times column `j` away from the rows, then multiplies column `next` below the first of them with each column.
#[inline(always)]
fn pass<R: Real>(rows: &mut [Row<R>], j: usize, next: usize, by: &Row<R>) -> Row<R> {
    let mut dots = [R::default(); WIDTH];
    let Some((head, rows)) = rows.split_first_mut() else { return dots };
    reflect(head, j, by);
    for rows in rows.chunks_mut(TOGETHER) {
        let mut sums = [[R::default(); WIDTH]; SUMS];
        let mut whole = rows.chunks_exact_mut(SUMS);
        for rows in whole.by_ref() {
            for r in 0..SUMS {
                reflect(&mut rows[r], j, by);
                add(&mut sums[r], &rows[r], next);
            }
        }
        for (sums, row) in sums.iter_mut().zip(whole.into_remainder()) {
            reflect(row, j, by);
            add(sums, row, next);
        }
        let [a, b, c, d] = sums;
        for l in 0..WIDTH {
            dots[l] = dots[l] + ((a[l] + b[l]) + (c[l] + d[l]));
        }
    }
    dots
}

#[inline(always)]
fn reflect<R: Real>(row: &mut Row<R>, j: usize, by: &Row<R>) {
    let factor = row[j];
    for (value, &by) in row.iter_mut().zip(by) {
        *value = *value - factor * by;
    }
}

#[inline(always)]
fn add<R: Real>(sums: &mut Row<R>, row: &Row<R>, next: usize) {
    let factor = row[next];
    for (sum, &value) in sums.iter_mut().zip(row) {
        *sum = *sum + factor * value;
    }
}
