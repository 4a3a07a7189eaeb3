use super::*;

#[test]
fn the_name_determines_the_role_of_an_index() {
    for (name, kin) in [
        ("events-000003", Kin::Own(3)),
        ("events-1000003", Kin::Own(1_000_003)),
        ("events-2026.11.28-000003", Kin::Own(3)),
        ("events-2026-11-000003", Kin::Own(3)),
        ("events-20261128-000003", Kin::Own(3)),
        ("events-202611-000003", Kin::Own(3)),
        ("events-000003-000004", Kin::Copy(3)),
        ("events-20261128", Kin::Own(20_261_128)),
        ("partial-events-000003", Kin::Mounted(3)),
        ("restored-events-000003", Kin::Mounted(3)),
        ("shrink-x1-y-events-000003", Kin::Copy(3)),
        ("events-000003-v2", Kin::Copy(3)),
        ("reindexed-v9-events-000003", Kin::Copy(3)),
        ("restored-shrink-x1-events-000003", Kin::Copy(3)),
        ("restored_events-000003", Kin::Mounted(3)),
        ("restored_index_events-000003", Kin::Copy(3)),
        ("my_events-000003", Kin::Foreign),
        ("events", Kin::Foreign),
        ("events-v2", Kin::Foreign),
        ("events-3", Kin::Foreign),
        ("events-archive-000003", Kin::Foreign),
        ("events-eu-000003", Kin::Foreign),
        ("myevents-000003", Kin::Foreign),
        ("archive-2019", Kin::Foreign),
        ("events-000003x", Kin::Foreign),
    ] {
        assert_eq!(Kin::of("events", name), kin, "{name}");
    }
    assert_eq!(Kin::of("a-a", "shrink-a-a-a-000002"), Kin::Copy(2));
}
