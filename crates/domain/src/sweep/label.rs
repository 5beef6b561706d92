//! Names for variants: the settings that tell them apart, as short as they can be.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{MAX_AXES, point::Setting};

/// The label of a point without settings.
const BASE: &str = "base";

/// The short names of the fields that a sweep varies: each keeps as much of its path as it needs to differ from the others.
#[derive(Debug)]
pub(super) struct ShortNames<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> ShortNames<'a> {
    pub(super) fn of(points: &[Vec<Setting<'a>>]) -> Self {
        let fields: BTreeSet<&str> = points.iter().flatten().map(|setting| setting.field).collect();
        // So many fields exist in no experiment: the point will be refused, and comparing all with all would take minutes.
        let name = |field| if fields.len() > MAX_AXES { field } else { shorten(field, &fields) };
        Self(fields.iter().map(|field| (*field, name(*field))).collect())
    }

    /// `mask=cycle, width=16`.
    pub(super) fn label(&self, settings: &[Setting<'a>]) -> String {
        if settings.is_empty() {
            return BASE.to_owned();
        }
        let parts: Vec<String> =
            settings.iter().map(|setting| format!("{}={}", self.0[setting.field], text(&setting.value))).collect();
        parts.join(", ")
    }
}

fn shorten<'a>(field: &'a str, all: &BTreeSet<&str>) -> &'a str {
    let starts = field.rmatch_indices('.').map(|(dot, _)| dot + 1);
    starts
        .map(|start| &field[start..])
        .find(|tail| all.iter().filter(|other| is_tail(tail, other)).count() == 1)
        .unwrap_or(field)
}

fn is_tail(tail: &str, field: &str) -> bool {
    field.strip_suffix(tail).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A value as people write it: `cycle`, `[0, 1]`, and a choice with its fields as `negative(out=mnist)`.
fn text(value: &Value) -> String {
    let listed = |items: &[Value]| items.iter().map(text).collect::<Vec<_>>().join(", ");
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.len() == 1 && items[0].is_string() => listed(items),
        Value::Array(items) => format!("[{}]", listed(items)),
        Value::Object(members) => {
            let written = members.iter().map(|(name, value)| match value {
                Value::Object(fields) => format!("{name}({})", fields_text(fields)),
                _ => format!("{name}={}", text(value)),
            });
            written.collect::<Vec<_>>().join(", ")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => crate::spec::canonical::to_string(value),
    }
}

fn fields_text(fields: &serde_json::Map<String, Value>) -> String {
    let mut sorted: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    sorted.sort_unstable();
    sorted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting<'a>(field: &'a str, value: &'a Value) -> Setting<'a> {
        Setting { field, value: std::borrow::Cow::Borrowed(value), origin: String::new() }
    }

    #[test]
    fn fields_with_the_same_last_word_keep_more_of_their_path() {
        let (one, two, three) = (Value::from(1), Value::from(2), Value::from("cycle"));

        let point = vec![setting("a.x.width", &one), setting("a.y.width", &two), setting("a.mask", &three)];
        let names = ShortNames::of(std::slice::from_ref(&point));

        assert_eq!(names.label(&point), "x.width=1, y.width=2, mask=cycle");
    }

    #[test]
    fn lists_and_choices_are_written_as_people_write_them() {
        let out = serde_json::json!(["mnist"]);
        let pairs = serde_json::json!([[0, 1], "centre"]);
        let objective = serde_json::json!({"negative": {"threshold_nats": -3e4, "out": "mnist"}});
        let point = vec![setting("a.out", &out), setting("a.mask", &pairs), setting("a.objective", &objective)];

        let label = ShortNames::of(std::slice::from_ref(&point)).label(&point);

        assert_eq!(label, "out=mnist, mask=[[0, 1], centre], objective=negative(out=mnist, threshold_nats=-30000.0)");
    }

    #[test]
    fn points_that_set_different_fields_have_different_labels() {
        let one = Value::from(1);
        let points = [vec![setting("a.x.width", &one)], vec![setting("a.y.width", &one)], vec![]];

        let names = ShortNames::of(&points);

        assert_eq!(points.map(|point| names.label(&point)), ["x.width=1", "y.width=1", "base"]);
    }
}
