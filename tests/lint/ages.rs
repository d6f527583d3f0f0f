//! A `max_age` with several values.

use mta_sts::lint;

use super::{GOOD, kinds::policy};

#[track_caller]
fn age(value: &str, message: &str, help: &str, mended: Option<&str>) {
    let source = GOOD.replace("604800", value);
    let mended = mended.map(|seconds| GOOD.replace("604800", seconds));
    policy(&source, &[&format!("error[policy-max-age]: {message}")], mended.as_deref());
    assert_eq!(lint::policy(source.as_bytes())[0].help(), Some(help), "{value}");
}

#[test]
fn two_values() {
    let two = "`max_age` has two values, `604800` and `1209600`";
    let either = "publish the one that is meant, `max_age: 604800` or `max_age: 1209600`";
    for value in [
        "604800 or 1209600",
        "604800, 1209600",
        "604800,1209600",
        "604800 1209600",
        "604800/1209600",
        "604800|1209600",
        "604800-1209600",
        "604800..1209600",
        "604800; 1209600",
        "604800 or 2 weeks",
        "1 week to 2 weeks",
        "604,800 or 1,209,600",
        "between 604800 and 1209600",
        "604800:1209600",
    ] {
        age(value, two, either, None);
    }
    let any = "publish the one that is meant, as a number of seconds";
    age("86400, 604800, 1209600", "`max_age` has 3 values", any, None);
    let over = "`max_age` has two values, `604800` and `99999999`";
    age("604800 or 99999999", over, any, None);
}

#[test]
fn the_same_value_again() {
    let twice = "`max_age` is given twice";
    for value in [
        "604800 604800",
        "604800, 604800",
        "604800 / 7 days",
        "604800 = 7 days",
        "604800 7 days",
        "604800 seconds / 1 week",
        "604800 - one week",
        "7 days or 604800",
        "604800 for a week",
        "604800 / week",
        "604,800, 604800",
    ] {
        age(value, twice, "write `max_age: 604800`", Some("604800"));
    }
    let thrice = "`max_age` is given 3 times";
    age("604800, 604800, 604800", thrice, "write `max_age: 604800`", Some("604800"));
}

#[test]
fn numbers_that_are_no_values() {
    let whole = "`max_age` must be a whole number of seconds, in digits only";
    let seconds = "write seconds, such as `max_age: 604800` for a week";
    for value in ["1209600.5", "1209600,5", "604800, 12"] {
        let message = if value.contains(' ') {
            "`max_age` must be a number of seconds of 1 to 10 digits"
        } else {
            whole
        };
        age(value, message, seconds, None);
    }
}
