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
    endpoint.rejected(rejection, SystemTime::now(), &RequestId::of(&head.headers))
}

/// Returns the answer to a request with `count` accepted events.
pub(super) fn accepted(count: usize) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], format!(r#"{{"accepted":{count}}}"#)).into_response()
}

impl Endpoint {
    /// Counts, logs and answers a rejection.
    pub(super) fn rejected(&self, rejection: Rejection, now: SystemTime, request_id: &RequestId) -> Response {
        let (code, status) = (rejection.code(), rejection.status().as_u16());
        self.source.metrics.rejected(code);
        let (source, request_id) = (self.source.name.as_str(), request_id.as_str());
        if rejection.row().about == About::Traffic {
            tracing::debug!(source, request_id, status, code, "Refused a request.");
        } else if let Some(suppressed) = self.common.log_budget.take(now) {
            let at = ErrorLocation::of(&rejection).map(tracing::field::display);
            tracing::info!(source, request_id, status, code, at, suppressed, "Refused an event.");
        }
        rejection.into_response()
    }
}
