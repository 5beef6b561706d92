//! What can be wrong with a publisher's file or folder.

use std::io;

use thiserror::Error;

use crate::idx_files::is_damage;

/// What is wrong with a publisher's file or folder.
#[derive(Debug, Error)]
pub enum PublishedError {
    /// The operating system refused to read it.
    #[error(transparent)]
    Io(io::Error),
    /// It is not a file of its format, or cut off.
    #[error("it is damaged: {problem}; fetch it again")]
    Damaged {
        /// What does not fit.
        problem: String,
    },
    /// A file in an archive or a folder that is not what it should be.
    #[error("its file {member} {problem}; fetch it again, and extract it whole")]
    Member {
        /// The file's name there.
        member: String,
        /// What is wrong with it, after the name.
        problem: String,
    },
    /// A file that is not in the archive or the folder.
    #[error("it has no file {member}; is it the publisher's whole file?")]
    Lacks {
        /// The file that is looked for.
        member: String,
    },
    /// Another number of examples than the publisher states: a part of the dataset is another dataset.
    #[error("it has {found} {what}, and {expected} are expected; is it the publisher's whole file, or another one?")]
    Count {
        /// What was counted.
        what: &'static str,
        /// What was found; one more than expected may stand for many.
        found: usize,
        /// The publisher's number.
        expected: usize,
    },
    /// More files, or longer names, than any known dataset has.
    #[error("it lists more than {most} files; put the dataset's own files alone there")]
    TooMany {
        /// Most files that are read.
        most: usize,
    },
    /// The examples do not fit the memory.
    #[error("its {bytes} bytes of examples do not fit the memory; limit the number of examples")]
    TooLarge {
        /// Bytes asked for.
        bytes: usize,
    },
}

impl PublishedError {
    /// Says what does not fit.
    pub(super) fn damaged(problem: impl Into<String>) -> Self {
        Self::Damaged { problem: problem.into() }
    }

    /// Tells a file's damage, which a new copy mends, from a disk's.
    pub(super) fn of_reading(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::damaged("it ends too early"),
            _ if is_damage(&error) => Self::damaged(error.to_string()),
            _ => Self::Io(error),
        }
    }

    /// The same for a file within.
    pub(super) fn in_member(member: &str, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::member(member, "ends too early"),
            _ if is_damage(&error) => Self::member(member, format!("is damaged: {error}")),
            _ => Self::Io(error),
        }
    }

    /// Says what is wrong with a file within.
    pub(super) fn member(member: &str, problem: impl Into<String>) -> Self {
        Self::Member { member: member.to_owned(), problem: problem.into() }
    }

    /// Compares a count with the publisher's.
    pub(super) fn check_count(what: &'static str, found: usize, expected: usize) -> Result<(), Self> {
        if found == expected { Ok(()) } else { Err(Self::Count { what, found, expected }) }
    }

    /// An empty buffer that has room for so many bytes.
    pub(super) fn reserve(bytes: usize) -> Result<Vec<u8>, Self> {
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(bytes).map_err(|_| Self::TooLarge { bytes })?;
        Ok(buffer)
    }
}
