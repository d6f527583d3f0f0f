//! How long reading takes: `cargo bench`. Each `floor` is hand-written code that does the same.

fn main() {
    divan::main();
}

mod record {
    use divan::{Bencher, black_box};
    use mta_sts::{StsRecord, lint};

    use mta_sts_benches::{floor, inputs::RECORD};

    #[divan::bench(name = "floor")]
    fn by_hand(bencher: Bencher<'_, '_>) {
        bencher.bench(|| floor::record(black_box(RECORD.as_bytes())));
    }

    #[divan::bench]
    fn parse(bencher: Bencher<'_, '_>) {
        bencher.bench(|| StsRecord::parse(black_box(RECORD.as_bytes())));
    }

    #[divan::bench(name = "lint")]
    fn diagnose(bencher: Bencher<'_, '_>) {
        bencher.bench(|| lint::record(black_box(RECORD.as_bytes())));
    }
}

mod policy {
    use divan::{Bencher, black_box, counter::BytesCount};
    use mta_sts::{Policy, lint};

    use mta_sts_benches::{
        floor,
        inputs::{LARGE, policy},
    };

    #[divan::bench(name = "floor", args = [3, 20, LARGE])]
    fn by_hand(bencher: Bencher<'_, '_>, mx: usize) {
        let file = policy(mx);
        let bencher = bencher.counter(BytesCount::of_str(&file));
        bencher.bench(|| floor::policy(black_box(file.as_bytes())));
    }

    #[divan::bench(args = [3, 20, LARGE])]
    fn parse(bencher: Bencher<'_, '_>, mx: usize) {
        let file = policy(mx);
        let bencher = bencher.counter(BytesCount::of_str(&file));
        bencher.bench(|| Policy::parse(black_box(file.as_bytes())));
    }

    #[divan::bench(name = "lint", args = [3, 20, LARGE])]
    fn diagnose(bencher: Bencher<'_, '_>, mx: usize) {
        let file = policy(mx);
        let bencher = bencher.counter(BytesCount::of_str(&file));
        bencher.bench(|| lint::policy(black_box(file.as_bytes())));
    }
}

/// Against a policy of three patterns.
mod matches {
    use divan::{Bencher, black_box};
    use mta_sts::Policy;

    use mta_sts_benches::{
        floor,
        inputs::{FIRST, LAST, NONE, policy},
    };

    #[divan::bench(name = "floor", args = [FIRST, LAST, NONE])]
    fn by_hand(bencher: Bencher<'_, '_>, host: &str) {
        let policy = floor::policy(policy(3).as_bytes());
        bencher.bench(|| policy.as_ref().map(|policy| policy.matches(black_box(host))));
    }

    #[divan::bench(args = [FIRST, LAST, NONE])]
    fn ours(bencher: Bencher<'_, '_>, host: &str) {
        let policy = Policy::parse(policy(3).as_bytes());
        bencher.bench(|| policy.as_ref().map(|policy| policy.matches(black_box(host))));
    }
}

mod domain {
    use divan::{Bencher, black_box};
    use mta_sts::Domain;

    #[divan::bench]
    fn ascii(bencher: Bencher<'_, '_>) {
        bencher.bench(|| Domain::parse(black_box("Mail.Example.COM")));
    }

    #[divan::bench]
    fn u_label(bencher: Bencher<'_, '_>) {
        bencher.bench(|| Domain::parse(black_box("Bücher.Example.COM")));
    }
}
