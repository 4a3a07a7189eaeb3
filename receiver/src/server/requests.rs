//! Passes the requests of one connection to the router, and its answers back.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, Version};
use axum::routing::future::RouteFuture;
use futures::FutureExt;
use futures::future::{BoxFuture, Either};
use hyper::body::Incoming;
use tower::Service;

use super::unread::Streams;
use crate::client::{Client, Visit};

/// Passes requests to a router, with the connection that they came on.
#[derive(Clone)]
pub(super) struct Requests {
    pub(super) router: Router,
    pub(super) client: Arc<Client>,
    /// The streams whose answers have not been read yet.
    pub(super) streams: Arc<Streams>,
}

type Answered = Result<Response<Body>, Infallible>;

impl Service<Request<Incoming>> for Requests {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<RouteFuture<Infallible>, BoxFuture<'static, Answered>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(Visit::begin(&self.client));
        // HTTP/1 answers requests one after the other, and the socket notices if an answer is not read.
        let is_watched = request.version() == Version::HTTP_2 && !self.client.is_known();
        let answer = self.router.call(request);
        if !is_watched {
            return Either::Left(answer);
        }
        let (stream, client) = (self.streams.begin(), Arc::clone(&self.client));
        let watched = answer.map(move |answered| {
            answered.map(|answer| if client.is_known() { answer } else { answer.map(|body| stream.answer(body)) })
        });
        Either::Right(watched.boxed())
    }
}
