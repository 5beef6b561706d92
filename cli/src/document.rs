//! Sweep files: TOML, YAML or JSON by their ending, read into one kind of value and parsed by the rules.

mod value;

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use domain::{spec::parse_document, sweep::SweepSpec};
use serde_json::Value;

use self::value::Document;
use crate::failure::Failure;

/// Largest file that is read: 10,000 jobs need less, and the coordinator takes no larger message.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The languages of sweep files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Toml,
    Yaml,
    Json,
}

/// A place in a text, and what is wrong there.
#[derive(Debug, PartialEq, Eq)]
struct SyntaxError {
    line: usize,
    column: usize,
    message: String,
}

/// Reads the sweep in `path`; `name` replaces the one in the file.
pub fn read_sweep(path: &Path, name: Option<&str>) -> Result<SweepSpec, Failure> {
    let language = Language::of(path)?;
    let text = read_text(path)?;
    let mut document = language.parse(&text).map_err(|SyntaxError { line, column, message }| Failure::Syntax {
        path: path.to_owned(),
        line,
        column,
        message,
    })?;
    if let (Some(name), Value::Object(members)) = (name, &mut document) {
        members.insert("name".to_owned(), Value::from(name));
    }
    parse_document(&document, "")
        .map_err(|violations| Failure::Invalid { subject: path.display().to_string(), violations })
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {}", path.display()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(anyhow!("{} is over {MAX_BYTES} bytes: split the sweep", path.display()).into());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let (line, column) = place(&String::from_utf8_lossy(valid), valid.len());
        Failure::Syntax { path: PathBuf::from(path), line, column, message: "not UTF-8".to_owned() }
    })
}

impl Language {
    fn of(path: &Path) -> Result<Self, Failure> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("toml") => Ok(Self::Toml),
            Some("yaml" | "yml") => Ok(Self::Yaml),
            Some("json") => Ok(Self::Json),
            _ => Err(anyhow!("{} ends in none of .toml, .yaml, .yml, .json", path.display()).into()),
        }
    }

    fn parse(self, text: &str) -> Result<Value, SyntaxError> {
        match self {
            Self::Toml => parse_toml(text),
            Self::Yaml => parse_yaml(text),
            Self::Json => parse_json(text),
        }
    }
}

fn parse_toml(text: &str) -> Result<Value, SyntaxError> {
    toml::from_str::<Document>(text).map(Document::into_value).map_err(|error| {
        let (line, column) = place(text, error.span().map_or(0, |span| span.start));
        SyntaxError { line, column, message: one_line(error.message()) }
    })
}

fn parse_yaml(text: &str) -> Result<Value, SyntaxError> {
    serde_saphyr::from_str::<Document>(text).map(Document::into_value).map_err(|error| {
        let location = error.location();
        let number = |number: Option<u64>| number.and_then(|number| usize::try_from(number).ok()).unwrap_or(1);
        SyntaxError {
            line: number(location.map(|location| location.line())),
            column: number(location.map(|location| location.column())),
            message: without_place(&one_line(&error.without_snippet().to_string())),
        }
    })
}

fn parse_json(text: &str) -> Result<Value, SyntaxError> {
    serde_json::from_str::<Document>(text).map(Document::into_value).map_err(|error| SyntaxError {
        line: error.line(),
        column: error.column(),
        message: without_place(&error.to_string()),
    })
}

/// Line and column, in characters from 1, of a byte of `text`.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset.min(text.len()))];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Takes the place off the end of a message: it stands at its beginning already.
fn without_place(message: &str) -> String {
    let end = [" at line ", " (line "].iter().filter_map(|mark| message.rfind(mark)).min().unwrap_or(message.len());
    message[..end].to_owned()
}

fn one_line(message: &str) -> String {
    message.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(language: Language, text: &str) -> (usize, usize, String) {
        let SyntaxError { line, column, message } = language.parse(text).unwrap_err();
        (line, column, message)
    }

    #[test]
    fn three_languages_say_the_same() {
        let texts = [
            (Language::Toml, "seeds = [1, 2]\nrate = 5e-4\n[base.data]\ndataset = \"mnist\"\nskip = true\n"),
            (Language::Yaml, "seeds: [1, 2]\nrate: 5e-4\nbase:\n  data:\n    dataset: mnist\n    skip: true\n"),
            (
                Language::Json,
                r#"{"seeds": [1, 2], "rate": 5e-4, "base": {"data": {"dataset": "mnist", "skip": true}}}"#,
            ),
        ];
        let expected = serde_json::json!({
            "seeds": [1, 2],
            "rate": 0.0005,
            "base": {"data": {"dataset": "mnist", "skip": true}},
        });
        for (language, text) in texts {
            assert_eq!(language.parse(text), Ok(expected.clone()), "{language:?}");
        }
    }

    #[test]
    fn syntax_errors_carry_their_place() {
        let cases = [
            (Language::Toml, "name = \"x\"\nseeds = [1,\n= 2\n", 3),
            (Language::Yaml, "name: x\nseeds: [1, 2\nbase: 3\n", 3),
            (Language::Json, "{\n  \"name\": x\n}\n", 2),
        ];
        for (language, text, expected) in cases {
            let (line, column, message) = refusal(language, text);

            assert_eq!(line, expected, "{language:?}: {line}:{column}: {message}");
            assert!(column >= 1 && !message.is_empty() && !message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn keys_that_stand_twice_are_refused() {
        for (language, text) in [
            (Language::Toml, "seeds = [1]\nseeds = [2]\n"),
            (Language::Yaml, "seeds: [1]\nseeds: [2]\n"),
            (Language::Json, "{\"seeds\": [1],\n\"seeds\": [2]}"),
        ] {
            let (line, _, message) = refusal(language, text);

            assert_eq!(line, 2, "{language:?}: {message}");
            assert!(message.contains("duplicate"), "{language:?}: {message}");
        }
    }

    #[test]
    fn numbers_that_no_document_can_store_are_refused() {
        for (language, text) in [
            (Language::Toml, "rate = nan"),
            (Language::Yaml, "rate: .inf"),
            (Language::Json, "{\"rate\": 1e999}"),
            (Language::Toml, "date = 2026-01-01"),
        ] {
            assert!(language.parse(text).is_err(), "{language:?}: {text}");
        }
    }

    #[test]
    fn places_count_characters() {
        assert_eq!(place("a\nbé = x", 6), (2, 4));
        assert_eq!(place("", 0), (1, 1));
    }
}
