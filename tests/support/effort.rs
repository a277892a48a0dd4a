//! How much is done: a bounded part by default, all of it with `LETTERPRESS_FAULTS=full`; and the seed of chance.

/// Whether everything is to be tried.
pub(crate) fn is_full() -> bool {
    std::env::var("LETTERPRESS_FAULTS").is_ok_and(|word| word == "full")
}

/// Numbers that look like chance, the same for the same seed (xorshift64*, Vigna 2016).
pub(crate) struct Dice(u64);

impl Dice {
    /// The seed of `LETTERPRESS_SEED`, else the process's id; it is printed, so that a failure can be repeated.
    pub(crate) fn new() -> Dice {
        let given = std::env::var("LETTERPRESS_SEED")
            .ok()
            .and_then(|text| text.parse().ok());
        let seed: u64 = given.unwrap_or_else(|| std::process::id().into());
        println!("LETTERPRESS_SEED={seed}");
        Dice::of(seed)
    }

    /// Those of one seed; neighbouring seeds have nothing in common.
    pub(crate) fn of(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }
}
