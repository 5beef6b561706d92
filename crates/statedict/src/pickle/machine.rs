//! The stack machine's state: its stack with marks, its memory and its objects; their number and the depth are bounded.

use std::collections::HashMap;

use super::error::{Fault, PickleError};
use super::source::Source;
use super::value::{Object, Objects, Value};

/// Open marks at once. A state dict in a checkpoint with optimiser state needs about ten.
const DEEPEST: usize = 256;

/// A pickle that was read.
#[derive(Debug)]
pub(crate) struct Pickle<'a> {
    /// What it stands for.
    pub root: Value<'a>,
    /// Its bytes: the next thing in the file begins here.
    pub length: usize,
    /// What its values refer to.
    pub objects: Objects<'a>,
}

/// Reads the pickle at the beginning of `bytes`, pushing and remembering at most `limit` values.
pub(crate) fn read(bytes: &[u8], limit: usize) -> Result<Pickle<'_>, PickleError> {
    let mut machine = Machine {
        source: Source::new(bytes),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        objects: Objects::default(),
        limit,
        spent: 0,
    };
    loop {
        let offset = machine.source.offset();
        if let Some(root) = machine.step().map_err(|fault| PickleError { offset, fault })? {
            return Ok(Pickle { root, length: machine.source.offset(), objects: machine.objects });
        }
    }
}

/// The state of reading.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    pub(super) source: Source<'a>,
    pub(super) memo: HashMap<usize, Value<'a>>,
    pub(super) objects: Objects<'a>,
    stack: Vec<Value<'a>>,
    marks: Vec<usize>,
    limit: usize,
    spent: usize,
}

impl<'a> Machine<'a> {
    pub(super) fn mark(&mut self) -> Result<(), Fault> {
        if self.marks.len() >= DEEPEST {
            return Err(Fault::TooDeep { limit: DEEPEST });
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    /// The lowest place on the stack that an instruction may take from: nothing below an open mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    pub(super) fn top(&self, wanted: &'static str) -> Result<Value<'a>, Fault> {
        self.stack[self.floor()..].last().copied().ok_or(Fault::Mismatch { wanted, found: "nothing" })
    }

    pub(super) fn pop(&mut self, wanted: &'static str) -> Result<Value<'a>, Fault> {
        let value = self.top(wanted)?;
        self.stack.pop();
        Ok(value)
    }

    pub(super) fn pop_many(&mut self, count: usize) -> Result<Vec<Value<'a>>, Fault> {
        let start = self.stack.len().checked_sub(count).filter(|&start| start >= self.floor());
        let start = start.ok_or(Fault::Mismatch { wanted: "more values", found: "fewer" })?;
        Ok(self.stack.split_off(start))
    }

    pub(super) fn pop_to_mark(&mut self) -> Result<Vec<Value<'a>>, Fault> {
        let start = self.marks.pop().ok_or(Fault::Mismatch { wanted: "a mark", found: "none" })?;
        Ok(self.stack.drain(start..).collect())
    }

    pub(super) fn push(&mut self, value: Value<'a>) -> Result<(), Fault> {
        self.spend(1)?;
        self.stack.push(value);
        Ok(())
    }

    pub(super) fn push_object(&mut self, object: Object<'a>) -> Result<(), Fault> {
        let value = self.objects.add(object);
        self.push(value)
    }

    pub(super) fn spend(&mut self, values: usize) -> Result<(), Fault> {
        self.spent = self.spent.saturating_add(values);
        if self.spent > self.limit { Err(Fault::TooManyValues { limit: self.limit }) } else { Ok(()) }
    }
}
