//! Normal values of fewer than sixteen elements: one after another, in float64, by pairs of which torch's generator
//! keeps the second value for later.

use super::arithmetic::{Arithmetic, Capability, uniform_f64};
use super::laws::Bounds;
use super::portable;
use super::scratch::keras_truncated;
use super::tensor::{Place, Torch, TorchElement, TorchLaw};
use crate::machine::level::Simd;
use crate::replay::exact::libm;
use crate::replay::mt19937::Mt19937;
use crate::value::Value;
use std::f64::consts::TAU;

/// Words of a pair.
pub const PAIR: u64 = 4;

/// The generator's one normal value after another.
struct Pairs {
    generator: Mt19937,
    place: Place,
    /// The value that is kept, where there is one.
    spare: f64,
    capability: Capability,
}

impl Pairs {
    fn new(place: Place, capability: Capability, simd: Simd) -> Self {
        let start = Mt19937::new(place.seed, simd);
        let after = |words| {
            let mut generator = start.clone();
            generator.skip(words);
            generator
        };
        // Callers keep where the spare value's words began, not the value: its pair is drawn again.
        let spare = place.spare.map_or(0.0, |words| pair(&mut after(words)).1);
        Self { generator: after(place.skip), place, spare, capability }
    }

    fn next(&mut self) -> f64 {
        // A spare value takes no words: the generator stays where it is.
        if self.place.spare.take().is_some() {
            return self.spare;
        }
        let (value, spare) = pair(&mut self.generator);
        self.spare = spare;
        self.place.spare = Some(self.place.skip);
        self.place.skip += PAIR;
        value
    }

    /// An element of `normal_(mean, std)`.
    fn element<E: TorchElement>(&mut self, [mean, std]: [f64; 2]) -> E {
        // Computed in float64, then through float32 even for 16 bits: torch's half types are made of a float.
        E::round(E::Value::from_f64(f64::affine(self.capability, self.next(), std, mean)))
    }
}

/// Two standard normal values.
fn pair(generator: &mut Mt19937) -> (f64, f64) {
    let mut words = [[0; 2]; 2];
    generator.fill(words.as_flattened_mut());
    let [u1, u2] = words.map(uniform_f64);
    // The first uniform is the angle's here; in groups of sixteen it is the radius's.
    let angle = TAU * u1;
    // One in 10^8 float32 values would tell these apart.
    let (square, (sine, cosine)) = if libm::is_proven() && libm::ln_1p_is_proven() {
        (-2.0 * libm::ln_1p(-u2), libm::sin_cos(angle))
    } else {
        (2.0 * portable::minus_ln_1m(u2), portable::sin_cos(angle))
    };
    let radius = square.sqrt();
    (radius * cosine, radius * sine)
}

/// A whole tensor, and where the generator is then.
pub(super) fn tensor<E: TorchElement>(torch: &Torch, simd: Simd) -> (Vec<E>, Place) {
    let mut pairs = Pairs::new(torch.place, torch.capability, simd);
    let count = 0..torch.elements;
    let tensor = match torch.law {
        TorchLaw::Normal(moments) => count.map(|_| pairs.element(moments)).collect(),
        TorchLaw::Redrawn(moments, bounds) => {
            let bounds = Bounds::new::<E>(bounds);
            let mut tensor: Vec<E> = count.map(|_| pairs.element(moments)).collect();
            // torch draws a whole tensor each time, and keeps what was in bounds before.
            while bounds.exclude_any(&tensor) {
                for element in &mut tensor {
                    // Drawn before the test: the values that stay take words too.
                    let again = pairs.element(moments);
                    if bounds.exclude(*element) {
                        *element = again;
                    }
                }
            }
            tensor
        }
        TorchLaw::KerasTruncated(moments) => {
            count.map(|_| keras_truncated([(); 4].map(|()| pairs.element::<E>([0.0, 1.0])), moments)).collect()
        }
        TorchLaw::Uniform(..) | TorchLaw::Accepted(..) | TorchLaw::KerasUniform(..) => Vec::new(), // not normal
    };
    (tensor, pairs.place)
}
