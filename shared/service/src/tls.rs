//! The one TLS implementation of the process: rustls with ring.

/// Makes ring the process's TLS provider, for the HTTP clients that bring none of their own. To be called before such a
/// client is built; a second call changes nothing.
pub fn install_provider() {
    // An error says that there is a provider already: the same one, since nobody else installs any.
    let _already_there = rustls::crypto::ring::default_provider().install_default();
}
