//! Answers to requests, except for the verification of a webhook by its vendor ([`super::verify`]).

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse, Response};

use super::request_id::RequestId;
use super::{Endpoint, verify};
use crate::reject::Rejection;
use crate::reject::location::ErrorLocation;
use crate::reject::table::About;
use crate::stages::authenticate::Unauthorized;

/// What became of a request.
pub(super) enum Outcome {
    /// So many events of it are stored.
    Accepted(usize),
    /// It was the challenge of a vendor, which is answered so.
    Challenged(Response),
}

/// Answers a request to a source that is not a POST.
pub(crate) async fn other_method(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response {
    let (head, _body) = request.into_parts();
    let rejection = match (&endpoint.source.challenge, &head.method) {
        (Some(challenge), &Method::GET | &Method::HEAD) => {
            let authenticator = endpoint.source.authenticator.current();
            match verify::answer(challenge, &head, |text| authenticator.hash(None, text)) {
                Ok(answer) => return answer,
                Err(Unauthorized) => Rejection::Unauthorized(authenticator.challenge()),
            }
        }
        (Some(_), &Method::OPTIONS) => return verify::options(&head.headers),
        _ => Rejection::MethodNotAllowed,
    };
    rejected(rejection, &endpoint, SystemTime::now(), &RequestId::of(&head.headers))
}

/// Returns the answer to a request to `endpoint` that arrived at `now`. Counts and logs a rejection.
pub(super) fn to(
    outcome: Result<Outcome, Rejection>,
    endpoint: &Endpoint,
    now: SystemTime,
    request_id: &RequestId,
) -> Response {
    match outcome {
        Ok(Outcome::Accepted(count)) => accepted(count),
        Ok(Outcome::Challenged(answer)) => answer,
        Err(rejection) => rejected(rejection, endpoint, now, request_id),
    }
}

/// Returns the answer to a request with `count` accepted events.
fn accepted(count: usize) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], format!(r#"{{"accepted":{count}}}"#)).into_response()
}

/// Counts, logs and answers a rejection.
fn rejected(rejection: Rejection, endpoint: &Endpoint, now: SystemTime, request_id: &RequestId) -> Response {
    let (code, status) = (rejection.code(), rejection.status().as_u16());
    endpoint.source.metrics.rejected(code);
    let (source, request_id) = (endpoint.source.name.as_str(), request_id.as_str());
    if rejection.row().about == About::Traffic {
        tracing::debug!(source, request_id, status, code, "Refused a request.");
    } else if let Some(suppressed) = endpoint.common.log_budget.take(now) {
        let at = ErrorLocation::of(&rejection).map(tracing::field::display);
        tracing::info!(source, request_id, status, code, at, suppressed, "Refused an event.");
    }
    rejection.into_response()
}
