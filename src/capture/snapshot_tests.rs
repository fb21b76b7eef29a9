use super::super::testing::{good_stream, stream, Dice};
use super::super::RecordWriter;
use super::*;
use serde_json::{json, Value as Json};

const HEAD: Head = Head { breakpoint: 4, hit: 2, line: 0 };

fn encode_with(text: &str, limits: &Limits) -> Json {
    let bytes = encode_snapshot(&stream(text), &HEAD, limits, || 99)
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    serde_json::from_slice(&bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&bytes)))
}

fn encode(text: &str) -> Json {
    encode_with(text, &Limits::default())
}

/// One capture.
fn value(records: &str) -> Json {
    encode(&format!("h;c;n|v;{records}"))["captures"]["v"].clone()
}

/// One local.
fn local(name: &str, records: &str, limits: &Limits) -> Json {
    encode_with(&format!("h;f|a|1|b|1;n|{name};{records}"), limits)["frames"][0]["locals"][name].clone()
}

#[test]
fn the_example_of_the_schema_is_what_is_written() {
    let document = include_str!("../../docs/snapshot-schema.md");
    let records = stream(
        "h|/srv/shop.py|42|total|1700000000000000000|7|worker-1|;\
         f|/srv/shop.py|42|total|1;n|count;i|int|3;n|price;d|float|9.5;n|name;t|str|Zoë|;n|password;t|str|hunter2;\
         f|/srv/app.py|10|main|0;\
         c;n|cart.items;[|list|1|200;t|str|apple;@|list|1;]|items;\
         n|cart.owner;(|User||;n|id;i|int|7;n|tags;{|dict||1;t|str|vip;b|bool|1;};);k|time;",
    );
    let json = encode_snapshot(&records, &HEAD, &Limits::default(), || 0).unwrap();
    let json = String::from_utf8(json).unwrap();
    assert!(document.contains(&json), "docs/snapshot-schema.md does not show\n{json}");
}

#[test]
fn the_text_is_compact_and_its_order_fixed() {
    let bytes = encode_snapshot(&stream("h|a.py|1|f||7||;"), &HEAD, &Limits::default(), || 99).unwrap();
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "{\"schema\":1,\"breakpoint\":4,\"location\":{\"file\":\"a.py\",\"line\":1,\"function\":\"f\"},\"hit\":2,\
         \"time_ns\":99,\"thread\":{\"id\":7,\"name\":null},\"task\":null,\"frames\":[],\"captures\":{},\"cut\":[]}"
    );
}

#[test]
fn the_clock_is_read_only_if_the_head_has_no_time() {
    let read = encode_snapshot(&stream("h|a|1|f|55;"), &HEAD, &Limits::default(), || panic!("read"));
    let json: Json = serde_json::from_slice(&read.unwrap()).unwrap();
    assert_eq!(json["time_ns"], 55);
}

#[test]
fn thread_and_task_are_given_or_null() {
    let json = encode("h|a|1|f|1|18446744073709551615|Main\"Thread|Task-é;");
    assert_eq!(json["thread"], json!({"id": u64::MAX, "name": "Main\"Thread"}));
    assert_eq!(json["task"], "Task-é");
}

#[test]
fn every_shape_of_value_has_its_form() {
    assert_eq!(value("i|int|-42;"), json!({"type": "int", "value": -42}));
    assert_eq!(value("d|float|1.5;"), json!({"type": "float", "value": 1.5}));
    assert_eq!(value("b|bool|1;"), json!({"type": "bool", "value": true}));
    assert_eq!(value("z|NoneType;"), json!({"type": "NoneType", "value": null}));
    assert_eq!(value("t|str|a\"\\\n\x10ré;"), json!({"type": "str", "value": "a\"\\\n\x1eé"}));
    assert_eq!(
        value("t|str|abc|900|characters;"),
        json!({"type": "str", "value": "abc", "size": 900, "cut": "characters"})
    );
    assert_eq!(
        value("[|list|5|9;i|int|1;]|items;"),
        json!({"type": "list", "items": [{"type": "int", "value": 1}], "size": 9, "id": 5, "cut": "items"})
    );
    assert_eq!(
        value("{|dict;t|str|k;z|NoneType;};"),
        json!({"type": "dict", "entries": [[{"type": "str", "value": "k"}, {"type": "NoneType", "value": null}]]})
    );
    assert_eq!(
        value("(|Point;n|x;i|int|1;n|y;i|int|2;);"),
        json!({"type": "Point", "fields": {"x": {"type": "int", "value": 1}, "y": {"type": "int", "value": 2}}})
    );
    assert_eq!(value("@|list|5;"), json!({"type": "list", "ref": 5}));
    assert_eq!(value("x|object|depth;"), json!({"type": "object", "cut": "depth"}));
    assert_eq!(value("[|list;];"), json!({"type": "list", "items": []}));
}

#[test]
fn integers_beyond_64_bits_are_strings() {
    assert_eq!(value("i|int|18446744073709551615;")["value"], json!(u64::MAX));
    assert_eq!(value("i|int|-9223372036854775808;")["value"], json!(i64::MIN));
    assert_eq!(value("i|int|18446744073709551616;")["value"], "18446744073709551616");
    assert_eq!(value("i|int|-9223372036854775809;")["value"], "-9223372036854775809");
}

#[test]
fn floats_keep_their_text_or_become_json() {
    for (text, json) in [
        ("1.5", "1.5"),
        ("-0.0", "-0.0"),
        ("1e+16", "1e16"),
        ("1.5e-07", "1.5e-07"),
        ("1.", "1.0"),
        (".5", "0.5"),
        ("3", "3.0"),
        ("007.5", "7.5"),
        ("+2.5", "2.5"),
        ("1e999", "\"inf\""),
        ("-inf", "\"-inf\""),
        ("nan", "\"nan\""),
        ("-nan", "\"nan\""),
        ("Infinity", "\"inf\""),
    ] {
        let records = stream(&format!("h;c;n|v;d|float|{text};"));
        let bytes = encode_snapshot(&records, &HEAD, &Limits::default(), || 0).unwrap();
        let whole = String::from_utf8(bytes).unwrap();
        assert!(whole.contains(&format!("\"value\":{json}}}")), "{text}: {whole}");
        serde_json::from_str::<Json>(&whole).unwrap();
    }
}

#[test]
fn containers_are_keys_too() {
    let entry = value("{|dict;[|tuple;i|int|1;];{|dict;t|str|a;i|int|1;};t|str|b;i|int|2;};");
    assert_eq!(entry["entries"].as_array().unwrap().len(), 2);
    assert_eq!(entry["entries"][0][0]["items"][0]["value"], 1);
    assert_eq!(entry["entries"][0][1]["entries"][0][1]["value"], 1);
    assert_eq!(entry["entries"][1][1]["value"], 2);
}

#[test]
fn frames_have_locals_only_if_they_were_collected() {
    let json = encode("h;f|a.py|1|f|1;n|x;i|int|1;f|b.py|2|g|0;f||0||1;");
    assert_eq!(json["frames"][0]["locals"]["x"]["value"], 1);
    assert_eq!(json["frames"][1], json!({"file": "b.py", "line": 2, "function": "g"}));
    assert_eq!(json["frames"][2], json!({"file": "", "line": 0, "function": "", "locals": {}}));
}

#[test]
fn reasons_are_given_once_and_no_more_than_eight() {
    let many: String = (0..50).map(|reason| format!("k|reason {};", reason / 2)).collect();
    let cut = encode(&format!("h;f|a|1|b|1;{many}"))["cut"].clone();
    assert_eq!(cut.as_array().unwrap().len(), 8);
    assert_eq!(cut[0], "reason 0");
    assert_eq!(cut[1], "reason 1");
}

#[test]
fn a_reason_between_locals_ends_nothing() {
    let json = encode("h;f|a|1|b|1;n|x;i|int|1;k|time;n|y;i|int|2;");
    assert_eq!(json["frames"][0]["locals"]["y"]["value"], 2);
    assert_eq!(json["cut"], json!(["time"]));
}

#[test]
fn the_first_of_two_values_of_a_name_is_kept_and_noted() {
    let json = encode("h;f|a|1|b|1;n|x;i|int|1;n|x;[|list;i|int|2;];n|y;i|int|3;");
    assert_eq!(
        json["frames"][0]["locals"],
        json!({"x": {"type": "int", "value": 1}, "y": {"type": "int", "value": 3}})
    );
    assert_eq!(json["cut"], json!(["second value of x"]));
}

#[test]
fn the_same_name_in_different_places_is_no_second_value() {
    let json = encode("h;f|a|1|b|1;n|x;(|P;n|x;(|P;n|x;i|int|1;);n|y;i|int|1;);n|y;i|int|2;f|a|1|b|1;n|x;i|int|3;c;n|x;i|int|4;");
    assert_eq!(json["cut"], json!([]));
    assert_eq!(json["frames"][0]["locals"]["x"]["fields"]["x"]["fields"]["x"]["value"], 1);
    assert_eq!(json["frames"][0]["locals"]["y"]["value"], 2);
}

#[test]
fn second_values_are_found_among_thousands_of_names() {
    let mut writer = RecordWriter::new();
    writer.head("a", 1, "f", 1, 1, "", "");
    writer.frame("a", 1, "f", true);
    for round in 0..2 {
        for name in 0..1000 {
            writer.name(&format!("n{name}"));
            writer.int("int", round);
        }
    }
    let bytes = encode_snapshot(&writer.finish(), &HEAD, &Limits::default(), || 0).unwrap();
    let json: Json = serde_json::from_slice(&bytes).unwrap();
    let locals = json["frames"][0]["locals"].as_object().unwrap();
    assert_eq!(locals.len(), 1000);
    assert!(locals.values().all(|value| value["value"] == 0));
}

#[test]
fn secrets_are_redacted_wherever_they_have_a_name() {
    let secret = |type_name: &str| json!({"type": type_name, "redacted": true});
    let limits = Limits::default();
    assert_eq!(local("password", "t|str|hunter2|7|;", &limits), secret("str"));
    assert_eq!(local("api_keys", "[|list|1|1;t|str|hunter2;];", &limits), secret("list"));
    assert_eq!(local("auth", "(|Auth;n|user;t|str|u;);", &limits), secret("Auth"));
    assert_eq!(local("author", "t|str|shown;", &limits)["value"], "shown");
    assert_eq!(value("(|User;n|_password;t|str|x;n|name;t|str|y;);")["fields"]["_password"], secret("str"));
    assert_eq!(
        value("{|dict;t|str|Authorization;t|str|x;t|str|Host;t|str|y;};")["entries"][0],
        json!([{"type": "str", "value": "Authorization"}, secret("str")])
    );
    let captures = encode("h;c;n|user.password;t|str|x;n|config['token'];{|dict;t|str|a;t|str|b;};n|str(secret);t|str|x;n|a.b;i|int|1;");
    assert_eq!(captures["captures"]["user.password"], secret("str"));
    assert_eq!(captures["captures"]["config['token']"], secret("dict"));
    assert_eq!(captures["captures"]["str(secret)"], secret("str"));
    assert_eq!(captures["captures"]["a.b"]["value"], 1);
}

#[test]
fn the_value_after_a_redacted_container_is_shown() {
    let entries = value("{|dict;t|str|token;{|dict;t|str|a;[|list;i|int|1;];};t|str|next;i|int|2;};")
        ["entries"]
        .clone();
    assert_eq!(entries[0][1], json!({"type": "dict", "redacted": true}));
    assert_eq!(entries[1][1]["value"], 2);
}

#[test]
fn a_key_that_is_no_text_hides_nothing() {
    let entries = value("{|dict;t|str|token;i|int|1;i|int|5;i|int|2;};")["entries"].clone();
    assert_eq!(entries[0][1]["redacted"], true);
    assert_eq!(entries[1][1]["value"], 2);
}

#[test]
fn items_fields_and_characters_over_their_limits_are_left_out() {
    let limits = Limits {
        items: 2,
        named_items: 3,
        fields: 1,
        text_chars: 3,
        named_text_chars: 4,
        ..Limits::default()
    };
    let list = "[|list||4;i|int|1;i|int|2;[|list;i|int|3;];i|int|4;];";
    let dict = "{|dict;i|int|1;i|int|1;i|int|2;i|int|2;[|tuple;i|int|3;];[|list;i|int|3;];};";
    assert_eq!(local("x", list, &limits)["items"].as_array().unwrap().len(), 2);
    assert_eq!(local("x", list, &limits)["cut"], "items");
    assert_eq!(local("x", list, &limits)["size"], 4);
    assert_eq!(local("x", dict, &limits)["entries"].as_array().unwrap().len(), 2);
    assert_eq!(local("x", dict, &limits)["cut"], "items");
    let object = local("x", "(|P;n|a;i|int|1;n|b;(|P;n|c;i|int|1;););", &limits);
    assert_eq!(object, json!({"type": "P", "fields": {"a": {"type": "int", "value": 1}}, "cut": "fields"}));
    assert_eq!(
        local("x", "t|str|éüöä;", &limits),
        json!({"type": "str", "value": "éüö", "size": 4, "cut": "characters"})
    );
    assert_eq!(local("x", "t|str|éüö;", &limits), json!({"type": "str", "value": "éüö"}));
    let named = encode_with(&format!("h;c;n|v;{list}n|w;t|str|12345;"), &limits);
    assert_eq!(named["captures"]["v"]["items"].as_array().unwrap().len(), 3);
    assert_eq!(named["captures"]["w"]["value"], "1234");
}

#[test]
fn frames_over_their_limits_are_left_out() {
    let limits = Limits { frames: 2, frames_with_locals: 1, ..Limits::default() };
    let json = encode_with(
        "h;f|a|1|a|1;n|x;i|int|1;f|b|2|b|1;n|x;[|list;i|int|1;];f|c|3|c|1;n|x;i|int|1;c;n|y;i|int|1;",
        &limits,
    );
    assert_eq!(json["frames"].as_array().unwrap().len(), 2);
    assert!(json["frames"][0]["locals"].is_object() && json["frames"][1]["locals"].is_null());
    assert_eq!(json["cut"], json!(["locals", "frames"]));
    assert_eq!(json["captures"]["y"]["value"], 1);
}

#[test]
fn levels_beyond_the_depth_are_shown_as_cut() {
    let limits = Limits { depth: 2, ..Limits::default() };
    let json = local("x", "[|list;[|list;[|list|7|1;i|int|1;];i|int|2;];];", &limits);
    let inner = json!([{"type": "list", "size": 1, "id": 7, "cut": "depth"}, {"type": "int", "value": 2}]);
    assert_eq!(json["items"][0]["items"], inner);
}

#[test]
fn a_stream_nested_hundreds_of_thousands_of_levels_deep_is_no_danger() {
    let depth = 300_000;
    let text = format!("h;c;n|x;{}{}", "[|list;".repeat(depth), "];".repeat(depth));
    let limits = Limits { depth: u32::MAX, ..Limits::default() };
    let json = encode_with(&text, &limits);
    let mut inner = &json["captures"]["x"];
    let mut levels = 0;
    while !inner["items"][0].is_null() {
        inner = &inner["items"][0];
        levels += 1;
    }
    assert_eq!((levels, &inner["cut"]), (32, &json!("depth")));
}

#[test]
fn a_snapshot_over_its_size_shows_what_came_first_and_says_so() {
    let mut writer = RecordWriter::new();
    writer.head("a", 1, "f", 1, 1, "", "");
    writer.frame("a", 1, "f", true);
    for name in 0..4000 {
        writer.name(&format!("name_{name}"));
        writer.text("str", &"é\"".repeat(60), None, "");
    }
    writer.frame("b", 1, "g", true);
    writer.captures();
    writer.name("wanted");
    writer.int("int", 1);
    let limits = Limits::default();
    let bytes = encode_snapshot(&writer.finish(), &HEAD, &limits, || 0).unwrap();
    assert!(bytes.len() <= 64 * 1024 && bytes.len() > 60 * 1024, "{}", bytes.len());
    let json: Json = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["cut"], json!(["snapshot size"]));
    let locals = json["frames"][0]["locals"].as_object().unwrap();
    let cut: Vec<_> = locals.values().filter(|value| value["cut"] == "snapshot size").collect();
    assert_eq!(cut, [&json!({"type": "str", "cut": "snapshot size"})]);
    assert!(locals.len() > 200);
    assert_eq!(json["frames"].as_array().unwrap().len(), 1);
}

#[test]
fn a_container_that_fills_the_snapshot_says_what_it_lost() {
    let limits = Limits { named_items: u32::MAX, ..Limits::default() };
    let many = "i|int|1;".repeat(10_000);
    let json = encode_with(&format!("h;c;n|x;[|list|3|10000;[|list;{many}];i|int|2;];"), &limits);
    let inner = &json["captures"]["x"]["items"][0];
    assert_eq!(inner["cut"], "snapshot size");
    assert!(inner["items"].as_array().unwrap().len() > 1000);
    assert_eq!(json["captures"]["x"]["cut"], "snapshot size");
    assert_eq!(json["captures"]["x"]["size"], 10_000);
}

#[test]
fn names_types_and_reasons_of_a_megabyte_fit_too() {
    let huge = "\x01\"é".repeat(100_000);
    for text in [
        format!("h|{huge}|1|{huge}|1|1|{huge}|{huge};"),
        format!("h;f|{huge}|1|{huge}|1;n|{huge};i|{huge}|1;"),
        format!("h;c;n|x;i|{huge}|1;n|y;x|int|{huge};n|{huge};i|int|1;n|z;i|int|2;"),
        format!("h;c;n|x;[|{huge};t|str|{huge}|1|{huge};]|{huge};k|{huge};"),
        format!("h;c;n|x;{{|dict;t|str|{huge};i|int|1;[|tuple;t|str|{huge};];i|int|1;}};"),
        format!("h;c;n|x;(|P;n|{huge};i|int|1;n|y;i|int|1;);"),
    ] {
        let limits = Limits { named_text_chars: u32::MAX, ..Limits::default() };
        let bytes = encode_snapshot(&stream(&text), &HEAD, &limits, || 0).unwrap();
        assert!(bytes.len() <= 64 * 1024, "{}: {}", &text[..20], bytes.len());
        serde_json::from_slice::<Json>(&bytes).unwrap();
    }
}

#[test]
fn random_good_streams_are_valid_json_under_any_size() {
    let mut dice = Dice::new(7);
    for size in [0, 12 * 1024, 13_000, 20_000, 64 * 1024] {
        for _ in 0..60 {
            let limits = Limits {
                depth: 40,
                items: 1000,
                named_items: 1000,
                snapshot_bytes: size,
                ..Limits::default()
            };
            let records = good_stream(&mut dice, 300, None);
            let bytes = encode_snapshot(&records, &HEAD, &limits, || 0).unwrap();
            assert!(bytes.len() <= size.max(12 * 1024) as usize, "{size}: {}", bytes.len());
            serde_json::from_slice::<Json>(&bytes).unwrap();
        }
    }
}
