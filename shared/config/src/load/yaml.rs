//! Parses YAML text into nodes. Resolves aliases, ignores tags, and does not support merge keys (`<<`).

use std::collections::HashMap;
use std::sync::Arc;

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::ConfigError;
use super::node::{Key, Origin, Style, Value, YamlNode};

/// The most nodes that a file may have, with aliases counted at each use: far more than any config needs.
const MAX_NODES: usize = 100_000;

/// The deepest nesting of nodes, since they are read by recursion.
const MAX_DEPTH: usize = 32;

/// Returns the tree of the one document in `text`, or an empty map if it has no document. `name` stands for the file.
pub(super) fn parse(name: &str, text: &str) -> Result<YamlNode, ConfigError> {
    read(text, |line| Origin::File(Arc::from(name), line))
}

/// Returns the tree of a value from the environment variable `name`.
pub(super) fn parse_variable(name: &Arc<str>, text: &str) -> Result<YamlNode, ConfigError> {
    read(text, |_| Origin::Variable(Arc::clone(name)))
}

fn read(text: &str, origin: impl Fn(usize) -> Origin) -> Result<YamlNode, ConfigError> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { parser, anchors: HashMap::new(), nodes: 0, origin };
    let mut document = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            Event::StreamEnd => break,
            _ if document.is_some() => {
                return Err(reader.error(span.start.line(), "a second YAML document; there must be only one"));
            }
            event => document = Some(reader.node(event, span, 0)?),
        }
    }
    Ok(document.unwrap_or_else(|| YamlNode::new(Value::Map(Vec::new()), (reader.origin)(1))))
}

struct Reader<'t, F> {
    parser: Parser<'t, StrInput<'t>>,
    /// Finished nodes with an anchor, and how many nodes each contains.
    anchors: HashMap<usize, (YamlNode, usize)>,
    nodes: usize,
    origin: F,
}

impl<'t, F: Fn(usize) -> Origin> Reader<'t, F> {
    fn next(&mut self) -> Result<(Event<'t>, Span), ConfigError> {
        match self.parser.next_event() {
            None => Err(self.error(1, "the YAML ends too early")),
            Some(Err(error)) => Err(self.scan_error(&error)),
            Some(Ok(next)) => Ok(next),
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<YamlNode, ConfigError> {
        let line = span.start.line();
        let before = self.nodes;
        self.count(1, line)?;
        if depth > MAX_DEPTH {
            return Err(self.error(line, "nested too deep"));
        }
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let style = if style == ScalarStyle::Plain { Style::Plain } else { Style::Quoted };
                (Value::Scalar { text: text.into_owned(), style }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.list(depth)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map(depth)?, anchor),
            Event::Alias(anchor) => return self.alias(anchor, line),
            _ => return Err(self.error(line, "not understood as YAML")),
        };
        let node = YamlNode::new(value, (self.origin)(line));
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - before));
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Value, ConfigError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::List(items));
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, ConfigError> {
        let mut entries: Vec<(Key, YamlNode)> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Map(entries));
            }
            let line = span.start.line();
            let Event::Scalar(name, ..) = event else {
                return Err(self.error(line, "a key must be a word"));
            };
            if let Some((first, _)) = entries.iter().find(|(key, _)| key.name == name) {
                let message = format!("the key {name} occurs twice, first at {}", first.origin);
                return Err(self.error(line, &message));
            }
            let key = Key { name: name.into_owned(), origin: (self.origin)(line) };
            let (event, span) = self.next()?;
            entries.push((key, self.node(event, span, depth + 1)?));
        }
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Result<YamlNode, ConfigError> {
        let Some((node, nodes)) = self.anchors.get(&anchor).cloned() else {
            return Err(self.error(line, "this alias has no anchor before it"));
        };
        self.count(nodes, line)?;
        Ok(node)
    }

    fn count(&mut self, nodes: usize, line: usize) -> Result<(), ConfigError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            return Err(self.error(line, "too large for a config"));
        }
        Ok(())
    }

    fn scan_error(&self, error: &ScanError) -> ConfigError {
        let marker = error.marker();
        self.error(marker.line(), &format!("not YAML: {}, in column {}", error.info(), marker.col() + 1))
    }

    fn error(&self, line: usize, message: &str) -> ConfigError {
        ConfigError(format!("{}: {message}", (self.origin)(line)))
    }
}
