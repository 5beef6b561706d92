//! From what a pickle stands for to the state dict in it: the whole, or what lies under a known key.

use std::collections::{HashMap, HashSet};

use super::error::PtError;
use crate::pickle::{Object, Pickle, TensorLayout, Value};

/// Keys of an outer dict under which training programs save the state dict.
pub const STATE_DICT_KEYS: [&str; 4] = ["net", "state_dict", "model_state_dict", "model"];

/// A state dict found in a pickle.
#[derive(Debug)]
pub(super) struct Found<'p, 'a> {
    /// Names and tensors, in order, each name once.
    pub tensors: Vec<(&'a str, &'p TensorLayout<'a>)>,
    pub under: Option<String>,
    pub ignored: Vec<String>,
}

/// Finds the state dict.
pub(super) fn find<'p, 'a>(pickle: &'p Pickle<'a>) -> Result<Found<'p, 'a>, PtError> {
    let Some(Object::Dict(outer)) = pickle.objects.get(pickle.root) else {
        return Err(PtError::NoStateDict { found: pickle.objects.kind(pickle.root).to_owned() });
    };
    let outer = last_of_each(outer);
    let is_tensor = |value: Value<'a>| matches!(pickle.objects.get(value), Some(Object::Tensor(_)));
    let has_tensors =
        |entries: &[(Value<'a>, Value<'a>)]| entries.is_empty() || entries.iter().any(|(_, value)| is_tensor(*value));
    // A dict of settings under `model`, say, is no candidate.
    let known = |key: &str| {
        let value = outer.iter().find(|(name, _)| *name == Value::Text(key))?.1;
        match pickle.objects.get(value) {
            Some(Object::Dict(entries)) if has_tensors(entries) => Some(entries),
            _ => None,
        }
    };
    let mut candidates = STATE_DICT_KEYS.into_iter().filter_map(|key| Some((key, known(key)?)));
    if let Some((key, entries)) = candidates.next() {
        if let Some((second, _)) = candidates.next() {
            return Err(PtError::Ambiguous { first: key, second });
        }
        let others = outer.iter().filter(|(name, _)| *name != Value::Text(key));
        return Ok(Found {
            tensors: tensors(pickle, &last_of_each(entries))?,
            under: Some(key.to_owned()),
            ignored: others.map(|(name, _)| in_words(pickle, *name)).collect(),
        });
    }
    if !has_tensors(&outer) && !outer.is_empty() {
        return Err(PtError::NoStateDict { found: format!("a dict of {}", first_keys(pickle, &outer)) });
    }
    Ok(Found { tensors: tensors(pickle, &outer)?, under: None, ignored: Vec::new() })
}

fn tensors<'p, 'a>(
    pickle: &'p Pickle<'a>,
    entries: &[(Value<'a>, Value<'a>)],
) -> Result<Vec<(&'a str, &'p TensorLayout<'a>)>, PtError> {
    let tensor = |&(name, value): &(Value<'a>, Value<'a>)| match (name, pickle.objects.get(value)) {
        (Value::Text(name), Some(Object::Tensor(layout))) => Ok((name, &**layout)),
        _ => Err(PtError::NoTensor { name: in_words(pickle, name), found: pickle.objects.kind(value) }),
    };
    entries.iter().map(tensor).collect()
}

/// Entries as a Python dict keeps them: each name where it came first, with the value that came last. Keys that are
/// not texts are not compared; no state dict has them.
fn last_of_each<'a>(entries: &[(Value<'a>, Value<'a>)]) -> Vec<(Value<'a>, Value<'a>)> {
    let text = |key: Value<'a>| match key {
        Value::Text(text) => Some(text),
        _ => None,
    };
    let last: HashMap<&str, Value<'a>> = entries.iter().filter_map(|&(key, value)| Some((text(key)?, value))).collect();
    let mut seen = HashSet::new();
    let kept = entries.iter().filter(|(key, _)| text(*key).is_none_or(|text| seen.insert(text)));
    kept.map(|&(key, value)| (key, text(key).and_then(|text| last.get(text)).copied().unwrap_or(value))).collect()
}

fn first_keys<'a>(pickle: &Pickle<'a>, entries: &[(Value<'a>, Value<'a>)]) -> String {
    const SHOWN: usize = 8;
    let mut keys: Vec<String> = entries.iter().take(SHOWN).map(|(key, _)| in_words(pickle, *key)).collect();
    if entries.len() > SHOWN {
        keys.push(format!("{} more", entries.len() - SHOWN));
    }
    keys.join(", ")
}

fn in_words<'a>(pickle: &Pickle<'a>, key: Value<'a>) -> String {
    match key {
        Value::Text(text) => text.to_owned(),
        Value::Integer(number) => number.to_string(),
        other => pickle.objects.kind(other).to_owned(),
    }
}
