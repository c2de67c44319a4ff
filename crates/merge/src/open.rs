//! A merge in which nothing is settled but what is proven.

use crate::conflict::{Conflict, Kind};
use crate::frame::Frame;
use crate::lines::OneSided;
use crate::merge::{framed, needs_no_lines};

/// The conflict of a file that both sides touched, with all lines open that any side changed, save where both made the
/// same change: for callers to whom a line merge that the verifier let pass is not enough.
///
/// `None` is a file that is not there.
#[must_use]
pub fn leave_open(base: Option<&[u8]>, ours: Option<&[u8]>, theirs: Option<&[u8]>, path: &str) -> Conflict {
    if let Some(kind) = needs_no_lines(base, ours, theirs, path) {
        return Conflict::whole(kind, base, ours, theirs);
    }
    let [before, our, their] = [base, ours, theirs].map(Option::unwrap_or_default);
    let Some(frame) = Frame::new(before, our, their) else {
        return Conflict::whole(Kind::LineEndings, base, ours, theirs);
    };
    let kind = if base.is_none() { Kind::AddAdd } else { Kind::Content };
    Conflict { kind, pieces: framed(&frame, before, our, their, OneSided::LeaveOpen), why: None }
}
