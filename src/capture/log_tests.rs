use super::super::testing::stream;
use super::*;
use serde_json::{json, Value as Json};

fn encode(template: &str, captures: &str) -> Result<Json, RecordsError> {
    let template = Template::parse(template).unwrap();
    let head = Head { breakpoint: 4, hit: 2, line: 0 };
    let records = stream(&format!("h|a.py|1|f|9|7||;c;{captures}"));
    let bytes = encode_log(&records, &template, &head, &Limits::default(), || 0)?;
    Ok(serde_json::from_slice(&bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&bytes))))
}

fn message(template: &str, captures: &str) -> String {
    let json = encode(template, captures).unwrap_or_else(|error| panic!("{error}"));
    json["message"].as_str().unwrap().to_owned()
}

#[test]
fn a_log_line_has_the_head_of_a_snapshot_and_a_message() {
    let json = encode("total={total}", "i|int|3;").unwrap();
    assert_eq!(
        json,
        json!({"schema": 1, "breakpoint": 4, "location": {"file": "a.py", "line": 1, "function": "f"}, "hit": 2,
            "time_ns": 9, "thread": {"id": 7, "name": null}, "task": null, "message": "total=3", "cut": []})
    );
}

#[test]
fn a_template_without_expressions_needs_no_captures() {
    assert_eq!(message("just {{text}}", ""), "just {text}");
}

#[test]
fn names_of_captures_may_be_given() {
    assert_eq!(message("{a}{b}", "n|a;i|int|1;i|int|2;"), "12");
}

#[test]
fn values_look_as_python_writes_them() {
    for (records, expected) in [
        ("i|int|-3;", "-3"),
        ("i|int|123456789012345678901234567890;", "123456789012345678901234567890"),
        ("d|float|1.5;", "1.5"),
        ("d|float|nan;", "nan"),
        ("b|bool|1;", "True"),
        ("z|NoneType;", "None"),
        ("t|str|it's;", "it's"),
        ("t|str|long|900|characters;", "long…"),
        ("[|list;i|int|1;t|str|a;];", "[1, 'a']"),
        ("[|list;];", "[]"),
        ("[|list;i|int|1;]|items;", "[1, …]"),
        ("[|list;]|depth;", "[…]"),
        ("[|tuple;i|int|1;];", "(1,)"),
        ("[|tuple;i|int|1;i|int|2;];", "(1, 2)"),
        ("[|tuple;];", "()"),
        ("[|set;i|int|1;];", "{1}"),
        ("[|set;];", "set()"),
        ("[|frozenset;i|int|1;];", "frozenset({1})"),
        ("[|frozenset;];", "frozenset()"),
        ("[|deque;i|int|1;];", "deque([1])"),
        ("{|dict;t|str|a;i|int|1;i|int|2;[|list;];};", "{'a': 1, 2: []}"),
        ("{|OrderedDict;t|str|a;i|int|1;};", "OrderedDict({'a': 1})"),
        ("(|Point;n|x;i|int|1;n|y;t|str|b;);", "Point(x=1, y='b')"),
        ("(|Point;);", "Point()"),
        ("[|list|5;@|list|5;];", "[<list ...>]"),
        ("x|object|depth;", "<object: depth>"),
        ("x|NameError|name 'y' is not defined;", "<NameError: name 'y' is not defined>"),
        ("t|Color|Color.RED;", "Color.RED"),
    ] {
        assert_eq!(message("{x}", records), expected);
        assert_eq!(message("<{x}>{y}", &format!("{records}i|int|1;")), format!("<{expected}>1"));
    }
}

#[test]
fn conversions_quote_texts() {
    assert_eq!(message("{x!r} {x!s} {x!a}", "t|str|é';t|str|é';t|str|é';"), "\"é'\" é' \"\\xe9'\"");
    assert_eq!(message("{x!r}", "i|int|1;"), "1");
    assert_eq!(message("{x!r}", "t|Color|Color.RED;"), "Color.RED");
    assert_eq!(message("{x=}", "t|str|a;"), "x='a'");
    assert_eq!(message("{x!a}", "[|list;t|str|é;];"), "['\\xe9']");
}

#[test]
fn specifications_are_applied() {
    assert_eq!(message("{x:>10.2f}|", "d|float|3.14159;"), "      3.14|");
    assert_eq!(message("{x:,}", "i|int|1234567;"), "1,234,567");
    assert_eq!(message("{x:>4}", "t|str|ab;"), "  ab");
    assert_eq!(message("{x!r:>6}", "t|str|ab;"), "  'ab'");
    assert_eq!(message("{x:3}{y:5}|", "b|bool|1;[|list;];"), "  1[]   |");
    assert_eq!(message("{t:%H:%M}", "t|str|12:30;"), "12:30");
}

#[test]
fn secrets_are_redacted() {
    assert_eq!(message("{password} {user.token!r:>5}", "t|str|x;t|str|y;"), "<redacted> <redacted>");
    assert_eq!(message("{password}{n}", "[|list;[|list;];t|str|x;];i|int|1;"), "<redacted>1");
    assert_eq!(
        message("{user}", "(|User;n|name;t|str|u;n|password;t|str|x;);"),
        "User(name='u', password=<redacted>)"
    );
    assert_eq!(
        message("{headers}", "{|dict;t|str|Cookie;[|list;t|str|x;];t|str|Host;t|str|h;};"),
        "{'Cookie': <redacted>, 'Host': 'h'}"
    );
    assert_eq!(message("{author}", "t|str|shown;"), "shown");
}

#[test]
fn there_is_one_value_for_each_expression() {
    let fewer = encode("{a} {b}", "i|int|1;").unwrap_err().to_string();
    assert!(fewer.contains("fewer values than the 2 expressions"), "{fewer}");
    let more = encode("{a}", "i|int|1;i|int|2;").unwrap_err();
    assert!(more.to_string().contains("more values than the 1 expression"), "{more}");
}

#[test]
fn frames_and_their_locals_are_left_out() {
    let template = Template::parse("{x}").unwrap();
    let head = Head { breakpoint: 1, hit: 1, line: 0 };
    let records = stream("h;f|a|1|f|1;n|y;[|list;i|int|5;];k|time;c;i|int|1;");
    let bytes = encode_log(&records, &template, &head, &Limits::default(), || 0).unwrap();
    let json: Json = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["message"], "1");
    assert_eq!(json["cut"], json!(["time"]));
}

#[test]
fn a_message_ends_at_its_limit_and_says_so() {
    let texts = "t|str|é;".repeat(20_000);
    let json = encode("{x}", &format!("[|list;{texts}];")).unwrap();
    let message = json["message"].as_str().unwrap();
    assert!(message.len() <= 16 * 1024 && message.len() > 16_000, "{}", message.len());
    assert!(message.ends_with('…'));
    assert_eq!(json["cut"], json!(["message"]));
}

#[test]
fn a_text_ends_at_its_limit() {
    let shown = message("{x}", &format!("t|str|{};", "é".repeat(5000)));
    assert_eq!(shown.chars().count(), 4097);
}

#[test]
fn deep_nesting_is_bounded() {
    let text = message("{x}", &format!("{}{}", "[|list;".repeat(100_000), "];".repeat(100_000)));
    assert_eq!(text, format!("{}…{}", "[".repeat(32), "]".repeat(32)));
}
