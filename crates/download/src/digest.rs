//! Digests of whole files.

use std::io::{self, Read};

use md5::Md5;
use sha2::Sha256;

/// Bytes read at once.
const PIECE: usize = 256 * 1024;

/// Which digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// MD5: what many publishers give; it tells damage, not malice.
    Md5,
    /// SHA-256.
    Sha256,
}

/// A digest that a file should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest<'a> {
    /// Which digest.
    pub algorithm: Algorithm,
    /// In lower-case hexadecimal.
    pub hex: &'a str,
}

impl Algorithm {
    /// What a person calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// The digest of everything that is read, in lower-case hexadecimal.
    ///
    /// # Errors
    /// The reader's.
    pub fn of(self, read: &mut dyn Read) -> io::Result<String> {
        match self {
            Self::Md5 => digest::<Md5>(read),
            Self::Sha256 => digest::<Sha256>(read),
        }
    }
}

fn digest<D: sha2::Digest>(read: &mut dyn Read) -> io::Result<String> {
    let mut state = D::new();
    let mut piece = vec![0; PIECE];
    loop {
        match read.read(&mut piece)? {
            0 => return Ok(hex::encode(state.finalize())),
            count => state.update(&piece[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_nothing_are_the_known_ones() {
        assert_eq!(Algorithm::Md5.of(&mut io::empty()).unwrap(), "d41d8cd98f00b204e9800998ecf8427e");
        let sha256 = Algorithm::Sha256.of(&mut io::empty()).unwrap();
        assert_eq!(sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
