use super::super::testing::{corpus, stream, Dice};
use super::super::{encode_log, encode_snapshot, Head, Limits, RecordWriter, Template};
use super::*;

fn read(text: &str) -> Result<Vec<Record<'static>>, RecordsError> {
    // Tests may leak: it saves them a lifetime.
    let bytes: &'static [u8] = Box::leak(stream(text).into_boxed_slice());
    Records::new(bytes)?.map(|record| record.map(|(_, record)| record)).collect()
}

fn encode(text: &str) -> Result<Vec<u8>, RecordsError> {
    let head = Head { breakpoint: 1, hit: 1, line: 0 };
    encode_snapshot(&stream(text), &head, &Limits::default(), || 5)
}

#[test]
fn an_empty_field_is_absent_and_may_be_left_out_at_the_end() {
    assert_eq!(read("t|str|abc;"), read("t|str|abc||;"));
    assert_eq!(read("[|list;"), read("[|list||;"));
    assert_eq!(read("h;").unwrap().len(), 1);
}

#[test]
fn positions_are_the_bytes_where_records_begin() {
    let bytes = stream("h|é.py;c;n|x;");
    let positions: Vec<_> = Records::new(&bytes).unwrap().map(|record| record.unwrap().0).collect();
    assert_eq!(positions, [0, 8, 10]);
}

#[test]
fn escapes_are_undone() {
    let records = read("n|a\x10pb\x10rc\x10ud;").unwrap();
    let Record::Name(name) = records[0] else { panic!("{records:?}") };
    assert_eq!(name.text(), "a\x10b\x1ec\x1fd");
    assert_eq!(name.raw(), "a\x10pb\x10rc\x10ud");
}

#[test]
fn what_the_writer_escapes_the_parser_reads_back() {
    let text = "\x10\x1e\x1f\x10p plain é \x1e";
    let mut writer = RecordWriter::new();
    writer.text("str", text, Some(9), "items");
    let bytes = writer.finish();
    let (_, record) = Records::new(&bytes).unwrap().next().unwrap().unwrap();
    let Record::Value(Value { shape: Shape::Text { text: read, size, cut }, .. }) = record else {
        panic!("{record:?}")
    };
    assert_eq!((read.text().as_ref(), size, cut.raw()), (text, Some(9), "items"));
}

#[test]
fn a_malformed_record_is_refused_where_it_begins() {
    for (text, at, problem) in [
        ("h;q|x;", 2, "\"q\" is no tag"),
        ("h;;", 2, "\"\" is no tag"),
        ("h;hh|x;", 2, "\"hh\" is no tag"),
        ("h;c", 2, "does not end with 0x1e"),
        ("h|a\x10", 3, "must be followed by p, r or u"),
        ("h|a\x10x;", 3, "must be followed by p, r or u"),
        ("h|a|1|b|2|3|c|d|e;", 0, "more than 8 fields"),
        ("h;c|x;", 2, "at most 1 are known"),
        ("h;f|a|1|b;", 2, "the flag for locals is \"\", not 0 or 1"),
        ("h;f|a|1|b|2;", 2, "the flag for locals is \"2\", not 0 or 1"),
        ("h|a|-1;", 0, "the line is \"-1\", not a number"),
        ("h|a|+1;", 0, "the line is \"+1\", not a number"),
        ("h|a|4294967296;", 0, "the line is 4294967296, more than 32 bits"),
        ("h|a|1|b|18446744073709551616;", 0, "the time is \"18446744073709551616\""),
        ("h;c;n|x;i|int|;", 8, "\"\" is no integer"),
        ("h;c;n|x;i|int|-;", 8, "\"-\" is no integer"),
        ("h;c;n|x;i|int|-0;", 8, "\"-0\" is no integer"),
        ("h;c;n|x;i|int|007;", 8, "\"007\" is no integer"),
        ("h;c;n|x;i|int|1_000;", 8, "\"1_000\" is no integer"),
        ("h;c;n|x;i|int|٣;", 8, "is no integer"),
        ("h;c;n|x;d|float|abc;", 8, "\"abc\" is no floating-point number"),
        ("h;c;n|x;d|float|;", 8, "\"\" is no floating-point number"),
        ("h;c;n|x;b|bool|True;", 8, "the truth value is \"True\""),
        ("h;c;n|x;t|str|a|x;", 8, "the size is \"x\""),
        ("h;c;n|x;[|list|x;", 8, "the id is \"x\""),
        ("h;c;n|x;@|list;", 8, "a reference without an id"),
    ] {
        let error = encode(text).unwrap_err();
        assert_eq!(error.at, at, "{text}: {error}");
        let message = error.to_string();
        assert!(message.contains(problem), "{text}: {message}");
        assert!(message.starts_with(&format!("invalid records at byte {at}: ")), "{message}");
    }
}

#[test]
fn records_in_an_order_that_means_nothing_are_refused() {
    for (text, at, problem) in [
        ("", 0, "does not begin with a head"),
        ("c;", 0, "does not begin with a head"),
        ("i|int|1;", 0, "does not begin with a head"),
        ("k|time;", 0, "does not begin with a head"),
        ("h;h;", 2, "a second head"),
        ("h;i|int|1;", 2, "a value outside of locals"),
        ("h;f|a|1|b|0;i|int|1;", 12, "a value outside of locals"),
        ("h;n|x;", 2, "a name where values have none"),
        ("h;c;i|int|1;", 4, "a value without a name"),
        ("h;c;n|x;", 8, "a name without a value"),
        ("h;c;n|x;k|time;", 8, "a name without a value"),
        ("h;c;n|x;n|y;", 8, "two names for one value"),
        ("h;c;c;", 4, "the captures begin twice"),
        ("h;c;f|a|1|b|0;", 4, "a frame after the captures"),
        ("h;c;n|x;[|list;", 15, "a value was begun and not ended"),
        ("h;c;n|x;[|list;c;", 15, "a value was begun and not ended"),
        ("h;c;n|x;[|list;};", 15, "an end of another kind"),
        ("h;c;];", 4, "an end without a begin"),
        ("h;c;n|x;];", 8, "a name without a value"),
        ("h;c;n|x;[|list;n|y;", 15, "a name where values have none"),
        ("h;c;n|x;{|dict;i|int|1;};", 23, "a key without a value"),
        ("h;c;n|x;(|Point;i|int|1;);", 16, "a value without a name"),
        ("h;c;n|x;(|Point;n|y;);", 20, "a name without a value"),
    ] {
        let error = encode(text).unwrap_err();
        assert!(error.to_string().contains(problem), "{text}: {error}");
        assert_eq!(error.at, at, "{text}: {error}");
    }
}

#[test]
fn bytes_that_are_no_utf8_are_refused_where_they_begin() {
    let error = Records::new(b"h\x1fab\xff").unwrap_err();
    assert_eq!(error.at, 4);
    assert!(error.to_string().contains("UTF-8"), "{error}");
}

#[test]
fn a_long_offending_text_is_not_repeated_whole() {
    let error = encode(&format!("h;c;n|x;i|int|{};", "x".repeat(100_000))).unwrap_err();
    assert!(error.to_string().len() < 200, "{error}");
}

#[test]
fn nothing_comes_after_an_error() {
    let bytes = stream("h;q;c;");
    let mut records = Records::new(&bytes).unwrap();
    assert!(records.next().unwrap().is_ok());
    assert!(records.next().unwrap().is_err());
    assert!(records.next().is_none());
}

/// What a hostile or broken host can send: random bytes, random words of the format, and good streams with a few bytes
/// changed. Whatever it is, there is an answer: an error with a position inside the stream, or valid JSON under its limit.
#[test]
fn a_hundred_thousand_random_streams_give_an_error_or_valid_json() {
    let mut dice = Dice::new(0x006e_6f6e_7374_6f70);
    let template = Template::parse("{a} {b!r:>9} {password}").unwrap();
    let head = Head { breakpoint: 1, hit: 1, line: 0 };
    let limits = Limits { items: 3, text_chars: 4, fields: 2, frames: 2, ..Limits::default() };
    let mut accepted = 0;
    for round in 0..100_000 {
        let bytes = corpus(&mut dice, round);
        for result in [
            encode_snapshot(&bytes, &head, &limits, || 1),
            encode_log(&bytes, &template, &head, &limits, || 1),
        ] {
            match result {
                Ok(json) => {
                    accepted += 1;
                    assert!(json.len() <= limits.snapshot_bytes as usize);
                    let value: Result<serde_json::Value, _> = serde_json::from_slice(&json);
                    assert!(value.is_ok(), "{:?}\n{}", value, String::from_utf8_lossy(&json));
                }
                Err(error) => assert!(error.at <= bytes.len(), "{error}"),
            }
        }
    }
    assert!(accepted > 5_000, "only {accepted} streams were good: the corpus tests too little");
}
