//! Atomics with a step of the scheduler before each operation. All orderings are the strongest:
//! what weaker ones allow is looked for elsewhere.

pub(crate) use std::sync::atomic::Ordering;

use super::step;

/// As [`std::sync::atomic::fence`]: a step.
pub(crate) fn fence(_: Ordering) {
    step();
}

macro_rules! numbers {
    ($($name:ident $number:ty;)*) => {$(
        #[derive(Debug, Default)]
        pub(crate) struct $name(std::sync::atomic::$name);

        #[allow(dead_code)]
        impl $name {
            pub(crate) const fn new(value: $number) -> $name {
                $name(std::sync::atomic::$name::new(value))
            }

            pub(crate) fn load(&self, _: Ordering) -> $number {
                step();
                self.0.load(Ordering::SeqCst)
            }

            pub(crate) fn store(&self, value: $number, _: Ordering) {
                step();
                self.0.store(value, Ordering::SeqCst);
            }

            pub(crate) fn swap(&self, value: $number, _: Ordering) -> $number {
                step();
                self.0.swap(value, Ordering::SeqCst)
            }

            pub(crate) fn compare_exchange(
                &self,
                current: $number,
                new: $number,
                _: Ordering,
                _: Ordering,
            ) -> Result<$number, $number> {
                step();
                self.0.compare_exchange(current, new, Ordering::SeqCst, Ordering::SeqCst)
            }
        }
    )*};
}

macro_rules! sums {
    ($($name:ident $number:ty;)*) => {$(
        #[allow(dead_code)]
        impl $name {
            pub(crate) fn fetch_add(&self, value: $number, _: Ordering) -> $number {
                step();
                self.0.fetch_add(value, Ordering::SeqCst)
            }

            pub(crate) fn fetch_or(&self, value: $number, _: Ordering) -> $number {
                step();
                self.0.fetch_or(value, Ordering::SeqCst)
            }

            pub(crate) fn fetch_and(&self, value: $number, _: Ordering) -> $number {
                step();
                self.0.fetch_and(value, Ordering::SeqCst)
            }

            pub(crate) fn fetch_max(&self, value: $number, _: Ordering) -> $number {
                step();
                self.0.fetch_max(value, Ordering::SeqCst)
            }

            pub(crate) fn fetch_min(&self, value: $number, _: Ordering) -> $number {
                step();
                self.0.fetch_min(value, Ordering::SeqCst)
            }
        }
    )*};
}

numbers! { AtomicBool bool; AtomicU8 u8; AtomicU32 u32; AtomicU64 u64; AtomicUsize usize; }
sums! { AtomicU8 u8; AtomicU32 u32; AtomicU64 u64; AtomicUsize usize; }
