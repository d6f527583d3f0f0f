//! Lists of overrides in a file.

use mta_sts::{Domain, cache::OverrideList};

#[test]
fn errors_name_the_line() {
    let long = format!("a.example enforce {}", "mx.a.example ".repeat(4_000));
    let rows = [
        ("\na.example", "line 2: a mode must follow the domain: `none`, `testing` or `enforce`"),
        (
            "a.example Enforce mx.a.example",
            "line 1: the mode must be `none`, `testing` or `enforce`, in lower case",
        ),
        ("a.example enforce", "line 1: mode enforce needs an MX pattern"),
        ("a.example testing # mx.a.example", "line 1: mode testing needs an MX pattern"),
        ("a.example none mx.a.example", "line 1: mode none has no MX patterns"),
        ("a.example none\n# b\nA.Example. none", "line 3: the domain is on line 1, too"),
        ("[192.0.2.1] none", "line 1: \"[192.0.2.1]\" is an address literal, which has no policy"),
        (
            "a.example enforce mx.*.example",
            "line 1: an MX pattern is one host name, or `*.` and a host name, not \"mx.*.example\"",
        ),
        (&long, "line 1: the patterns are too long for a policy"),
    ];
    for (text, expected) in rows {
        let error = text.parse::<OverrideList>().unwrap_err();
        assert!(error.to_string().starts_with(expected), "{text:.40?}: {error}");
    }
}

#[test]
fn a_list_is_read_as_it_is_printed() {
    let text = "\u{feff}# from the operator\r\n\tb.example  enforce mx.b.example *.b.example # both\r\n\
                a.example none\n\nc.example testing MX.c.example";
    let list: OverrideList = text.parse().unwrap();
    let printed = list.to_string();
    assert_eq!(
        printed,
        "a.example none\nb.example enforce mx.b.example *.b.example\nc.example testing MX.c.example\n"
    );
    assert_eq!(printed.parse(), Ok(list.clone()));
    let b = list.get(&Domain::parse("b.example").unwrap()).unwrap().unwrap();
    assert!(b.matches("x.b.example") && !b.matches("b.example"));
    assert_eq!(list.get(&Domain::parse("d.example").unwrap()), None);
}
