use super::*;

#[test]
fn the_name_determines_the_role_of_an_index() {
    for (name, role) in [
        ("events-000003", Role::Own(3)),
        ("events-1000003", Role::Own(1_000_003)),
        ("events-2026.11.28-000003", Role::Own(3)),
        ("events-2026-11-000003", Role::Own(3)),
        ("events-20261128-000003", Role::Own(3)),
        ("events-202611-000003", Role::Own(3)),
        ("events-000003-000004", Role::Copy(3)),
        ("events-20261128", Role::Own(20_261_128)),
        ("partial-events-000003", Role::Mounted(3)),
        ("restored-events-000003", Role::Mounted(3)),
        ("shrink-x1-y-events-000003", Role::Copy(3)),
        ("events-000003-v2", Role::Copy(3)),
        ("reindexed-v9-events-000003", Role::Copy(3)),
        ("restored-shrink-x1-events-000003", Role::Copy(3)),
        ("restored_events-000003", Role::Mounted(3)),
        ("restored_index_events-000003", Role::Copy(3)),
        ("my_events-000003", Role::Foreign),
        ("events", Role::Foreign),
        ("events-v2", Role::Foreign),
        ("events-3", Role::Foreign),
        ("events-archive-000003", Role::Foreign),
        ("events-eu-000003", Role::Foreign),
        ("myevents-000003", Role::Foreign),
        ("archive-2019", Role::Foreign),
        ("events-000003x", Role::Foreign),
    ] {
        assert_eq!(Role::of("events", name), role, "{name}");
    }
    assert_eq!(Role::of("a-a", "shrink-a-a-a-000002"), Role::Copy(2));
}
