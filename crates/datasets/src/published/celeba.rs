//! CelebA: which pictures are the train split and which the test split, as `list_eval_partition.txt` says.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::container::Container;
use super::error::PublishedError;
use super::layouts::Chosen;
use crate::examples::Split;

/// The publisher's list has 2.8 MB.
const MAX_LIST_BYTES: u64 = 1 << 24;

/// The names of a split's pictures, in the list's order: partition 0 to learn from, partition 2 to be judged on. Partition
/// 1, for validation, is not used.
pub fn partition(list: &Path, split: Split) -> Result<Vec<String>, PublishedError> {
    let mut text = String::new();
    let file = File::open(list).map_err(PublishedError::Io)?;
    let read = file.take(MAX_LIST_BYTES + 1).read_to_string(&mut text);
    read.map_err(PublishedError::of_reading)?;
    if text.len() as u64 > MAX_LIST_BYTES {
        return Err(PublishedError::damaged(format!("it is longer than {MAX_LIST_BYTES} bytes")));
    }
    let wanted = match split {
        Split::Train => "0",
        Split::Test => "2",
    };
    let mut names = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        match fields[..] {
            [name, part @ ("0" | "1" | "2")] => names.extend((part == wanted).then(|| name.to_owned())),
            _ => {
                let shown: String = line.chars().take(60).flat_map(char::escape_default).collect();
                let problem = format!("line {} is `{shown}`, and a name and 0, 1 or 2 are expected", index + 1);
                return Err(PublishedError::damaged(problem));
            }
        }
    }
    Ok(names)
}

/// Finds the pictures by their names.
pub fn choose(container: &Container, names: &[String]) -> Result<Chosen, PublishedError> {
    let members = container.members().iter().enumerate();
    let indices: HashMap<&str, usize> = members.map(|(index, member)| (member.file_name(), index)).collect();
    let find = |name: &String| {
        indices.get(name.as_str()).copied().ok_or_else(|| PublishedError::Lacks { member: name.clone() })
    };
    Ok(Chosen { members: names.iter().map(find).collect::<Result<_, _>>()?, ..Chosen::default() })
}
