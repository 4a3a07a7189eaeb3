use super::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_token_is_renewed_five_minutes_early_or_at_half_of_its_life() {
    for (life, used) in [(3_600, 3_300), (600, 300), (300, 150), (60, 30), (0, 0)] {
        assert_eq!(usable(seconds(life)), seconds(used), "{life}");
    }
}

#[test]
fn a_lifetime_is_parsed_in_each_form_and_bounded() {
    assert_eq!(life(Some(&json!(3600))), seconds(3_600));
    assert_eq!(life(Some(&json!("3600"))), seconds(3_600));
    assert_eq!(life(Some(&json!(-1))), DEFAULT_LIFE);
    assert_eq!(life(None), DEFAULT_LIFE);
    assert_eq!(life(Some(&json!(u64::MAX))), MAX_LIFE);
}

#[test]
fn only_known_error_codes_are_repeated() {
    let answer = |body: &str| CxoneAnswer { status: StatusCode::UNAUTHORIZED, body: body.as_bytes().to_vec() };
    assert_eq!(code(&answer(r#"{"error": "invalid_client"}"#)), ", invalid_client");
    assert_eq!(code(&answer(r#"{"error": "the secret hunter2 is wrong"}"#)), "");
    assert_eq!(code(&answer("<html>")), "");
}

#[test]
fn form_values_are_encoded() {
    assert_eq!(form(&[("a", "b c"), ("d", "&=+é")]), "a=b+c&d=%26%3D%2B%C3%A9");
}
