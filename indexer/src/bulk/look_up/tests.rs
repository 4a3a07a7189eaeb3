use super::*;
use crate::bulk::outcome::BlockKind;
use crate::bulk::outcome::Trouble;

fn look(status: u16, body: &str) -> Result<Vec<bool>, Result<Trouble, BlockKind>> {
    let answer = ServerAnswer { status, body: Bytes::copy_from_slice(body.as_bytes()), is_elasticsearch: true };
    read("x-000001", &answer, 2).map_err(|obstacle| match obstacle {
        Obstacle::Failed(failure) => Ok(failure.trouble),
        Obstacle::Block(block) => Err(block.kind),
    })
}

#[test]
fn what_an_answer_says_of_the_documents() {
    assert_eq!(look(200, r#"{"docs":[{"found":true},{"found":false}]}"#), Ok(vec![true, false]));
    for gone in ["index_not_found_exception", "index_closed_exception"] {
        let error = format!(r#"{{"type":"{gone}","reason":"why"}}"#);
        assert_eq!(look(200, &format!(r#"{{"docs":[{{"found":true}},{{"error":{error}}}]}}"#)), Ok(vec![true, false]));
        assert_eq!(look(404, &format!(r#"{{"error":{error}}}"#)), Ok(vec![false, false]));
    }
}

/// As with `index.blocks.read`, which Elasticsearch reports for each document, or with a role that may not read.
#[test]
fn what_only_an_operator_can_fix_blocks_and_what_passes_is_tried_again() {
    for (status, error_type, expected) in [
        (200, "cluster_block_exception", Err(BlockKind::Index)),
        (200, "security_exception", Err(BlockKind::Security)),
        (200, "no_shard_available_action_exception", Ok(Trouble::Server)),
        (403, "cluster_block_exception", Err(BlockKind::Index)),
        (403, "security_exception", Err(BlockKind::Security)),
        (408, "timeout_exception", Ok(Trouble::TimedOut)),
        (429, "es_rejected_execution_exception", Ok(Trouble::Overload)),
        (503, "cluster_block_exception", Ok(Trouble::Server)),
    ] {
        let error = format!(r#"{{"type":"{error_type}","reason":"why"}}"#);
        let body = match status {
            200 => format!(r#"{{"docs":[{{"found":true}},{{"error":{error}}}]}}"#),
            _ => format!(r#"{{"error":{error},"status":{status}}}"#),
        };
        assert_eq!(look(status, &body), Err(expected), "{status} {error_type}");
    }
}

#[test]
fn an_answer_that_says_less_than_was_asked_settles_nothing() {
    for body in ["<html>", "{}", r#"{"docs":[{"found":true}]}"#] {
        assert_eq!(look(200, body), Err(Ok(Trouble::Unreadable)), "{body}");
    }
}
