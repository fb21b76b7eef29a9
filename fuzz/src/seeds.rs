//! What is changed to get other inputs.

use super::dialects::{dialects, Sample};
use super::input::written;

/// `|` and `;` stand for the separators.
const RECORDS: [&str; 3] = [
    "\nh|shop.py|4|main|1|2|MainThread|Task-1;f|shop.py|4|main|1;n|a;[|list|1|3;i|int|-7;@|list|1;x|int|depth;]|items;",
    "\nh|a.py|1|f|1|1|t;f|a.py|1|f|0;c;n|x + 1;{|dict||2;t|str|k\u{10}r;d|float|1.5;b|bool|1;z|NoneType;};n|y;(|Shop|2|1;n|a;i|int|0;);k|time;",
    "total={total:>9.2f} of {name!r} {{}} {x}\nh|a.py|1|f|1|1|t;c;n|total;d|float|2.5;n|name;t|str|caf\u{e9}|9|chars;n|x;[|list|1|2;i|int|1;z|NoneType;];",
];
const TEXTS: [&str; 4] = [
    "src/shop.py:42",
    "package.module:Cart.total",
    "total={total:>10.2f} of {user.name!r} {{x}} {f('}')=}",
    "**/shop/[a-c]?.py/src/shop/b1.py",
];

/// The seeds of a target.
///
/// # Panics
/// There is no such target.
pub fn of_target(target: &str) -> Vec<Vec<u8>> {
    match target {
        "patch" | "decode" => (0..)
            .zip(dialects())
            .flat_map(|(number, dialect)| {
                dialect.samples.iter().map(move |sample| written(number, sample, &places(sample)))
            })
            .collect(),
        "records" => RECORDS.map(|seed| seed.replace('|', "\x1f").replace(';', "\x1e").into_bytes()).into(),
        "texts" => TEXTS.map(|text| text.as_bytes().to_vec()).into(),
        _ => panic!("there is no target {target}"),
    }
}

/// Some of the instructions, with units of one line and of several. There is no telling which of them units begin at.
fn places(sample: &Sample) -> Vec<u8> {
    let units = sample.code.len() / 2;
    let some = (0..units).step_by(units / 8 + 1);
    some.flat_map(|unit| {
        [unit as u8, (unit >> 8) as u8, (unit % 11) as u8, (unit % 3) as u8 | (unit as u8) << 6]
    })
    .collect()
}
