//! Random expressions through lakeform and through `terraform console`, which must agree about every value, and about what
//! has none. `docs/contributing.md` says how to run more of them.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]

mod functions;
mod generate;
mod names;
mod terraform;

use std::sync::{
    LazyLock, Mutex,
    atomic::{AtomicU64, Ordering},
};

use lakeform_core::{Marks, Value};
use lakeform_lang::{Environment, parse_expression, render};

use regex::Regex;

use self::{names::Names, terraform::Answer};

/// How many expressions the suite compares, and the seed of the first; `LAKEFORM_EXPRESSIONS=COUNT[@SEED]` says otherwise.
const USUAL: (u64, u64) = (600, 1);

/// How many expressions Terraform is asked at a time: more take longer each.
const BATCH: u64 = 150;

#[allow(clippy::disallowed_methods, reason = "a test is told by hand how far to go")]
fn wanted() -> (u64, u64) {
    let Ok(text) = std::env::var("LAKEFORM_EXPRESSIONS") else { return USUAL };
    let (count, seed) = text.split_once('@').unwrap_or((&text, "1"));
    (count.parse().unwrap(), seed.parse().unwrap())
}

#[test]
fn random_expressions_have_the_values_that_terraform_gives_them() {
    if !terraform::has_terraform() {
        println!("skipped: there is no terraform on PATH; the recorded expressions stand in");
        return;
    }
    let (count, first) = wanted();
    let (next, found) = (AtomicU64::new(first), Mutex::new((0, vec![])));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(BATCH, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    let (refused, differences) = compare(seed..(seed + BATCH).min(first + count));
                    let mut found = found.lock().unwrap();
                    found.0 += refused;
                    found.1.extend(differences);
                }
            });
        }
    });
    let (refused, found) = found.into_inner().unwrap();
    println!("{count} expressions, {refused} of which both refuse");
    assert!(found.is_empty(), "{} of {count} expressions differ:\n{}", found.len(), found.join("\n"));
}

/// Numbers that lakeform does not have: the infinities (decision 0010).
static OTHER_NUMBERS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[-+]Inf").unwrap());

/// What lakeform says where Terraform goes on with an infinite number.
const INFINITE: [&str; 2] = ["division by zero", "no finite number"];

/// How often Terraform is asked again where it differs: comparing objects and maps, some of which is not known, its answer
/// depends on the order in which it happens to go through them.
const AGAIN: usize = 12;

/// Compares the expressions of some seeds: how many both refuse, and what differs.
fn compare(seeds: std::ops::Range<u64>) -> (usize, Vec<String>) {
    let names = Names::new(Environment { module: ".".into(), ..Environment::default() });
    let expressions: Vec<String> = seeds.clone().map(generate::expression).collect();
    let ours: Vec<Answer> = expressions.iter().map(|text| evaluate(&names, text)).collect();
    let theirs = terraform::ask(&expressions);
    let refused = theirs.iter().filter(|a| a.is_err()).count();
    let mut differences = vec![];
    for (at, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        let text = &expressions[at];
        if !same(ours, theirs) && !terraform::ask(&vec![text.clone(); AGAIN]).iter().any(|again| same(ours, again)) {
            let seed = seeds.start + at as u64;
            let (Ok(theirs) | Err(theirs), Ok(ours) | Err(ours)) = (theirs, ours);
            differences.push(format!("--- {seed}\n{text}\n  terraform: {theirs}\n  lakeform:  {ours}"));
        }
    }
    (refused, differences)
}

/// What lakeform answers, as the only element of a tuple.
fn evaluate(names: &Names, text: &str) -> Answer {
    let value = parse_expression(text).and_then(|e| e.evaluate(names)).map_err(|e| e.to_string())?;
    Ok(render(&Value::tuple(vec![value])).trim_start_matches("[\n").trim_end_matches(']').to_owned())
}

fn same(ours: &Answer, theirs: &Answer) -> bool {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => ours == theirs || OTHER_NUMBERS.is_match(theirs),
        (Err(why), Ok(theirs)) => {
            OTHER_NUMBERS.is_match(theirs) || INFINITE.iter().any(|infinite| why.contains(infinite))
        }
        (ours, theirs) => ours.is_err() && theirs.is_err(),
    }
}

/// What is said of a value while others are unknown stays true once they are known.
#[test]
fn what_is_known_early_is_true_later() {
    let environment = || Environment { module: ".".into(), ..Environment::default() };
    let (before, after) = (Names::new(environment()), Names::new(environment()).known());
    let mut wrong = vec![];
    for seed in 1..4000 {
        let text = generate::expression(seed);
        let Ok(parsed) = parse_expression(&text) else { continue };
        if let (Ok(early), Ok(late)) = (parsed.evaluate(&before), parsed.evaluate(&after))
            && !(text.contains("issensitive") || agrees(&early, &late))
        {
            wrong.push(format!("--- {seed}\n{text}\n  early: {early:?}\n  late:  {late:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a secret is cannot be told from what is shown: other secrets, and nothing else looks different. Failing or not is no
/// value, which is why `can` and `try` tell of it, as in Terraform.
#[test]
fn nothing_that_is_shown_depends_on_a_secret() {
    let environment = || Environment { module: ".".into(), ..Environment::default() };
    let one = Names::new(environment()).known();
    let other = Names::new(environment()).known().with_other_secrets();
    let (mut wrong, mut compared) = (vec![], 0);
    for seed in 1..8000 {
        let text = generate::expression(seed);
        if ["nonsensitive", "can(", "try("].iter().any(|told| text.contains(told)) || !text.contains("var.") {
            continue;
        }
        let Ok(parsed) = parse_expression(&text) else { continue };
        match (parsed.evaluate(&one), parsed.evaluate(&other)) {
            (Ok(one), Ok(other)) => {
                compared += usize::from(one.marks_deep().contains(Marks::SENSITIVE));
                if render(&one) != render(&other) {
                    wrong.push(format!("--- {seed}\n{text}\n  {}\n  {}", render(&one), render(&other)));
                }
            }
            (_, Err(problems)) if problems.to_string().contains(names::SECRET) => {
                wrong.push(format!("--- {seed}\n{text}\n  {problems}"));
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 100, "only {compared} expressions have a secret in them");
}

fn agrees(early: &Value, late: &Value) -> bool {
    if early.is_wholly_known() {
        return early == late;
    }
    if early.is_known() {
        return matches!(early.ty(), lakeform_core::Type::Set(_))
            || early.children().count() == late.children().count()
                && early.children().zip(late.children()).all(|(early, late)| agrees(early, late));
    }
    let ((least, most), (min, max)) = (early.length_range(), early.range());
    let within = late.as_number().is_none_or(|n| min.is_none_or(|min| n >= min) && max.is_none_or(|max| n <= max));
    let (shortest, longest) = late.length_range();
    let text = late.as_str().is_none_or(|text| text.starts_with(early.prefix()));
    text && within && longest >= least && shortest <= most && (early.may_be_null() || !late.is_null())
}
