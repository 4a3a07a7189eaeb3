use super::*;
use crate::bulk::outcome::{BlockKind, Judgement, judge};

fn own(error_type: &str) -> String {
    format!(r#"{{"error":{{"type":"{error_type}","reason":"why"}},"status":0}}"#)
}

fn answer(status: u16, body: String) -> ServerAnswer {
    ServerAnswer { status, body: body.into(), is_elasticsearch: true }
}

fn kinds(obstacle: &Obstacle) -> Result<Trouble, BlockKind> {
    match obstacle {
        Obstacle::Failed(failure) => Ok(failure.trouble),
        Obstacle::Block(block) => Err(block.kind),
    }
}

const HTML: &str = "<html>no such backend</html>";

/// What an answer means to a question, and what to a bulk request.
#[test]
fn what_passes_by_itself_differs_from_what_an_operator_has_to_fix() {
    use BlockKind::{Closed, Index, Other, Security};
    let text = || r#"{"error":"no handler found for uri [/x]","status":404}"#.to_owned();
    for (status, body, expected) in [
        (408, own("timeout_exception"), Ok(Trouble::TimedOut)),
        (408, HTML.to_owned(), Ok(Trouble::TimedOut)),
        (429, own("es_rejected_execution_exception"), Ok(Trouble::Overload)),
        (429, own("circuit_breaking_exception"), Ok(Trouble::Overload)),
        (429, HTML.to_owned(), Ok(Trouble::Overload)),
        (404, own("shard_not_found_exception"), Ok(Trouble::Server)),
        (404, HTML.to_owned(), Ok(Trouble::Server)),
        (500, own("i_o_exception"), Ok(Trouble::Server)),
        (500, own("null_pointer_exception"), Ok(Trouble::Server)),
        (500, HTML.to_owned(), Ok(Trouble::Server)),
        (502, HTML.to_owned(), Ok(Trouble::Server)),
        (503, own("cluster_block_exception"), Ok(Trouble::Server)), // no master, or not recovered yet
        (504, String::new(), Ok(Trouble::Server)),
        (403, own("cluster_block_exception"), Err(Index)), // index.blocks.read
        (429, own("cluster_block_exception"), Err(Index)), // the disk's flood stage
        (400, own("index_closed_exception"), Err(Closed)),
        (401, own("security_exception"), Err(Security)),
        (401, String::new(), Err(Security)),
        (403, own("security_exception"), Err(Security)),
        (403, HTML.to_owned(), Err(Security)),
        (400, own("illegal_argument_exception"), Err(Other)),
        (404, text(), Err(Other)),
        (405, text(), Err(Other)),
        (413, HTML.to_owned(), Err(Other)),
        (301, HTML.to_owned(), Err(Other)),
    ] {
        let answer = answer(status, body);
        let obstacle = Obstacle::of_answer("looking up ids", "x-000001", &answer);
        assert_eq!(kinds(&obstacle), expected, "{status} {:?}", answer.body);
        // What passes for a question passes for a request too; an error of the server's may be due to a document there.
        let judgement = judge(answer.status, &answer.body, 2);
        match (&judgement, expected) {
            (Judgement::Retry(failure), Ok(trouble)) => assert_eq!(failure.trouble, trouble, "{status}"),
            (Judgement::Faulted(_), Ok(Trouble::Server)) => assert_eq!(status, 500),
            (Judgement::Blocked(block), Err(kind)) => assert_eq!(block.kind, kind, "{status}"),
            (Judgement::Doubtful(_), Err(Security | Other)) => {}
            (Judgement::TooLarge, Err(Other)) => assert_eq!(status, 413),
            other => panic!("{status} {:?}: {other:?}", answer.body),
        }
    }
}

#[test]
fn an_error_of_one_document_is_known_by_its_type() {
    for (error_type, expected) in [
        ("cluster_block_exception", Err(BlockKind::Index)),
        ("index_closed_exception", Err(BlockKind::Closed)),
        ("security_exception", Err(BlockKind::Security)),
        ("no_shard_available_action_exception", Ok(Trouble::Server)),
        ("shard_not_found_exception", Ok(Trouble::Server)),
        ("routing_missing_exception", Err(BlockKind::Other)),
    ] {
        let error = serde_json::from_value(serde_json::json!({ "type": error_type })).unwrap();
        assert_eq!(kinds(&Obstacle::of_document("d", "x", error)), expected, "{error_type}");
    }
    assert_eq!(kinds(&Obstacle::of_document("d", "x", ErrorBody::default())), Ok(Trouble::Server));
}

#[test]
fn a_block_says_what_elasticsearch_says_where_and_what_for() {
    let reason = "index [x-000001] blocked by: [FORBIDDEN/7/index read (api)];";
    let body = format!(r#"{{"error":{{"type":"cluster_block_exception","reason":"{reason}"}},"status":403}}"#);
    let text = Obstacle::of_answer("looking up ids", "x-000001", &answer(403, body)).to_string();
    for part in ["index_block", "403 cluster_block_exception", "looking up ids", reason, "x-000001", "index.blocks"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let text = Obstacle::of_answer("looking up ids", "x-000001", &answer(403, HTML.to_owned())).to_string();
    assert!(text.contains("no such backend") && text.contains("privilege read"), "{text}");
}
