//! Replies to `EHLO`.

use mta_sts::smtp::Capabilities;

#[test]
fn keywords_are_found_in_any_case_and_not_in_the_greeting() {
    let rows = [
        ("250-mx.example.com\r\n250-STARTTLS\r\n250 REQUIRETLS\r\n", [true, true]),
        ("250-mx.example.com\n250-starttls\n250 RequireTls", [true, true]),
        ("mx.example.com\r\nSTARTTLS\r\n", [true, false]),
        ("250-STARTTLS\r\n250 PIPELINING\r\n", [false, false]),
        ("250 STARTTLS\r\n", [false, false]),
        ("250-mx.example.com\r\n250-XSTARTTLS\r\n250 STARTTLSX\r\n", [false, false]),
        ("250-mx.example.com\r\n250 STARTTLS with a parameter\r\n", [true, false]),
        ("", [false, false]),
        ("250-a\r\n250\r\n", [false, false]),
    ];
    for (reply, expected) in rows {
        let found = Capabilities::parse(reply);
        assert_eq!([found.starttls, found.requiretls], expected, "{reply:?}");
    }
}
