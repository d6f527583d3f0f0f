//! What the benchmarks read.

/// RFC 8461 §3.1.
pub(crate) const RECORD: &str = "v=STSv1; id=20160831085700Z;";

/// So many `mx` make a [`policy`] of nearly 60 KB, most of the 64 KiB that a file may have.
pub(crate) const LARGE: usize = 2600;

/// The first and the last host that `policy(3)` allows, and one that it does not.
pub(crate) const FIRST: &str = "mx0.example.com";
pub(crate) const LAST: &str = "MX2.Example.COM";
pub(crate) const NONE: &str = "mx3.example.com";

/// A policy with so many `mx`, of which the second is a wildcard.
pub(crate) fn policy(mx: usize) -> String {
    let mut file = String::from("version: STSv1\r\nmode: enforce\r\n");
    for n in 0..mx {
        match n {
            1 => file += "mx: *.example.net\r\n",
            _ => file.extend(["mx: mx", &n.to_string(), ".example.com\r\n"]),
        }
    }
    file + "max_age: 604800\r\n"
}
