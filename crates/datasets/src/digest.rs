//! Checksums of files, computed from the bytes that pass through a reader.

use std::io::{self, Read};

use md5::{Digest as _, Md5};
use sha2::Sha256;

use crate::catalogue::Digest;

/// A checksum that is being computed.
#[derive(Debug, Clone)]
pub enum Hasher {
    Md5(Md5),
    Sha256(Sha256),
}

impl Hasher {
    /// Begins the kind of checksum that a published one is.
    pub fn like(published: Digest) -> Self {
        match published {
            Digest::Md5(_) => Self::Md5(Md5::new()),
            Digest::Sha256(_) => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    /// The checksum in hexadecimal.
    pub fn finish(self) -> String {
        match self {
            Self::Md5(hasher) => hex::encode(hasher.finalize()),
            Self::Sha256(hasher) => hex::encode(hasher.finalize()),
        }
    }
}

/// A reader that computes the checksum of what is read, if there is one to compare with.
#[derive(Debug)]
pub struct Hashed<R> {
    reader: R,
    hasher: Option<Hasher>,
}

impl<R: Read> Hashed<R> {
    pub fn new(reader: R, published: Option<Digest>) -> Self {
        Self { reader, hasher: published.map(Hasher::like) }
    }

    /// Reads on to the end and gives the checksum of everything.
    pub fn finish(self) -> io::Result<Option<String>> {
        Ok(self.into_parts()?.1)
    }

    /// Reads on to the end and gives the reader and the checksum of everything.
    pub fn into_parts(mut self) -> io::Result<(R, Option<String>)> {
        if self.hasher.is_some() {
            let mut buffer = vec![0; 1 << 16];
            while self.read(&mut buffer)? > 0 {}
        }
        Ok((self.reader, self.hasher.map(Hasher::finish)))
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..count]);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_cover_what_was_read_and_the_rest() {
        let digest = |published, first: usize| {
            let mut reader = Hashed::new(&b"abc"[..], Some(published));
            reader.read_exact(&mut vec![0; first]).unwrap();
            reader.finish().unwrap().unwrap()
        };

        assert_eq!(digest(Digest::Md5(""), 2), "900150983cd24fb0d6963f7d28e17f72");
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest(Digest::Sha256(""), 0), sha256);
        assert_eq!(Hashed::new(&b"abc"[..], None).finish().unwrap(), None);
    }
}
