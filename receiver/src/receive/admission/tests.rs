use std::convert::Infallible;

use axum::body::Bytes;
use futures::stream;

use super::*;

/// Anybody can send plausible signatures, and bodies that never end.
#[tokio::test]
async fn a_stranger_that_holds_all_bytes_gives_way_to_the_next() {
    let config = crate::config::Receiver {
        max_in_flight_bytes: bytesize::ByteSize::mib(1),
        ..crate::config::Receiver::default()
    };
    let admission = Admission::new(&config, 0);
    let (head, _) = axum::http::Request::new(()).into_parts();
    let (source, now) = (Arc::from("signed"), Instant::now());
    let deadline = now + Duration::from_secs(3_600);
    // Of one address, the oldest gives way.
    let room = || admission.waiting_room(&head, &source, IpAddr::from([192, 0, 2, 1]));
    for begun in 0..2 {
        let (mut hog, mut honest) = (room(), room());
        // All but the hog's head, and once the head of the other request.
        hog.budget.grow(256 * 1024 - (1 + begun) * head_bytes(&head)).unwrap();
        let endless = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let hog = async move { hog.read_body(endless, 1024, now, deadline).await.err() };
        let honest = async move { honest.read_body(Body::from("body"), 1024, now, deadline).await };
        let (hog, honest) = tokio::join!(hog, honest);
        assert!(matches!(hog, Some(Rejection::Overloaded)), "{hog:?}");
        assert_eq!(honest.unwrap().body(), b"body", "{begun}");
    }
}
