//! The way to a field, or to two, that a walk is to come by.

/// How many fields can be looked for in one walk.
pub(super) const WANTED: usize = 2;

/// The way from a type to a field within it, or to two. A union of null and one other type is no step.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// The field itself: which of those that are looked for.
    Here([bool; WANTED]),
    /// By the field of this number of a record.
    Field(u32, Box<Way>),
    /// By several fields of a record, each with its number.
    Fields(Vec<(u32, Way)>),
    /// By the branch that a union's value has; none where the branch has no such field.
    Branch(Box<[Option<Way>]>),
}

impl Way {
    /// Returns the way on from the field `index` of a record, if the way leads by it.
    #[inline]
    pub(super) fn on_from_field(&self, index: u32) -> Option<&Self> {
        match self {
            Self::Field(next, rest) if *next == index => Some(rest),
            Self::Fields(ways) => ways.iter().find(|(next, _)| *next == index).map(|(_, rest)| rest),
            Self::Field(..) | Self::Here(_) | Self::Branch(_) => None,
        }
    }

    /// Returns the way on from the branch `number` of a union.
    #[inline]
    pub(super) fn on_from_branch(&self, number: usize) -> Option<&Self> {
        match self {
            Self::Branch(ways) => ways.get(number).and_then(Option::as_ref),
            Self::Field(..) | Self::Fields(_) | Self::Here(_) => None,
        }
    }

    /// Returns the way to the same field as the second one that is looked for.
    pub(super) fn to_second(&self) -> Self {
        match self {
            Self::Here(_) => Self::Here([false, true]),
            Self::Field(index, rest) => Self::Field(*index, Box::new(rest.to_second())),
            Self::Fields(ways) => Self::Fields(ways.iter().map(|(index, rest)| (*index, rest.to_second())).collect()),
            Self::Branch(ways) => Self::Branch(ways.iter().map(|way| way.as_ref().map(Self::to_second)).collect()),
        }
    }

    /// Returns the way to what both lead to, from the same type.
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
            // Of one schema: what is a record to one way is none to no other.
            Self::Here(_) | Self::Branch(_) => Vec::new(),
        }
    }
}

/// Returns the way to what both lead to, where there are any.
fn both(one: Option<Way>, other: Option<Way>) -> Option<Way> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.and(other)),
        (one, other) => one.or(other),
    }
}
