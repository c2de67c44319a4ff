//! The cases as one page to read: self-contained, without scripts.

use super::aligned::{Cell, Mark, stretches};
use super::text::text;
use crate::{Answer, Case, Class, Judgement, Score};
use orchestrator_repository::ObjectId;
use std::fmt::{Display, Formatter, Write};

/// Most cases on a page.
const MOST: usize = 500;

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>Replay</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #1d2430; background: #fff }
pre { font: 12px/1.45 ui-monospace, monospace; margin: 0; overflow-x: auto }
details { border: 1px solid #ccd3dd; border-radius: 4px; margin: .4rem 0 }
summary { cursor: pointer; padding: .35rem .6rem; overflow-wrap: anywhere }
summary:focus-visible { outline: 2px solid #1f5fbf }
.class { display: inline-block; min-width: 5.5rem; font-weight: 600 }
.note { padding: 0 .6rem .4rem; overflow-wrap: anywhere }
.views { overflow-x: auto }
table { border-collapse: collapse; table-layout: fixed; width: 100%; min-width: 70rem }
th, td { border: 1px solid #e2e6ec; vertical-align: top; padding: .25rem; text-align: left }
.changed, .disputed { display: inline-block; min-width: 100% }
.changed { background: #fff1bf }
.disputed { background: #ffcfc7 }
@media (prefers-color-scheme: dark) {
body { color: #dfe5ee; background: #12161c }
details { border-color: #39424f }
th, td { border-color: #2a323d }
.changed { background: #4a3f10 }
.disputed { background: #6b2418 }
}
</style>
</head>
<body>
<h1>Replay</h1>
";

/// The score, then up to 500 cases, those that differ first: base, both sides, our result and what was committed side
/// by side, where they differ. `read` gives a file's content.
#[must_use]
pub fn html(judgement: &Judgement, score: &Score, read: impl Fn(ObjectId) -> Option<Vec<u8>>) -> String {
    let mut page = HEAD.to_owned();
    let conflicts = judgement.conflicts.iter().flatten().map(|file| Shown {
        case: &file.case,
        answer: &file.ours,
        is_clean_in_git: false,
        one_sided: file.one_sided,
    });
    let clean = judgement.clean.iter().filter(|file| file.is_changed).map(|file| Shown {
        case: &file.case,
        answer: &file.ours,
        is_clean_in_git: true,
        one_sided: file.one_sided,
    });
    let mut all: Vec<Shown<'_>> = conflicts.chain(clean).collect();
    all.sort_by_key(Shown::place);
    // Writing to a string does not fail.
    let _ = write(&mut page, &text(judgement, score), &all, &read);
    page
}

struct Shown<'a> {
    case: &'a Case,
    answer: &'a Answer,
    is_clean_in_git: bool,
    one_sided: bool,
}

impl Shown<'_> {
    /// What is to be read first comes first.
    fn place(&self) -> usize {
        let order = [Class::Broken, Class::Differs, Class::Failed, Class::Conflict];
        match order.iter().position(|class| *class == self.answer.class) {
            Some(3) if self.is_clean_in_git => 0,
            Some(3) if !self.answer.candidates.is_empty() => 4,
            Some(at) => at + 1 + usize::from(at == 3),
            None => 6 + Class::White as usize + Class::Equivalent as usize - self.answer.class as usize,
        }
    }
}

fn write(
    page: &mut String,
    score: &str,
    all: &[Shown<'_>],
    read: &dyn Fn(ObjectId) -> Option<Vec<u8>>,
) -> std::fmt::Result {
    writeln!(page, "<pre>{}</pre>\n<h2>Cases</h2>", Escaped(score))?;
    writeln!(
        page,
        "<p>{} of {}, those that differ first. Yellow: the base has another line. Red: our result and what was committed differ.</p>",
        all.len().min(MOST),
        all.len()
    )?;
    for shown in all.iter().take(MOST) {
        write_case(page, shown, read)?;
    }
    writeln!(page, "</body>\n</html>")
}

fn write_case(page: &mut String, shown: &Shown<'_>, read: &dyn Fn(ObjectId) -> Option<Vec<u8>>) -> std::fmt::Result {
    let Shown { case, answer, is_clean_in_git, one_sided } = shown;
    let kind = if answer.candidates.is_empty() { format!("{:?}", answer.class) } else { "Candidates".to_owned() };
    writeln!(page, "<details>\n<summary><span class=\"class\">{kind}</span> {}</summary>", Escaped(&case.path))?;
    write!(page, "<p class=\"note\">merge {}", case.merge)?;
    if *is_clean_in_git {
        write!(page, " · git merges it")?;
    }
    if *one_sided {
        write!(page, " · committed: one side whole")?;
    }
    if !answer.rules.is_empty() {
        write!(page, " · rules: {}", Escaped(&format!("{:?}", answer.rules)))?;
    }
    if !answer.candidates.is_empty() {
        write!(page, " · candidates: {}", Escaped(&format!("{:?}", answer.candidates)))?;
    }
    if let Some(why) = &answer.why {
        write!(page, " · left: {}", Escaped(why))?;
    }
    writeln!(page, "</p>")?;
    let versions = [case.base, case.ours, case.theirs, case.committed].map(read);
    let [Some(base), Some(ours), Some(theirs), Some(committed)] = &versions else {
        return writeln!(page, "<p class=\"note\">A version cannot be read.</p>\n</details>");
    };
    let mut columns = vec!["base", "ours", "theirs"];
    let mut texts: Vec<&[u8]> = vec![ours, theirs];
    if let Some(result) = &answer.content {
        columns.push(if answer.candidates.is_empty() { "result" } else { "first candidate" });
        texts.push(result);
    }
    columns.push("committed");
    texts.push(committed);
    write!(page, "<div class=\"views\"><table>\n<tr>")?;
    for column in columns {
        write!(page, "<th scope=\"col\">{column}</th>")?;
    }
    writeln!(page, "</tr>")?;
    for stretch in stretches(base, &texts, answer.content.is_some()) {
        let (width, line) = (stretch.cells.len(), stretch.line);
        write!(page, "<tr><th scope=\"rowgroup\" colspan=\"{width}\">from line {line} of the base</th></tr>\n<tr>")?;
        for cell in &stretch.cells {
            write!(page, "<td>")?;
            write_cell(page, cell)?;
            write!(page, "</td>")?;
        }
        writeln!(page, "</tr>")?;
    }
    writeln!(page, "</table></div>\n</details>")
}

fn write_cell(page: &mut String, cell: &Cell) -> std::fmt::Result {
    // A line break right after the tag is not part of the text.
    writeln!(page, "<pre>")?;
    for (line, mark) in &cell.lines {
        match mark {
            Mark::Plain => writeln!(page, "{}", Escaped(line))?,
            Mark::Changed => writeln!(page, "<span class=\"changed\">{}</span>", Escaped(line))?,
            Mark::Disputed => writeln!(page, "<span class=\"disputed\">{}</span>", Escaped(line))?,
        }
    }
    write!(page, "</pre>")
}

/// Text as text, in an element or a quoted attribute.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '"' => out.write_str("&quot;")?,
                '\'' => out.write_str("&#39;")?,
                // What no page may hold, and what turns the direction of text so that it reads as other text.
                '\t' | '\n' => out.write_char(letter)?,
                letter if letter.is_control() || is_direction(letter) => out.write_char('\u{fffd}')?,
                letter => out.write_char(letter)?,
            }
        }
        Ok(())
    }
}

fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let text = Escaped("<script>alert('1' & \"2\")</script>\u{202e}\u{0}\t").to_string();
        assert_eq!(text, "&lt;script&gt;alert(&#39;1&#39; &amp; &quot;2&quot;)&lt;/script&gt;\u{fffd}\u{fffd}\t");
    }
}
