//! Random changes that keep objects: they are renamed, gain or lose keys, go into a module or out of it, or are let go of.

use super::{
    generate::{KEYS, NAMES, Random},
    model::{Item, Module, Modules, Repeat},
};

impl Random {
    /// One such change, if there is something to change in that way.
    pub(super) fn refactor(&mut self, modules: &mut Modules) {
        let at = self.below(modules.len());
        let names: Vec<String> = modules[at].items.keys().cloned().collect();
        let name = self.pick(&names);
        match self.below(9) {
            0..=2 => self.rename(&mut modules[at], &name),
            3..=5 => self.rekey(&mut modules[at], &name),
            6 | 7 => self.cross(modules, at, &name),
            _ => self.let_go(&mut modules[at], &name),
        }
    }

    /// An item gets another name. What refers to it usually follows; now and then the new name is taken.
    fn rename(&mut self, module: &mut Module, name: &str) {
        let free: Vec<&str> = NAMES.into_iter().filter(|n| !module.items.contains_key(*n)).collect();
        let to = if free.is_empty() || self.one_in(12) { self.pick(&NAMES) } else { self.pick(&free) };
        let Some(kind) = module.items.get(name).and_then(kind).filter(|_| to != name) else { return };
        let Some(item) = module.items.remove(name) else { return };
        module.items.insert(to.to_owned(), item);
        if !self.one_in(4) {
            module.items.values_mut().for_each(|item| item.follow(name, to));
            module.outputs.values_mut().for_each(|(value, _)| value.follow(name, to));
        }
        self.moved(module, format!("{kind}.{name}"), format!("{kind}.{to}"));
    }

    /// An item gets other instances, and some of those that it had go on as one of them.
    fn rekey(&mut self, module: &mut Module, name: &str) {
        let repeat = match self.below(4) {
            0 => Repeat::One,
            1 => Repeat::Count(1 + self.below(3)),
            2 => Repeat::Keys((0..=self.below(2)).map(|_| self.pick(&KEYS).to_owned()).collect()),
            _ => Repeat::Map((0..=self.below(2)).map(|_| (self.pick(&KEYS).to_owned(), self.literal(0))).collect()),
        };
        let Some(item) = module.items.get_mut(name) else { return };
        let Some((kind, now)) = kind(item).zip(item.repeat_mut()) else { return };
        let before = std::mem::replace(now, repeat).keys();
        let mut after = now.keys();
        for from in before {
            if self.one_in(3) || after.is_empty() {
                continue;
            }
            let to = after.swap_remove(self.below(after.len()));
            if to != from {
                self.moved(module, format!("{kind}.{name}{from}"), format!("{kind}.{name}{to}"));
            }
        }
    }

    /// An item goes into a module that is called beside it; or one of that module comes out.
    fn cross(&mut self, modules: &mut Modules, at: usize, name: &str) {
        let calls: Vec<(String, usize, Vec<String>)> = modules[at].items.iter().filter_map(called).collect();
        if calls.is_empty() {
            return;
        }
        let (call, inner, keys) = self.pick(&calls);
        let key = if keys.is_empty() || self.one_in(6) { String::new() } else { self.pick(&keys) };
        let inwards = self.one_in(2);
        let (source, target) = if inwards { (at, inner) } else { (inner, at) };
        let names: Vec<String> = modules[source].items.keys().cloned().collect();
        let name = if inwards { name.to_owned() } else { self.pick(&names) };
        // Modules call only later ones, and the one that is called must stay.
        let stays = |item: &Item| matches!(item, Item::Call(c) if inwards && c.module <= target);
        let free = NAMES.into_iter().find(|n| !modules[target].items.contains_key(*n));
        let Some((to, kind)) = free.zip(modules[source].items.get(&name).filter(|i| !stays(i)).and_then(kind)) else {
            return;
        };
        if names.len() == 1 {
            return; // There is to be something left to pick from.
        }
        if let Some(item) = modules[source].items.remove(&name) {
            modules[target].items.insert(to.to_owned(), item);
        }
        let (outside, inside) = if inwards { (name.as_str(), to) } else { (to, name.as_str()) };
        let (outside, inside) = (format!("{kind}.{outside}"), format!("module.{call}{key}.{kind}.{inside}"));
        let (from, to) = if inwards { (outside, inside) } else { (inside, outside) };
        self.moved(&mut modules[at], from, to);
    }

    /// An item goes, and its objects stay where they are.
    fn let_go(&mut self, module: &mut Module, name: &str) {
        if module.items.len() > 1
            && let Some(kind) = module.items.get(name).and_then(kind)
        {
            module.items.remove(name);
            module.removed.push(format!("{kind}.{name}"));
        }
    }

    /// Writes down a move. Earlier ones that it contradicts usually go.
    fn moved(&mut self, module: &mut Module, from: String, to: String) {
        if !self.one_in(15) {
            module.moved.retain(|(other_from, other_to)| *other_from != from && *other_from != to && *other_to != to);
        }
        module.moved.push((from, to));
    }

    /// Blocks about what is there again usually go.
    pub(super) fn tidy(&mut self, modules: &mut Modules) {
        for module in modules {
            let there = |address: &str| {
                let (kind, name) = address.split_once('.').unwrap_or_default();
                module.items.get(name).is_some_and(|item| self::kind(item) == Some(kind))
            };
            let stale = |address: &String| there(address);
            if !self.one_in(10) {
                module.moved.retain(|(from, _)| !stale(from));
                module.removed.retain(|from| !stale(from));
            }
        }
    }
}

/// How addresses of an item begin.
fn kind(item: &Item) -> Option<&'static str> {
    match item {
        Item::Resource(_) => Some("terraform_data"),
        Item::Call(_) => Some("module"),
        Item::Local(_) => None,
    }
}

/// The name of a call, the module that it calls, and the keys of its instances.
fn called((name, item): (&String, &Item)) -> Option<(String, usize, Vec<String>)> {
    let Item::Call(call) = item else { return None };
    Some((name.clone(), call.module, call.repeat.keys()))
}
