use super::*;

#[test]
fn only_a_document_that_takes_too_long_is_a_time_out() {
    for (status, trouble) in [(TIMED_OUT, Trouble::TimedOut), (500, Trouble::Server), (400, Trouble::Server)] {
        let (error_type, reason) = ("odd_exception".to_owned(), "why".to_owned());
        let failure = BulkFailure::from(Refusal { status, error_type, reason });
        let detail = format!("status {status} odd_exception: why");
        assert_eq!(failure, BulkFailure { trouble, detail });
    }
}
