//! Writes what a fuzzer begins with: `cargo run --manifest-path fuzz/Cargo.toml --example seeds -- patch fuzz/corpus/patch`.

use std::io;
use std::path::Path;

use inputs::seeds::of_target;

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().collect();
    let [_, target, directory] = &words[..] else { return Err(io::Error::other("TARGET DIRECTORY")) };
    std::fs::create_dir_all(directory)?;
    for (number, seed) in of_target(target).iter().enumerate() {
        std::fs::write(Path::new(directory).join(format!("seed-{number}")), seed)?;
    }
    Ok(())
}
