//! Names for variants: the settings that tell them apart, as short as they can be.

use serde_json::Value;

use super::point::Setting;

/// The label of a point without settings.
pub(super) const BASE: &str = "base";

/// `mask=cycle, width=16`; a field keeps as much of its path as it needs to differ from the others.
pub(super) fn of(settings: &[Setting<'_>]) -> String {
    if settings.is_empty() {
        return BASE.to_owned();
    }
    let fields: Vec<&str> = settings.iter().map(|setting| setting.field).collect();
    let parts: Vec<String> =
        settings.iter().map(|setting| format!("{}={}", shorten(setting.field, &fields), text(setting.value))).collect();
    parts.join(", ")
}

fn shorten<'a>(field: &'a str, all: &[&str]) -> &'a str {
    let starts = field.rmatch_indices('.').map(|(dot, _)| dot + 1);
    starts
        .map(|start| &field[start..])
        .find(|tail| all.iter().filter(|other| is_tail(tail, other)).count() == 1)
        .unwrap_or(field)
}

fn is_tail(tail: &str, field: &str) -> bool {
    field.strip_suffix(tail).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            crate::spec::canonical::to_string(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting<'a>(field: &'a str, value: &'a Value) -> Setting<'a> {
        Setting { field, value, origin: String::new() }
    }

    #[test]
    fn fields_with_the_same_last_word_keep_more_of_their_path() {
        let (one, two, three) = (Value::from(1), Value::from(2), Value::from("cycle"));

        let label = of(&[setting("a.x.width", &one), setting("a.y.width", &two), setting("a.mask", &three)]);

        assert_eq!(label, "x.width=1, y.width=2, mask=cycle");
    }
}
