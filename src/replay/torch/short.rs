//! Normal values of fewer than sixteen elements: one after another, in float64, by pairs of which torch's generator
//! keeps the second value for later.

use super::arithmetic::Arithmetic;
use super::laws::{Bounds, keras_truncated};
use super::{Capability, Law, Plan, TorchElement};
use crate::element::Value;
use crate::replay::exact::libm;
use crate::replay::mt19937::Mt19937;
use std::f64::consts::PI;

/// Words of a pair.
const PAIR: u64 = 4;

/// The generator's one normal value after another.
struct Pairs {
    generator: Mt19937,
    /// Words drawn.
    drawn: u64,
    /// The value that is kept, and where its words began.
    spare: Option<(f64, u64)>,
}

impl Pairs {
    fn new(plan: &Plan) -> Self {
        let start = Mt19937::new(plan.place.seed);
        let spare = plan.place.spare.map(|place| {
            let mut generator = start.clone();
            generator.skip(place);
            (pair(&mut generator).1, place)
        });
        let mut generator = start;
        generator.skip(plan.place.skip);
        Self { generator, drawn: plan.place.skip, spare }
    }

    fn next(&mut self) -> f64 {
        if let Some((value, _)) = self.spare.take() {
            return value;
        }
        let (value, spare) = pair(&mut self.generator);
        self.spare = Some((spare, self.drawn));
        self.drawn += PAIR;
        value
    }

    /// One element of `normal_(mean, std)`.
    fn element<E: TorchElement>(&mut self, capability: Capability, mean: f64, std: f64) -> E {
        E::round(E::Value::from_f64(f64::affine(capability, self.next(), std, mean)))
    }
}

fn pair(generator: &mut Mt19937) -> (f64, f64) {
    let mut words = [[0; 2]; 2];
    generator.fill(words.as_flattened_mut());
    let [u1, u2] = words.map(libm::uniform_f64);
    let angle = 2.0 * PI * u1;
    let (square, (sin, cos)) = if libm::is_proven() {
        (-2.0 * libm::log_1p(-u2), libm::sin_cos(angle))
    } else {
        (2.0 * libm::portable_minus_log_1m(u2), libm::portable_sin_cos(angle))
    };
    let radius = square.sqrt();
    (radius * cos, radius * sin)
}

/// Draws a whole tensor; returns where the generator is then, and where the words of a kept value began.
pub(super) fn draw<E: TorchElement>(plan: &Plan, out: &mut [E]) -> (u64, Option<u64>) {
    let mut pairs = Pairs::new(plan);
    let capability = plan.capability;
    match plan.law {
        Law::Normal { mean, std } => {
            for element in out.iter_mut() {
                *element = pairs.element(capability, mean, std);
            }
        }
        Law::Redrawn { mean, std, low, high } => {
            let bounds = Bounds::new::<E>(low, high);
            for element in out.iter_mut() {
                *element = pairs.element(capability, mean, std);
            }
            while out.iter().any(|&element| bounds.exclude(element)) {
                for element in out.iter_mut() {
                    let again = pairs.element(capability, mean, std);
                    if bounds.exclude(*element) {
                        *element = again;
                    }
                }
            }
        }
        Law::KerasTruncated { mean, std } => {
            for element in out.iter_mut() {
                let candidates: [E; 4] = std::array::from_fn(|_| pairs.element(capability, 0.0, 1.0));
                *element = keras_truncated(candidates, mean, std);
            }
        }
        Law::Uniform { .. } | Law::Accepted { .. } | Law::KerasUniform { .. } => {}
    }
    (pairs.drawn, pairs.spare.map(|(_, place)| place))
}
