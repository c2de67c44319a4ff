//! The one place that prints.

/// Prints a line.
#[expect(clippy::print_stdout, reason = "a program that reports to a person")]
pub(crate) fn line(text: impl std::fmt::Display) {
    println!("{text}");
}
