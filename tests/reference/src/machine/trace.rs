use std::fmt::Debug;

/// Prints what was done, if what follows panics.
#[derive(Debug)]
pub struct Trace<'a, T: Debug>(pub &'a T);

impl<T: Debug> Drop for Trace<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("after {:?}", self.0);
        }
    }
}
