//! Whether a use that fitted a definition still does.

use super::Certainty;
use super::work::Work;
use crate::changes::{compare, same_signature};
use crate::language::Family;
use crate::{Arguments, Entity, EntityKind, File, Language, Signature, SignatureChange, Use, UseKind};

impl Work<'_> {
    /// Whether the use fitted before and does not fit after.
    pub(super) fn unfit(
        &self,
        before: &[&Entity],
        after: &[&Entity],
        path: &str,
        place: &str,
        file: &File,
        one: &Use,
    ) -> Option<Certainty> {
        let old: Vec<&Signature> = before.iter().map(|entity| &entity.signature).collect();
        let new: Vec<&Signature> = after.iter().map(|entity| &entity.signature).collect();
        let kind = before.first()?.kind;
        let is_call = matches!(one.kind, UseKind::Call | UseKind::Construct);
        if !is_call {
            return self.unfit_reference(kind, &old, &new, path, place, one);
        }
        let arguments = one.arguments.clone().unwrap_or_default();
        let suits =
            |all: &[&Signature]| all.iter().any(|signature| accepts(file.language, kind, signature, &arguments));
        if !suits(&new) {
            // A call that never fitted is one that is not understood.
            return Some(if suits(&old) { Certainty::Definite } else { Certainty::Possible });
        }
        let suited: Vec<&&Signature> =
            old.iter().filter(|signature| accepts(file.language, kind, signature, &arguments)).collect();
        let kept = suited.iter().any(|signature| new.iter().any(|other| same_signature(signature, other)));
        if kept && suited.len() == 1 {
            return None;
        }
        let candidates: Vec<&&Signature> =
            new.iter().filter(|signature| accepts(file.language, kind, signature, &arguments)).collect();
        let (Some(from), Some(to)) = (suited.first(), candidates.first()) else { return None };
        let harmful =
            compare(from, to).iter().any(|change| self.harms(change, from, to, &arguments, path, place, one, kind));
        if !harmful {
            return None;
        }
        // Which overload was meant is not known by number alone.
        Some(if kept || suited.len() > 1 { Certainty::Possible } else { Certainty::Definite })
    }

    fn unfit_reference(
        &self,
        kind: EntityKind,
        old: &[&Signature],
        new: &[&Signature],
        path: &str,
        place: &str,
        one: &Use,
    ) -> Option<Certainty> {
        if one.kind == UseKind::Import || one.kind == UseKind::Inherit {
            let hidden = old.iter().zip(new).any(|(from, to)| {
                compare(from, to).contains(&SignatureChange::VisibilityChanged) && hides(from, to, path, place)
            });
            return hidden.then_some(Certainty::Definite);
        }
        let (Some(from), Some(to)) = (old.first(), new.first()) else { return None };
        let changes = compare(from, to);
        if kind.is_callable() {
            // Passed on: whoever calls it in the end is not known.
            let harmful = changes.iter().any(|change| {
                !matches!(
                    change,
                    SignatureChange::OptionalAdded { .. }
                        | SignatureChange::BecameOptional { .. }
                        | SignatureChange::VisibilityChanged
                )
            });
            return harmful.then_some(Certainty::Possible);
        }
        if matches!(kind, EntityKind::Field | EntityKind::Variable | EntityKind::Constant) {
            let typed =
                from.result.is_some() && to.result.is_some() && changes.contains(&SignatureChange::ResultChanged);
            return typed.then_some(Certainty::Definite);
        }
        let hidden = changes.contains(&SignatureChange::VisibilityChanged) && hides(from, to, path, place);
        hidden.then_some(Certainty::Definite)
    }

    /// Whether a change matters for a call that fits by number and names.
    #[expect(clippy::too_many_arguments, reason = "all that a call and a change are made of")]
    fn harms(
        &self,
        change: &SignatureChange,
        from: &Signature,
        to: &Signature,
        arguments: &Arguments,
        path: &str,
        place: &str,
        one: &Use,
        kind: EntityKind,
    ) -> bool {
        let at = |signature: &Signature, name: &str| signature.parameters.iter().position(|one| one.name == name);
        match change {
            SignatureChange::Reordered => {
                let prefix = from.parameters.iter().zip(&to.parameters).take(arguments.positional);
                prefix.into_iter().any(|(left, right)| left.name != right.name)
            }
            SignatureChange::TypeChanged { name } => {
                let written = |signature: &Signature| {
                    at(signature, name)
                        .and_then(|at| signature.parameters.get(at))
                        .and_then(|one| one.written_type.clone())
                };
                let place = at(to, name).unwrap_or(usize::MAX);
                let passed = place < arguments.positional || arguments.keywords.contains(name) || name.is_empty();
                passed
                    && ((written(from).is_some() && written(to).is_some()) || name.is_empty())
                    && !widens(written(from), written(to))
            }
            SignatureChange::ResultChanged => {
                let left_out = |result: &Option<String>| result.is_none() && self.untyped(place);
                !(kind.is_type() || left_out(&from.result) || left_out(&to.result))
            }
            SignatureChange::AsyncChanged => to.is_async != one.is_awaited,
            SignatureChange::ReceiverChanged => true,
            SignatureChange::VisibilityChanged => hides(from, to, path, place),
            SignatureChange::ParameterRemoved { .. } | SignatureChange::RequiredAdded { .. } => {
                // By position the same number may mean other parameters.
                let prefix = from.parameters.iter().zip(&to.parameters).take(arguments.positional);
                prefix
                    .into_iter()
                    .any(|(left, right)| left.name != right.name && left.written_type != right.written_type)
                    || (arguments.positional > 0
                        && from.parameters.first().map(|one| &one.name) != to.parameters.first().map(|one| &one.name)
                        && from.parameters.len() != to.parameters.len())
            }
            SignatureChange::PassingChanged { .. }
            | SignatureChange::OptionalAdded { .. }
            | SignatureChange::BecameOptional { .. }
            | SignatureChange::BecameRequired { .. }
            | SignatureChange::ParameterRenamed { .. } => false,
        }
    }

    /// Whether types need not be written in a file's language.
    fn untyped(&self, place: &str) -> bool {
        let language = self.base.file(place).map(|file| file.language);
        matches!(language.map(Language::family), Some(Family::Python | Family::Script | Family::Ruby | Family::Php))
    }
}

/// Whether a call fits, with what a language lets pass.
fn accepts(language: Language, kind: EntityKind, signature: &Signature, arguments: &Arguments) -> bool {
    if signature.accepts(arguments) {
        return true;
    }
    match language.family() {
        // A literal with fields says nothing of a constructor; with none in Go all are zero.
        Family::Go if kind == EntityKind::Struct => arguments.keywords.is_empty() && arguments.positional == 0,
        Family::C | Family::CSharp | Family::Java if kind.is_type() => true,
        // A last hash is positional where no keyword takes it.
        Family::Ruby if !arguments.keywords.is_empty() => {
            let merged =
                Arguments { positional: arguments.positional + 1, keywords: Vec::new(), spread: arguments.spread };
            !signature.parameters.iter().any(|one| matches!(one.passing, crate::Passing::Keyword))
                && signature.accepts(&merged)
        }
        // `this` of a method called through its type.
        Family::Rust
            if !signature.receiver.is_empty() && signature.receiver != "static" && arguments.positional > 0 =>
        {
            let rest = Arguments { positional: arguments.positional - 1, ..arguments.clone() };
            signature.accepts(&rest)
        }
        Family::CSharp if signature.text.contains("( this ") => {
            // An extension method's first parameter is the receiver.
            signature.accepts(&Arguments { positional: arguments.positional + 1, ..arguments.clone() })
        }
        _ => false,
    }
}

/// Whether a new type takes all that the old one took: the old one or something else.
fn widens(from: Option<String>, to: Option<String>) -> bool {
    let (Some(from), Some(to)) = (from, to) else { return true };
    let parts: Vec<&str> = to.split('|').collect();
    parts.contains(&from.as_str())
        || to == format!("Optional[{from}]")
        || to == format!("?{from}")
        || to == format!("{from}?")
        || to == "any"
        || to == "Any"
}

/// Whether a use in one file no longer sees what is in another.
fn hides(from: &Signature, to: &Signature, path: &str, place: &str) -> bool {
    let rank = |signature: &Signature| match signature.visibility.as_str() {
        "private" | "static" => 0,
        "protected" => 1,
        "internal" => 2,
        "" => 2,
        text if text.starts_with("pub(") => 2,
        _ => 3,
    };
    let narrower = rank(to) < rank(from);
    let own = path == place;
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    narrower
        && !own
        && (rank(to) < 2
            || folder(path) != folder(place)
            || to.visibility.is_empty() && from.visibility.starts_with("pub"))
}
