//! One value of a table: what it is, and how people read it.

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// There is none.
    Absent,
    /// Words.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A large number, shown to people in round figures.
    Quantity {
        /// The number.
        number: u64,
        /// What is counted, behind the prefix: `FLOP`, say, or nothing.
        unit: &'static str,
    },
    /// A measured number, shown to people with so many decimals.
    Real {
        /// The number.
        value: f64,
        /// Digits after the point.
        decimals: usize,
    },
    /// A measured number with its deviation; programs get the number alone.
    Estimate(Estimate),
}

/// A number measured once or several times.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The number, or the mean.
    pub mean: f64,
    /// Standard deviation, if there is one.
    pub deviation: Option<f64>,
    /// Digits after the point.
    pub decimals: usize,
    /// What qualifies it: `1/3 seeds`; empty when nothing does.
    pub remark: String,
    /// Whether it is marked as better than the others it stands among.
    pub is_best: bool,
}

impl Cell {
    /// Words, or nothing when there are none.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Absent } else { Self::Text(text) }
    }

    /// A large number of something.
    pub fn quantity(number: impl Into<Option<u64>>, unit: &'static str) -> Self {
        number.into().map_or(Self::Absent, |number| Self::Quantity { number, unit })
    }

    /// A measured number.
    pub fn real(value: impl Into<Option<f64>>, decimals: usize) -> Self {
        value.into().map_or(Self::Absent, |value| Self::Real { value, decimals })
    }

    /// The value as people read it, without control characters: a job's last words may hold any.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Absent => "–".to_owned(),
            Self::Text(text) => text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect(),
            Self::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Self::Whole(number) => number.to_string(),
            Self::Quantity { number, unit } => quantity(*number, unit),
            Self::Real { value, decimals } => format!("{value:.decimals$}"),
            Self::Estimate(estimate) => estimate.shown(),
        }
    }

    /// The number that it is, if it is one.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Absent | Self::Text(_) => None,
            Self::Flag(flag) => Some(f64::from(u8::from(*flag))),
            Self::Whole(number) => Some(*number as f64),
            Self::Quantity { number, .. } => Some(*number as f64),
            Self::Real { value, .. } => Some(*value),
            Self::Estimate(estimate) => Some(estimate.mean),
        }
    }
}

impl Estimate {
    /// `0.2706 ± 0.0123`, or the number alone.
    pub(super) fn value(&self, plus_minus: &str) -> String {
        let Self { mean, deviation, decimals, .. } = self;
        match deviation {
            Some(deviation) => format!("{mean:.decimals$} {plus_minus} {deviation:.decimals$}"),
            None => format!("{mean:.decimals$}"),
        }
    }

    /// The remark in brackets, after a space.
    pub(super) fn suffix(&self) -> String {
        if self.remark.is_empty() { String::new() } else { format!(" ({})", self.remark) }
    }

    fn shown(&self) -> String {
        format!("{}{}{}", self.value("±"), if self.is_best { "*" } else { "" }, self.suffix())
    }
}

/// Three digits, a prefix and the unit: `14.7 M`, `1.25 TFLOP`.
pub fn quantity(number: u64, unit: &str) -> String {
    const PREFIXES: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];
    let mut value = number as f64;
    let mut prefix = 0;
    // From 999.5 on, three digits would be 1000.
    while value >= 999.5 && prefix + 1 < PREFIXES.len() {
        value /= 1000.0;
        prefix += 1;
    }
    let decimals = match (prefix, value) {
        (0, _) => 0,
        (_, value) if value >= 99.95 => 0,
        (_, value) if value >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$} {}{unit}", PREFIXES[prefix]).trim_end().to_owned()
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<i32> for Cell {
    fn from(number: i32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        // Seeds and counts come from Postgres, which has no larger integer.
        Self::Whole(i64::try_from(number).unwrap_or(i64::MAX))
    }
}
