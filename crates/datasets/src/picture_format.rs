//! How picture files begin and end.

/// The first bytes of a PNG picture.
pub const PNG_MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The first bytes of a JPEG picture.
pub const JPEG_MAGIC: &[u8] = &[0xff, 0xd8, 0xff];

const START_OF_SCAN: [u8; 2] = [0xff, 0xda];
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// Says whether a JPEG picture marks its end after the last scan has begun: neither marker stands within a scan.
pub fn has_end(bytes: &[u8]) -> bool {
    let last = |marker| bytes.windows(2).rposition(|pair| pair == marker);
    last(END_OF_IMAGE).is_some_and(|end| last(START_OF_SCAN).is_some_and(|scan| end > scan))
}
