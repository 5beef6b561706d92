//! Canonical JSON: the same document always gives the same bytes.

use serde::Serialize;
use serde_json::Value;

/// Writes `document` with sorted keys and no white space.
///
/// Keys are sorted here rather than by `serde_json`'s map, whose order depends on a feature that any dependency may turn on.
#[must_use]
pub fn to_string<T: Serialize>(document: &T) -> String {
    let value = serde_json::to_value(document).expect("documents have text keys and serialise to JSON");
    let mut text = String::new();
    write(&value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            write_between(('{', '}'), sorted, text, |(key, member), text| {
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(member, text);
            });
        }
        Value::Array(items) => write_between(('[', ']'), items, text, write),
        scalar => text.push_str(&scalar.to_string()),
    }
}

fn write_between<I: IntoIterator>(
    (open, close): (char, char),
    items: I,
    text: &mut String,
    mut write_item: impl FnMut(I::Item, &mut String),
) {
    text.push(open);
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        write_item(item, text);
    }
    text.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let document = serde_json::json!({"b": {"z": 1, "a": [true, null, "x\"y"]}, "a": 5e-4});

        assert_eq!(to_string(&document), r#"{"a":0.0005,"b":{"a":[true,null,"x\"y"],"z":1}}"#);
    }
}
