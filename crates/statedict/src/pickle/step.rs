//! One instruction of the stack machine after another, each checked.

use super::callable::Callable;
use super::error::Fault;
use super::machine::Machine;
use super::opcode as op;
use super::value::{Object, Storage, Value};

impl<'a> Machine<'a> {
    /// Carries one instruction out; the last gives the value that the pickle stands for.
    pub(super) fn step(&mut self) -> Result<Option<Value<'a>>, Fault> {
        let opcode = self.source.byte()?;
        if opcode == op::STOP {
            return self.pop("a value at the end").map(Some);
        }
        let known = self.frame(opcode)?
            || self.plain(opcode)?
            || self.container(opcode)?
            || self.memory(opcode)?
            || self.name(opcode)?;
        if known { Ok(None) } else { Err(Fault::ForeignInstruction { opcode }) }
    }

    fn frame(&mut self, opcode: u8) -> Result<bool, Fault> {
        match opcode {
            op::PROTO => {
                let protocol = self.source.byte()?;
                if protocol > 5 {
                    return Err(Fault::Protocol { protocol });
                }
            }
            // Frames tell a reader how much to fetch at once; everything is here already.
            op::FRAME => _ = self.source.length::<8>()?,
            op::MARK => self.mark()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn plain(&mut self, opcode: u8) -> Result<bool, Fault> {
        let value = match opcode {
            op::NONE => Value::None,
            op::NEWTRUE | op::NEWFALSE => Value::Bool(opcode == op::NEWTRUE),
            op::INT => match self.source.line()? {
                flag @ ("00" | "01") => Value::Bool(flag == "01"),
                digits => Value::Integer(integer(digits)?),
            },
            op::LONG => {
                let line = self.source.line()?;
                Value::Integer(integer(line.strip_suffix('L').unwrap_or(line))?)
            }
            op::BININT => Value::Integer(i64::from(i32::from_le_bytes(self.source.array()?))),
            op::BININT1 => Value::Integer(i64::from(self.source.byte()?)),
            op::BININT2 => Value::Integer(i64::from(u16::from_le_bytes(self.source.array()?))),
            op::LONG1 => long(self.source.counted::<1>()?),
            op::LONG4 => long(self.source.counted::<4>()?),
            op::FLOAT => {
                self.source.line()?;
                Value::Float
            }
            op::BINFLOAT => {
                self.source.array::<8>()?;
                Value::Float
            }
            op::SHORT_BINSTRING => Value::Text(self.source.text::<1>()?),
            op::BINSTRING => Value::Text(self.source.text::<4>()?),
            op::BINUNICODE => Value::Text(self.source.text::<4>()?),
            op::SHORT_BINUNICODE => Value::Text(self.source.text::<1>()?),
            op::BINUNICODE8 => Value::Text(self.source.text::<8>()?),
            op::SHORT_BINBYTES => self.source.counted::<1>().map(|_| Value::Bytes)?,
            op::BINBYTES => self.source.counted::<4>().map(|_| Value::Bytes)?,
            op::BINBYTES8 => self.source.counted::<8>().map(|_| Value::Bytes)?,
            _ => return Ok(false),
        };
        self.push(value)?;
        Ok(true)
    }

    fn container(&mut self, opcode: u8) -> Result<bool, Fault> {
        let built = match opcode {
            op::EMPTY_TUPLE => Object::Tuple(Vec::new()),
            op::EMPTY_LIST => Object::List(Vec::new()),
            op::EMPTY_DICT => Object::Dict(Vec::new()),
            op::TUPLE1 => Object::Tuple(self.pop_many(1)?),
            op::TUPLE2 => Object::Tuple(self.pop_many(2)?),
            op::TUPLE3 => Object::Tuple(self.pop_many(3)?),
            op::TUPLE => Object::Tuple(self.pop_to_mark()?),
            op::LIST => Object::List(self.pop_to_mark()?),
            op::DICT => Object::Dict(in_pairs(&self.pop_to_mark()?)?),
            op::APPEND | op::APPENDS => {
                let items = if opcode == op::APPEND { self.pop_many(1)? } else { self.pop_to_mark()? };
                return self.append(items).map(|()| true);
            }
            op::SETITEM | op::SETITEMS => {
                let items = if opcode == op::SETITEM { self.pop_many(2)? } else { self.pop_to_mark()? };
                return self.set(in_pairs(&items)?).map(|()| true);
            }
            _ => return Ok(false),
        };
        self.push_object(built)?;
        Ok(true)
    }

    fn memory(&mut self, opcode: u8) -> Result<bool, Fault> {
        match opcode {
            op::PUT | op::BINPUT | op::LONG_BINPUT | op::MEMOIZE => {
                let index = match opcode {
                    op::PUT => index(self.source.line()?)?,
                    op::BINPUT => self.source.length::<1>()?,
                    op::LONG_BINPUT => self.source.length::<4>()?,
                    _ => self.memo.len(),
                };
                let value = self.top("a value to remember")?;
                self.spend(1)?;
                self.memo.insert(index, value);
            }
            op::GET | op::BINGET | op::LONG_BINGET => {
                let index = match opcode {
                    op::GET => index(self.source.line()?)?,
                    op::BINGET => self.source.length::<1>()?,
                    _ => self.source.length::<4>()?,
                };
                let value = self.memo.get(&index).copied().ok_or(Fault::Memo { index })?;
                self.push(value)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn name(&mut self, opcode: u8) -> Result<bool, Fault> {
        match opcode {
            // INST would call what it names at once; looking it up is enough to refuse it by name.
            op::GLOBAL | op::INST => {
                let (module, name) = (self.source.line()?, self.source.line()?);
                let callable = Callable::of_name(module, name)?;
                if opcode == op::INST {
                    return Err(Fault::ForeignInstruction { opcode });
                }
                self.push(Value::Callable(callable))?;
            }
            op::STACK_GLOBAL => {
                let name = self.pop("a name")?;
                let module = self.pop("a module")?;
                let (Value::Text(module), Value::Text(name)) = (module, name) else {
                    return Err(Fault::Mismatch { wanted: "a module and a name", found: "other values" });
                };
                self.push(Value::Callable(Callable::of_name(module, name)?))?;
            }
            op::REDUCE => {
                let arguments = self.pop("arguments")?;
                let Value::Callable(callable) = self.pop("a function")? else {
                    return Err(Fault::Mismatch { wanted: "a function to call", found: "a value" });
                };
                let built = callable.build(&self.objects, self.objects.sequence(arguments)?)?;
                // A list can be copied again and again by three bytes; every copy counts.
                self.spend(built.size())?;
                self.push_object(built)?;
            }
            // State of an ordered dict, its `_metadata` of version numbers: no part of the tensors.
            op::BUILD => {
                self.pop("state")?;
                let target = self.top("a dict")?;
                if !matches!(self.objects.get(target), Some(Object::Dict(_))) {
                    return Err(Fault::Mismatch { wanted: "a dict to take state", found: self.objects.kind(target) });
                }
            }
            op::BINPERSID => {
                let id = self.pop("a storage's identity")?;
                let storage = self.identify(id)?;
                self.push_object(Object::Storage(Box::new(storage)))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Reads ('storage', class, key, location, elements), and behind it in old files a view (key, first, span).
    fn identify(&self, id: Value<'a>) -> Result<Storage<'a>, Fault> {
        let parts = self.objects.sequence(id)?;
        let [
            Value::Text("storage"),
            Value::Callable(Callable::Storage(element)),
            Value::Text(key),
            _,
            elements,
            view @ ..,
        ] = parts
        else {
            return Err(Fault::Mismatch { wanted: "the identity of a storage", found: "another identity" });
        };
        let elements = self.objects.count(*elements)?;
        let (first, span) = match view {
            [] | [Value::None] => (0, elements),
            [view] => match self.objects.sequence(*view)? {
                [_, first, span] => (self.objects.count(*first)?, self.objects.count(*span)?),
                _ => return Err(Fault::Mismatch { wanted: "a view of a storage", found: "another tuple" }),
            },
            _ => return Err(Fault::Mismatch { wanted: "the identity of a storage", found: "a longer one" }),
        };
        Ok(Storage { key, element: *element, elements, first, span })
    }

    fn append(&mut self, items: Vec<Value<'a>>) -> Result<(), Fault> {
        let target = self.top("a list")?;
        let found = self.objects.kind(target);
        match self.objects.get_mut(target) {
            Some(Object::List(list)) => list.extend(items),
            _ => return Err(Fault::Mismatch { wanted: "a list", found }),
        }
        Ok(())
    }

    fn set(&mut self, items: Vec<(Value<'a>, Value<'a>)>) -> Result<(), Fault> {
        let target = self.top("a dict")?;
        let found = self.objects.kind(target);
        match self.objects.get_mut(target) {
            Some(Object::Dict(dict)) => dict.extend(items),
            _ => return Err(Fault::Mismatch { wanted: "a dict", found }),
        }
        Ok(())
    }
}

fn in_pairs<'a>(items: &[Value<'a>]) -> Result<Vec<(Value<'a>, Value<'a>)>, Fault> {
    let (pairs, rest) = items.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Fault::Mismatch { wanted: "keys and values in pairs", found: "a key without a value" });
    }
    Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
}

fn integer(digits: &str) -> Result<i64, Fault> {
    digits.parse().map_err(|_| Fault::Mismatch { wanted: "a decimal integer", found: "other text" })
}

fn index(digits: &str) -> Result<usize, Fault> {
    digits.parse().map_err(|_| Fault::Mismatch { wanted: "the number of a remembered value", found: "other text" })
}

/// A two's complement integer; beyond 64 bits it stays as its bytes.
fn long(bytes: &[u8]) -> Value<'_> {
    if bytes.len() > 8 {
        return Value::Long(bytes);
    }
    let negative = bytes.last().is_some_and(|&last| last >= 0x80);
    let mut wide = if negative { [0xff; 8] } else { [0; 8] };
    wide[..bytes.len()].copy_from_slice(bytes);
    Value::Integer(i64::from_le_bytes(wide))
}
