//! The paths in a source file: in `use` declarations, re-exports, and code.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::vec::IntoIter;

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path as written, by segment: `crate`, `message`, `Event`.
pub type Segments = Vec<String>;

/// Holds the paths in a file. Comments, texts and test modules inside the file do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Every path, including those of `use` declarations.
    pub paths: Vec<Segments>,
    /// The path of each name that a `use` declaration imports.
    pub imports: BTreeMap<String, Segments>,
    /// The imports that are public in any way.
    pub exports: BTreeMap<String, Segments>,
    /// The modules that are declared only for tests, with `#[cfg(test)]`.
    pub test_modules: BTreeSet<String>,
}

type Tokens = Peekable<IntoIter<TokenTree>>;

/// Returns the paths in `text`, a source file.
///
/// # Errors
/// If it is not Rust.
pub fn named(text: &str) -> Result<Named> {
    let stream: TokenStream = text.parse().map_err(|error| anyhow!("not Rust: {error}"))?;
    let mut named = Named::default();
    scan(stream, &mut named);
    Ok(named)
}

fn scan(stream: TokenStream, named: &mut Named) {
    let mut tokens = peekable(stream);
    let (mut public, mut for_tests) = (false, false);
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "pub" => {
                public = true;
                continue;
            }
            // The group of `pub(crate)` may come between `pub` and `use`.
            TokenTree::Group(group) if public && group.delimiter() == Delimiter::Parenthesis => continue,
            TokenTree::Ident(word) if word == "use" => import(&mut tokens, public, named),
            TokenTree::Ident(word) if word == "mod" && for_tests => test_module(&mut tokens, named),
            TokenTree::Ident(word) => path(word.to_string(), &mut tokens, named),
            TokenTree::Group(group) if is_for_tests(&group) => {
                for_tests = true;
                continue;
            }
            TokenTree::Group(group) => scan(group.stream(), named),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        (public, for_tests) = (false, false);
    }
}

/// Returns whether the attribute in `group` restricts the next item to tests.
fn is_for_tests(group: &Group) -> bool {
    let text = group.stream().to_string().replace(' ', "");
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

fn peekable(stream: TokenStream) -> Tokens {
    stream.into_iter().collect::<Vec<_>>().into_iter().peekable()
}

/// Takes the name of a test module, and skips its content if it is inline.
fn test_module(tokens: &mut Tokens, named: &mut Named) {
    if let Some(TokenTree::Ident(name)) = tokens.next() {
        named.test_modules.insert(name.to_string());
    }
    tokens.next_if(|token| matches!(token, TokenTree::Group(_)));
}

/// Takes the rest of a path that begins with `first`.
fn path(first: String, tokens: &mut Tokens, named: &mut Named) {
    let mut segments = vec![first];
    while separator(tokens) {
        match tokens.next_if(|token| matches!(token, TokenTree::Ident(_))) {
            Some(segment) => segments.push(segment.to_string()),
            None => break,
        }
    }
    if segments.len() > 1 {
        named.paths.push(segments);
    }
}

/// Takes `::` if it comes next.
fn separator(tokens: &mut Tokens) -> bool {
    let colon = |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ':');
    let joined = |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ':' && mark.spacing() == proc_macro2::Spacing::Joint);
    tokens.next_if(joined).is_some() && tokens.next_if(colon).is_some()
}

/// Takes a declaration after `use`.
fn import(tokens: &mut Tokens, public: bool, named: &mut Named) {
    let mut leaves = Vec::new();
    separator(tokens);
    tree(&[], tokens, &mut leaves);
    for (name, segments) in leaves {
        named.paths.push(segments.clone());
        if public {
            named.exports.insert(name.clone(), segments.clone());
        }
        named.imports.insert(name, segments);
    }
}

/// Takes one tree of a `use` declaration below `prefix`. Adds the name and the path of each leaf to `leaves`.
fn tree(prefix: &[String], tokens: &mut Tokens, leaves: &mut Vec<(String, Segments)>) {
    let mut segments = prefix.to_vec();
    loop {
        match tokens.next() {
            Some(TokenTree::Ident(segment)) => segments.push(segment.to_string()),
            Some(TokenTree::Group(group)) => {
                let mut inner = peekable(group.stream());
                while inner.peek().is_some() {
                    tree(&segments, &mut inner, leaves);
                    inner.next_if(|token| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ','));
                }
                return;
            }
            // `*` stands for the module itself.
            _ => return leaves.push(("*".to_owned(), segments)),
        }
        if !separator(tokens) {
            break;
        }
    }
    if segments.last().is_some_and(|last| last == "self") && segments.len() > 1 {
        segments.pop();
    }
    let mut name = segments.last().cloned().unwrap_or_default();
    if tokens.next_if(|token| matches!(token, TokenTree::Ident(word) if word == "as")).is_some()
        && let Some(alias) = tokens.next()
    {
        name = alias.to_string();
    }
    leaves.push((name, segments));
}

/// Returns the types of the inherent `impl` blocks in `text`, a source file, as written, without generic arguments.
/// Blocks in modules inside the file, and those only for tests, do not count.
///
/// # Errors
/// If it is not Rust.
pub fn inherent_impls(text: &str) -> Result<Vec<Segments>> {
    let stream: TokenStream = text.parse().map_err(|error| anyhow!("not Rust: {error}"))?;
    let mut tokens = peekable(stream);
    // An item begins at the start, after an attribute, and after the item before it, which ends with a body or `;`.
    let (mut types, mut begins, mut for_tests) = (Vec::new(), true, false);
    while let Some(token) = tokens.next() {
        let began = std::mem::take(&mut begins);
        match token {
            TokenTree::Ident(word) if word == "impl" && began => {
                types.extend(implemented(&mut tokens).filter(|_| !for_tests));
                (begins, for_tests) = (true, false);
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                begins = true;
                for_tests |= is_for_tests(&group);
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => (begins, for_tests) = (true, false),
            TokenTree::Punct(mark) if mark.as_char() == ';' => (begins, for_tests) = (true, false),
            _ => {}
        }
    }
    Ok(types)
}

/// Takes the rest of an `impl` block. Returns its type, or `None` if it implements a trait.
fn implemented(tokens: &mut Tokens) -> Option<Segments> {
    let (mut name, mut depth, mut of_trait, mut in_bounds) = (Segments::new(), 0_usize, false, false);
    let mut arrow = false;
    for token in tokens.by_ref() {
        let was_dash = std::mem::take(&mut arrow);
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
            TokenTree::Punct(mark) if mark.as_char() == '-' => arrow = true,
            TokenTree::Punct(mark) if mark.as_char() == '<' => depth += 1,
            TokenTree::Punct(mark) if mark.as_char() == '>' && !was_dash => depth = depth.saturating_sub(1),
            TokenTree::Ident(_) if depth > 0 || in_bounds => {}
            TokenTree::Ident(word) if word == "for" => of_trait = true,
            TokenTree::Ident(word) if word == "where" => in_bounds = true,
            TokenTree::Ident(word) => name.push(word.to_string()),
            _ => {}
        }
    }
    (!of_trait && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests;
