//! A receipt is believed for the commit that it was made for, and for no other.

use orchestrator_receipt::{Commit, Error, Fault, GateResult, Key, Receipt, Required, Sealed, seal};
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};

fn pair() -> Ed25519KeyPair {
    let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
    Ed25519KeyPair::from_pkcs8(made.as_ref()).expect("a key")
}

fn public(pair: &Ed25519KeyPair) -> Key {
    let hex: String = pair.public_key().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Key::from_hex(&hex).expect("a key")
}

fn sealed(pair: &Ed25519KeyPair, message: &str, receipt: &Receipt, commit: &Commit) -> String {
    seal(message, receipt, commit, |bytes| pair.sign(bytes).as_ref().try_into().expect("64 bytes"))
}

fn commit() -> Commit {
    Commit { tree: "1".repeat(40), parents: vec!["2".repeat(40)] }
}

fn receipt() -> Receipt {
    let [merge, agent, target] = ["merge-7", "ann", "main"].map(str::to_owned);
    let gate = |name: &str, verdict: &str| GateResult {
        name: name.to_owned(),
        digest: format!("digest of {name}"),
        verdict: verdict.to_owned(),
        exit: Some(0),
        flaky: false,
        not_enforced: Vec::new(),
    };
    let gates = vec![gate("unit", "passed"), gate("lint", "failed")];
    Receipt { gates, ..Receipt::new(merge, agent, target, "2".repeat(40), "3".repeat(40)) }
}

const MESSAGE: &str = "Add a retry\n\nOrchestrator-Agent: ann\n";

fn required(name: &str) -> Required {
    Required { name: name.to_owned(), digest: format!("digest of {name}") }
}

#[test]
fn a_receipt_is_read_as_it_was_written() {
    let pair = pair();
    let message = sealed(&pair, MESSAGE, &receipt(), &commit());
    assert!(message.starts_with(MESSAGE.trim_end()), "{message}");
    let read = Sealed::read(&message).unwrap().unwrap();
    assert_eq!(read.receipt, receipt());
    assert_eq!(read.check(&public(&pair), &commit(), Some(&[required("unit")])), []);
    assert_eq!(Sealed::read(MESSAGE), Ok(None));
}

#[test]
fn it_is_believed_for_no_other_commit_key_or_message() {
    let (pair, key) = (pair(), |pair: &Ed25519KeyPair| public(pair));
    let message = sealed(&pair, MESSAGE, &receipt(), &commit());
    let read = |message: &str| Sealed::read(message).unwrap().unwrap();
    assert_eq!(read(&message).check(&key(&self::pair()), &commit(), None), [Fault::NotSigned]);
    let other = Commit { tree: "4".repeat(40), ..commit() };
    assert_eq!(read(&message).check(&key(&pair), &other, None), [Fault::NotSigned]);
    let merged = Commit { parents: vec!["2".repeat(40), "5".repeat(40)], ..commit() };
    assert_eq!(read(&message).check(&key(&pair), &merged, None), [Fault::NotSigned]);
    let changed = [("Add a retry", "Add two"), ("ann", "bob"), ("\"failed\"", "\"passed\""), ("merge-7", "merge-8")];
    for (from, to) in changed {
        let found = read(&message.replace(from, to)).check(&key(&pair), &commit(), None);
        assert_eq!(found, [Fault::NotSigned], "{from} became {to}");
    }
    let moved = Commit { parents: vec!["6".repeat(40)], ..commit() };
    let faults = read(&message).check(&key(&pair), &moved, None);
    assert!(matches!(&faults[..], [Fault::NotSigned, Fault::Base { .. }]), "{faults:?}");
}

#[test]
fn what_the_base_requires_has_run_as_it_is_defined_there() {
    let pair = pair();
    let read = Sealed::read(&sealed(&pair, MESSAGE, &receipt(), &commit())).unwrap().unwrap();
    let found = |gates: &[Required]| read.check(&public(&pair), &commit(), Some(gates));
    assert_eq!(found(&[required("unit"), required("fuzz")]), [Fault::Skipped("fuzz".to_owned())]);
    let weaker = Required { digest: "another".to_owned(), ..required("unit") };
    assert_eq!(found(&[weaker]), [Fault::Skipped("unit".to_owned())]);
    let faults = found(&[required("lint")]);
    assert!(matches!(&faults[..], [Fault::NotPassed { verdict, .. }] if verdict == "failed"), "{faults:?}");
}

#[test]
fn what_a_message_says_outside_its_trailers_is_no_receipt() {
    let pair = pair();
    let forged = sealed(&pair, MESSAGE, &receipt(), &commit());
    let quoted = format!("{}\n\nOrchestrator-Agent: bob\n", forged.trim_end());
    assert_eq!(Sealed::read(&quoted), Ok(None));
    let real = sealed(&pair, &quoted, &Receipt { agent: "bob".to_owned(), ..receipt() }, &commit());
    assert_eq!(Sealed::read(&real).unwrap().unwrap().receipt.agent, "bob");
}

#[test]
fn what_cannot_be_read_says_why() {
    let line = |receipt: &str, end: &str| format!("Add\n\nOrchestrator-Receipt: {receipt}\n{end}");
    let json = serde_json::to_string(&receipt()).unwrap();
    assert!(matches!(Sealed::read(&line("{", "")), Err(Error::Json(_))));
    assert!(matches!(Sealed::read(&line("{}", "")), Err(Error::Json(_))));
    assert_eq!(Sealed::read(&line("{\"version\":2}", "")), Err(Error::Version(2)));
    for end in ["", "Orchestrator-Signature: 12", "Orchestrator-Signature: xyz\n", "Other: 1\n"] {
        assert_eq!(Sealed::read(&line(&json, end)), Err(Error::Unsigned), "{end}");
    }
    assert_eq!(Key::from_hex("12"), Err(Error::Key));
}

proptest! {
    #[test]
    fn any_message_and_name_come_back(message in "[ -~\n]{1,200}", agent in any::<String>(), tree in "[0-9a-f]{40}") {
        let pair = pair();
        let commit = Commit { tree, ..commit() };
        let receipt = Receipt { agent, ..receipt() };
        let text = sealed(&pair, &format!("{message}\n\nOrchestrator-Merge: merge-7\n"), &receipt, &commit);
        let read = Sealed::read(&text).unwrap().unwrap();
        prop_assert_eq!(&read.receipt, &receipt);
        prop_assert!(read.is_signed_by(&public(&pair), &commit));
    }

    #[test]
    fn no_message_panics(message in any::<String>()) {
        let _any = Sealed::read(&message);
        let _any = Sealed::read(&format!("a\n\nOrchestrator-Receipt: {message}"));
    }
}
