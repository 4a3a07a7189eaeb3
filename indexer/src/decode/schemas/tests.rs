use super::*;

/// Returns the schema of an enum with so many symbols.
fn known(id: u32, symbols: usize) -> Known {
    let symbols: Vec<String> = (0..symbols).map(|number| format!("\"s{number}\"")).collect();
    let text = format!(r#"{{"type":"enum","name":"E","symbols":[{}]}}"#, symbols.join(","));
    Known {
        id: SchemaId(id),
        schema: Arc::new(Schema::parse(&text).unwrap()),
        has_time: false,
        has_route: false,
        wanted: None,
    }
}

fn room_for(cache_capacity: u64) -> Schemas {
    Schemas::new(&config::SchemaRegistry { cache_capacity, ..config::SchemaRegistry::default() })
}

/// The room of 100 small schemas, 64 KiB each.
#[test]
fn schemas_that_take_much_are_held_in_smaller_number() {
    let (mut schemas, large) = (room_for(100), known(0, 20_000));
    let mut most = 0;
    for id in 0..50 {
        schemas.note(Known { id: SchemaId(id), ..large.clone() });
        most = most.max(schemas.by_id.values().map(|known| known.schema.bytes()).sum());
    }
    assert!((large.schema.bytes()..=100 << 16).contains(&most), "{most} bytes at a time");
    assert!(schemas.get(SchemaId(49)).is_some(), "the newest is there");
}

#[test]
fn small_ones_are_counted_and_one_is_held_however_large() {
    let mut schemas = room_for(3);
    for id in [1, 2, 3, 3, 1] {
        schemas.note(known(id, 3));
    }
    assert_eq!(schemas.by_id.len(), 3, "the same once more takes no more room");
    schemas.note(known(4, 3));
    assert_eq!(schemas.by_id.len(), 1);
    schemas.note(known(5, 100_000));
    assert!(schemas.get(SchemaId(5)).is_some());
    assert!(schemas.get(SchemaId(4)).is_none());
}

#[test]
fn nothing_is_left_of_schemas_that_were_forgotten() {
    let mut schemas = room_for(3);
    schemas.note(known(1, 3));
    assert!(schemas.get(SchemaId(1)).is_some() && schemas.last() == Some(SchemaId(1)));
    schemas.clear();
    assert!(schemas.get(SchemaId(1)).is_none() && schemas.last().is_none());
}
