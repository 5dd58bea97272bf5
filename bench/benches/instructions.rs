//! Runs one kernel a number of times and nothing else, for `bench/callgrind.sh` to count.
//!
//! Arguments: the kernel's name and the number; without them, the names are listed.

#![allow(clippy::unwrap_used, reason = "a kernel that fails is a mistake here")]
#![allow(clippy::print_stdout, reason = "the names are what it is for")]

mod kernels;

fn main() {
    // What cargo adds for its own harness begins with a dash.
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let (Some(name), Some(times)) = (args.next(), args.next()) else {
        kernels::all().for_each(|kernel| println!("{}", kernel.name));
        return;
    };
    let kernel = kernels::all().find(|kernel| kernel.name == name).unwrap();
    let mut work = (kernel.prepare)();
    for _ in 0..times.parse::<u64>().unwrap() {
        work();
    }
}
