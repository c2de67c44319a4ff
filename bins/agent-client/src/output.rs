//! The one place that prints: results on standard output, everything else on standard error.

use crate::exit::{Exit, Failure};
use crate::table::Table;
use anstyle::{Effects, Style};
use serde::Serialize;
use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Where and how to print.
#[derive(Debug)]
pub(crate) struct Output {
    /// JSON for programs instead of text for people.
    pub(crate) is_json: bool,
    has_color: bool,
}

impl Output {
    pub(crate) fn new(is_json: bool) -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { is_json, has_color: std::io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb }
    }

    /// Without colours, whatever the terminal.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { is_json: false, has_color: false }
    }

    /// With colours, whatever the terminal.
    #[cfg(test)]
    pub(crate) fn colored() -> Self {
        Self { is_json: false, has_color: true }
    }

    /// A line on standard output. What it holds of other people's text must be clean; see [`clean`].
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}")?;
        Ok(out.flush()?)
    }

    /// A value as one line of JSON.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        self.line(&serde_json::to_string(value).map_err(std::io::Error::from)?)
    }

    /// A table, or when it has no rows what that means.
    pub(crate) fn table(&self, table: &Table, empty: &str) -> Result<(), Failure> {
        if table.is_empty() {
            self.note(empty);
            return Ok(());
        }
        for (number, line) in table.lines().into_iter().enumerate() {
            if number == 0 { self.line(&self.dim(&line))? } else { self.line(&line)? }
        }
        Ok(())
    }

    /// A line for people that is no result, on standard error.
    pub(crate) fn note(&self, text: &str) {
        // Nobody is left to be told when standard error is gone.
        let _ = writeln!(std::io::stderr().lock(), "{}", clean(text));
    }

    /// How the program ends, after telling why.
    pub(crate) fn ended(&self, result: Result<(), Failure>) -> ExitCode {
        match result {
            Ok(()) => Exit::Success.into(),
            Err(failure) => {
                self.failure(&failure);
                failure.exit.into()
            }
        }
    }

    /// Why the program ends.
    pub(crate) fn failure(&self, failure: &Failure) {
        if failure.is_silent {
            return;
        }
        if self.is_json {
            self.note(&failure.body().to_string());
        } else {
            self.note(&format!("error: {}", failure.line()));
        }
    }

    /// Less important text.
    pub(crate) fn dim(&self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    /// More important text.
    pub(crate) fn bold(&self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    /// Text that stands no longer.
    pub(crate) fn struck(&self, text: &str) -> String {
        self.paint(Style::new().effects(Effects::STRIKETHROUGH | Effects::DIMMED), text)
    }

    /// Text in a style, where the reader is a terminal that shows it.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        if self.has_color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Other people's text without what could steer the terminal or break the line.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| {
        c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .fold(String::new(), |mut clean, c| {
            match c {
                '\n' => clean.push_str("\\n"),
                '\t' => clean.push_str("\\t"),
                c if is_harmful(c) => clean.extend(c.escape_unicode()),
                c => clean.push(c),
            }
            clean
        })
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_steer_the_terminal() {
        for (text, expected) in [
            ("plain ä 字", "plain ä 字"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("a\nb\tc\r", "a\\nb\\tc\\u{d}"),
            ("\u{202e}evil", "\\u{202e}evil"),
            ("\u{9b}31m", "\\u{9b}31m"),
        ] {
            assert_eq!(clean(text), expected);
        }
    }
}
