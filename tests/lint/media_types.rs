//! The media type that a policy is served with.

use mta_sts::lint::{
    self,
    Severity::{self, Error, Warning},
};

#[test]
fn s3_2_04_media_types() {
    #[track_caller]
    fn says(media_type: &str, expected: Option<(&str, Severity)>) {
        let list = lint::media_type(media_type.as_bytes());
        let list: Vec<_> = list.iter().map(|one| (one.code(), one.severity())).collect();
        assert_eq!(list, expected.into_iter().collect::<Vec<_>>(), "{media_type:?}");
    }

    for media_type in [
        "text/plain",
        "Text/PLAIN",
        "text/plain; charset=utf-8",
        "text/plain;charset=UTF-8",
        "text/plain ; charset=\"us-ascii\" ; x=y",
        "text/plain; x=\"a\\\"; charset=b\"; charset=utf-8",
        "text/plain;",
        "text/plain;; x=\"\"",
    ] {
        says(media_type, None);
    }
    says("text/plain; charset=iso-8859-1", Some(("media-type-charset", Warning)));
    for media_type in
        ["text/html", "text/html; charset=utf-8", "application/octet-stream", "text/x"]
    {
        says(media_type, Some(("media-type-not-text-plain", Error)));
    }
    for media_type in [
        "",
        "text",
        "text/",
        "/plain",
        "text/plain x",
        "text/plain; x",
        "text /plain",
        "text/plain; x=\"",
        "text/plain\r\nx: y",
        "text/pl\u{e4}in",
    ] {
        says(media_type, Some(("media-type-malformed", Error)));
    }
}
