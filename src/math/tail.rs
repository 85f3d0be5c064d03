//! The inverse of the normal tail in Wichura's three pieces (*Algorithm AS 241*, 1988), with coefficients of our own
//! fit: in the centre a function of ½ − mass, beyond it of √(−ln mass).

use super::coefficients::{TAIL_CENTRE_P, TAIL_CENTRE_Q, TAIL_FAR_P, TAIL_FAR_Q, TAIL_NEAR_P, TAIL_NEAR_Q};
use super::{minus_ln_f64, polynomial_f64};

/// The centre ends at this ½ − mass.
pub const CENTRE: f64 = 0.425;
/// The near tail ends at this √(−ln mass).
pub const NEAR: f64 = 5.0;

/// The z ≥ 0 whose upper tail under the standard normal density is `mass`, in (0, 1/2].
#[inline]
#[must_use]
pub fn inverse_upper_tail(mass: f64) -> f64 {
    let q = 0.5 - mass;
    if q <= CENTRE {
        return centre(q);
    }
    let w = root(mass);
    if w <= NEAR { near(w) } else { far(w) }
}

/// √(−ln `mass`).
#[inline(always)]
#[must_use]
pub fn root(mass: f64) -> f64 {
    minus_ln_f64(mass, true).sqrt()
}

/// The piece for `q` = ½ − mass up to [`CENTRE`].
#[inline(always)]
#[must_use]
pub fn centre(q: f64) -> f64 {
    // 0.425², so that r runs from 0 at the edge to its largest in the middle.
    let r = 0.180_625 - q * q;
    q * polynomial_f64(&TAIL_CENTRE_P, r) / polynomial_f64(&TAIL_CENTRE_Q, r)
}

/// The piece for `w` = √(−ln mass) up to [`NEAR`], where the centre ends.
#[inline(always)]
#[must_use]
pub fn near(w: f64) -> f64 {
    polynomial_f64(&TAIL_NEAR_P, w - 1.6) / polynomial_f64(&TAIL_NEAR_Q, w - 1.6)
}

/// The piece for `w` = √(−ln mass) from [`NEAR`] on.
#[inline(always)]
#[must_use]
pub fn far(w: f64) -> f64 {
    polynomial_f64(&TAIL_FAR_P, w - 5.0) / polynomial_f64(&TAIL_FAR_Q, w - 5.0)
}
