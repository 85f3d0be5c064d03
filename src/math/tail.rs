//! The inverse of the normal tail.

use super::coefficients::{TAIL_CENTRE_P, TAIL_CENTRE_Q, TAIL_FAR_P, TAIL_FAR_Q, TAIL_NEAR_P, TAIL_NEAR_Q};
use super::{minus_ln_f64, polynomial_f64};

/// Masses that [`inverse_upper_tails`] takes at once.
pub const MANY: usize = 256;
/// It takes them in whole groups, whose loops have no remainder.
pub const GROUP: usize = 32;

/// The z ≥ 0 whose upper tail under the standard normal density is `mass`, in (0, 1/2].
///
/// Wichura's three pieces (*Algorithm AS 241*, 1988) with coefficients of our own fit: in the centre a function
/// of ½ − mass, in the tail of √(−ln mass).
#[inline]
#[must_use]
pub fn inverse_upper_tail(mass: f64) -> f64 {
    let q = 0.5 - mass;
    if q <= 0.425 {
        // 0.425², so that r runs from 0 at the edge to its largest in the middle.
        return centre(q);
    }
    let w = minus_ln_f64(mass, true).sqrt();
    if w <= 5.0 { near(w) } else { far(w) }
}

#[inline(always)]
fn centre(q: f64) -> f64 {
    let r = 0.180_625 - q * q;
    q * polynomial_f64(&TAIL_CENTRE_P, r) / polynomial_f64(&TAIL_CENTRE_Q, r)
}

#[inline(always)]
fn near(w: f64) -> f64 {
    polynomial_f64(&TAIL_NEAR_P, w - 1.6) / polynomial_f64(&TAIL_NEAR_Q, w - 1.6)
}

#[inline(always)]
fn far(w: f64) -> f64 {
    polynomial_f64(&TAIL_FAR_P, w - 5.0) / polynomial_f64(&TAIL_FAR_Q, w - 5.0)
}

/// Positions of the bits set in a byte.
static SET: [[u8; 8]; 256] = {
    let mut t = [[0; 8]; 256];
    let mut m = 0;
    while m < 256 {
        let (mut i, mut n) = (0, 0);
        while i < 8 {
            if m >> i & 1 == 1 {
                t[m][n] = i as u8;
                n += 1;
            }
            i += 1;
        }
        m += 1;
    }
    t
};

#[inline(always)]
fn with_sign_of(z: f64, m: f64) -> f64 {
    f64::from_bits(z.to_bits() ^ (m.to_bits() & (1 << 63)))
}

#[repr(align(64))]
struct Lines<T>(T);

const BLOCK: usize = 16;

#[inline(always)]
pub fn invert_signed_masses(x: &mut [f64; MANY], used: usize) {
    let mut flags = Lines([0_u8; MANY]);
    for (x, flags) in x[..used].as_chunks::<GROUP>().0.iter().zip(flags.0.as_chunks_mut::<GROUP>().0) {
        for i in 0..GROUP {
            flags[i] = u8::from(0.5 - x[i].abs() > 0.425);
        }
    }
    let mut places = [0_u8; MANY + 8];
    let mut tails = 0;
    for (chunk, flags) in flags.0[..used].as_chunks::<8>().0.iter().enumerate() {
        let flags = u64::from_le_bytes(*flags);
        let mask = (flags.wrapping_mul(0x0102_0408_1020_4080) >> 56) as usize;
        let found = u64::from_le_bytes(SET[mask]) + chunk as u64 * 0x0808_0808_0808_0808;
        places[tails..tails + 8].copy_from_slice(&found.to_le_bytes());
        tails += (flags.wrapping_mul(0x0101_0101_0101_0101) >> 56) as usize;
    }
    let mut v = Lines([0.03; MANY]);
    for (v, place) in v.0.iter_mut().zip(&places[..tails]) {
        *v = x[usize::from(*place)];
    }
    for x in x[..used].as_chunks_mut::<GROUP>().0 {
        for x in x {
            *x = with_sign_of(centre(0.5 - x.abs()), *x);
        }
    }
    if tails > 0 {
        let groups = &mut v.0.as_chunks_mut::<BLOCK>().0[..tails.div_ceil(BLOCK)];
        let mut any_far = 0;
        for v in &mut *groups {
            for v in v {
                let root = minus_ln_f64(v.abs(), true).sqrt();
                any_far |= u64::from(root > 5.0);
                *v = with_sign_of(root, *v);
            }
        }
        if any_far > 0 {
            for v in groups {
                for v in v {
                    let z = if v.abs() > 5.0 { far(v.abs()) } else { near(v.abs()) };
                    *v = with_sign_of(z, *v);
                }
            }
        } else {
            for v in groups {
                for v in v {
                    *v = with_sign_of(near(v.abs()), *v);
                }
            }
        }
        for (v, place) in v.0.iter().zip(&places[..tails]) {
            x[usize::from(*place)] = *v;
        }
    }
}
