//! Writes a pickle of protocol 2 that stands for tensors in ordered dicts, in the words PyTorch's own files use.

use super::opcode as op;
use crate::element::ElementType;
use crate::tensor::Tensor;

/// The pickle as far as it is written.
#[derive(Debug)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub fn new() -> Self {
        Self { bytes: vec![op::PROTO, 2] }
    }

    /// Begins a plain dict of one entry; the value under `key` comes next.
    pub fn begin_entry(&mut self, key: &str) {
        self.bytes.push(op::EMPTY_DICT);
        self.text(key);
    }

    /// Puts the value just written into the plain dict begun last.
    pub fn end_entry(&mut self) {
        self.bytes.push(op::SETITEM);
    }

    /// Begins an ordered dict; its entries come next, each a text and a value.
    pub fn begin_ordered_dict(&mut self) {
        self.empty_ordered_dict();
        self.bytes.push(op::MARK);
    }

    pub fn end_ordered_dict(&mut self) {
        self.bytes.push(op::SETITEMS);
    }

    pub fn text(&mut self, text: &str) {
        let length = u32::try_from(text.len()).expect("a name is shorter than 4 GiB");
        self.bytes.push(op::BINUNICODE);
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend(text.as_bytes());
    }

    /// The tensor, contiguous in the storage of its own that is stored under `key`.
    pub fn tensor(&mut self, key: &str, tensor: &Tensor) {
        let shape = tensor.shape();
        self.global("torch._utils", "_rebuild_tensor_v2");
        self.bytes.push(op::MARK);
        self.storage(key, tensor.element(), tensor.elements());
        self.integer(0);
        self.integers(shape);
        self.integers(&contiguous_strides(shape));
        self.bytes.push(op::NEWFALSE);
        self.empty_ordered_dict();
        self.bytes.extend([op::TUPLE, op::REDUCE]);
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.push(op::STOP);
        self.bytes
    }

    fn storage(&mut self, key: &str, element: ElementType, elements: usize) {
        self.bytes.push(op::MARK);
        self.text("storage");
        self.global("torch", element.storage_class());
        self.text(key);
        self.text("cpu");
        self.integer(elements);
        self.bytes.extend([op::TUPLE, op::BINPERSID]);
    }

    fn empty_ordered_dict(&mut self) {
        self.global("collections", "OrderedDict");
        self.bytes.extend([op::EMPTY_TUPLE, op::REDUCE]);
    }

    fn global(&mut self, module: &str, name: &str) {
        self.bytes.push(op::GLOBAL);
        self.bytes.extend(format!("{module}\n{name}\n").as_bytes());
    }

    fn integers(&mut self, values: &[usize]) {
        self.bytes.push(op::MARK);
        values.iter().for_each(|&value| self.integer(value));
        self.bytes.push(op::TUPLE);
    }

    fn integer(&mut self, value: usize) {
        match i32::try_from(value) {
            Ok(small) => {
                self.bytes.push(op::BININT);
                self.bytes.extend(small.to_le_bytes());
            }
            Err(_) => {
                // Nine bytes, so that the highest bit is never taken for a sign.
                self.bytes.extend([op::LONG1, 9]);
                self.bytes.extend((value as u64).to_le_bytes());
                self.bytes.push(0);
            }
        }
    }
}

/// Row-major strides in elements, as PyTorch states them: a size of zero counts as one.
fn contiguous_strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1_usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis].max(1));
    }
    strides
}
