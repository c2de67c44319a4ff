//! Ignore rules and attributes of a worktree, and the conversion of content that they ask for.
//!
//! Read: `.gitignore` and `.gitattributes` of every level, `info/exclude`, `info/attributes`, and what the
//! repository's own configuration names. Not read: the user's and the system's. Filters are never run.

use std::{io::Read, path::Path};

use gix::{
    ObjectId,
    attrs::StateRef,
    bstr::{BStr, ByteSlice},
    filter::plumbing::pipeline::{CrlfRoundTripCheck, convert},
    index::entry::Mode as IndexMode,
    objs::{Find, Kind},
    worktree::stack::state::{attributes, ignore},
};

use crate::{Error, store::objects::Objects};

/// For one pass over the disk; made anew for the next, so that it never knows an old rule file.
pub(super) struct Rules {
    stack: gix::worktree::Stack,
    conversion: gix::filter::plumbing::Pipeline,
    filter: gix::attrs::search::Outcome,
}

impl Rules {
    /// `index` holds the rule files of the index, for those that a sparse checkout leaves out.
    pub(super) fn new(repository: &gix::Repository, index: &gix::index::State) -> Result<Self, Error> {
        let failed = |error: &dyn std::fmt::Display| Error::git("read the ignore rules and attributes", error);
        let stack = repository
            .attributes(
                index,
                attributes::Source::WorktreeThenIdMapping,
                ignore::Source::WorktreeThenIdMappingIfNotSkipped,
                None,
            )
            .map_err(|error| failed(&error))?
            .detach();
        let mut options = gix::filter::Pipeline::options(repository).map_err(|error| failed(&error))?;
        options.drivers.clear();
        options.crlf_roundtrip_check = CrlfRoundTripCheck::Skip;
        let context = repository.command_context().map_err(|error| failed(&error))?;
        let conversion = gix::filter::plumbing::Pipeline::new(context, repository.object_hash(), options);
        let mut filter = gix::attrs::search::Outcome::default();
        filter.initialize_with_selection(&Default::default(), ["filter"]);
        Ok(Self { stack, conversion, filter })
    }

    /// True when git would not add the untracked `path`.
    pub(super) fn excludes(&mut self, path: &BStr, folder: bool, objects: &Objects) -> Result<bool, Error> {
        let mode = if folder { IndexMode::DIR } else { IndexMode::FILE };
        let found = self.stack.at_entry(path, Some(mode), objects);
        Ok(found.map_err(|error| failed(path, &error))?.is_excluded())
    }

    /// True when a filter is meant to stand between the file and git.
    pub(super) fn filters(&mut self, path: &BStr, objects: &Objects) -> Result<bool, Error> {
        let found = self.stack.at_entry(path, Some(IndexMode::FILE), objects).map_err(|error| failed(path, &error))?;
        found.matching_attributes(&mut self.filter);
        Ok(self.filter.iter_selected().any(|found| matches!(found.assignment.state, StateRef::Value(_))))
    }

    /// The content as git would store it. `known` is what the index has at the path: git leaves line ends
    /// alone that are stored there already.
    pub(super) fn stored(
        &mut self,
        path: &BStr,
        content: &[u8],
        known: Option<ObjectId>,
        objects: &Objects,
    ) -> Result<Vec<u8>, Error> {
        let found = self.stack.at_entry(path, Some(IndexMode::FILE), objects).map_err(|error| failed(path, &error))?;
        let os_path: &Path = path.to_path().map_err(|error| failed(path, &error))?;
        let converted = self
            .conversion
            .convert_to_git(
                content,
                os_path,
                &mut |_, outcome| {
                    found.matching_attributes(outcome);
                },
                &mut |buffer| {
                    let Some(id) = known else { return Ok(None) };
                    let object = objects.try_find(&id, buffer)?;
                    Ok(object.filter(|object| object.kind == Kind::Blob).map(|_| ()))
                },
            )
            .map_err(|error| failed(path, &error))?;
        match converted {
            convert::ToGitOutcome::Unchanged(content) => Ok(content.to_vec()),
            convert::ToGitOutcome::Buffer(content) => Ok(content.to_vec()),
            convert::ToGitOutcome::Process(mut content) => {
                let mut all = Vec::new();
                content.read_to_end(&mut all).map_err(|error| failed(path, &error))?;
                Ok(all)
            }
        }
    }

    /// The content as git would write it into the worktree.
    pub(super) fn checked_out(&mut self, path: &BStr, content: &[u8], objects: &Objects) -> Result<Vec<u8>, Error> {
        let found = self.stack.at_entry(path, Some(IndexMode::FILE), objects).map_err(|error| failed(path, &error))?;
        let mut converted = self
            .conversion
            .convert_to_worktree(
                content,
                path,
                &mut |_, outcome| {
                    found.matching_attributes(outcome);
                },
                Default::default(),
            )
            .map_err(|error| failed(path, &error))?;
        let mut all = Vec::new();
        converted.read_to_end(&mut all).map_err(|error| failed(path, &error))?;
        Ok(all)
    }
}

fn failed(path: &BStr, error: &dyn std::fmt::Display) -> Error {
    Error::git(format!("apply the rules for {path:?}"), error)
}
