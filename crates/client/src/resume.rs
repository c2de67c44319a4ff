//! What was seen, so that a new connection goes on where the old one ended: no frame twice, none left out.
//!
//! The feed comes in the order of its numbers, so a cursor is enough for it. Messages also come out of that
//! order: those of the mailbox come first on a new connection, and again when they were not acknowledged. They
//! are told apart by their ids, and move the cursor only when they are newer than the connection's greeting,
//! since then they are part of the feed.

use crate::Frame;
use std::collections::{HashSet, VecDeque};

/// Message ids remembered: as many as a mailbox holds.
const REMEMBERED: usize = 10_000;

/// What to do with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is new.
    Deliver,
    /// A message that came before.
    Again,
    /// It was delivered before.
    Drop,
}

/// Where a connection stands in the feed.
#[derive(Debug)]
pub(crate) struct Resume {
    /// Messages come from a mailbox as well as in the feed.
    has_mailbox: bool,
    cursor: Option<u64>,
    greeted_at: u64,
    messages: Remembered,
}

impl Resume {
    pub(crate) fn new(has_mailbox: bool, after: Option<u64>) -> Self {
        Self { has_mailbox, cursor: after, greeted_at: 0, messages: Remembered::default() }
    }

    /// The last event seen: what the next connection gives as `after`.
    pub(crate) fn cursor(&self) -> Option<u64> {
        self.cursor
    }

    /// Takes the greeting of a connection. Answers false when the server's log is another, shorter one than
    /// before: what was seen then says nothing about it.
    pub(crate) fn greeted(&mut self, newest: u64) -> bool {
        self.greeted_at = newest;
        let is_same_log = self.cursor.is_none_or(|cursor| cursor <= newest);
        if !is_same_log {
            self.messages = Remembered::default();
        }
        if !is_same_log || self.cursor.is_none() {
            self.cursor = Some(newest);
        }
        is_same_log
    }

    /// Takes a frame.
    pub(crate) fn accept(&mut self, frame: &Frame) -> Verdict {
        let Some(seq) = frame.seq() else { return Verdict::Deliver };
        let cursor = self.cursor.unwrap_or(0);
        if self.has_mailbox
            && let Some(id) = frame.message_id()
        {
            if seq > self.greeted_at {
                self.cursor = Some(cursor.max(seq));
            }
            return if self.messages.add(id) { Verdict::Deliver } else { Verdict::Again };
        }
        if seq <= cursor {
            return Verdict::Drop;
        }
        self.cursor = Some(seq);
        Verdict::Deliver
    }
}

/// The newest ids of a kind.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    ids: HashSet<Box<str>>,
    order: VecDeque<Box<str>>,
}

impl Remembered {
    /// Answers whether the id is new.
    pub(crate) fn add(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.into()) {
            return false;
        }
        self.order.push_back(id.into());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.ids.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: u64) -> Frame {
        Frame::parse(&format!(r#"{{"type":"agent_registered","seq":{seq}}}"#)).unwrap()
    }

    fn message(seq: u64) -> Frame {
        Frame::parse(&format!(r#"{{"type":"agent_message","message_id":"m{seq}","seq":{seq}}}"#)).unwrap()
    }

    #[test]
    fn a_first_connection_begins_at_its_greeting() {
        let mut resume = Resume::new(true, None);
        assert!(resume.greeted(10));
        assert_eq!(resume.cursor(), Some(10));
        assert_eq!(resume.accept(&event(10)), Verdict::Drop);
        assert_eq!(resume.accept(&event(11)), Verdict::Deliver);
        assert_eq!(resume.accept(&Frame::parse(r#"{"type":"pong"}"#).unwrap()), Verdict::Deliver);
    }

    #[test]
    fn the_greeting_of_a_later_connection_does_not_skip_what_was_missed() {
        let mut resume = Resume::new(false, Some(10));
        assert!(resume.greeted(20));
        assert_eq!(resume.cursor(), Some(10), "a loss right after the greeting must not lose 11 to 20");
        assert_eq!(resume.accept(&event(11)), Verdict::Deliver);
        assert_eq!(resume.accept(&event(11)), Verdict::Drop);
    }

    #[test]
    fn a_mailbox_sent_before_the_feed_does_not_hide_the_feed() {
        let mut resume = Resume::new(true, Some(10));
        resume.greeted(20);
        assert_eq!(resume.accept(&message(18)), Verdict::Deliver);
        assert_eq!(resume.accept(&event(12)), Verdict::Deliver);
        assert_eq!(resume.accept(&message(18)), Verdict::Again);
        assert_eq!(resume.cursor(), Some(12));
        assert_eq!(resume.accept(&message(21)), Verdict::Deliver);
        assert_eq!(resume.cursor(), Some(21), "newer than the greeting: part of the feed");
        assert_eq!(resume.accept(&message(4)), Verdict::Deliver, "never seen, however old");
        assert_eq!(resume.cursor(), Some(21));
    }

    #[test]
    fn messages_of_others_are_plain_events_to_a_listener() {
        let mut resume = Resume::new(false, Some(3));
        resume.greeted(9);
        assert_eq!(resume.accept(&message(4)), Verdict::Deliver);
        assert_eq!((resume.accept(&message(4)), resume.cursor()), (Verdict::Drop, Some(4)));
    }

    #[test]
    fn another_log_begins_anew() {
        let mut resume = Resume::new(true, Some(100));
        resume.greeted(100);
        assert_eq!(resume.accept(&message(101)), Verdict::Deliver);
        assert!(!resume.greeted(2));
        assert_eq!(resume.accept(&event(3)), Verdict::Deliver);
        assert_eq!(resume.accept(&message(101)), Verdict::Deliver, "ids of the other log mean nothing here");
    }

    #[test]
    fn memory_is_bounded() {
        let mut remembered = Remembered::default();
        for n in 0..=REMEMBERED {
            assert!(remembered.add(&n.to_string()));
        }
        assert!(!remembered.contains("0") && remembered.contains("1"));
        assert_eq!(remembered.order.len(), REMEMBERED);
    }
}
