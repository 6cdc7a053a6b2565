//! Random stacks, and random changes of them.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{
    case::{Case, Step},
    document::documents,
    drift::{self, Drift},
    model::{Call, Expr, Item, Module, Modules, Repeat, Resource},
};

pub(super) const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
const WORDS: [&str; 5] = ["red", "green", "blue", "7", "bad"];
pub(super) const KEYS: [&str; 4] = ["w", "x", "y", "z"];

/// The sequence of a seed: a stack, two changes of it, and sometimes its end.
pub(super) fn sequence(seed: u64) -> Case {
    let mut random = Random { from: StdRng::seed_from_u64(seed), secrets: seed.is_multiple_of(3) };
    let mut modules = random.modules();
    let mut steps = vec![Step::new(documents(&modules))];
    for _ in 0..2 {
        for _ in 0..random.below(3) + 1 {
            if random.one_in(4) {
                random.refactor(&mut modules);
            } else {
                random.change(&mut modules);
            }
        }
        random.tidy(&mut modules);
        let drift = (0..3).filter_map(|_| random.some(6, Random::drift)).collect();
        steps.push(Step { drift, ..Step::new(documents(&modules)) });
    }
    if random.one_in(4) {
        steps.push(Step { destroy: true, ..Step::new(documents(&modules)) });
    }
    Case { about: format!("Sequence {seed} of the generator."), steps }
}

/// Where all choices come from.
pub(super) struct Random {
    from: StdRng,
    /// Some values are sensitive.
    secrets: bool,
}

impl Random {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.from.random_range(0..end)
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn form(&mut self) -> u8 {
        self.from.random()
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let at = self.below(from.len());
        from[at].clone()
    }

    fn some<T>(&mut self, n: usize, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.one_in(n) { Some(make(self)) } else { None }
    }

    // --- making ------------------------------------------------------------------------------------------------------

    fn modules(&mut self) -> Modules {
        let count = self.pick(&[1, 1, 2, 2, 3]);
        let mut modules = vec![Module::default(); count];
        for (at, module) in modules.iter_mut().enumerate() {
            let items = if at == 0 { 2 + self.below(4) } else { 1 + self.below(3) };
            for name in &NAMES[..items] {
                let item = self.item(at, count, name);
                module.items.insert((*name).to_owned(), item);
            }
            if at + 1 < count && (at == 0 || self.one_in(2)) {
                let name = NAMES[items];
                let call = self.call(at, count, name);
                module.items.insert(name.to_owned(), Item::Call(call));
            }
            module.secret = self.secrets && self.one_in(5);
            let outputs: &[&str] = if at == 0 { &["o", "p"] } else { &["out"] };
            for output in outputs {
                let value = self.output(at);
                module.outputs.insert((*output).to_owned(), value);
            }
        }
        modules
    }

    /// An output's value. In the root, what is sensitive has to be said to be so; Terraform forgets it of a module's output
    /// (decision 0009).
    fn output(&mut self, module: usize) -> (Expr, bool) {
        let sensitive = self.secrets && module == 0 && !self.one_in(12);
        (self.expr("zz", 2), sensitive)
    }

    fn item(&mut self, module: usize, modules: usize, name: &str) -> Item {
        match self.below(10) {
            0 => Item::Local(self.expr(name, 2)),
            1 if module + 1 < modules => Item::Call(self.call(module, modules, name)),
            _ => Item::Resource(Box::new(self.resource(name))),
        }
    }

    fn call(&mut self, module: usize, modules: usize, name: &str) -> Call {
        Call {
            module: module + 1 + self.below(modules - module - 1),
            repeat: self.repeat(name),
            argument: self.expr(name, 2),
            depends_on: self.names(name, 5),
        }
    }

    fn resource(&mut self, name: &str) -> Resource {
        Resource {
            repeat: self.repeat(name),
            input: if self.one_in(6) { None } else { Some(self.expr(name, 2)) },
            triggers: self.some(2, |r| r.expr(name, 1)),
            depends_on: self.names(name, 4),
            create_before_destroy: self.some(3, |r| !r.one_in(5)),
            replaced_with: self.replaced_with(name),
            ignore: if self.one_in(8) { BTreeSet::from([self.ignored()]) } else { BTreeSet::new() },
            prevent_destroy: self.one_in(25),
            precondition: self.some(10, |r| r.expr(name, 1)),
            postcondition: self.some(14, |r| r.expr(name, 1)),
        }
    }

    fn ignored(&mut self) -> &'static str {
        self.pick(&["input", "triggers_replace"])
    }

    fn replaced_with(&mut self, name: &str) -> BTreeMap<String, u8> {
        self.names(name, 5).into_iter().map(|n| (n, self.form())).collect()
    }

    /// Names that may be referred to from `name`: usually none.
    fn names(&mut self, name: &str, one_in: usize) -> BTreeSet<String> {
        let smaller = smaller(name);
        if smaller.is_empty() || !self.one_in(one_in) {
            return BTreeSet::new();
        }
        (0..=self.below(2)).map(|_| self.pick(smaller).to_owned()).collect()
    }

    fn repeat(&mut self, name: &str) -> Repeat {
        let smaller = smaller(name);
        match self.below(12) {
            0..=2 => Repeat::Count(self.below(4)),
            3 | 4 => Repeat::Keys(self.keys()),
            5 => Repeat::Map(self.keys().into_iter().map(|k| (k, self.literal(0))).collect()),
            6 if !smaller.is_empty() => Repeat::Over(self.pick(smaller).to_owned()),
            7 if !smaller.is_empty() => Repeat::CountOf(self.pick(smaller).to_owned()),
            _ => Repeat::One,
        }
    }

    fn keys(&mut self) -> BTreeSet<String> {
        (0..=self.below(3)).map(|_| self.pick(&KEYS).to_owned()).collect()
    }

    pub(super) fn literal(&mut self, depth: usize) -> Expr {
        match self.below(if depth == 0 { 5 } else { 8 }) {
            0..=2 => Expr::Text(self.pick(&WORDS).to_owned()),
            3 => Expr::Number(self.below(4) as i64),
            4 => {
                if self.one_in(2) {
                    Expr::Bool(self.one_in(2))
                } else {
                    Expr::Text("bad".into())
                }
            }
            5 => Expr::List((0..self.below(3)).map(|_| self.literal(depth - 1)).collect()),
            6 => Expr::Map(self.keys().into_iter().map(|k| (k, self.literal(depth - 1))).collect()),
            _ => Expr::Null,
        }
    }

    /// An expression that may refer to what is smaller than `name`.
    fn expr(&mut self, name: &str, depth: usize) -> Expr {
        let smaller = smaller(name);
        let of = |r: &mut Self| match smaller.is_empty() {
            true => Expr::Argument,
            false => Expr::Of(r.pick(smaller).to_owned(), r.form()),
        };
        if depth == 0 {
            return if self.one_in(2) { of(self) } else { self.literal(0) };
        }
        let inner = |r: &mut Self| Box::new(r.expr(name, depth - 1));
        match self.below(20) {
            0..=6 => of(self),
            7 | 8 => Expr::Each(self.form()),
            9 => Expr::Argument,
            10 => Expr::List((0..=self.below(2)).map(|_| self.expr(name, depth - 1)).collect()),
            11 => Expr::Map(self.keys().into_iter().map(|k| (k, self.expr(name, depth - 1))).collect()),
            12 => Expr::Template(inner(self)),
            13 => Expr::If(inner(self), self.pick(&WORDS).to_owned(), inner(self), inner(self)),
            14 => Expr::For(inner(self), self.form()),
            15 if self.one_in(4) => Expr::ToNumber(inner(self), self.form()),
            16 | 17 if self.secrets => Expr::Sensitive(inner(self)),
            _ => self.literal(depth),
        }
    }

    // --- changing ----------------------------------------------------------------------------------------------------

    fn change(&mut self, modules: &mut Modules) {
        let count = modules.len();
        let at = self.below(count);
        let module = &mut modules[at];
        let names: Vec<String> = module.items.keys().cloned().collect();
        match self.below(10) {
            0 => drop(module.items.remove(&self.pick(&names).clone())),
            1 => {
                let name = self.pick(&NAMES).to_owned();
                let item = self.item(at, count, &name);
                module.items.insert(name, item);
            }
            2 if !module.outputs.is_empty() => {
                let name = self.pick(&module.outputs.keys().cloned().collect::<Vec<_>>());
                if at == 0 && self.one_in(3) {
                    module.outputs.remove(&name);
                } else {
                    let value = self.output(at);
                    module.outputs.insert(name, value);
                }
            }
            _ => {
                let name = self.pick(&names);
                match module.items.get_mut(&name) {
                    Some(Item::Local(value)) => *value = self.expr(&name, 2),
                    Some(Item::Call(call)) => self.change_call(&name, call),
                    Some(Item::Resource(resource)) => self.change_resource(&name, resource),
                    None => {}
                }
            }
        }
        // Removing the last one would leave nothing to pick from.
        if module.items.is_empty() {
            let item = self.item(at, count, "a");
            module.items.insert("a".into(), item);
        }
    }

    fn drift(&mut self) -> Drift {
        Drift { what: self.pick(&drift::ALL).to_owned(), which: self.below(20) }
    }

    fn change_call(&mut self, name: &str, call: &mut Call) {
        match self.below(3) {
            0 => call.repeat = self.changed_repeat(name, &call.repeat),
            1 => call.depends_on = self.names(name, 2),
            _ => call.argument = self.expr(name, 2),
        }
    }

    fn change_resource(&mut self, name: &str, resource: &mut Resource) {
        match self.below(12) {
            0 | 1 => resource.repeat = self.changed_repeat(name, &resource.repeat),
            2..=4 => resource.input = self.some(1, |r| r.expr(name, 2)),
            5..=7 => resource.triggers = self.some(1, |r| r.literal(1)),
            8 => resource.create_before_destroy = self.pick(&[None, Some(true), Some(false)]),
            9 => resource.depends_on = self.names(name, 1),
            10 => resource.replaced_with = self.names(name, 1).into_iter().map(|n| (n, self.form())).collect(),
            _ => match self.below(4) {
                0 => resource.ignore = BTreeSet::from([self.ignored()]),
                1 => resource.prevent_destroy = false,
                2 => resource.precondition = self.some(2, |r| r.expr(name, 1)),
                _ => resource.postcondition = self.some(2, |r| r.expr(name, 1)),
            },
        }
    }

    /// One instance more or less, or something else altogether.
    fn changed_repeat(&mut self, name: &str, now: &Repeat) -> Repeat {
        match now {
            Repeat::Count(n) if !self.one_in(4) => {
                Repeat::Count(if self.one_in(2) { n + 1 } else { n.saturating_sub(1) })
            }
            Repeat::Keys(keys) if !self.one_in(4) => {
                let mut keys = keys.clone();
                let key = self.pick(&KEYS).to_owned();
                if !keys.remove(&key) {
                    keys.insert(key);
                }
                Repeat::Keys(keys)
            }
            _ => self.repeat(name),
        }
    }
}

fn smaller(name: &str) -> &'static [&'static str] {
    let end = NAMES.iter().position(|n| *n >= name).unwrap_or(NAMES.len());
    &NAMES[..end]
}
