//! `OTEL_…`: the variables that OpenTelemetry defines ("Environment Variable Specification"). They set keys of
//! `tracing` that neither the file nor `PENSTOCK__TRACING__…` sets.

use std::sync::Arc;

use percent_encoding::percent_decode_str;

use super::ConfigError;
use super::environment::set;
use super::node::{Origin, Style, Value, YamlNode};

const SECTION: &str = "tracing";
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";
const DISABLED: &str = "OTEL_SDK_DISABLED";

/// A process's variables.
struct Variables<'a>(&'a [(String, String)]);

/// Sets keys in `tree` from the OpenTelemetry variables of `environment`, unless they are set already. Ignores
/// variables that do not apply, which may be meant for another program. Returns the names of those that it used.
pub(super) fn merge(tree: &mut YamlNode, environment: &[(String, String)]) -> Result<Vec<String>, ConfigError> {
    let mut names: Vec<String> = Vec::new();
    for (name, key, value) in Variables(environment).keys(tree) {
        names.push(name.to_owned());
        let origin = Origin::Variable(Arc::from(name));
        let path: Vec<&str> = std::iter::once(SECTION).chain(key.iter().map(String::as_str)).collect();
        set(tree, &path, 0, YamlNode::new(Value::Scalar { text: value, style: Style::Variable }, origin))?;
    }
    names.dedup();
    Ok(names)
}

impl Variables<'_> {
    /// Returns the variable, the key below `tracing` and the value, for each key that `tree` does not set.
    fn keys(&self, tree: &YamlNode) -> Vec<(&'static str, Vec<String>, String)> {
        let mut keys = Vec::new();
        let mut add = |variable, key: &str, value: Option<String>| {
            keys.extend(value.filter(|_| is_free(tree, key)).map(|value| (variable, vec![key.to_owned()], value)));
        };
        add(ENDPOINT, "otlp_endpoint", self.endpoint());
        add(SERVICE_NAME, "service_name", self.get(SERVICE_NAME).map(str::to_owned));
        add(SAMPLER, "sample_ratio", self.ratio());
        if is_free(tree, "headers") {
            let headers = self.headers().into_iter();
            keys.extend(headers.map(|(name, value)| (HEADERS, vec!["headers".to_owned(), name], value)));
        }
        keys
    }

    fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(found, _)| found == name)?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    /// Returns the collector's address, if Penstock can use its protocol.
    fn endpoint(&self) -> Option<String> {
        let is_disabled = self.get(DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let is_http = self.get(PROTOCOL).is_none_or(|protocol| protocol == "http/protobuf");
        self.get(ENDPOINT).filter(|_| is_http && !is_disabled).map(str::to_owned)
    }

    /// Returns the share of sampled traces, of those that begin here.
    fn ratio(&self) -> Option<String> {
        match self.get(SAMPLER)?.trim_start_matches("parentbased_") {
            "always_on" => Some("1".to_owned()),
            "always_off" => Some("0".to_owned()),
            "traceidratio" => self.get(SAMPLER_ARG).filter(|ratio| ratio.parse::<f64>().is_ok()).map(str::to_owned),
            _ => None,
        }
    }

    /// Returns names and values from `name=value`, separated by commas, percent-encoded (W3C Baggage).
    fn headers(&self) -> Vec<(String, String)> {
        let pairs = self.get(HEADERS).unwrap_or_default().split(',').filter_map(|pair| pair.split_once('='));
        let decoded = |text: &str| percent_decode_str(text.trim()).decode_utf8_lossy().into_owned();
        pairs
            .map(|(name, value)| (name.trim().to_owned(), decoded(value)))
            .filter(|(name, _)| !name.is_empty())
            .collect()
    }
}

/// Returns whether `key` of the section is still free.
fn is_free(tree: &YamlNode, key: &str) -> bool {
    let Some(section) = child(tree, SECTION) else { return true };
    // One variable may have set the whole section.
    let is_open = section.is_null() || matches!(section.value, Value::Map(_));
    is_open && child(section, key).is_none()
}

fn child<'n>(node: &'n YamlNode, name: &str) -> Option<&'n YamlNode> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
}
