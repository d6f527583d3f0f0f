#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| mta_sts_fuzz_peers::check(input));
