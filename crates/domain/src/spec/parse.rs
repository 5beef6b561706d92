//! Parsing a document into its types, with the path of the field that does not fit.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Violations;

/// Parses `document`; `at` is its own path, put before the paths in errors.
///
/// # Errors
/// The first field that is unknown, missing, of the wrong type or of a value that is not allowed, with the allowed ones.
pub fn parse_document<T: DeserializeOwned>(document: &Value, at: &str) -> Result<T, Violations> {
    serde_path_to_error::deserialize(document).map_err(|error| {
        let inner = error.path().to_string();
        let field = match (at, inner.as_str()) {
            ("", _) => inner,
            (_, ".") => at.to_owned(),
            _ => format!("{at}.{inner}"),
        };
        Violations::one(field, error.into_inner().to_string())
    })
}
