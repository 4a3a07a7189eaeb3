use super::*;

#[test]
fn one_full_shard_of_many_is_found() {
    let stats = |deleted: u64| {
        format!(
            r#"{{"indices":{{"events-000001":{{"shards":{{
                    "0":[{{"docs":{{"count":5,"deleted":0}}}}],
                    "1":[{{"docs":{{"count":2000000000,"deleted":{deleted},"total_size_in_bytes":7}}}}]}}}}}}}}"#
        )
    };
    assert!(has_full_shard(stats(147_483_519).as_bytes()));
    assert!(!has_full_shard(stats(0).as_bytes()));
    assert!(!has_full_shard(b"{}"));
    assert!(!has_full_shard(b"<html>"));
}
