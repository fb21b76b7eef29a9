use super::*;

fn literal(text: &str) -> Part {
    Part::Literal(text.to_owned())
}

fn expression(source: &str, conversion: Option<char>, format_spec: &str) -> Part {
    Part::Expression { source: source.to_owned(), conversion, format_spec: format_spec.to_owned() }
}

fn parts(text: &str) -> Vec<Part> {
    let template = Template::parse(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(template.parts().len(), template.spans().len());
    for (part, span) in template.parts().iter().zip(template.spans()) {
        match part {
            Part::Literal(literal) => assert_eq!(&text[span.text.clone()], literal),
            Part::Expression { source, format_spec, .. } => {
                assert_eq!(&text[span.text.clone()], source);
                assert_eq!(&text[span.format_spec.clone()], format_spec);
            }
        }
    }
    template.parts
}

#[test]
fn the_usual_template_parses() {
    assert_eq!(
        parts("total={total} of {user.name!r} {x:>10.2f} {{literal}}"),
        [
            literal("total="),
            expression("total", None, ""),
            literal(" of "),
            expression("user.name", Some('r'), ""),
            literal(" "),
            expression("x", None, ">10.2f"),
            literal(" {"),
            literal("literal}"),
        ]
    );
}

#[test]
fn a_text_without_braces_is_one_literal_and_nothing_is_nothing() {
    assert_eq!(parts("hé 100%"), [literal("hé 100%")]);
    assert_eq!(parts(""), []);
}

#[test]
fn brackets_and_quotes_hide_what_would_end_the_expression() {
    for source in [
        "d['}']",
        "d[\"a:b\"]",
        "f({1: 2}, x[1:2])",
        "a != b",
        "'it\\'s }'",
        "\"\"\"a \" } b\"\"\"",
        "(lambda x: x)(1)",
        "(y := 3)",
        "{1, 2}",
        "x if a == b else '!r'",
        "rows[0]['é']",
    ] {
        // `{{` would be a literal brace, as in Python: a blank stands before a set.
        assert_eq!(parts(&format!("{{ {source} }}")), [expression(source, None, "")], "{source}");
    }
}

#[test]
fn conversion_and_specification_come_together() {
    assert_eq!(parts("{x!a:>5}"), [expression("x", Some('a'), ">5")]);
    assert_eq!(parts("{x!s:}"), [expression("x", Some('s'), "")]);
    assert_eq!(parts("{t:%H:%M}"), [expression("t", None, "%H:%M")]);
    assert_eq!(parts("{a:=5}"), [expression("a", None, "=5")]);
}

#[test]
fn an_equals_sign_shows_the_expression_too() {
    assert_eq!(parts("{total=}"), [literal("total="), expression("total", Some('r'), "")]);
    assert_eq!(parts("{ a + b = }"), [literal(" a + b = "), expression("a + b", Some('r'), "")]);
    assert_eq!(parts("{x=!s}"), [literal("x="), expression("x", Some('s'), "")]);
    assert_eq!(parts("{x=:>5}"), [literal("x="), expression("x", None, ">5")]);
    assert_eq!(parts("{a==b}"), [expression("a==b", None, "")]);
    assert_eq!(parts("{a<=b}"), [expression("a<=b", None, "")]);
}

#[test]
fn doubled_braces_are_braces() {
    assert_eq!(parts("{{}}"), [literal("{"), literal("}")]);
    assert_eq!(parts("{{{x}}}"), [literal("{"), expression("x", None, ""), literal("}")]);
}

#[test]
fn expressions_are_counted() {
    assert_eq!(Template::parse("a {b} c {d} {{e}}").unwrap().expression_count(), 2);
}

#[test]
fn what_is_no_template_is_refused_with_position_and_remedy() {
    for (text, at, remedy) in [
        ("}", 0, "write '}}'"),
        ("a } b", 2, "write '}}'"),
        ("a {", 2, "write '{{'"),
        ("a {b", 2, "is not closed"),
        ("{x:>5", 0, "is not closed"),
        ("{x!", 0, "is not closed"),
        ("{x!r", 0, "is not closed"),
        ("{}", 0, "expression is missing"),
        ("{  }", 0, "expression is missing"),
        ("{!r}", 0, "expression is missing"),
        ("{:>5}", 0, "expression is missing"),
        ("{x!q}", 2, "write !r, !s or !a"),
        ("{x!}", 2, "write !r, !s or !a"),
        ("{x!rr}", 2, "write !r, !s or !a"),
        ("{x!é}", 2, "write !r, !s or !a"),
        ("{x:{w}}", 3, "cannot hold expressions"),
        ("{f(x}", 2, "bracket in the expression is not closed"),
        ("{f(x", 2, "bracket in the expression is not closed"),
        ("{f(x]}", 4, "closes none that is open"),
        ("{x)}", 2, "closes none that is open"),
        ("{d['x]}", 3, "quote in the expression is not closed"),
        ("{'\\", 1, "quote in the expression is not closed"),
        ("{'''x''}", 1, "quote in the expression is not closed"),
    ] {
        let error = Template::parse(text).unwrap_err();
        assert_eq!(error.at, at, "{error}");
        let message = error.to_string();
        assert!(message.contains(remedy), "{message}");
        assert!(message.contains(&format!("{text:?} at byte {at}")), "{message}");
    }
}

#[test]
fn random_texts_never_panic_and_parts_are_pieces_of_the_text() {
    let mut dice = crate::capture::testing::Dice::new(42);
    let pieces = [
        "{", "}", "{{", "}}", "!", "!r", ":", "=", "'", "\"", "'''", "\\", "(", ")", "[", "]", "x", " ", "é",
        "😀",
    ];
    let mut good = 0;
    for _ in 0..50_000 {
        let text: String = (0..dice.below(12)).map(|_| dice.pick(&pieces)).collect();
        if Template::parse(&text).is_ok() {
            parts(&text);
            good += 1;
        }
    }
    assert!(good > 500, "{good}");
}
