//! Raw words on standard output, without end, for batteries of statistical tests: `make randomness`.
//!
//! Standard input names *lanes*: of each the 16 bytes of an identity, and its first block in 8, little-endian. What comes
//! out is the first word of every lane, then the second word of every lane, and so on.

use std::io::{Error, ErrorKind, Read, Result, Write, stdin, stdout};
use varscale::stream::{GROUP, Identity, Philox};

/// Blocks of all lanes between two writes, if they are not too many lanes for that.
const ROUND: usize = 1 << 19;
/// Lanes whose words are put in place together: a cache line of them.
const TILE: usize = 16;
/// Words of a block.
const WORDS: usize = 4;

struct Lane {
    stream: Philox,
    block: u64,
}

fn main() -> Result<()> {
    match words() {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()), // whoever reads has enough
        ended => ended,
    }
}

fn words() -> Result<()> {
    let mut names = Vec::new();
    stdin().read_to_end(&mut names)?;
    let (names, rest) = names.as_chunks::<24>();
    if names.is_empty() || !rest.is_empty() {
        return Err(Error::other("standard input must be lanes of 24 bytes, one at least"));
    }
    let mut lanes: Vec<Lane> = names.iter().map(lane).collect();
    let blocks = (ROUND / lanes.len()).max(GROUP);
    let mut words = vec![0_u32; lanes.len() * blocks * WORDS];
    let mut pairs = vec![[[0; 2]; GROUP]; TILE];
    let mut out = stdout().lock();
    loop {
        advance(&mut lanes, blocks, &mut pairs, &mut words)?;
        out.write_all(bytemuck::cast_slice(&words))?;
    }
}

fn lane(name: &[u8; 24]) -> Lane {
    let (identity, block): ([u8; 16], [u8; 8]) =
        (std::array::from_fn(|byte| name[byte]), std::array::from_fn(|byte| name[16 + byte]));
    Lane { stream: Philox::new(Identity::from_bytes(identity)), block: u64::from_le_bytes(block) }
}

/// The next `blocks` of every lane, word by word.
fn advance(lanes: &mut [Lane], blocks: usize, pairs: &mut [[[u64; 2]; GROUP]], words: &mut [u32]) -> Result<()> {
    let count = lanes.len();
    for group in (0..blocks).step_by(GROUP) {
        let now = GROUP.min(blocks - group);
        for (tile, lanes) in lanes.chunks_mut(TILE).enumerate() {
            for (lane, pairs) in lanes.iter_mut().zip(&mut *pairs) {
                lane.stream.blocks(lane.block, &mut pairs[..now]).map_err(Error::other)?;
                lane.block += now as u64;
            }
            for word in 0..now * WORDS {
                let start = (group * WORDS + word) * count + tile * TILE;
                for (place, pairs) in words[start..start + lanes.len()].iter_mut().zip(&*pairs) {
                    let pair = pairs[word / WORDS][word % WORDS / 2];
                    *place = (pair >> (word % 2 * 32)) as u32;
                }
            }
        }
    }
    Ok(())
}
