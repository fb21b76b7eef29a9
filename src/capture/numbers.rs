//! Numbers of records as JSON.

use super::json::put;

/// A number, if it fits in 64 bits; else a string of its digits: most readers of JSON would silently make a float of it.
pub(super) fn put_integer(out: &mut Vec<u8>, digits: &str) {
    let fits = digits.len() <= 18 || digits.parse::<i64>().is_ok() || digits.parse::<u64>().is_ok();
    if fits {
        put(out, digits);
    } else {
        put(out, "\"");
        put(out, digits);
        put(out, "\"");
    }
}

/// The text as it came if it is JSON, so that it stays the shortest text of the number; else the number anew.
pub(super) fn put_float(out: &mut Vec<u8>, text: &str, number: f64) {
    if number.is_nan() {
        put(out, "\"nan\"");
    } else if number.is_infinite() {
        put(out, if number > 0.0 { "\"inf\"" } else { "\"-inf\"" });
    } else if is_json_fraction(text) {
        put(out, text);
    } else {
        put(out, &format!("{number:?}"));
    }
}

/// Whether a text that is known to be a number is one in JSON's grammar that stays a float in readers that care: with
/// digits on both sides of a point, without leading zeros or plus sign.
fn is_json_fraction(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let Some((whole, rest)) = digits.split_once('.') else {
        return false;
    };
    let whole_ok =
        whole == "0" || (!whole.starts_with('0') && whole.bytes().all(|byte| byte.is_ascii_digit()));
    whole_ok && !whole.is_empty() && rest.starts_with(|first: char| first.is_ascii_digit())
}
