//! An expression as far as it matters for finding a definition: a head, and steps from there.

/// Where an expression starts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Head {
    /// The value a method belongs to, or its type.
    This,
    /// The base of that type.
    Super,
    /// A name that is not local.
    Name(Box<str>),
    /// A path from the root of all names.
    Root,
    /// Something that is not followed.
    Unknown,
}

/// A step from a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// `.name` or `::name`.
    Member(Box<str>),
    /// `(...)`.
    Call,
    /// A value of the type reached so far.
    Instance,
}

/// A head and steps: `Foo().bar` is `Name(Foo)`, `Call`, `Member(bar)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Chain {
    pub(crate) head: Head,
    pub(crate) steps: Vec<Step>,
}

/// Longer chains are not followed.
const MAX_STEPS: usize = 24;

impl Chain {
    pub(crate) fn unknown() -> Self {
        Self { head: Head::Unknown, steps: Vec::new() }
    }

    pub(crate) fn new(head: Head) -> Self {
        Self { head, steps: Vec::new() }
    }

    pub(crate) fn name(name: &str) -> Self {
        Self::new(Head::Name(name.into()))
    }

    /// A path of names: `a.b.C`.
    pub(crate) fn path<'a>(mut names: impl Iterator<Item = &'a str>) -> Self {
        let Some(first) = names.next() else { return Self::unknown() };
        names.fold(Self::name(first), |chain, name| chain.then(Step::Member(name.into())))
    }

    #[must_use]
    pub(crate) fn then(mut self, step: Step) -> Self {
        if self.steps.len() >= MAX_STEPS {
            return Self::unknown();
        }
        self.steps.push(step);
        self
    }

    pub(crate) fn member(self, name: &str) -> Self {
        self.then(Step::Member(name.into()))
    }

    pub(crate) fn is_unknown(&self) -> bool {
        self.head == Head::Unknown
    }

    /// The last name of it.
    pub(crate) fn last_name(&self) -> Option<&str> {
        let last = self.steps.iter().rev().find_map(|step| match step {
            Step::Member(name) => Some(name.as_ref()),
            Step::Call | Step::Instance => None,
        });
        last.or(match &self.head {
            Head::Name(name) => Some(name),
            _ => None,
        })
    }
}
