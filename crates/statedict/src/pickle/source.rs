//! The bytes of a pickle, read forwards.

use super::error::Fault;

/// Where reading stands.
#[derive(Debug)]
pub(super) struct Source<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Source<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn offset(&self) -> usize {
        self.at
    }

    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let end = self.at.checked_add(count).ok_or(Fault::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(Fault::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        self.take(N)?.try_into().map_err(|_| Fault::Truncated)
    }

    pub fn byte(&mut self) -> Result<u8, Fault> {
        Ok(self.array::<1>()?[0])
    }

    /// A little-endian length or index of `N` bytes, at most 8.
    pub fn length<const N: usize>(&mut self) -> Result<usize, Fault> {
        let mut wide = [0; 8];
        wide[..N].copy_from_slice(&self.array::<N>()?);
        // A length beyond the address space is beyond the end of the bytes too.
        usize::try_from(u64::from_le_bytes(wide)).map_err(|_| Fault::Truncated)
    }

    /// Bytes behind their length of `N` bytes.
    pub fn counted<const N: usize>(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.length::<N>()?;
        self.take(length)
    }

    /// Text behind its length of `N` bytes.
    pub fn text<const N: usize>(&mut self) -> Result<&'a str, Fault> {
        std::str::from_utf8(self.counted::<N>()?).map_err(|_| Fault::Text)
    }

    /// Text up to the end of the line.
    pub fn line(&mut self) -> Result<&'a str, Fault> {
        let rest = self.bytes.get(self.at..).ok_or(Fault::Truncated)?;
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or(Fault::Truncated)?;
        let line = std::str::from_utf8(self.take(length)?).map_err(|_| Fault::Text)?;
        self.byte()?;
        Ok(line)
    }
}
