//! What a request takes, and what it does not.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::*;

/// A short body that does not arrive.
struct Stalled;

impl HttpBody for Stalled {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(100)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_body_that_is_read_to_its_end_holds_no_permit() {
    let kafka = kafka();
    let mut config = config(&kafka, &registry(Some(())).await);
    config.receiver.max_in_flight_requests = 1;
    let receiver = start_with(&config, kafka);
    eventually(|| receiver.readiness.is_ready()).await;
    let mut refused = post("/closed", &[("authorization", "Bearer wrong")], Body::new(Stalled));
    *refused.version_mut() = Version::HTTP_2;
    // The first one waits for its body when the second one begins.
    let (refused, honest) = tokio::join!(receiver.send(refused), receiver.send(post("/open", &[], DATUM)));
    assert_eq!((refused.status, honest.status), (401, 200));
}

/// Each request allocates its future, and axum copies it there. Whatever is rare and large must be boxed.
#[test]
fn the_future_of_a_request_is_small() {
    fn size<E, R, F: Future>(_: impl Fn(E, R) -> F) -> usize {
        size_of::<F>()
    }
    let bytes = size(receive);
    assert!(bytes <= 5 * 1024, "{bytes} bytes");
}
