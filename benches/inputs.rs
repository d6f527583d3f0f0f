//! What the benchmarks read.

/// RFC 8461 §3.1.
pub const RECORD: &str = "v=STSv1; id=20160831085700Z;";

/// So many `mx` make a [`policy`] of nearly 60 KB, most of the 64 KiB that a file may have.
pub const LARGE: usize = 2600;

/// The first host that `policy(3)` allows.
pub const FIRST: &str = "mx0.example.com";
/// The last host that `policy(3)` allows, in capitals.
pub const LAST: &str = "MX2.Example.COM";
/// A host that `policy(3)` does not allow.
pub const NONE: &str = "mx3.example.com";

/// Returns a policy with so many `mx`, of which the second is a wildcard.
#[must_use]
pub fn policy(mx: usize) -> String {
    let mut file = String::from("version: STSv1\r\nmode: enforce\r\n");
    for n in 0..mx {
        match n {
            1 => file += "mx: *.example.net\r\n",
            _ => file.extend(["mx: mx", &n.to_string(), ".example.com\r\n"]),
        }
    }
    file + "max_age: 604800\r\n"
}
