//! `agent-client command`: control commands.

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::clean;
use crate::table::Table;
use clap::Args;
use serde_json::Value;

/// Arguments of `command`.
#[derive(Debug, Args)]
#[command(after_help = "\
Quote the star, or leave it out: the shell takes it for a pattern.

Examples:
  agent-client command '*sync:status'
  agent-client command autonomy:supervised
  agent-client command help")]
pub(crate) struct Arguments {
    /// The command, such as '*sync:status'.
    #[arg(value_name = "COMMAND", required = true, num_args = 1..)]
    words: Vec<String>,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let answer = context.client.command(&with_star(&arguments.words.join(" "))).await?;
    if context.out.is_json {
        context.out.json(&answer)?;
    } else {
        for line in lines(&answer.result) {
            context.out.line(&line)?;
        }
    }
    if answer.status == "error" {
        return Err(Failure::new(Exit::Failed, "command_failed", format!("{} failed", answer.command), ""));
    }
    Ok(())
}

fn with_star(text: &str) -> String {
    if text.starts_with('*') { text.to_owned() } else { format!("*{text}") }
}

/// A result for people: an object line by line, a list of objects as a table, a text as it is, the rest as JSON.
fn lines(result: &Value) -> Vec<String> {
    match result {
        Value::Object(fields) => {
            let is_listed = |value: &Value| table(value).is_some();
            let names = fields.iter().filter(|(_, value)| !is_listed(value)).map(|(name, _)| name.len());
            let width = names.max().unwrap_or(0);
            let lines = fields.iter().flat_map(|(name, value)| match table(value) {
                Some(table) => [format!("{}:", clean(name))].into_iter().chain(table.lines()).collect(),
                None => vec![format!("{:width$}  {}", clean(name), clean(&plain(value)))],
            });
            lines.collect()
        }
        Value::Array(items) => match table(result) {
            Some(table) => table.lines(),
            None => items.iter().map(|item| clean(&plain(item)).into_owned()).collect(),
        },
        other => plain(other).lines().map(|line| clean(line).into_owned()).collect(),
    }
}

/// A text without its quotes, nothing for null, a list of texts with commas, anything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

/// A list of objects as a table; its columns are the fields of the first.
fn table(value: &Value) -> Option<Table> {
    let rows: Vec<_> = value.as_array()?.iter().map(Value::as_object).collect::<Option<_>>()?;
    let columns: Vec<&String> = rows.first()?.keys().collect();
    let headings: Vec<String> = columns.iter().map(|name| name.to_uppercase()).collect();
    let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    for row in rows {
        table.row(columns.iter().map(|name| row.get(*name).map(plain).unwrap_or_default()));
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_star_may_be_left_out() {
        assert_eq!((with_star("sync:status"), with_star("*help")), ("*sync:status".into(), "*help".into()));
    }

    #[test]
    fn results_are_laid_out_for_people() {
        assert_eq!(lines(&json!({"level": "full", "n": 3})), ["level  full", "n      3"]);
        assert_eq!(lines(&json!("one\ntwo")), ["one", "two"]);
        assert_eq!(lines(&json!([{"a": 1, "b": null}, {"a": 20}])), ["A   B", "1   -", "20  -"]);
        assert_eq!(lines(&json!({"n": 1, "of": [{"a": ["x", "y"]}]})), ["n  1", "of:", "A", "x,y"]);
        assert_eq!(lines(&json!([1, "x"])), ["1", "x"]);
    }
}
