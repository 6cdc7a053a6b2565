//! From hcl-edit's tree to ours.

use std::{ops::Range, sync::Arc};

use hcl_edit::{
    Span as _,
    expr::{BinaryOperator, Expression, ForExpr, FuncCall, Object, ObjectKey, TraversalOperator, UnaryOperator},
    parser,
    template::Element,
};
use lakeform_core::{Type, Value};

use super::{
    BinaryOp, Call, For, Node, NodeKind, Offsets, Parser, UnaryOp,
    reference::{Located, Op, apply, resolve},
    simple::simple,
    template::{Style, elements, text_value},
};
use crate::functions;

/// How many attributes, indexes and splats may follow one another: each makes the tree one deeper.
pub(super) const MOST_STEPS: usize = 250;

/// The tree of a template: what a TOML string stands for.
pub(crate) fn template(parser: &mut Parser, text: &str, offsets: &Offsets) -> Node {
    let range = offsets.range(&(0..text.len()));
    if !text.contains("${") && !text.contains("%{") {
        return Node::new(range, NodeKind::Literal(text_value(text)));
    }
    if let Some(node) = simple(parser, text, offsets) {
        return node;
    }
    match parser::parse_template(text) {
        Ok(template) => elements(parser, offsets, template.iter(), Style { quoted: false }),
        Err(e) => syntax_error(parser, offsets, &e, text),
    }
}

/// The tree of an expression that stands by itself: newlines are white space in it.
pub(crate) fn expression(parser: &mut Parser, text: &str, offsets: &Offsets) -> Node {
    let wrapped = format!("${{{text}\n}}");
    let offsets = offsets.after("${".len());
    match parser::parse_template(&wrapped) {
        Ok(template) => match template.as_single_element() {
            Some(Element::Interpolation(only)) => node(parser, &offsets, &only.expr),
            _ => {
                let range = offsets.range(&(2..wrapped.len() - 2));
                parser.error(
                    range.clone(),
                    "Extra characters after expression",
                    "An expression was successfully parsed, but extra characters were found after it.",
                );
                failed(range)
            }
        },
        Err(e) => syntax_error(parser, &offsets, &e, &wrapped),
    }
}

fn syntax_error(parser: &mut Parser, offsets: &Offsets, error: &parser::Error, text: &str) -> Node {
    let mut at = error.location().offset().min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let width = text[at..].chars().next().map_or(0, char::len_utf8);
    let range = offsets.range(&(at..at + width));
    let (summary, detail) = in_words(error.message());
    parser.error(range.clone(), summary, detail);
    failed(range)
}

/// The commonest of the parser's messages in Terraform's words.
fn in_words(message: &str) -> (&'static str, &str) {
    match message {
        m if m.starts_with("invalid expression; ") => {
            ("Invalid expression", "Expected the start of an expression here.")
        }
        "expected `}`" => (
            "Extra characters after interpolation expression",
            "Expected a closing brace to end the interpolation expression, but found extra characters. If this is an embedded sequence for another language, escape it by starting with \"$${\" instead of just \"${\".",
        ),
        "unexpected token" => (
            "Invalid template",
            "Something that is opened here or before is not closed: a quote, a brace or a directive.",
        ),
        m => ("Invalid expression", m),
    }
}

fn failed(range: Range<usize>) -> Node {
    Node::new(range, NodeKind::Literal(Value::unknown(Type::Dynamic)))
}

/// The tree of one of hcl-edit's expressions.
pub(super) fn node(parser: &mut Parser, offsets: &Offsets, e: &Expression) -> Node {
    let own = e.span().unwrap_or_default();
    let range = offsets.range(&own);
    let kind = match e {
        Expression::Null(_) => NodeKind::Literal(Value::null(Type::Dynamic)),
        Expression::Bool(b) => NodeKind::Literal((**b).into()),
        Expression::Number(n) => {
            let text: String = match n.as_repr() {
                Some(repr) => repr.chars().filter(|c| !c.is_whitespace()).collect(),
                None => n.value().to_string(),
            };
            match text.parse::<lakeform_core::Number>() {
                Ok(n) => NodeKind::Literal(n.into()),
                Err(_) => {
                    parser.error(
                        range.clone(),
                        "Invalid number literal",
                        format!("`{text}` is no number that can be kept."),
                    );
                    return failed(range);
                }
            }
        }
        Expression::String(s) => NodeKind::Literal(text_value(s)),
        Expression::StringTemplate(t) => return at(range, elements(parser, offsets, t.iter(), Style { quoted: true })),
        Expression::HeredocTemplate(t) => {
            return at(range, elements(parser, offsets, t.template.iter(), Style { quoted: false }));
        }
        Expression::Parenthesis(inner) => return at(range, node(parser, offsets, inner.inner())),
        Expression::Array(items) => NodeKind::Tuple(items.iter().map(|e| node(parser, offsets, e)).collect()),
        Expression::Object(o) => object(parser, offsets, o),
        Expression::Variable(name) => return resolve(parser, Arc::from(name.as_str()), range, Vec::new()),
        Expression::Traversal(t) if t.operators.len() > MOST_STEPS => {
            let detail = format!("At most {MOST_STEPS} attributes, indexes and splats may follow one another.");
            parser.error(range.clone(), "Expression too long", detail);
            return failed(range);
        }
        Expression::Traversal(t) => {
            let ops = t.operators.iter().map(|op| located(parser, offsets, op, op.span())).collect();
            return at(
                range,
                match &t.expr {
                    Expression::Variable(name) => {
                        let at = offsets.range(&name.span().unwrap_or(own));
                        resolve(parser, Arc::from(name.as_str()), at, ops)
                    }
                    e => {
                        let source = node(parser, offsets, e);
                        apply(source, ops)
                    }
                },
            );
        }
        Expression::UnaryOp(op) => {
            let kind = match op.operator.value() {
                UnaryOperator::Neg => UnaryOp::Negate,
                UnaryOperator::Not => UnaryOp::Not,
            };
            NodeKind::Unary(kind, Box::new(node(parser, offsets, &op.expr)))
        }
        Expression::BinaryOp(op) => {
            let left = node(parser, offsets, &op.lhs_expr);
            let right = node(parser, offsets, &op.rhs_expr);
            NodeKind::Binary(binary(*op.operator.value()), Box::new(left), Box::new(right))
        }
        Expression::Conditional(c) => NodeKind::Conditional(Box::new([
            node(parser, offsets, &c.cond_expr),
            node(parser, offsets, &c.true_expr),
            node(parser, offsets, &c.false_expr),
        ])),
        Expression::FuncCall(call) => return function(parser, offsets, call, range),
        Expression::ForExpr(f) => repetition(parser, offsets, f),
    };
    Node::new(range, kind)
}

/// The same tree at the place of what encloses it.
fn at(range: Range<usize>, node: Node) -> Node {
    Node::new(range, node.kind)
}

fn binary(op: BinaryOperator) -> BinaryOp {
    match op {
        BinaryOperator::Eq => BinaryOp::Equal,
        BinaryOperator::NotEq => BinaryOp::NotEqual,
        BinaryOperator::Less => BinaryOp::Less,
        BinaryOperator::LessEq => BinaryOp::LessEqual,
        BinaryOperator::Greater => BinaryOp::Greater,
        BinaryOperator::GreaterEq => BinaryOp::GreaterEqual,
        BinaryOperator::Plus => BinaryOp::Add,
        BinaryOperator::Minus => BinaryOp::Subtract,
        BinaryOperator::Mul => BinaryOp::Multiply,
        BinaryOperator::Div => BinaryOp::Divide,
        BinaryOperator::Mod => BinaryOp::Modulo,
        BinaryOperator::And => BinaryOp::And,
        BinaryOperator::Or => BinaryOp::Or,
    }
}

fn located(parser: &mut Parser, offsets: &Offsets, op: &TraversalOperator, span: Option<Range<usize>>) -> Located {
    let range = offsets.range(&span.unwrap_or_default());
    let op = match op {
        TraversalOperator::GetAttr(name) => Op::Attr(name.as_str().into()),
        TraversalOperator::Index(e) => Op::Index(node(parser, offsets, e)),
        TraversalOperator::LegacyIndex(i) => Op::LegacyIndex(*i.value()),
        TraversalOperator::AttrSplat(_) => Op::AttrSplat,
        TraversalOperator::FullSplat(_) => Op::FullSplat,
    };
    Located { op, range }
}

fn object(parser: &mut Parser, offsets: &Offsets, o: &Object) -> NodeKind {
    let mut items = Vec::with_capacity(o.len());
    for (key, value) in o.iter() {
        let range = |span: Option<Range<usize>>| offsets.range(&span.unwrap_or_default());
        let literal = |span, text: &str| Node::new(range(span), NodeKind::Literal(text_value(text)));
        let key = match key {
            ObjectKey::Ident(name) => literal(name.span(), name.as_str()),
            ObjectKey::Expression(Expression::Null(e)) => literal(e.span(), "null"),
            ObjectKey::Expression(Expression::Bool(e)) => literal(e.span(), if *e.value() { "true" } else { "false" }),
            ObjectKey::Expression(e) => {
                if let Expression::Traversal(t) = e
                    && matches!(t.expr, Expression::Variable(_))
                {
                    let detail = "If this expression is intended to be a reference, wrap it in parentheses. If it's instead intended as a literal name containing periods, wrap it in quotes to create a string literal.";
                    parser.error(range(e.span()), "Ambiguous attribute key", detail);
                }
                node(parser, offsets, e)
            }
        };
        let value = node(parser, offsets, value.expr());
        items.push((key, value));
    }
    NodeKind::Object(items)
}

fn function(parser: &mut Parser, offsets: &Offsets, call: &FuncCall, range: Range<usize>) -> Node {
    let name_range = offsets.range(&call.name.name.span().unwrap_or_default());
    let args: Vec<Node> = call.args.iter().map(|e| node(parser, offsets, e)).collect();
    let namespace: Vec<&str> = call.name.namespace.iter().map(|n| n.as_str()).collect();
    let own = call.name.name.as_str();
    let name = match namespace.as_slice() {
        [] | ["core"] => own.to_owned(),
        all => format!("{}::{own}", all.join("::")),
    };
    let name = name.as_str();
    if let Some(problem) = misnamed(&namespace) {
        parser.error(name_range, "Unknown provider function", problem);
        return failed(range);
    }
    let Some(function) = functions::find(name) else {
        let suggestion = crate::suggest::nearest(name, functions::names().chain(functions::provider_names()));
        let detail = format!("There is no function named \"{name}\".");
        let mut diagnostic =
            lakeform_core::Diagnostic::error("Call to unknown function").detail(detail).span(parser.span(name_range));
        if let Some(known) = suggestion {
            diagnostic = diagnostic.help(format!("did you mean `{known}`?"));
        }
        parser.errors.push(diagnostic);
        return failed(range);
    };
    let expand = call.args.expand_final();
    if let Some((summary, detail)) = function.arity_problem(args.len(), expand) {
        parser.error(range.clone(), summary, detail);
        return failed(range);
    }
    Node::new(range, NodeKind::Call(Box::new(Call { function, args, expand })))
}

/// What is wrong with what stands before the name of a function, in Terraform's words.
fn misnamed(namespace: &[&str]) -> Option<String> {
    match namespace {
        [] | ["core"] | ["provider", _] => None,
        ["provider"] => {
            Some("The function call must include the provider name after the \"provider::\" prefix.".into())
        }
        [other, ..] if *other != "provider" => Some(format!(
            "The function namespace \"{other}\" is not valid. Provider function calls must use the \"provider::\" namespace prefix."
        )),
        _ => Some("A provider function is called as provider::NAME::FUNCTION(...).".into()),
    }
}

fn repetition(parser: &mut Parser, offsets: &Offsets, f: &ForExpr) -> NodeKind {
    let collection = node(parser, offsets, &f.intro.collection_expr);
    let key_name: Option<Arc<str>> = f.intro.key_var.as_ref().map(|k| k.as_str().into());
    let value_name: Arc<str> = f.intro.value_var.as_str().into();
    let mark = parser.bound.len();
    parser.bound.extend(key_name.clone());
    parser.bound.push(value_name.clone());
    let key = f.key_expr.as_ref().map(|e| node(parser, offsets, e));
    let value = node(parser, offsets, &f.value_expr);
    let condition = f.cond.as_ref().map(|c| node(parser, offsets, &c.expr));
    parser.bound.truncate(mark);
    NodeKind::For(Box::new(For { key_name, value_name, collection, key, value, condition, group: f.grouping }))
}
