//! Which part of its input each coupling layer reads and which it changes: a scheme, or one mask for each layer.

use architecture::{Mask, Order, Quadrant};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, SeqAccess},
    ser::SerializeMap,
};

use super::choice::{self, Choice};
use crate::spec::{Violations, defaults};

/// The masks of a model's coupling layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum MaskSpec {
    /// A pattern that repeats.
    Scheme(MaskScheme),
    /// One mask for each coupling layer, in order.
    List(Vec<CouplingMask>),
}

/// A pattern of masks over the coupling layers of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskScheme {
    /// Alternating checkerboards; with several scales, channel-wise masks after each squeeze.
    Checkerboard,
    /// Alternating top and bottom half.
    Horizontal,
    /// Alternating left and right half.
    Vertical,
    /// Each coupling layer reads one quadrant and transforms the next one clockwise.
    Cycle,
    /// Four layers of the cycle inside each of 2x2 tiles, then four layers of the cycle (the reference's SubCycleMask).
    SubQuadrant,
    /// A layer that changes the frame, four layers of the cycle, a layer that changes the frame (CenterCycleCenter).
    Centre,
}

/// The mask of one coupling layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CouplingMask {
    /// `"checkerboard"` keeps pixels whose row and column have an odd sum; `"checkerboard-reversed"` the others.
    Checkerboard(Order),
    /// `"horizontal"` keeps the top half; `"horizontal-reversed"` the bottom half.
    Horizontal(Order),
    /// `"vertical"` keeps the left half; `"vertical-reversed"` the right half.
    Vertical(Order),
    /// `[from, to]` reads one quadrant, changes another and passes the rest through unread.
    Quadrants(QuadrantPair),
    /// The same inside each of `factor` x `factor` tiles.
    SubQuadrant(SubQuadrantSpec),
    /// Keeps a square and changes the frame around it.
    Centre(CentreSpec),
}

/// Two quadrants, numbered clockwise from the top left: 0 to 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QuadrantPair {
    /// The quadrant that the st-network sees.
    pub from: u32,
    /// The quadrant that changes.
    pub to: u32,
}

/// Quadrants of tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubQuadrantSpec {
    /// Tiles along each side.
    pub factor: u32,
    /// The quadrant of each tile that the st-network sees.
    pub from: u32,
    /// The quadrant of each tile that changes.
    pub to: u32,
}

/// A square and its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CentreSpec {
    /// The width of the frame, in pixels (default 4).
    #[serde(default = "defaults::centre_margin")]
    pub margin: u32,
}

impl Default for CentreSpec {
    fn default() -> Self {
        Self { margin: defaults::centre_margin() }
    }
}

impl MaskScheme {
    /// Every scheme.
    pub const ALL: [Self; 6] =
        [Self::Checkerboard, Self::Horizontal, Self::Vertical, Self::Cycle, Self::SubQuadrant, Self::Centre];

    /// The name in documents and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checkerboard => "checkerboard",
            Self::Horizontal => "horizontal",
            Self::Vertical => "vertical",
            Self::Cycle => "cycle",
            Self::SubQuadrant => "sub-quadrant",
            Self::Centre => "centre",
        }
    }

    /// Coupling layers of a single-scale model when the document does not say.
    #[must_use]
    pub fn default_couplings(self) -> u32 {
        match self {
            Self::Checkerboard | Self::Horizontal | Self::Vertical | Self::Cycle | Self::SubQuadrant => {
                defaults::couplings()
            }
            Self::Centre => 6,
        }
    }

    /// The first `couplings` masks of the pattern (models.md 2.7).
    pub(super) fn masks(self, couplings: u32) -> Vec<Mask> {
        let both = |of: fn(Order) -> Mask| vec![of(Order::Plain), of(Order::Reversed)];
        let cycle = Mask::cycle(4);
        let pattern = match self {
            Self::Checkerboard => both(Mask::Checkerboard),
            Self::Horizontal => both(Mask::Horizontal),
            Self::Vertical => both(Mask::Vertical),
            Self::Cycle => cycle,
            Self::SubQuadrant => {
                let tiled = |seen: Quadrant| Mask::SubQuadrants { factor: 2, seen, changed: seen.next() };
                Quadrant::CLOCKWISE.into_iter().map(tiled).chain(cycle).collect()
            }
            Self::Centre => {
                let centre = Mask::Center { margin: defaults::centre_margin() };
                [vec![centre], cycle, vec![centre]].concat()
            }
        };
        pattern.into_iter().cycle().take(couplings as usize).collect()
    }
}

impl MaskSpec {
    /// Whether every coupling layer has a mask of its own.
    #[must_use]
    pub fn is_list(&self) -> bool {
        match self {
            Self::Scheme(_) => false,
            Self::List(_) => true,
        }
    }
}

impl CouplingMask {
    /// The mask, if its quadrants exist.
    pub(super) fn mask(self) -> Result<Mask, String> {
        let quadrant = |number| {
            Quadrant::of_number(number)
                .ok_or_else(|| format!("quadrant {number}: 0 to 3 allowed, clockwise from the top left"))
        };
        Ok(match self {
            Self::Checkerboard(order) => Mask::Checkerboard(order),
            Self::Horizontal(order) => Mask::Horizontal(order),
            Self::Vertical(order) => Mask::Vertical(order),
            Self::Quadrants(QuadrantPair { from, to }) => {
                Mask::Quadrants { seen: quadrant(from)?, changed: quadrant(to)? }
            }
            Self::SubQuadrant(SubQuadrantSpec { factor, from, to }) => {
                Mask::SubQuadrants { factor, seen: quadrant(from)?, changed: quadrant(to)? }
            }
            Self::Centre(CentreSpec { margin }) => Mask::Center { margin },
        })
    }

    pub(super) fn check(self, at: &str, found: &mut Violations) {
        if let Err(message) = self.mask() {
            found.add(at, message);
        }
    }
}

impl<'de> Choice<'de> for MaskSpec {
    const EXPECTED: &'static str = "`checkerboard`, `horizontal`, `vertical`, `cycle`, `sub-quadrant`, `centre` or a list with one mask for each coupling layer";

    fn of_name(name: &str) -> Option<Self> {
        let name = if name == "center" { "centre" } else { name };
        MaskScheme::ALL.into_iter().find(|scheme| scheme.as_str() == name).map(Self::Scheme)
    }

    fn of_list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut masks = Vec::new();
        while let Some(mask) = items.next_element()? {
            masks.push(mask);
        }
        Ok(Self::List(masks))
    }
}

impl<'de> Choice<'de> for CouplingMask {
    const EXPECTED: &'static str = "a pair of quadrants such as `[0, 1]`, `checkerboard`, `horizontal` or `vertical` (each also with `-reversed`), `centre` or a table `centre` with `margin` or `sub-quadrant` with `factor`, `from` and `to`";

    fn of_name(name: &str) -> Option<Self> {
        match name {
            "checkerboard" => Some(Self::Checkerboard(Order::Plain)),
            "checkerboard-reversed" => Some(Self::Checkerboard(Order::Reversed)),
            "horizontal" => Some(Self::Horizontal(Order::Plain)),
            "horizontal-reversed" => Some(Self::Horizontal(Order::Reversed)),
            "vertical" => Some(Self::Vertical(Order::Plain)),
            "vertical-reversed" => Some(Self::Vertical(Order::Reversed)),
            "centre" | "center" => Some(Self::Centre(CentreSpec::default())),
            _ => None,
        }
    }

    fn of_table<A: MapAccess<'de>>(name: &str, tables: &mut A) -> Result<Option<Self>, A::Error> {
        match name {
            "sub-quadrant" => tables.next_value().map(Self::SubQuadrant).map(Some),
            "centre" | "center" => tables.next_value().map(Self::Centre).map(Some),
            _ => Ok(None),
        }
    }

    fn of_list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let (from, to) = (items.next_element()?, items.next_element()?);
        match (from, to, items.next_element::<serde::de::IgnoredAny>()?) {
            (Some(from), Some(to), None) => Ok(Self::Quadrants(QuadrantPair { from, to })),
            _ => Err(A::Error::custom("two quadrants expected, the one that is read and the one that changes")),
        }
    }
}

impl<'de> Deserialize<'de> for MaskSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        choice::deserialize(deserializer)
    }
}

impl<'de> Deserialize<'de> for CouplingMask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        choice::deserialize(deserializer)
    }
}

impl Serialize for CouplingMask {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = |plain, reversed, order| match order {
            Order::Plain => plain,
            Order::Reversed => reversed,
        };
        match *self {
            Self::Checkerboard(order) => {
                serializer.serialize_str(named("checkerboard", "checkerboard-reversed", order))
            }
            Self::Horizontal(order) => serializer.serialize_str(named("horizontal", "horizontal-reversed", order)),
            Self::Vertical(order) => serializer.serialize_str(named("vertical", "vertical-reversed", order)),
            Self::Quadrants(QuadrantPair { from, to }) => [from, to].serialize(serializer),
            Self::SubQuadrant(tiles) => table(serializer, "sub-quadrant", &tiles),
            Self::Centre(centre) => table(serializer, "centre", &centre),
        }
    }
}

fn table<S: Serializer>(serializer: S, name: &str, fields: &impl Serialize) -> Result<S::Ok, S::Error> {
    let mut tables = serializer.serialize_map(Some(1))?;
    tables.serialize_entry(name, fields)?;
    tables.end()
}
