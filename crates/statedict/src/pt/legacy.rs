//! The format before PyTorch 1.6: five pickles (a magic number, the format's version, facts about the machine, the
//! object, the keys of its storages), then each storage behind its number of elements.

use std::io::{Read, Seek, SeekFrom};

use super::error::PtError;
use super::outer;
use super::plan::Plan;
use crate::contents::{Contents, Format};
use crate::limits::Limits;
use crate::pickle::{self, Object, Pickle, Value};

/// `torch.serialization.MAGIC_NUMBER`, 0x1950a86a20f9469cfc6c, as the pickle holds it.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// `torch.serialization.PROTOCOL_VERSION`.
const VERSION: i64 = 1001;

/// A storage's number of elements, before its bytes.
const LENGTH_BYTES: u64 = 8;

/// Reads a file of the older `torch.save`.
pub(crate) fn read<R: Read + Seek>(mut reader: R, limits: &Limits) -> Result<Contents, PtError> {
    let file_bytes = reader.seek(SeekFrom::End(0))?;
    reader.seek(SeekFrom::Start(0))?;
    let head = read_head(&mut reader, file_bytes, limits)?;
    let (mut plan, keys, mut at) =
        describe(&head, limits).map_err(|error| too_long(error, &head, file_bytes, limits))?;
    drop(head);

    for Stored { key, width } in keys {
        reader.seek(SeekFrom::Start(at))?;
        let mut elements = [0; LENGTH_BYTES as usize];
        reader.read_exact(&mut elements)?;
        let bytes = u64::from_le_bytes(elements).saturating_mul(width);
        at += LENGTH_BYTES;
        let end = at.saturating_add(bytes);
        if end > file_bytes {
            return Err(plan.short_storage(&key, file_bytes.saturating_sub(at)));
        }
        if let Some(wanted) = plan.wanted(&key) {
            if wanted != bytes {
                return Err(plan.short_storage(&key, bytes));
            }
            let capacity = usize::try_from(bytes).map_err(|_| plan.short_storage(&key, bytes))?;
            let mut storage = Vec::with_capacity(capacity);
            reader.by_ref().take(bytes).read_to_end(&mut storage)?;
            plan.fill(&key, storage)?;
        }
        at = end;
    }
    plan.finish(Format::PtLegacy)
}

/// A storage behind the pickles, in their order.
struct Stored {
    key: String,
    /// Bytes of an element.
    width: u64,
}

/// The beginning of the file: the pickles, or as much as the limit allows.
fn read_head<R: Read>(reader: &mut R, file_bytes: u64, limits: &Limits) -> Result<Vec<u8>, PtError> {
    let bytes = file_bytes.min(limits.header_bytes as u64);
    let mut head = Vec::with_capacity(usize::try_from(bytes).unwrap_or(limits.header_bytes));
    reader.take(bytes).read_to_end(&mut head)?;
    Ok(head)
}

/// A pickle that ends with the part of the file that may be read is too long, not truncated.
fn too_long(error: PtError, head: &[u8], file_bytes: u64, limits: &Limits) -> PtError {
    let cut = (head.len() as u64) < file_bytes;
    match error {
        PtError::Pickle(pickle) if cut && pickle.fault == pickle::Fault::Truncated => {
            PtError::LongPickle { limit: limits.header_bytes }
        }
        other => other,
    }
}

/// Reads the pickles; gives what to expect of the storages, their order, and where the first begins.
fn describe(head: &[u8], limits: &Limits) -> Result<(Plan, Vec<Stored>, u64), PtError> {
    let mut at = 0;
    let magic = next(head, &mut at, limits)?;
    if magic.root != Value::Long(&MAGIC) {
        return Err(PtError::PlainPickle);
    }
    let version = next(head, &mut at, limits)?;
    if version.root != Value::Integer(VERSION) {
        return Err(PtError::PlainPickle);
    }
    let machine = next(head, &mut at, limits)?;
    check_byte_order(&machine)?;
    let object = next(head, &mut at, limits)?;
    let plan = Plan::new(&outer::find(&object)?, limits)?;
    let keys = next(head, &mut at, limits)?;
    let stored = stored(&object, &keys)?;
    Ok((plan, stored, at as u64))
}

fn next<'a>(head: &'a [u8], at: &mut usize, limits: &Limits) -> Result<Pickle<'a>, PtError> {
    let pickle = pickle::read(&head[*at..], limits.pickle_values).map_err(|error| error.moved(*at))?;
    *at += pickle.length;
    Ok(pickle)
}

fn check_byte_order(machine: &Pickle<'_>) -> Result<(), PtError> {
    let Some(Object::Dict(facts)) = machine.objects.get(machine.root) else { return Err(PtError::PlainPickle) };
    let order = facts.iter().rev().find(|(fact, _)| *fact == Value::Text("little_endian"));
    match order {
        Some((_, Value::Bool(false))) => Err(PtError::ByteOrder { found: "big".to_owned() }),
        _ => Ok(()),
    }
}

/// The storages in the order of the list of keys, with the element widths that the object states.
fn stored(object: &Pickle<'_>, keys: &Pickle<'_>) -> Result<Vec<Stored>, PtError> {
    let widths = object.objects.storage_widths();
    let mut stored = Vec::new();
    for &key in keys.objects.sequence(keys.root).map_err(|_| PtError::PlainPickle)? {
        let Value::Text(key) = key else { return Err(PtError::PlainPickle) };
        let width = *widths.get(key).ok_or_else(|| PtError::UnknownStorage { key: key.to_owned() })?;
        stored.push(Stored { key: key.to_owned(), width });
    }
    Ok(stored)
}
