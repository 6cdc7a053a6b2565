//! `lakeform graph`

use std::{fmt::Write as _, path::PathBuf};

use clap::{Args, ValueEnum};
use lakeform::ResourceGraph;

use crate::{Exit, cli::StackOptions, cx::Cx, failure::Failure};

/// Draw which resource depends on which
#[derive(Args, Debug)]
pub(crate) struct GraphArgs {
    /// Stack file or directory
    #[arg(default_value = ".")]
    stack: PathBuf,

    /// The language of the drawing
    #[arg(long, value_enum, default_value_t = Format::Dot)]
    format: Format,

    #[command(flatten)]
    stack_options: StackOptions,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For Graphviz
    Dot,
    /// For Markdown
    Mermaid,
}

pub(crate) fn run(cx: &Cx, args: &GraphArgs) -> Result<Exit, Failure> {
    let loaded = cx.load(&args.stack, &args.stack_options, None)?;
    let graph = ResourceGraph::of(loaded.stack());
    cx.print(&match args.format {
        Format::Dot => dot(&graph),
        Format::Mermaid => mermaid(&graph),
    })?;
    Ok(Exit::Done)
}

fn dot(graph: &ResourceGraph) -> String {
    let mut out = String::from("digraph G {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n");
    for node in graph.edges.keys() {
        let _ = writeln!(out, "  \"{node}\" [label=\"{node}\"];");
    }
    for (from, needs) in &graph.edges {
        for to in needs {
            let _ = writeln!(out, "  \"{from}\" -> \"{to}\";");
        }
    }
    out + "}\n"
}

fn mermaid(graph: &ResourceGraph) -> String {
    let mut out = String::from("flowchart RL\n");
    let number = |address| graph.edges.keys().position(|a| a == address).unwrap_or_default();
    for (i, node) in graph.edges.keys().enumerate() {
        let _ = writeln!(out, "  n{i}[\"{node}\"]");
    }
    for (from, needs) in &graph.edges {
        for to in needs {
            let _ = writeln!(out, "  n{} --> n{}", number(from), number(to));
        }
    }
    out
}
