//! Free values (those of axes and points): `google.protobuf.Value` and JSON.

use std::collections::BTreeMap;

use domain::spec::Violations;
use prost_types::{ListValue, Struct, Value as WireValue, value::Kind};
use serde_json::{Map, Number, Value};

use super::{Fields, FromWire, ToWire, fields::not_finite};

/// The integers that an `f64` holds exactly: ±2⁵³.
const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;

impl ToWire for Value {
    type Wire = WireValue;

    /// The wire's only number is a double: integers beyond 2⁵³ are rounded.
    fn to_wire(&self) -> WireValue {
        let kind = match self {
            Self::Null => Kind::NullValue(0),
            Self::Bool(truth) => Kind::BoolValue(*truth),
            Self::Number(number) => {
                Kind::NumberValue(number.as_f64().expect("a JSON number is an integer or a double"))
            }
            Self::String(text) => Kind::StringValue(text.clone()),
            Self::Array(items) => Kind::ListValue(ListValue { values: items.to_wire() }),
            Self::Object(members) => Kind::StructValue(Struct {
                fields: members.iter().map(|(key, member)| (key.clone(), member.to_wire())).collect(),
            }),
        };
        WireValue { kind: Some(kind) }
    }
}

impl FromWire for Value {
    type Wire = WireValue;

    fn from_wire(wire: WireValue, at: &str) -> Result<Self, Violations> {
        let WireValue { kind } = wire;
        match kind {
            None => Err(Violations::one(at, "missing: a value expected, or null")),
            Some(Kind::NullValue(_)) => Ok(Self::Null),
            Some(Kind::BoolValue(truth)) => Ok(Self::Bool(truth)),
            Some(Kind::NumberValue(number)) => number_from_wire(number, at),
            Some(Kind::StringValue(text)) => Ok(Self::String(text)),
            Some(Kind::ListValue(ListValue { values })) => list_from_wire(values, at),
            Some(Kind::StructValue(members)) => struct_from_wire(members, at),
        }
    }
}

impl ToWire for BTreeMap<String, Value> {
    type Wire = Struct;

    fn to_wire(&self) -> Struct {
        Struct { fields: self.iter().map(|(key, member)| (key.clone(), member.to_wire())).collect() }
    }
}

impl FromWire for BTreeMap<String, Value> {
    type Wire = Struct;

    fn from_wire(wire: Struct, at: &str) -> Result<Self, Violations> {
        let Struct { fields: members } = wire;
        let mut fields = Fields::at(at);
        let parsed: Vec<(String, Option<Value>)> = members
            .into_iter()
            .map(|(key, member)| {
                let value = fields.plain(&key, member);
                (key, value)
            })
            .collect();
        fields.finish(|| parsed.into_iter().map(|(key, value)| Some((key, value?))).collect())
    }
}

/// Whole numbers stay integers: the wire says 16.0 for the `16` of a sweep file, and a width is not a float.
fn number_from_wire(number: f64, at: &str) -> Result<Value, Violations> {
    let is_negative_zero = number == 0.0 && number.is_sign_negative();
    if number.fract() == 0.0 && number.abs() <= EXACT_INTEGERS && !is_negative_zero {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 2⁵³")]
        return Ok(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number).ok_or_else(|| Violations::one(at, not_finite(number)))
}

fn list_from_wire(values: Vec<WireValue>, at: &str) -> Result<Value, Violations> {
    let mut found = Violations::default();
    let mut items = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        match Value::from_wire(value, &format!("{at}[{index}]")) {
            Ok(item) => items.push(item),
            Err(violations) => found.extend(violations),
        }
    }
    found.into_result().map(|()| Value::Array(items))
}

fn struct_from_wire(wire: Struct, at: &str) -> Result<Value, Violations> {
    let members = BTreeMap::<String, Value>::from_wire(wire, at)?;
    Ok(Value::Object(members.into_iter().collect::<Map<_, _>>()))
}
