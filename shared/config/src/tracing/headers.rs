//! The headers of requests to the collector, from the config and its headers file. Their values are secrets.

use std::path::Path;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::Tracing;
use crate::ConfigError;

impl Tracing {
    /// Returns `tracing.headers` merged with `tracing.headers_file`. A header of the file wins.
    ///
    /// # Errors
    /// Names the key and the problem with its value, without the value.
    pub fn all_headers(&self) -> Result<HeaderMap, ConfigError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            insert(&mut headers, name, value.expose())
                .map_err(|reason| ConfigError(format!("tracing.headers: {reason}")))?;
        }
        if let Some(file) = &self.headers_file {
            read(&mut headers, file).map_err(|reason| ConfigError(format!("tracing.headers_file: {reason}")))?;
        }
        Ok(headers)
    }
}

fn read(headers: &mut HeaderMap, file: &Path) -> Result<(), String> {
    let shown = file.display();
    let text = crate::read_text(file).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let lines = (1..).zip(text.lines().map(str::trim));
    for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let header = line.split_once(':');
        let (name, value) = header.ok_or_else(|| format!("{shown}:{number}: must be a header, `name: value`"))?;
        insert(headers, name, value).map_err(|reason| format!("{shown}:{number}: {reason}"))?;
    }
    Ok(())
}

fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    let header = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| "not the name of a header".to_owned())?;
    let value = HeaderValue::from_str(value.trim());
    let mut value = value.map_err(|_| format!("the value of {header} holds characters that cannot be sent"))?;
    value.set_sensitive(true);
    headers.insert(header, value);
    Ok(())
}

#[cfg(test)]
mod tests;
