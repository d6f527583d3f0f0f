//! How often each contestant allocates: a program of its own, because the allocator that counts
//! would slow down those that allocate.

use allocation_counter::measure;

fn main() {
    for scenario in versus::scenarios::all() {
        for contestant in scenario.contestants {
            contestant.run(1); // what is only done the first time
            let counted = measure(|| contestant.run(1));
            println!("{}\t{}\t{}", scenario.name, contestant.name, counted.count_total);
        }
    }
}
