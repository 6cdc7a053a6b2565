//! Random expressions: mostly of fitting types, sometimes not, so that what is refused is compared too.

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::functions::{FUNCTIONS, texts};

/// What an expression should roughly give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Bool,
    Number,
    String,
    List,
    Set,
    Map,
    Any,
}

const SORTS: [Sort; 6] = [Sort::Bool, Sort::Number, Sort::String, Sort::List, Sort::Set, Sort::Map];
/// A name, and what it stands for.
struct Name {
    reference: &'static str,
    sort: Sort,
}

const fn name(reference: &'static str, sort: Sort) -> Name {
    Name { reference, sort }
}

/// The named values of the configuration.
const NAMES: &[Name] = &[
    name("var.s", Sort::String),
    name("var.n", Sort::Number),
    name("var.b", Sort::Bool),
    name("var.ls", Sort::List),
    name("var.ln", Sort::List),
    name("var.lo", Sort::List),
    name("var.ss", Sort::Set),
    name("var.sn", Sort::Set),
    name("var.ms", Sort::Map),
    name("var.ml", Sort::Map),
    name("var.o", Sort::Map),
    name("var.t", Sort::List),
    name("var.empty", Sort::List),
    name("var.none", Sort::Map),
    name("var.secret", Sort::String),
    name("var.secrets", Sort::List),
    name("var.us", Sort::String),
    name("var.un", Sort::Number),
    name("var.ub", Sort::Bool),
    name("var.uls", Sort::List),
    name("var.ulo", Sort::List),
    name("var.uss", Sort::Set),
    name("var.ums", Sort::Map),
    name("var.uo", Sort::Map),
    name("var.ut", Sort::List),
    name("var.ua", Sort::Any),
    name("var.hidden", Sort::String),
    name("var.firm", Sort::String),
    name("terraform_data.x", Sort::Map),
    name("terraform_data.x.id", Sort::String),
    name("terraform_data.x.output", Sort::Any),
    name("terraform_data.x.input", Sort::String),
];

const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "10",
    "0.5",
    "-2.25",
    "1e3",
    "255",
    "9007199254740993",
    "1e21",
    "1e-7",
    "123456789012345678901234567890.5",
    "18446744073709551616",
    "7.0",
];

/// The expression of a seed.
pub(super) fn expression(seed: u64) -> String {
    let mut random = Random { rng: StdRng::seed_from_u64(seed), bound: vec![] };
    let sort = random.pick(&SORTS);
    let depth = random.pick(&[1, 2, 2, 3, 3, 4]);
    random.expr(sort, depth)
}

struct Random {
    rng: StdRng,
    /// Names that enclosing `for`s bind.
    bound: Vec<&'static str>,
}

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn text(&mut self, form: char) -> String {
        format!("\"{}\"", self.pick(texts(form)))
    }

    fn many(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> String) -> Vec<String> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    /// An expression that is used as an operand.
    fn operand(&mut self, sort: Sort, depth: usize) -> String {
        let text = self.expr(sort, depth);
        // A key of a resource without `count` is refused before anything is evaluated, wherever it stands.
        if text == "terraform_data.x"
            || text.starts_with(['-', '!'])
            || text.contains(" ? ")
            || text.contains(" && ")
            || text.contains(['+', '<', '=', '|', '%', '*', '/', '>'])
        {
            return format!("({text})");
        }
        text
    }

    fn expr(&mut self, sort: Sort, depth: usize) -> String {
        let sort = if sort == Sort::Any || self.one_in(25) { self.pick(&SORTS) } else { sort };
        if depth == 0 || self.one_in(6) {
            return self.leaf(sort);
        }
        let inner = depth - 1;
        match self.below(10) {
            0..=3 => self.call(sort, inner),
            4 => {
                let condition = self.operand(Sort::Bool, inner);
                let other = if self.one_in(4) { Sort::Any } else { sort };
                let (a, b) = (self.operand(sort, inner), self.operand(other, inner));
                if self.one_in(2) { format!("{condition} ? {a} : {b}") } else { format!("{condition} ? {b} : {a}") }
            }
            5 => self.part(sort, inner),
            6 => {
                format!("{}({})", self.pick(&["sensitive", "nonsensitive", "try", "coalesce"]), self.expr(sort, inner))
            }
            _ => self.own(sort, inner),
        }
    }

    fn call(&mut self, sort: Sort, depth: usize) -> String {
        let fitting: Vec<_> = FUNCTIONS.iter().filter(|(_, _, out)| *out == sort || *out == Sort::Any).collect();
        let (name, forms, _) = *self.pick(&fitting);
        let mut args = Vec::new();
        let mut last = 'a';
        for form in forms.chars() {
            match form {
                '*' => args.extend(self.many(3, |r| r.argument(last, depth))),
                '?' if self.one_in(2) => drop(args.pop()),
                '?' => {}
                form => args.push(self.argument(form, depth)),
            }
            last = form;
        }
        if self.one_in(40) {
            let last = self.expr(Sort::List, depth);
            args.push(format!("{last}..."));
        }
        format!("{name}({})", args.join(", "))
    }

    fn argument(&mut self, form: char, depth: usize) -> String {
        let sort = match form {
            'b' => Sort::Bool,
            'n' => Sort::Number,
            'i' if !self.one_in(5) => return self.pick(&["0", "1", "2", "3", "8", "16", "-1"]).to_owned(),
            'w' => return self.pick(&["0", "1", "2", "255", "var.un"]).to_owned(),
            'i' => Sort::Number,
            's' => Sort::String,
            'l' => Sort::List,
            'q' => self.pick(&[Sort::List, Sort::List, Sort::Set, Sort::List, Sort::Any]),
            'S' => self.pick(&[Sort::Set, Sort::List]),
            'm' => Sort::Map,
            'a' => Sort::Any,
            form if !self.one_in(5) => return self.text(form),
            _ => Sort::String,
        };
        self.expr(sort, depth)
    }

    /// A part of something.
    fn part(&mut self, sort: Sort, depth: usize) -> String {
        match self.below(7) {
            0 => {
                format!("{}[{}]", self.operand(Sort::List, depth), self.pick(&["0", "1", "2", "\"0\"", "-1", "var.un"]))
            }
            1 => format!("{}.{}", self.operand(Sort::Map, depth), self.pick(&["a", "b", "c"])),
            2 => format!("{}[{}]", self.operand(Sort::Map, depth), self.expr(Sort::String, depth)),
            3 => {
                format!("[{}, {}][{}]", self.expr(sort, depth), self.expr(sort, depth), self.expr(Sort::Number, depth))
            }
            4 => format!("{{ a = {}, b = {} }}.a", self.expr(sort, depth), self.expr(Sort::Any, depth)),
            5 => format!("one({}[*])", self.operand(sort, depth)),
            _ => format!("({})", self.expr(sort, depth)),
        }
    }

    /// What only a sort has: its operators and its way of being written.
    fn own(&mut self, sort: Sort, depth: usize) -> String {
        match sort {
            Sort::Bool => match self.below(6) {
                0 => format!("!{}", self.operand(Sort::Bool, depth)),
                1 => format!(
                    "{} {} {}",
                    self.operand(Sort::Bool, depth),
                    self.pick(&["&&", "||"]),
                    self.operand(Sort::Bool, depth)
                ),
                2 => format!(
                    "{} {} {}",
                    self.operand(Sort::Number, depth),
                    self.pick(&["<", "<=", ">", ">="]),
                    self.operand(Sort::Number, depth)
                ),
                3 => {
                    let sort = self.pick(&SORTS);
                    format!("{} {} {}", self.operand(sort, depth), self.pick(&["==", "!="]), self.operand(sort, depth))
                }
                4 => format!("{} {} null", self.operand(Sort::Any, depth), self.pick(&["==", "!="])),
                _ => format!("{} == {}", self.operand(Sort::Any, depth), self.operand(Sort::Any, depth)),
            },
            Sort::Number => match self.below(5) {
                0 => format!("-{}", self.operand(Sort::Number, depth)),
                1 => format!("length({})", self.expr(Sort::Any, depth)),
                _ => format!(
                    "{} {} {}",
                    self.operand(Sort::Number, depth),
                    self.pick(&["+", "-", "*", "/", "%"]),
                    self.operand(Sort::Number, depth)
                ),
            },
            Sort::String | Sort::Any => self.template(depth),
            Sort::List | Sort::Set => match self.below(8) {
                0 | 1 => format!("[{}]", self.elements(depth)),
                2 => format!("{}[*]", self.operand(Sort::List, depth)),
                3 => format!("{}[*].{}", self.operand(Sort::List, depth), self.pick(&["a", "b", "x"])),
                4 => format!("{}.*.{}", self.operand(Sort::List, depth), self.pick(&["a", "b"])),
                5 => {
                    format!("{}({})", if sort == Sort::Set { "toset" } else { "tolist" }, self.expr(Sort::List, depth))
                }
                _ => self.repetition(depth, false),
            },
            Sort::Map => match self.below(4) {
                0 => self.repetition(depth, true),
                1 => format!(
                    "{{ ({}) = {}, b = {} }}",
                    self.expr(Sort::String, depth),
                    self.expr(Sort::Any, depth),
                    self.expr(Sort::Any, depth)
                ),
                2 => format!("{{ a = {} }}", self.expr(Sort::Any, depth)),
                _ => format!("{{ a = {}, b = {} }}", self.expr(Sort::Any, depth), self.expr(Sort::Any, depth)),
            },
        }
    }

    fn elements(&mut self, depth: usize) -> String {
        let sort = if self.one_in(3) { Sort::Any } else { self.pick(&SORTS) };
        self.many(3, |r| r.expr(sort, depth)).join(", ")
    }

    fn repetition(&mut self, depth: usize, object: bool) -> String {
        let over = self.pick(&[Sort::List, Sort::Set, Sort::Map, Sort::List, Sort::Any]);
        let collection = self.expr(over, depth);
        let before = self.bound.len();
        let names = self.pick(&["v", "k, v", "x", "v"]);
        self.bound.extend(names.split(", "));
        let condition = if self.one_in(3) { format!(" if {}", self.operand(Sort::Bool, depth)) } else { String::new() };
        let value = self.operand(Sort::Any, depth);
        let text = if object {
            let key = if self.one_in(3) {
                self.operand(Sort::String, depth)
            } else {
                names.split(", ").next().unwrap().to_owned()
            };
            let group = if self.one_in(3) { "..." } else { "" };
            format!("{{ for {names} in {collection} : {key} => {value}{group}{condition} }}")
        } else {
            format!("[for {names} in {collection} : {value}{condition}]")
        };
        self.bound.truncate(before);
        text
    }

    fn template(&mut self, depth: usize) -> String {
        let mut out = String::from("\"");
        for _ in 0..=self.below(3) {
            let (open, close) = (self.pick(&["", "", "", "~"]), self.pick(&["", "", "", "~"]));
            match self.below(7) {
                0..=2 => out += self.pick(texts('s')),
                3 => {
                    let condition = self.expr(Sort::Bool, depth);
                    let value = self.expr(Sort::String, depth);
                    out += &format!("%{{{open} if {condition} {close}}} y${{{value}}} %{{ else }}n%{{ endif {close}}}");
                }
                4 => {
                    let list = self.expr(Sort::List, depth);
                    self.bound.push("v");
                    let value = self.expr(Sort::String, depth);
                    self.bound.pop();
                    out += &format!("%{{{open} for v in {list} }} ${{{value}}},%{{ endfor {close}}}");
                }
                _ => {
                    let sort = self.pick(&[Sort::String, Sort::String, Sort::Number, Sort::Bool]);
                    let value = self.expr(sort, depth);
                    out += &format!("${{{open} {value} {close}}}");
                }
            }
        }
        out + "\""
    }

    fn leaf(&mut self, sort: Sort) -> String {
        if self.one_in(30) {
            return "null".into();
        }
        if !self.bound.is_empty() && self.one_in(2) {
            let bound = self.bound.clone();
            return self.pick(&bound).to_owned();
        }
        if self.one_in(2) {
            let fitting: Vec<_> =
                NAMES.iter().filter(|n| n.sort == sort || n.sort == Sort::Any && self.one_in(6)).collect();
            if !fitting.is_empty() {
                return self.pick(&fitting).reference.to_owned();
            }
        }
        match sort {
            Sort::Bool => self.pick(&["true", "false", "true", "\"true\"", "\"0\""]).to_owned(),
            Sort::Number => self.pick(&NUMBERS).to_owned(),
            Sort::String | Sort::Any => self.text('s'),
            Sort::List => match self.below(4) {
                0 => "[]".into(),
                1 => format!("[{}, {}]", self.pick(&NUMBERS), self.pick(&NUMBERS)),
                2 => format!("[{}, {}, {}]", self.text('s'), self.text('s'), self.text('s')),
                _ => format!("[{}, {}]", self.leaf(Sort::Any), self.leaf(Sort::Any)),
            },
            Sort::Set => format!("toset([{}, {}])", self.text('s'), self.text('k')),
            Sort::Map => match self.below(4) {
                0 => "{}".into(),
                1 => format!("{{ a = {}, b = {} }}", self.text('s'), self.text('s')),
                2 => format!("{{ a = [{}], c = [] }}", self.text('s')),
                _ => format!("{{ a = {}, {} = {} }}", self.leaf(Sort::Any), self.text('k'), self.leaf(Sort::Any)),
            },
        }
    }
}
