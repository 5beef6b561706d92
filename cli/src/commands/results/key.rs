//! What tells numbers apart: the words of `--rows`, `--columns` and `--where`.

use std::str::FromStr;

/// A way in which numbers differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The variant's label.
    Variant,
    /// The in-distribution dataset.
    In,
    /// The OOD dataset.
    Out,
    /// The score.
    Score,
    /// The metric.
    Metric,
    /// The experiment's seed.
    Seed,
    /// A setting of the variant, by its path inside the experiment's document.
    Setting(String),
}

impl Key {
    /// The name that it is asked for by.
    pub fn name(&self) -> &str {
        match self {
            Self::Variant => "variant",
            Self::In => "in",
            Self::Out => "out",
            Self::Score => "score",
            Self::Metric => "metric",
            Self::Seed => "seed",
            Self::Setting(path) => path,
        }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Ok(match name {
            "variant" => Self::Variant,
            "in" | "in_dataset" => Self::In,
            "out" | "out_dataset" => Self::Out,
            "score" => Self::Score,
            "metric" => Self::Metric,
            "seed" => Self::Seed,
            path if path.contains('.') && path.split('.').all(|part| !part.is_empty()) => {
                Self::Setting(path.to_owned())
            }
            other => {
                return Err(format!(
                    "unknown key `{other}`: one of variant, in, out, score, metric, seed expected, or the path of a setting such as \
                     model.realnvp.mask"
                ));
            }
        })
    }
}

/// `KEY=VALUE`: only numbers for which it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What must have the value.
    pub key: Key,
    /// The value.
    pub value: String,
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A variant's label has equals signs of its own: the first one counts.
        let (key, value) = text.split_once('=').ok_or("KEY=VALUE expected, such as out=mnist")?;
        let key: Key = key.parse()?;
        if value.is_empty() {
            return Err(format!("`{text}` lacks the value of `{}`", key.name()));
        }
        if key == Key::Seed && value.parse::<u64>().is_err() {
            return Err(format!("`{value}` is no seed: a whole number expected"));
        }
        Ok(Self { key, value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_words_or_paths() {
        assert_eq!("out".parse(), Ok(Key::Out));
        assert_eq!("model.realnvp.mask".parse(), Ok(Key::Setting("model.realnvp.mask".to_owned())));
        for wrong in ["", "outs", "model..mask", ".mask"] {
            assert!(wrong.parse::<Key>().unwrap_err().contains("one of variant, in, out"), "{wrong}");
        }
    }

    #[test]
    fn conditions_are_parted_at_their_first_equals_sign() {
        let condition: Condition = "variant=mask=cycle".parse().expect("it is a condition");
        assert_eq!((condition.key, condition.value.as_str()), (Key::Variant, "mask=cycle"));
        for (wrong, said) in [("out", "KEY=VALUE"), ("out=", "lacks the value"), ("seed=one", "no seed")] {
            assert!(wrong.parse::<Condition>().unwrap_err().contains(said), "{wrong}");
        }
    }
}
