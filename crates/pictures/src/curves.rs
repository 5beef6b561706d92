//! Curves with no more points than a picture shows.

/// Keeps the ends of a curve and at most `most` points between them, the last one in each of as many equal stretches of `place`, which grows along it.
pub fn thinned<P: Copy>(points: &[P], most: usize, place: impl Fn(P) -> f64) -> Vec<P> {
    let (Some(&first), Some(&last)) = (points.first(), points.last()) else { return Vec::new() };
    if points.len() <= most + 2 {
        return points.to_vec();
    }
    let (from, to) = (place(first), place(last));
    let stretch = |point: P| ((place(point) - from) / (to - from).max(f64::MIN_POSITIVE) * most as f64) as usize;
    let mut kept = vec![first];
    for pair in points[1..points.len() - 1].windows(2) {
        if stretch(pair[0]) != stretch(pair[1]) {
            kept.push(pair[0]);
        }
    }
    kept.push(last);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinned_curve_keeps_its_ends_and_its_shape() {
        let curve: Vec<(f64, f64)> = (0..=100_000).map(|i| f64::from(i) / 1e5).map(|x| (x, x.sqrt())).collect();

        let kept = thinned(&curve, 300, |(x, y)| x + y);

        assert!(kept.len() <= 302, "{}", kept.len());
        assert_eq!((kept[0], kept[kept.len() - 1]), (curve[0], curve[100_000]));
        assert!(kept.windows(2).all(|pair| pair[1].0 + pair[1].1 - pair[0].0 - pair[0].1 < 0.015));
        assert_eq!(thinned(&curve[..10], 300, |(x, _)| x).len(), 10);
        assert!(thinned(&[] as &[f64], 3, |x| x).is_empty());
    }
}
