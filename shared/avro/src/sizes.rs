//! The fewest bytes that a value of each type takes. Claimed counts are checked with them before any item is read, and
//! types whose values take no bytes cannot be used to waste time.

use super::SchemaError;
use super::node::{Items, NodeId, SchemaNode};

/// The most nodes in a value that takes no bytes. Without this limit, records that each hold the next record twice,
/// thirty deep, would take a billion steps without reading a byte.
const MAX_EMPTY_NODES: u64 = 1_000;

/// The most times that all sizes are computed again. Real schemas need one round for each time a record contains itself
/// through another one.
const MAX_ROUNDS: usize = 64;

/// Fills in the sizes of all array and map items. `order` has the nodes, each after its parts.
pub(super) fn settle(nodes: &mut [SchemaNode], order: &[NodeId]) -> Result<(), SchemaError> {
    let sizes = min_sizes(nodes, order)?;
    let weights = empty_weights(nodes, order, &sizes)?;
    let at = |values: &[u64], id: NodeId| values.get(id as usize).copied().unwrap_or_default();
    for node in nodes {
        let (items, key) = match node {
            SchemaNode::Array(items) => (items, 0),
            SchemaNode::Map(items) => (items, 1),
            _ => continue,
        };
        let Items { node, min_size, weight } = items;
        *min_size = at(&sizes, *node).saturating_add(key);
        *weight = at(&weights, *node).max(1);
    }
    Ok(())
}

/// Returns the fewest bytes of each node.
fn min_sizes(nodes: &[SchemaNode], order: &[NodeId]) -> Result<Vec<u64>, SchemaError> {
    // `None` until known: it stays `None` for a record that always contains itself.
    let mut sizes = vec![None; nodes.len()];
    for _ in 0..MAX_ROUNDS {
        let mut changed = false;
        for &id in order {
            let id = id as usize;
            let size = nodes.get(id).and_then(|node| min_size(node, &sizes));
            if let Some(known) = sizes.get_mut(id)
                && *known != size
            {
                *known = size;
                changed = true;
            }
        }
        if !changed {
            if order.iter().any(|id| sizes.get(*id as usize).copied().flatten().is_none()) {
                let endless = "a record holds itself, not by way of a union, an array or a map: it has no end";
                return Err(SchemaError(endless.to_owned()));
            }
            // Nodes missing from `order` are the nulls of nullable types, which are not part of anything.
            return Ok(sizes.into_iter().map(Option::unwrap_or_default).collect());
        }
    }
    Err(SchemaError("records hold each other in too many ways".to_owned()))
}

fn min_size(node: &SchemaNode, sizes: &[Option<u64>]) -> Option<u64> {
    let of = |id: NodeId| sizes.get(id as usize).copied().flatten();
    Some(match node {
        SchemaNode::Null => 0,
        SchemaNode::Boolean
        | SchemaNode::Int
        | SchemaNode::Long
        | SchemaNode::Bytes
        | SchemaNode::String
        | SchemaNode::UuidText
        | SchemaNode::Enum(_) => 1,
        SchemaNode::Array(_) | SchemaNode::Map(_) | SchemaNode::Keyed(_) => 1,
        SchemaNode::Hidden { inner, .. } => of(*inner)?,
        SchemaNode::Date | SchemaNode::TimeMillis | SchemaNode::TimeMicros | SchemaNode::Timestamp { .. } => 1,
        SchemaNode::Decimal { size: None, .. } => 1,
        SchemaNode::BigDecimal => 3,
        SchemaNode::Float => 4,
        SchemaNode::Double => 8,
        SchemaNode::Duration => 12,
        SchemaNode::UuidFixed => 16,
        SchemaNode::Fixed { size } | SchemaNode::Decimal { size: Some(size), .. } => *size as u64,
        // The null branch is only its index.
        SchemaNode::Nullable { .. } => 1,
        SchemaNode::Union(branches) => branches.iter().filter_map(|branch| of(*branch)).min()?.saturating_add(1),
        SchemaNode::Record(record) => {
            record.fields.iter().try_fold(0_u64, |sum, field| Some(sum.saturating_add(of(field.node)?)))?
        }
    })
}

/// Returns how many nodes a value of each node holds, for nodes that take no bytes; 0 for all others. Nodes that take
/// no bytes cannot contain themselves, so one pass in `order` is enough.
fn empty_weights(nodes: &[SchemaNode], order: &[NodeId], sizes: &[u64]) -> Result<Vec<u64>, SchemaError> {
    let mut weights = vec![0_u64; nodes.len()];
    for &id in order {
        let id = id as usize;
        if sizes.get(id).is_none_or(|size| *size > 0) {
            continue;
        }
        let mut weight = 1_u64;
        if let Some(SchemaNode::Record(record)) = nodes.get(id) {
            for field in &record.fields {
                weight = weight.saturating_add(weights.get(field.node as usize).copied().unwrap_or_default());
            }
        }
        if weight > MAX_EMPTY_NODES {
            return Err(SchemaError(format!("a record takes no bytes, but holds more than {MAX_EMPTY_NODES} fields")));
        }
        if let Some(known) = weights.get_mut(id) {
            *known = weight;
        }
    }
    Ok(weights)
}
