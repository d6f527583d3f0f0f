//! Whether the cache is as fast as it must be: prints what it measures as Markdown. Takes some
//! minutes; the machine may be busy. Give the names of parts to see only those.

mod absent;
mod flood;
mod inputs;
mod lookup;
mod report;
mod restart;

use std::env;

use report::Goals;

type Part = (&'static str, fn(&mut Goals));

const PARTS: [Part; 5] = [
    ("absent", absent::compare),
    ("lookup", lookup::compare),
    ("flood", flood::compare),
    ("restart", restart::compare),
    ("inputs", inputs::compare),
];

fn main() {
    let wanted: Vec<String> = env::args().skip(1).collect();
    let mut goals = Goals::default();
    for (name, compare) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            compare(&mut goals);
        }
    }
    goals.print();
}
