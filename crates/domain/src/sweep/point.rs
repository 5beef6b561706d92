//! One point of a sweep: settings put into the base experiment, and the result parsed and checked like a hand-written one.

use std::borrow::Cow;

use serde_json::Value;

use crate::spec::{ExperimentSpec, Violations, parse_document};

/// One field set to one value, and where the sweep's document says so.
#[derive(Debug, Clone)]
pub(super) struct Setting<'a> {
    pub(super) field: &'a str,
    pub(super) value: Cow<'a, Value>,
    pub(super) origin: String,
}

/// Builds the experiment of one point from the base's JSON.
pub(super) fn build(base: &Value, settings: &[Setting<'_>], label: &str) -> Result<ExperimentSpec, Violations> {
    let mut document = base.clone();
    for setting in settings {
        set(&mut document, setting)?;
    }
    let checked =
        parse_document::<ExperimentSpec>(&document, "base").and_then(|spec| spec.validate("base").map(|()| spec));
    checked.map_err(|violations| blame(&violations, settings, label))
}

fn set(document: &mut Value, setting: &Setting<'_>) -> Result<(), Violations> {
    let (parents, leaf) = match setting.field.rsplit_once('.') {
        Some((parents, leaf)) => (parents.split('.').collect(), leaf),
        None => (Vec::new(), setting.field),
    };
    let mut place = document;
    for (depth, parent) in parents.iter().enumerate() {
        let path = parents[..depth].join(".");
        let Some(members) = place.as_object_mut() else {
            return Err(no_such_field(setting, &path, "no fields at all"));
        };
        let known = members.keys().cloned().collect::<Vec<_>>().join(", ");
        place = members.get_mut(*parent).ok_or_else(|| no_such_field(setting, &path, &known))?;
    }
    let Some(members) = place.as_object_mut() else {
        return Err(no_such_field(setting, &parents.join("."), "no fields at all"));
    };
    members.insert(leaf.to_owned(), setting.value.clone().into_owned());
    Ok(())
}

fn no_such_field(setting: &Setting<'_>, parent: &str, known: &str) -> Violations {
    let place = if parent.is_empty() { "the base experiment".to_owned() } else { format!("`base.{parent}`") };
    Violations::one(&setting.origin, format!("`{}` names no field: {place} has {known}", setting.field))
}

/// Points at the setting that caused a violation, or else at the field with the variant's label.
fn blame(violations: &Violations, settings: &[Setting<'_>], label: &str) -> Violations {
    let mut blamed = Violations::default();
    for violation in violations.iter() {
        let inner = violation.field.strip_prefix("base.").unwrap_or(&violation.field);
        let within = settings.iter().find(|setting| is_within(inner, setting.field));
        let cause = within.or_else(|| nearest_below(inner, settings));
        match cause {
            Some(setting) => blamed.add(&setting.origin, format!("`{inner}`: {}", violation.message)),
            None => blamed.add(&violation.field, format!("{} (in variant `{label}`)", violation.message)),
        }
    }
    blamed
}

fn is_within(path: &str, field: &str) -> bool {
    path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The setting of a field just below `path`: a second choice where one is allowed is reported at its parent.
fn nearest_below<'s, 'a>(path: &str, settings: &'s [Setting<'a>]) -> Option<&'s Setting<'a>> {
    let below = settings.iter().filter(|setting| is_within(setting.field, path));
    below.min_by_key(|setting| setting.field.matches('.').count())
}
