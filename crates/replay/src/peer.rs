//! Another merge program, asked as git asks a merge driver.

use crate::Error;
use process_wrap::std::{CommandWrap, ProcessGroup};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// How long the first looks for its end are apart, and later ones.
const GLANCE: (Duration, Duration) = (Duration::from_micros(500), Duration::from_millis(5));

/// A program to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its name in the tables.
    pub name: String,
    /// The program and its arguments, with placeholders.
    words: Vec<String>,
    /// How long it may take for one file.
    pub limit: Duration,
}

/// What it gave for one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    Clean(Vec<u8>),
    Conflict,
    Failed(String),
}

impl Peer {
    /// From `NAME=COMMAND`. The command is split at white space outside of single and double quotes; no shell takes
    /// part. Placeholders, anywhere in a word: `%O` the base, `%A` ours, `%B` theirs (files in a folder of their own,
    /// which is the working folder), `%P` the path, `%L` the length of a marker, `%%`.
    ///
    /// As with a git merge driver the result is what is in `%A` at the end. Status 0 is clean, 1 to 127 a conflict,
    /// everything else a failure.
    ///
    /// # Errors
    /// There is no name, no command, an open quote or no `%A`.
    pub fn new(given: &str, limit: Duration) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Peer { given: given.to_owned(), why: why.to_owned() };
        let (name, command) = given.split_once('=').ok_or_else(|| wrong("there is no ="))?;
        let mut words = split(command).ok_or_else(|| wrong("a quote is open"))?;
        if name.trim().is_empty() || words.is_empty() {
            return Err(wrong("a name or a command is missing"));
        }
        if !words.iter().any(|word| word.contains("%A")) {
            return Err(wrong("its command does not name %A, where the result is expected"));
        }
        // It runs in a folder of its own.
        if let Some(program) = words.first_mut().filter(|program| program.contains('/')) {
            let absolute = std::path::absolute(&*program).map_err(|error| wrong(&error.to_string()))?;
            *program = absolute.to_string_lossy().into_owned();
        }
        Ok(Self { name: name.trim().to_owned(), words, limit })
    }

    pub(crate) fn merge(&self, folder: &Path, path: &str, [base, ours, theirs]: [&[u8]; 3]) -> Given {
        match self.try_merge(folder, path, [base, ours, theirs]) {
            Ok(given) => given,
            Err(error) => Given::Failed(error.to_string()),
        }
    }

    fn try_merge(&self, folder: &Path, path: &str, versions: [&[u8]; 3]) -> std::io::Result<Given> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let files = ["base", "ours", "theirs"].map(|version| folder.join(format!("{version}.{name}")));
        for (file, content) in files.iter().zip(versions) {
            std::fs::write(file, content)?;
        }
        let [base, ours, theirs] = files.each_ref().map(|file| file.to_string_lossy());
        let fill = |word: &String| fill(word, &[('O', &base), ('A', &ours), ('B', &theirs), ('P', path), ('L', "7")]);
        let mut words = self.words.iter().map(fill);
        let program = words.next().unwrap_or_default();
        let mut command = CommandWrap::with_new(program, |command| {
            command.args(words).current_dir(folder);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        });
        let started = Instant::now();
        let mut child = command.wrap(ProcessGroup::leader()).spawn()?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            let taken = started.elapsed();
            if taken > self.limit {
                child.kill()?;
                return Ok(Given::Failed(format!("took more than {} s", self.limit.as_secs())));
            }
            std::thread::sleep(if taken < GLANCE.1 * 10 { GLANCE.0 } else { GLANCE.1 });
        };
        let [_, ours, _] = &files;
        let given = match status.code() {
            Some(0) => Given::Clean(std::fs::read(ours)?),
            Some(1..=127) => Given::Conflict,
            _ => Given::Failed(status.to_string()),
        };
        for file in &files {
            // A program may have removed one.
            let _ = std::fs::remove_file(file);
        }
        Ok(given)
    }
}

fn split(command: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in command.chars() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => word.get_or_insert_default().push(letter),
            None if letter == '\'' || letter == '"' => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            None if letter.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

fn fill(word: &str, values: &[(char, &str)]) -> String {
    let mut filled = String::new();
    let mut letters = word.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            filled.push(letter);
            continue;
        }
        let next = letters.next();
        match values.iter().find(|(key, _)| Some(*key) == next) {
            Some((_, value)) => filled.push_str(value),
            None if next == Some('%') => filled.push('%'),
            None => {
                filled.push('%');
                filled.extend(next);
            }
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_without_a_shell() {
        let words = |command| split(command).map(|words| words.join("|"));
        assert_eq!(words("a  b\tc").as_deref(), Some("a|b|c"));
        assert_eq!(words("a 'b  c' \"d 'e'\" f'g h'").as_deref(), Some("a|b  c|d 'e'|fg h"));
        assert_eq!(words("a '' b").as_deref(), Some("a||b"));
        assert_eq!(words("a $(b) `c`; d").as_deref(), Some("a|$(b)|`c`;|d"));
        assert_eq!(words("a 'b"), None);
        assert_eq!(words("  ").as_deref(), Some(""));
    }

    #[test]
    fn placeholders_are_filled_once() {
        let values = [('O', "o%A"), ('A', "a b"), ('P', "x/y.rs")];
        assert_eq!(fill("-p=%P:%O%%A%x%", &values), "-p=x/y.rs:o%A%A%x%");
    }

    #[test]
    fn a_program_without_name_or_result_is_refused() {
        for given in ["git", "=git %A", "git=", "git=merge %O %B", "git=merge '%A"] {
            assert!(Peer::new(given, Duration::from_secs(1)).is_err(), "{given}");
        }
    }

    #[test]
    fn status_and_time_say_what_an_answer_is() {
        let folder = tempfile::tempdir().unwrap();
        let given = |command: &str, limit| {
            let peer = Peer::new(&format!("p={command}"), Duration::from_millis(limit)).unwrap();
            peer.merge(folder.path(), "a/b.txt", [b"1", b"2", b"3"])
        };
        assert_eq!(given("cp %B %A", 10_000), Given::Clean(b"3".to_vec()));
        assert_eq!(given("sh -c 'exit 3' %A", 10_000), Given::Conflict);
        assert!(matches!(given("sh -c 'exit 130' %A", 10_000), Given::Failed(_)));
        assert!(matches!(given("sh -c 'sleep 60 & sleep 60' %A", 100), Given::Failed(_)));
        assert!(matches!(given("no-such-program-here %A", 10_000), Given::Failed(_)));
    }
}
