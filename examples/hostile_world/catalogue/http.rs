//! Faults of HTTP at the Policy Host.

use super::scenario::{
    Applies, EITHER, ENFORCE, GOOD, NO_POLICY, Page, Phase, Scenario, UNKNOWN, scenario,
};

const fn refused(page: Page) -> Phase {
    Phase { page, expected: NO_POLICY, ..GOOD }
}

/// A status with which a valid policy is served.
const fn status(head: &'static str) -> Phase {
    refused(Page::Response(head, ENFORCE))
}

/// A redirect to a place where the policy is.
const fn redirect(head: &'static str) -> Phase {
    refused(Page::Redirect(head, ENFORCE))
}

pub(super) const ALL: &[Scenario] = &[
    scenario(
        "http-301",
        "a redirect to another path, where the policy is",
        &["S3.3-06"],
        redirect("HTTP/1.1 301 Moved Permanently\r\nLocation: /mta-sts.txt"),
    ),
    scenario(
        "http-302-other-host",
        "a redirect to www, where the policy is",
        &["S3.3-06"],
        redirect(
            "HTTP/1.1 302 Found\r\nLocation: https://www.{domain}:{port}/.well-known/mta-sts.txt",
        ),
    ),
    scenario(
        "http-307",
        "a temporary redirect to another path, where the policy is",
        &["S3.3-06"],
        redirect("HTTP/1.1 307 Temporary Redirect\r\nLocation: /mta-sts.txt"),
    ),
    scenario(
        "http-308",
        "a permanent redirect to another path, where the policy is",
        &["S3.3-06"],
        redirect("HTTP/1.1 308 Permanent Redirect\r\nLocation: /mta-sts.txt"),
    ),
    scenario(
        "http-201",
        "status 201 with a policy",
        &["S3.3-05"],
        status("HTTP/1.1 201 Created\r\nContent-Type: text/plain"),
    ),
    scenario(
        "http-203",
        "status 203 with a policy",
        &["S3.3-05"],
        status("HTTP/1.1 203 Non-Authoritative Information\r\nContent-Type: text/plain"),
    ),
    scenario(
        "http-204",
        "status 204",
        &["S3.3-05"],
        refused(Page::Raw("HTTP/1.1 204 No Content\r\nContent-Type: text/plain\r\n\r\n")),
    ),
    scenario(
        "http-206",
        "status 206 with a policy",
        &["S3.3-05"],
        status("HTTP/1.1 206 Partial Content\r\nContent-Type: text/plain"),
    ),
    scenario(
        "http-304",
        "status 304 to a request without a condition",
        &["S3.3-05", "S3.3-07"],
        refused(Page::Raw("HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n")),
    ),
    scenario(
        "http-401",
        "status 401 with a policy",
        &["S3.3-05"],
        status("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Type: text/plain"),
    ),
    scenario(
        "http-404",
        "status 404 with a policy",
        &["S3.3-05"],
        status("HTTP/1.1 404 Not Found\r\nContent-Type: text/plain"),
    ),
    scenario(
        "http-500",
        "status 500 with a policy",
        &["S3.3-05"],
        status("HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain"),
    ),
    scenario(
        "http-early-hints",
        "a response 103 precedes the policy",
        &["S3.3-05"],
        Phase {
            page: Page::Raw(
                "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n\
                 HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n\
                 version: STSv1\nmode: enforce\nmx: mx.{domain}\nmax_age: 604800\n",
            ),
            ..GOOD
        },
    ),
    scenario(
        "http-media-type-html",
        "a policy as text/html, which senders SHOULD refuse",
        &["S3.2-04"],
        Phase { expected: EITHER, ..status("HTTP/1.1 200 OK\r\nContent-Type: text/html") },
    ),
    scenario(
        "http-media-type-absent",
        "a policy without a media type, which senders SHOULD refuse",
        &["S3.2-04"],
        Phase { expected: EITHER, ..status("HTTP/1.1 200 OK") },
    ),
    scenario(
        "http-media-type-parameters",
        "a policy as TEXT/PLAIN with parameters",
        &["S3.2-04"],
        Phase {
            page: Page::Response(
                "HTTP/1.1 200 OK\r\nContent-Type: TEXT/PLAIN; Charset=\"UTF-8\"; a=b",
                ENFORCE,
            ),
            ..GOOD
        },
    ),
    scenario(
        "http-page",
        "a web page instead of the policy, as text/plain",
        &["S3.2-06"],
        refused(Page::Policy("<!DOCTYPE html>\n<title>Welcome</title>\n<p>It works!\n")),
    ),
    scenario(
        "http-gzip",
        "a policy that is compressed with gzip",
        &["S3.2-04"],
        Phase { page: Page::Gzip, expected: EITHER, ..GOOD },
    ),
    scenario(
        "http-chunked",
        "a policy in chunks, one with an extension",
        &["S3.3-05"],
        Phase {
            page: Page::Raw(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n\
                 f\r\nversion: STSv1\n\r\nE\r\nmode: enforce\n\r\n4;a=b\r\nmax_\r\n\
                 00C\r\nage: 604800\n\r\n24\r\nmx: mx.http-chunked.hostile.example\n\r\n0\r\n\r\n",
            ),
            ..GOOD
        },
    ),
    scenario(
        "http-chunk-size-invalid",
        "the size of a chunk is no number",
        &["S3.3-12"],
        refused(Page::Raw(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n\
             -1\r\nversion: STSv1\nmode: enforce\nmx: mx.{domain}\nmax_age: 604800\n\r\n0\r\n\r\n",
        )),
    ),
    scenario(
        "http-chunks-cut",
        "the chunks end before the last one",
        &["S3.3-12"],
        refused(Page::Raw(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n\
             e\r\nmode: enforce\n\r\nf\r\nversion: STSv1\n\r\n10\r\nmax_age: 604800\n\r\n",
        )),
    ),
    scenario(
        "http-two-lengths",
        "two lengths, of which the first is that of a part",
        &["S3.3-12"],
        refused(Page::Raw(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 45\r\n\
             Content-Length: 400\r\n\r\n\
             version: STSv1\nmode: none\nmax_age: 604800\n\n\nmode: enforce\nmx: mx.{domain}\n",
        )),
    ),
    scenario(
        "http-body-cut",
        "the connection ends before the body does",
        &["S3.3-12"],
        refused(Page::Raw(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 400\r\n\r\n\
             version: STSv1\nmode: enforce\nmx: mx.{domain}\nmax_age: 604800\n",
        )),
    ),
    scenario(
        "http-body-reset",
        "the connection is reset before the body ends",
        &["S3.3-12"],
        refused(Page::Reset(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 400\r\n\r\n\
             version: STSv1\nmode: enforce\nmx: mx.{domain}\nmax_age: 604800\n",
        )),
    ),
    scenario(
        "http-body-long",
        "a policy of 70,000 bytes: senders may refuse it, but not believe a part of it",
        &["S3.3-11"],
        Phase {
            page: Page::Long,
            expected: &[Applies::Policy(&["mx.{domain}", "mx2.{domain}"]), Applies::NoPolicy],
            ..GOOD
        },
    ),
    scenario(
        "http-body-endless",
        "a policy in chunks that has no end",
        &["S3.3-10", "S3.3-11"],
        Phase {
            page: Page::Endless(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n\
                 e\r\nmode: enforce\n\r\nf\r\nversion: STSv1\n\r\n10\r\nmax_age: 604800\n\r\n",
                "1000\r\n",
            ),
            expected: UNKNOWN,
            ..GOOD
        },
    ),
    scenario(
        "http-head-endless",
        "the head has no end",
        &["S3.3-10", "S3.3-11"],
        Phase { page: Page::Endless("HTTP/1.1 200 OK\r\n", "X-A: "), expected: UNKNOWN, ..GOOD },
    ),
    scenario(
        "http-drips",
        "a byte comes now and then",
        &["S3.3-10"],
        Phase { page: Page::Drips, expected: UNKNOWN, ..GOOD },
    ),
    scenario(
        "http-cache-control",
        "fields that forbid to keep the policy, which have no effect",
        &["S3.3-07"],
        Phase {
            page: Page::Response(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\n\
                 Expires: Thu, 01 Jan 1970 00:00:00 GMT",
                ENFORCE,
            ),
            ..GOOD
        },
    ),
];
