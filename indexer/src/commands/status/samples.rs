//! Metrics of one service, as its admin port has them (Prometheus text format). Pure.

/// The samples of one answer.
#[derive(Debug, Default)]
pub(super) struct Samples(Vec<Sample>);

#[derive(Debug)]
struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

impl Samples {
    /// Reads the body of `/metrics`. Lines that are no samples are left out.
    pub(super) fn parse(text: &str) -> Self {
        Self(text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect())
    }

    /// Returns the values of `name` whose labels are among `labels`, with all of their labels.
    fn of<'a>(&'a self, name: &'a str, labels: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = &'a Sample> {
        let has = |sample: &Sample| {
            let has_label = |(name, value): &(&str, &str)| sample.label(name) == Some(value);
            labels.iter().all(has_label)
        };
        self.0.iter().filter(move |sample| sample.name == name && has(sample))
    }

    /// Returns the sum of `name` over all labels that have `labels` among them; none where there is no such sample.
    pub(super) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.of(name, labels).map(|sample| sample.value).reduce(|a, b| a + b)
    }

    /// Returns the highest value of `name`.
    pub(super) fn max(&self, name: &str) -> Option<f64> {
        self.of(name, &[]).map(|sample| sample.value).reduce(f64::max)
    }

    /// Returns the values of the label `label` of those samples of `name` that are not 0.
    pub(super) fn set(&self, name: &str, label: &str) -> Vec<String> {
        let set = self.of(name, &[]).filter(|sample| sample.value != 0.0);
        set.filter_map(|sample| sample.label(label).map(str::to_owned)).collect()
    }

    /// Returns the value of the label `label` of the first sample of `name`.
    pub(super) fn label(&self, name: &str, label: &str) -> Option<String> {
        self.of(name, &[]).next()?.label(label).map(str::to_owned)
    }
}

impl Sample {
    fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

fn sample(line: &str) -> Option<Sample> {
    let (series, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let Some((name, labels)) = series.split_once('{') else {
        return Some(Sample { name: series.to_owned(), labels: Vec::new(), value });
    };
    Some(Sample { name: name.to_owned(), labels: self::labels(labels), value })
}

/// Reads `a="1",b="2"}`, in which a value may hold escaped quotes.
fn labels(text: &str) -> Vec<(String, String)> {
    let (mut labels, mut rest) = (Vec::new(), text);
    while let Some((name, after)) = rest.split_once("=\"") {
        let (mut value, mut escaped, mut end) = (String::new(), false, after.len());
        for (at, char) in after.char_indices() {
            match char {
                '\\' if !escaped => {
                    escaped = true;
                    continue;
                }
                '"' if !escaped => {
                    end = at;
                    break;
                }
                'n' if escaped => value.push('\n'),
                char => value.push(char),
            }
            escaped = false;
        }
        labels.push((name.trim_start_matches(',').to_owned(), value));
        rest = after.get(end + 1..).unwrap_or_default();
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_labels_are_read_and_garbage_is_left_out() {
        let samples = Samples::parse(
            "# HELP a b\n# TYPE a counter\na{topic=\"x\",stage=\"decode\"} 2\na{topic=\"y\",stage=\"index\"} 3\nplain 1.5\n\
             odd{why=\"a \\\"b\\\", c=1\",x=\"2\"} 1\nodd{why=\"no\"} 0\nno sample here\n",
        );
        assert_eq!(samples.sum("a", &[]), Some(5.0));
        assert_eq!(samples.sum("a", &[("stage", "index")]), Some(3.0));
        assert_eq!((samples.sum("a", &[("stage", "z")]), samples.sum("none", &[])), (None, None));
        assert_eq!((samples.max("a"), samples.sum("plain", &[])), (Some(3.0), Some(1.5)));
        assert_eq!(samples.set("odd", "why"), ["a \"b\", c=1"]);
        assert_eq!(samples.label("odd", "x").as_deref(), Some("2"));
    }
}
