//! What a result must not be, whoever made it.

use super::made::{Made, is_file, read};
use crate::Error;
use crate::following::Sides;
use orchestrator_protocol::ErrorCode;
use orchestrator_repository::Store;
use orchestrator_syntax::{Language, Limits, parse};
use std::collections::HashSet;

/// How lines of a conflict marker begin that nothing else begins with.
const MARKERS: [&[u8]; 3] = [b"<<<<<<<", b"|||||||", b">>>>>>>"];

/// Checks a result against what it was made from. What was merged here has passed the verifier already.
pub(super) fn check(store: &Store, sides: &Sides, made: &Made, is_manual: bool, is_forced: bool) -> Result<(), Error> {
    let Some((mode, result)) = &made.file else { return Ok(()) };
    let [first, second] = &sides.stands;
    let inputs: Vec<_> = [sides.base, first.merged, second.merged].into_iter().flatten().collect();
    let is_text = |version: &orchestrator_predict::Version| is_file(*version) && !version.opaque;
    if is_forced || *mode == orchestrator_predict::Mode::Link || !inputs.iter().all(is_text) {
        return Ok(());
    }
    let inputs = inputs.into_iter().map(|version| read(store, version)).collect::<Result<Vec<_>, _>>()?;
    if is_manual {
        no_new_marker(&inputs, result)?;
    }
    still_parses(&made.path, &inputs, result, is_manual)
}

fn no_new_marker(inputs: &[Vec<u8>], result: &[u8]) -> Result<(), Error> {
    let lines = |text: &'_ [u8]| text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let known: HashSet<Vec<u8>> = inputs.iter().flat_map(|text| lines(text)).collect();
    let is_marker = |line: &Vec<u8>| MARKERS.iter().any(|marker| line.starts_with(marker)) && !known.contains(line);
    match lines(result).iter().position(is_marker) {
        None => Ok(()),
        Some(at) => {
            let detail = format!("line {} is a conflict marker that no side has", at + 1);
            Err(Error::invalid(ErrorCode::ResultRefused, detail, "finish the merge, or give force=true if it is meant"))
        }
    }
}

/// Where all that went in can be parsed, what comes out can be.
fn still_parses(path: &str, inputs: &[Vec<u8>], result: &[u8], is_manual: bool) -> Result<(), Error> {
    let Some(language) = Language::of_path(path) else { return Ok(()) };
    let parsed = |text: &[u8]| parse(language, text, Limits::default()).ok();
    if !inputs.iter().all(|text| parsed(text).is_some_and(|file| file.is_sound())) {
        return Ok(());
    }
    // One that is too large to be parsed is not known to be wrong.
    let Some(error) = parsed(result).and_then(|file| file.errors.first().cloned()) else { return Ok(()) };
    let line = result.get(..error.start).unwrap_or(result).iter().filter(|byte| **byte == b'\n').count() + 1;
    let detail = format!("all versions of '{path}' parse, and the result does not: see its line {line}");
    let hint = if is_manual {
        "mend it, or give force=true if it is meant"
    } else {
        "take another strategy, or give the whole file with manual"
    };
    Err(Error::invalid(ErrorCode::ResultDoesNotParse, detail, hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_that_a_side_has_is_text_and_another_is_refused() {
        let inputs = [b"title\n=======\n<<<<<<< doc\n".to_vec()];
        assert!(no_new_marker(&inputs, b"<<<<<<< doc\n=======\n").is_ok());
        let refused = no_new_marker(&inputs, b"a\n<<<<<<< ours\n").unwrap_err();
        assert!(refused.to_string().starts_with("line 2 "), "{refused}");
    }

    #[test]
    fn what_does_not_parse_is_refused_only_where_everything_did() {
        let sound = [b"def f():\n    return 1\n".to_vec()];
        let refused = still_parses("a.py", &sound, b"x = 1\ndef f(:\n", true).unwrap_err();
        assert!(refused.to_string().ends_with("line 2"), "{refused}");
        assert!(still_parses("a.txt", &sound, b"def f(:\n", true).is_ok());
        assert!(still_parses("a.py", &[b"def (".to_vec()], b"def f(:\n", true).is_ok());
    }
}
