//! The path of one or two fields that a walk looks for.

/// The most fields that one walk can look for.
pub(super) const WANTED: usize = 2;

/// The path from a type to one or two fields within it. A union of null and one other type is not a step.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// The field itself: which of the wanted fields it is.
    Here([bool; WANTED]),
    /// Through the field with this number of a record.
    Field(u32, Box<Way>),
    /// Through several fields of a record, each with its number.
    Fields(Vec<(u32, Way)>),
    /// Through the branch that a union's value has; `None` if the branch has no such field.
    Branch(Box<[Option<Way>]>),
}

impl Way {
    /// Returns the rest of the path after the field `index` of a record, if the path leads through it.
    #[inline]
    pub(super) fn on_from_field(&self, index: u32) -> Option<&Self> {
        match self {
            Self::Field(next, rest) if *next == index => Some(rest),
            Self::Fields(ways) => ways.iter().find(|(next, _)| *next == index).map(|(_, rest)| rest),
            Self::Field(..) | Self::Here(_) | Self::Branch(_) => None,
        }
    }

    /// Returns the rest of the path after the branch `number` of a union.
    #[inline]
    pub(super) fn on_from_branch(&self, number: usize) -> Option<&Self> {
        match self {
            Self::Branch(ways) => ways.get(number).and_then(Option::as_ref),
            Self::Field(..) | Self::Fields(_) | Self::Here(_) => None,
        }
    }

    /// Returns the path to the same field as the second wanted one.
    pub(super) fn to_second(&self) -> Self {
        match self {
            Self::Here(_) => Self::Here([false, true]),
            Self::Field(index, rest) => Self::Field(*index, Box::new(rest.to_second())),
            Self::Fields(ways) => Self::Fields(ways.iter().map(|(index, rest)| (*index, rest.to_second())).collect()),
            Self::Branch(ways) => Self::Branch(ways.iter().map(|way| way.as_ref().map(Self::to_second)).collect()),
        }
    }

    /// Returns one path to the fields of both, which begin at the same type.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Here(one), Self::Here(other)) => Self::Here([one[0] || other[0], one[1] || other[1]]),
            (Self::Branch(ones), Self::Branch(others)) => {
                let pairs = ones.into_iter().zip(others);
                Self::Branch(pairs.map(|(one, other)| both(one, other)).collect())
            }
            (Self::Here(here), _) | (_, Self::Here(here)) => Self::Here(here),
            (one, other) => {
                let mut ways = one.into_fields();
                for (index, way) in other.into_fields() {
                    match ways.iter().position(|(known, _)| *known == index) {
                        Some(at) => {
                            let (_, known) = ways.swap_remove(at);
                            ways.push((index, known.and(way)));
                        }
                        None => ways.push((index, way)),
                    }
                }
                Self::Fields(ways)
            }
        }
    }

    fn into_fields(self) -> Vec<(u32, Self)> {
        match self {
            Self::Field(index, rest) => vec![(index, *rest)],
            Self::Fields(ways) => ways,
            // Both belong to one schema, so they agree on what a type is.
            Self::Here(_) | Self::Branch(_) => Vec::new(),
        }
    }
}

/// Returns one path to the fields of both, if there are any.
fn both(one: Option<Way>, other: Option<Way>) -> Option<Way> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.and(other)),
        (one, other) => one.or(other),
    }
}
