//! `cargo bench -p bench --bench time`: how long each kernel takes.

#![allow(clippy::unwrap_used, reason = "a kernel that fails is a mistake here")]

mod kernels;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for kernel in kernels::all() {
        let mut work = (kernel.prepare)();
        criterion.bench_function(kernel.name, |bencher| bencher.iter(&mut work));
    }
    criterion.final_summary();
}
