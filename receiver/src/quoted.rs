//! Parses header values that are lists with quoted values: `Forwarded` (RFC 7239, section 4) and Envoy's
//! `X-Forwarded-Client-Cert`.

/// Splits `text` at the separators outside of quotes. In quotes, a backslash escapes the next byte.
///
/// Returns `None` if a quote stays open, opens elsewhere than right after `=`, or closes elsewhere than at the end of
/// its value. The client may have written what comes before the proxy's element. A quote that it leaves open would
/// swallow that element, and an escaped quote in the element (in a host, say) would make the count of quotes even
/// again. In that case the proxy's own quotes are always misplaced.
pub(crate) fn split(text: &[u8], separator: u8) -> Option<Vec<&[u8]>> {
    let (mut parts, mut begin, mut before) = (Vec::new(), 0, None);
    let mut quoted = false;
    let mut bytes = text.iter().copied().enumerate().peekable();
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'\\' if quoted => drop(bytes.next()),
            b'"' if quoted => {
                let rest = text.get(index + 1..)?.trim_ascii_start();
                if !matches!(rest.first(), None | Some(b';' | b',')) {
                    return None;
                }
                quoted = false;
            }
            b'"' if before == Some(b'=') => quoted = true,
            b'"' => return None,
            other if other == separator && !quoted => {
                parts.push(text.get(begin..index)?);
                begin = index + 1;
            }
            _ => {}
        }
        before = Some(byte);
    }
    parts.push(text.get(begin..)?);
    (!quoted).then_some(parts)
}

/// Returns the name and the value of a pair, without the quotes of the value; `None` without `=`.
pub(crate) fn pair(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = memchr::memchr(b'=', text)?;
    let (name, value) = (text.get(..equals)?.trim_ascii(), text.get(equals + 1..)?.trim_ascii());
    let inside = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    Some((name, inside.unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_in_quotes_do_not_split() {
        assert_eq!(split(b"a=\"1,2\", b=3", b','), Some(vec![&b"a=\"1,2\""[..], b" b=3"]));
        assert_eq!(split(b"a=\"1\\\",2\";b=3", b','), Some(vec![&b"a=\"1\\\",2\";b=3"[..]]));
    }

    #[test]
    fn a_misplaced_quote_makes_the_value_unreadable() {
        for value in ["a=\"1,b=2", "a\"=1\"", "a=\"1\"2,b=3", "a=x\"1\"", "a=\"1\\\""] {
            assert_eq!(split(value.as_bytes(), b','), None, "{value}");
        }
    }

    #[test]
    fn a_pair_is_read_without_its_quotes() {
        assert_eq!(pair(b" Subject = \"CN=a,O=b\" "), Some((&b"Subject"[..], &b"CN=a,O=b"[..])));
        assert_eq!(pair(b"for=_hidden"), Some((&b"for"[..], &b"_hidden"[..])));
        assert_eq!(pair(b"for"), None);
    }
}
