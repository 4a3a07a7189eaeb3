use super::*;

#[test]
fn errors_of_the_server_are_told_from_those_of_a_proxy() {
    for (body, is_own) in [
        (r#"{"error":{"type":"index_not_found_exception","reason":"no such index [x]"},"status":404}"#, true),
        (r#"{"error":"alias [x] missing","status":404}"#, true),
        (r#"{"error":"no handler found for uri [/x] and method [GET]"}"#, true),
        (r#"{"error":"Not Found","status":404,"path":"/x"}"#, false),
        (r#"{"error":"no healthy upstream"}"#, false),
        (r#"{"error":{"code":404,"message":"not found","status":"NOT_FOUND"}}"#, false),
        (r#"{"message":"no Route matched with those values"}"#, false),
        ("<html>no such backend</html>", false),
    ] {
        assert_eq!(is_own_error(body.as_bytes()), is_own, "{body}");
    }
}
