//! The rate limit of a source, in requests per second.

use service::token_bucket::TokenBucket;

use crate::config::Limits;

/// Returns the rate that `limits` allow, or `None` if there is no limit.
pub(crate) fn rate(limits: &Limits) -> Option<TokenBucket> {
    let per_second = limits.max_requests_per_second?.max(1);
    let burst = limits.burst.unwrap_or(per_second).max(1);
    Some(TokenBucket::new(f64::from(per_second), f64::from(burst)))
}

#[cfg(test)]
mod tests;
