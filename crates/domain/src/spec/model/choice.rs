//! Choices in documents: a name, or a table named by the choice (docs/decisions/0001), read so that an error keeps its path.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserializer,
    de::{Error, MapAccess, SeqAccess, Unexpected, Visitor},
};

/// A choice that is read by hand: serde's own reading of enums allows a name or a table for each choice, never both.
pub(super) trait Choice<'de>: Sized {
    /// What is expected, for errors.
    const EXPECTED: &'static str;

    /// The choice that a bare name means, its fields at their defaults.
    fn of_name(name: &str) -> Option<Self>;

    /// The choice whose table comes next; `None` when no table has this name.
    fn of_table<A: MapAccess<'de>>(_name: &str, _tables: &mut A) -> Result<Option<Self>, A::Error> {
        Ok(None)
    }

    /// The choice that a list means.
    fn of_list<A: SeqAccess<'de>>(_items: A) -> Result<Self, A::Error> {
        Err(A::Error::invalid_type(Unexpected::Seq, &Self::EXPECTED))
    }
}

/// Reads a choice.
pub(super) fn deserialize<'de, D: Deserializer<'de>, T: Choice<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(ChoiceVisitor(PhantomData))
}

struct ChoiceVisitor<T>(PhantomData<T>);

impl<'de, T: Choice<'de>> Visitor<'de> for ChoiceVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        T::of_name(name).ok_or_else(|| E::custom(unknown(name, T::EXPECTED)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<T, A::Error> {
        T::of_list(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut tables: A) -> Result<T, A::Error> {
        let Some(name) = tables.next_key::<String>()? else {
            return Err(A::Error::custom(format!("empty: {} expected", T::EXPECTED)));
        };
        let choice = T::of_table(&name, &mut tables)?;
        let choice = choice.ok_or_else(|| A::Error::custom(not_a_table::<T>(&name)))?;
        match tables.next_key::<String>()? {
            Some(second) => Err(A::Error::custom(format!("`{name}` and `{second}`: one choice alone expected"))),
            None => Ok(choice),
        }
    }
}

fn not_a_table<'de, T: Choice<'de>>(name: &str) -> String {
    match T::of_name(name) {
        Some(_) => format!("`{name}` is written as a name, without a table"),
        None => unknown(name, T::EXPECTED),
    }
}

fn unknown(name: &str, expected: &str) -> String {
    format!("unknown choice `{name}`, expected {expected}")
}
