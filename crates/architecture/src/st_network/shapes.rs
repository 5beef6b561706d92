//! Shape rules that several st-networks share.

/// Networks with linear bottlenecks know one side of the image only.
pub(super) fn square([height, width]: [i64; 2]) -> Result<(), String> {
    if height == width {
        return Ok(());
    }
    Err(format!("this st-network needs square images, and those of the coupling layer are {height}×{width}"))
}
